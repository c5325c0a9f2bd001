//! What each metric is: the help text that `/metrics` has beside it. One table, so that a test can
//! hold it against what is counted anywhere.

use countersign_core::alerts;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram};

/// Describes every metric to the recorder, and begins to count alerts: Prometheus sees no increase in a
/// counter that appears with its first one.
pub(crate) fn describe() {
    for (name, help) in COUNTERS {
        describe_counter!(*name, *help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(*name, *help);
    }
    for (name, help) in HISTOGRAMS {
        describe_histogram!(*name, *help);
    }
    for kind in alerts::ALL.iter().filter_map(|kind| kind.strip_prefix(alerts::PREFIX)) {
        counter!("countersign_alerts_total", "alert" => kind).increment(0);
    }
}

const COUNTERS: &[(&str, &str)] = &[
    (
        "countersign_actor_conflicts_total",
        "Decisions that were repeated because the row had changed",
    ),
    (
        "countersign_actor_decisions_total",
        "Questions that were answered, by kind of row and outcome",
    ),
    ("countersign_actor_failures_total", "Actors that ended because of a fault"),
    (
        "countersign_actor_overloaded_total",
        "Questions that were refused because too many waited, by where",
    ),
    ("countersign_alerts_total", "Alerts that were raised, by kind; the audit log says about whom"),
    (
        "countersign_connections_closed_total",
        "Connections to the API that were closed for being too slow or idle, by reason",
    ),
    (
        "countersign_connections_refused_total",
        "Connections to the API that were refused because their address had too many without a valid key",
    ),
    ("countersign_geoip_reloads_total", "Times that the GeoIP file was read again, by outcome"),
    ("countersign_http_requests_total", "Requests that were answered, by route, method and status"),
    ("countersign_messages_total", "Messages that came to an end, by channel and outcome"),
    (
        "countersign_peer_append_streams_total",
        "Streams of log entries that other nodes opened to this one",
    ),
    (
        "countersign_peer_refused_total",
        "Connections and requests to the peers' port that were refused, by reason",
    ),
    (
        "countersign_provider_requests_total",
        "Requests to providers of messages, by provider and outcome",
    ),
    ("countersign_storage_appended_bytes_total", "Bytes of log entries that were written"),
    ("countersign_storage_appended_entries_total", "Log entries that were written"),
    ("countersign_storage_applied_entries_total", "Log entries that were applied"),
    ("countersign_storage_synced_writes_total", "Writes of the log that a sync made durable"),
    ("countersign_storage_syncs_total", "Syncs of the log to disk"),
    ("countersign_webhook_deliveries_total", "Attempts to deliver events to webhooks, by outcome"),
];

const GAUGES: &[(&str, &str)] = &[
    (
        "countersign_clock_agrees",
        "Whether this node's clock agrees with a majority's (1) or not (0)",
    ),
    (
        "countersign_clock_off_seconds",
        "How far this node's clock is ahead of the majority's; negative if behind",
    ),
    ("countersign_geoip_age_seconds", "Age of the GeoIP data, since it was built"),
    ("countersign_actor_active", "Actors in memory"),
    ("countersign_actor_gate_queue", "Hashes that wait for a processor"),
    ("countersign_actor_mailbox_depth", "Questions that wait for an actor"),
    ("countersign_messages_waiting", "Messages that wait to be sent, by channel"),
    (
        "countersign_provider_open",
        "Whether a provider of messages is left alone for a while because it failed (1) or not (0)",
    ),
    ("countersign_raft_applied_index", "The last log index that was applied, by shard"),
    ("countersign_raft_leader", "Whether this node leads the shard (1) or not (0)"),
    ("countersign_raft_log_index", "The last log index on this node, by shard"),
    ("countersign_raft_snapshot_index", "The log index of the last snapshot, by shard"),
    ("countersign_raft_term", "The Raft term, by shard"),
    (
        "countersign_shard_time_ahead_seconds",
        "How far a shard's time is ahead of the real time, by shard",
    ),
    ("countersign_storage_table_bytes", "Bytes of tables on disk"),
];

const HISTOGRAMS: &[(&str, &str)] = &[
    (
        "countersign_actor_decision_seconds",
        "From a question's arrival in the mailbox to the release of its answer",
    ),
    (
        "countersign_http_request_duration_seconds",
        "From a request's head to the head of its answer, by route and method",
    ),
    (
        "countersign_message_seconds",
        "From the making of a code to its message being sent, by channel",
    ),
    ("countersign_provider_seconds", "How long a provider of messages took to answer"),
    ("countersign_storage_sync_seconds", "How long a sync of the log took"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn described() -> BTreeSet<&'static str> {
        [COUNTERS, GAUGES, HISTOGRAMS].concat().into_iter().map(|(name, _)| name).collect()
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }

    /// The names that are counted under, as they stand in the sources of everything that a node is
    /// made of.
    fn counted() -> BTreeSet<String> {
        let node = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in ["src", "../api/src", "../actors/src", "../storage/src"] {
            sources(&node.join(folder), &mut files);
        }
        let mut names = BTreeSet::new();
        for file in files.iter().filter(|file| !file.ends_with("metric_help.rs")) {
            let text = std::fs::read_to_string(file).unwrap();
            let quoted = text.split('"');
            let endings = [
                "_total", "_seconds", "_bytes", "_active", "_agrees", "_queue", "_depth",
                "_waiting", "_open", "_index", "_leader", "_term",
            ];
            names.extend(
                quoted
                    .filter(|name| name.starts_with("countersign_"))
                    .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                    .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
                    .map(str::to_owned),
            );
            for macro_name in ["counter!(", "gauge!(", "histogram!("] {
                for call in text.split(macro_name).skip(1) {
                    let name =
                        call.trim_start().strip_prefix('"').and_then(|it| it.split_once('"'));
                    names.extend(name.map(|(name, _)| name.to_owned()));
                }
            }
        }
        names
    }

    #[test]
    fn every_metric_has_a_help_text_and_every_help_text_a_metric() {
        let described: BTreeSet<String> = described().into_iter().map(str::to_owned).collect();
        assert_eq!(described, counted());
    }
}
