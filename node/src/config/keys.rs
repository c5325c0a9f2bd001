//! Every setting there is, in one table: its place in the file, and from that its variable. What
//! is not in this table is unknown, wherever it is written.

/// What every variable begins with.
pub const VARIABLE_PREFIX: &str = "COUNTERSIGN_";

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its place in the TOML file: `request_timeout`, `geoip.database`.
    pub path: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

impl Key {
    const fn plain(path: &'static str) -> Self {
        Self { path, secret: false }
    }

    const fn secret(path: &'static str) -> Self {
        Self { path, secret: true }
    }

    /// Its variable: `COUNTERSIGN_GEOIP_DATABASE`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.path.to_ascii_uppercase().replace('.', "_"))
    }
}

/// Every setting.
pub const KEYS: &[Key] = &[
    Key::plain("data_dir"),
    Key::plain("name"),
    Key::plain("api_listen"),
    Key::plain("peer_listen"),
    Key::plain("api_advertise"),
    Key::plain("peer_advertise"),
    Key::plain("bootstrap"),
    Key::plain("join"),
    Key::secret("root_key"),
    Key::plain("replace_root_key"),
    Key::secret("master_key"),
    Key::plain("master_key_file"),
    Key::secret("cluster_secret"),
    Key::plain("shards"),
    Key::plain("issuer_url"),
    Key::plain("public_url"),
    Key::plain("trusted_proxies"),
    Key::plain("forwarded_header"),
    Key::plain("log_format"),
    Key::plain("log_level"),
    Key::plain("request_timeout"),
    Key::plain("shutdown_grace"),
    Key::plain("disk_reserve"),
    Key::plain("geoip.database"),
    Key::plain("audit.retention_days"),
    // An address such as smtp://user:password@host holds a password.
    Key::secret("email.url"),
    Key::plain("email.from"),
    Key::plain("email.helo"),
    Key::plain("email.ca_file"),
    Key::plain("sms.provider"),
    // Some receivers have a secret in their address.
    Key::secret("sms.url"),
    Key::plain("sms.account"),
    Key::secret("sms.token"),
    Key::plain("sms.from"),
    Key::plain("sms.ca_file"),
    Key::plain("webhooks.allow_private"),
    Key::plain("webhooks.allow_networks"),
    Key::plain("webhooks.ca_file"),
];

/// Variables that are read by single commands and are no settings of a node.
pub const COMMAND_VARIABLES: &[&str] = &[
    "COUNTERSIGN_CONFIG",
    "COUNTERSIGN_LISTEN",
    "COUNTERSIGN_EPHEMERAL",
    "COUNTERSIGN_URL",
    "COUNTERSIGN_KEY",
];

/// The setting at this place in the file.
pub fn by_path(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The setting of this variable.
pub fn by_variable(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.variable() == name)
}

/// The candidate that a misspelt `word` most likely meant, if one is near enough: at most a third
/// of its letters differ.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many letters must be put in, taken out or changed to turn `left` into `right`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_none() {
        let paths = || KEYS.iter().map(|key| key.path);
        assert_eq!(nearest("api_listn", paths()), Some("api_listen".to_owned()));
        assert_eq!(nearest("geoip.databse", paths()), Some("geoip.database".to_owned()));
        assert_eq!(nearest("colour", paths()), None);
    }

    #[test]
    fn variables_are_named_after_their_place() {
        let key = by_path("geoip.database").unwrap();
        assert_eq!(key.variable(), "COUNTERSIGN_GEOIP_DATABASE");
        assert_eq!(by_variable("COUNTERSIGN_GEOIP_DATABASE"), Some(key));
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        let names: std::collections::BTreeSet<_> = KEYS.iter().map(Key::variable).collect();
        assert_eq!(names.len(), KEYS.len());
    }
}
