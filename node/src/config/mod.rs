//! What a node is told before it starts: its values, checked once here and trusted from there on.
//!
//! A setting is written as a flag, a variable or a key of the file, and the first of these that
//! has it wins. A name that is no setting is an error, so that a misspelt one never passes
//! silently. No error and no `Debug` text ever holds a secret's value.

pub mod keys;
mod messaging;
mod parse;
mod secret_file;
pub mod sources;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use countersign_api::TrustedProxies;
use countersign_core::secret::Secret;

pub(crate) use self::messaging::is_full_name;
pub use self::messaging::{
    EmailSettings, Endpoint, Login, Messaging, SmsProvider, SmsSettings, SmtpTls,
};
pub use self::sources::Sources;
pub use self::webhooks::Webhooks;
use crate::error::Error;

/// Shards of a new cluster, unless told otherwise.
pub const SHARDS_DEFAULT: u16 = 16;
/// Days for which audit rows are kept, unless told otherwise.
pub const AUDIT_RETENTION_DAYS_DEFAULT: u32 = 400;
/// How long a request may take, unless told otherwise.
pub const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How long a node of a cluster goes on answering after it was told to stop, unless told otherwise.
pub const SHUTDOWN_GRACE_DEFAULT: Duration = Duration::from_secs(5);
/// Bytes of disk below which a node leads no more, unless told otherwise: 512 MiB.
pub const DISK_RESERVE_DEFAULT: u64 = 512 << 20;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What an empty node does. A node that has data ignores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// Founds a new cluster.
    Bootstrap,
    /// Asks one of these peers to be let in.
    Join(Vec<String>),
    /// Refuses to start.
    Refuse,
}

/// A node's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The node's name within its cluster.
    pub name: String,
    /// Where the HTTP API listens. Port 0 takes a free one.
    pub api_listen: SocketAddr,
    /// Where the node listens for its peers. Port 0 takes a free one.
    pub peer_listen: SocketAddr,
    /// Where others reach the API, `host:port`; `None` for where it listens.
    pub api_advertise: Option<String>,
    /// Where peers reach this node, `host:port`; `None` for where it listens. A name is resolved
    /// anew with each connection.
    pub peer_advertise: Option<String>,
    /// What an empty node does.
    pub beginning: Beginning,
    /// The first API key of a new cluster; `None` to have one made and shown once.
    pub root_key: Option<Secret>,
    /// Whether `root_key` takes the place of all root keys that there are.
    pub replace_root_key: bool,
    /// The 32 bytes that wrap the data keys.
    pub master_key: Secret,
    /// What proves to peers that this node belongs to them.
    pub cluster_secret: Option<Secret>,
    /// How many shards a new cluster has, forever.
    pub shards: u16,
    /// The `iss` of access tokens; `None` for a name made of the cluster's id. The same on all nodes.
    pub issuer_url: Option<String>,
    /// The origin under which browsers reach the hosted pages; `None` for this machine's
    /// own names alone. The same on all nodes.
    pub public_url: Option<String>,
    /// The proxies that say where requests come from, and in which header. The same on all nodes.
    pub trusted_proxies: TrustedProxies,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which log lines are written: a level, or directives such as `info,openraft=debug`.
    pub log_level: String,
    /// How long a request may take, waiting for a leader included.
    pub request_timeout: Duration,
    /// How long a node of a cluster goes on answering after it was told to stop, so that load
    /// balancers see that it is not ready. A node alone does not wait.
    pub shutdown_grace: Duration,
    /// Bytes that must be free on the data directory's disk: with less the node leads nothing and
    /// refuses writes; with less than a quarter of it, it also takes no entries of others. 0 never
    /// looks.
    pub disk_reserve: u64,
    /// A MaxMind database that tells where addresses are.
    pub geoip_database: Option<PathBuf>,
    /// For how many days audit rows are kept; 0 keeps them for ever.
    pub audit_retention_days: u32,
    /// Where messages leave.
    pub messaging: Messaging,
    /// To where events may be posted.
    pub webhooks: Webhooks,
    /// Whether messages are shown at `/dev/messages`, and sent only where a provider is set: for
    /// `countersign dev` alone, and no setting.
    pub inbox: bool,
    /// Whether the sample application is served at `/`: for `countersign dev` alone, and no setting.
    pub sample: bool,
}

