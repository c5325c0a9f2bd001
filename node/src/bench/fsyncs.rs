//! How often the nodes told their disks to sync, from what they export.

use super::client::Client;

/// The counter's name in the Prometheus text.
const NAME: &str = "countersign_storage_syncs_total";

/// The sum over all nodes; `None` if one does not tell.
pub(super) async fn total(client: &Client) -> Option<u64> {
    let mut sum = 0;
    for address in client.addresses() {
        let response = client.get_once(address, "/metrics").await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        sum += counted(std::str::from_utf8(response.body()).ok()?)?;
    }
    Some(sum)
}

/// The counter's value, summed over its labels (Prometheus text format 0.0.4: `name{labels} value
/// [timestamp]`); `None` if it is not there.
fn counted(text: &str) -> Option<u64> {
    let mut sum = None;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(NAME) else { continue };
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.split_once('}').map(|(_, value)| value)?,
            None if rest.starts_with(' ') => rest,
            None => continue,
        };
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        if !(0.0..9.0e15).contains(&value) {
            return None;
        }
        // In range, as just checked.
        sum = Some(sum.unwrap_or(0) + value as u64);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_summed_over_labels_and_other_names_are_left_out() {
        let text = "# HELP countersign_storage_syncs_total Syncs.\n\
                    # TYPE countersign_storage_syncs_total counter\n\
                    countersign_storage_syncs_total{disk=\"a\"} 40\n\
                    countersign_storage_syncs_total{disk=\"b\"} 2 1700000000000\n\
                    countersign_storage_syncs_total_other 7\n";
        assert_eq!(counted(text), Some(42));
        assert_eq!(counted("countersign_storage_syncs_total 1e3\n"), Some(1_000));
    }

    #[test]
    fn a_node_that_does_not_tell_counts_as_unknown_and_not_as_zero() {
        assert_eq!(counted("something_else 3\n"), None);
        assert_eq!(counted("countersign_storage_syncs_total many\n"), None);
        assert_eq!(counted("countersign_storage_syncs_total -1\n"), None);
    }
}