impl Config {
    /// Settings for a node of one's own in `data_dir`: listens on a free local port, founds a
    /// cluster if there is none.
    pub fn local(data_dir: PathBuf, master_key: [u8; 32]) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            data_dir,
            name: "n1".to_owned(),
            api_listen: anywhere,
            peer_listen: anywhere,
            api_advertise: None,
            peer_advertise: None,
            beginning: Beginning::Bootstrap,
            root_key: None,
            replace_root_key: false,
            master_key: Secret::new(master_key.to_vec()),
            cluster_secret: None,
            shards: SHARDS_DEFAULT,
            issuer_url: None,
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
            request_timeout: REQUEST_TIMEOUT_DEFAULT,
            shutdown_grace: Duration::ZERO,
            disk_reserve: 0,
            geoip_database: None,
            audit_retention_days: AUDIT_RETENTION_DAYS_DEFAULT,
            messaging: Messaging::default(),
            webhooks: Webhooks::default(),
            inbox: false,
            sample: false,
        }
    }

    /// Reads and checks every setting.
    ///
    /// # Errors
    /// If a needed one is missing or one cannot be taken.
    pub fn read(sources: &Sources) -> Result<Self, Error> {
        parse::config(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::sources::Origin;
    use super::*;

    const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn least() -> Sources {
        let mut sources = Sources::default();
        sources.set("data_dir", "/tmp/x", Origin::Default);
        sources.set("name", "n1", Origin::Default);
        sources.set("master_key", MASTER, Origin::Default);
        sources
    }

    #[test]
    fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
        let written = file("name = \"of-file\"\nlog_format = \"json\"\nlog_level = \"warn\"\n");
        let mut sources = least();
        assert_eq!(Config::read(&sources).unwrap().log_format, LogFormat::Text);
        sources.read_file(written.path()).unwrap();
        assert_eq!(Config::read(&sources).unwrap().name, "of-file");
        let set = [("COUNTERSIGN_NAME", "of-variable"), ("COUNTERSIGN_LOG_LEVEL", "debug")];
        sources.read_variables(variables(&set)).unwrap();
        sources.set("name", "of-flag", Origin::Flag("--name".to_owned()));
        let config = Config::read(&sources).unwrap();
        assert_eq!(config.name, "of-flag");
        assert_eq!(config.log_level, "debug");
        assert_eq!(config.log_format, LogFormat::Json);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_its_neighbour() {
        let written = file("name = \"n1\"\n\n[geoip]\ndatabse = \"x\"\n");
        let error = Sources::default().read_file(written.path()).unwrap_err().to_string();
        assert!(error.contains("line 4"), "{error}");
        assert!(error.contains("geoip.databse"), "{error}");
        assert!(error.contains("geoip.database"), "{error}");
    }

    #[test]
    fn an_unknown_variable_is_named_with_its_neighbour() {
        let set = variables(&[("COUNTERSIGN_API_LISTN", "x"), ("PATH", "y")]);
        let error = Sources::default().read_variables(set).unwrap_err().to_string();
        assert!(error.contains("COUNTERSIGN_API_LISTN"), "{error}");
        assert!(error.contains("COUNTERSIGN_API_LISTEN"), "{error}");
    }

    #[test]
    fn errors_and_debug_texts_hold_no_secret() {
        let mut sources = least();
        sources.set("master_key", "not-quite-a-key-1234", Origin::Default);
        let error = Config::read(&sources).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("not-quite"), "{error}");
        let mut sources = least();
        sources.set("root_key", "csk_short-secret", Origin::Default);
        let error = Config::read(&sources).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("short-secret"), "{error}");
        let written = file("root_key = csk_bare_word_secret\n");
        let error = Sources::default().read_file(written.path()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("bare_word"), "{error}");
        let mut sources = least();
        sources.set("root_key", format!("csk_{}", "s3cret".repeat(6)), Origin::Default);
        sources.set("email.url", "smtp://u:hunter22@mail.example", Origin::Default);
        sources.set("email.from", "a@mail.example", Origin::Default);
        let config = format!("{:?}", Config::read(&sources).unwrap());
        assert!(!config.contains("s3cret") && !config.contains("hunter22"), "{config}");
    }

    #[test]
    fn every_value_is_checked() {
        for (path, value, part) in [
            ("api_listen", "localhost", "address"),
            ("shards", "0", "1 to 1024"),
            ("shards", "many", "1 to 1024"),
            ("bootstrap", "perhaps", "true or false"),
            ("log_format", "xml", "text or json"),
            ("log_level", "info,=,", "level"),
            ("request_timeout", "10", "10s"),
            ("request_timeout", "0s", "100ms"),
            ("shutdown_grace", "1h", "60s"),
            ("disk_reserve", "1GB", "512MiB"),
            ("peer_advertise", "n1.example", "host:port"),
            ("peer_advertise", "0.0.0.0:7080", "anywhere"),
            ("master_key", "AAEC", "32 bytes"),
            ("root_key", "csk_x", "32"),
            ("root_key", "sk_0123456789012345678901234567890123", "csk_"),
            ("audit.retention_days", "-1", "days"),
            ("issuer_url", "acme", "http"),
            ("public_url", "acme", "http"),
            ("public_url", "https://acme.example/mfa", "path"),
            ("trusted_proxies", "10.1.2.3/16", "10.1.0.0/16"),
            ("trusted_proxies", "lb.example", "networks"),
            ("forwarded_header", "x-real-ip", "x-forwarded-for or forwarded"),
            ("name", "", "name"),
            ("name", "a b", "name"),
            ("email.url", "http://x", "smtp"),
            ("sms.provider", "pigeon", "twilio"),
            ("cluster_secret", "short", "16"),
            ("webhooks.allow_private", "perhaps", "true or false"),
            ("webhooks.allow_networks", "10.1.2.3/16", "10.1.0.0/16"),
            ("webhooks.ca_file", "/no/such/file.pem", "cannot be read"),
        ] {
            let mut sources = least();
            sources.set(path, value, Origin::Flag("--it".to_owned()));
            let error = Config::read(&sources).unwrap_err().to_string();
            assert!(error.contains(part), "{path}={value}: {error}");
            assert!(error.contains("--it"), "{path}={value}: {error}");
        }
    }

    #[test]
    fn a_missing_setting_is_said_with_all_its_names() {
        let mut sources = Sources::default();
        sources.set("name", "n1", Origin::Default);
        sources.set("master_key", MASTER, Origin::Default);
        let error = Config::read(&sources).unwrap_err().to_string();
        assert!(error.contains("--data-dir") && error.contains("COUNTERSIGN_DATA_DIR"), "{error}");
    }

    #[test]
    fn a_master_key_may_lie_in_a_file_but_not_in_two_places() {
        let key = file(&format!("{MASTER}\n"));
        let mut sources = Sources::default();
        sources.set("data_dir", "/tmp/x", Origin::Default);
        sources.set("name", "n1", Origin::Default);
        sources.set("master_key_file", key.path().to_string_lossy(), Origin::Default);
        assert_eq!(Config::read(&sources).unwrap().master_key.expose().len(), 32);
        sources.set("master_key", MASTER, Origin::Default);
        assert!(Config::read(&sources).unwrap_err().to_string().contains("both"));
    }

    #[test]
    fn bootstrap_and_join_exclude_each_other() {
        let mut sources = least();
        sources.set("bootstrap", "true", Origin::Default);
        sources.set("join", "127.0.0.1:7082, 127.0.0.1:7083", Origin::Default);
        assert!(Config::read(&sources).unwrap_err().to_string().contains("not both"));
        sources.set("bootstrap", "false", Origin::Default);
        let peers = vec!["127.0.0.1:7082".to_owned(), "127.0.0.1:7083".to_owned()];
        assert_eq!(Config::read(&sources).unwrap().beginning, Beginning::Join(peers));
    }
}
