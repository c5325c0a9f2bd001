//! Why the program ends badly, and with which exit code. Each text says what was attempted, on
//! what, and where it helps, what to do. None holds a secret.

use std::net::SocketAddr;
use std::path::PathBuf;

use countersign_core::ids::ShardId;
use thiserror::Error;

use crate::config::sources::Origin;

/// Something failed.
pub const EXIT_FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub const EXIT_USAGE: u8 = 2;
/// The data directory is locked, corrupt, sealed with another master key, an older copy of itself, or
/// of a node that was removed from its cluster.
pub const EXIT_DATA: u8 = 3;
/// The address to listen on is in use.
pub const EXIT_ADDRESS: u8 = 4;

/// What went wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// The configuration file cannot be read.
    #[error("the configuration file {path} cannot be read: {reason}", path = path.display())]
    ConfigUnreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The configuration file is not TOML.
    #[error("{path}, line {line}: {reason}", path = path.display())]
    ConfigSyntax {
        /// Which.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The configuration file has a key that is no setting.
    #[error(
        "{path}, line {line}: there is no setting {key}{hint}",
        path = path.display(),
        hint = hint(nearest.as_deref())
    )]
    UnknownKey {
        /// Which file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A variable is no setting's.
    #[error("there is no variable {name}{hint}", hint = hint(nearest.as_deref()))]
    UnknownVariable {
        /// The variable.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A variable's value is not text.
    #[error("the variable {name} is not Unicode")]
    VariableNotUnicode {
        /// The variable.
        name: String,
    },
    /// A setting's value cannot be taken.
    #[error("{key}, set {origin}: {reason}")]
    InvalidSetting {
        /// The setting.
        key: &'static str,
        /// Where it was written.
        origin: Origin,
        /// What is wrong. Never the value of a secret.
        reason: String,
    },
    /// A setting that is needed is not there.
    #[error(
        "{key} is missing: set {flag}the variable {variable}, or {key} in the file of --config",
        flag = flag.map(|flag| format!("the flag {flag}, ")).unwrap_or_default()
    )]
    MissingSetting {
        /// The setting.
        key: &'static str,
        /// Its flag, if it has one.
        flag: Option<&'static str>,
        /// Its variable.
        variable: String,
    },
    /// Both ways to begin were asked for.
    #[error("an empty node either founds a cluster (--bootstrap) or joins one (--join), not both")]
    BootstrapAndJoin,
    /// Two master keys.
    #[error("both master_key and master_key_file are set; keep one")]
    TwoMasterKeys,
    /// No master key.
    #[error(
        "no master key: set COUNTERSIGN_MASTER_KEY or COUNTERSIGN_MASTER_KEY_FILE (32 bytes in \
         base64). `countersign keys generate` makes one; keep it safe, since without it nobody \
         can read the secrets in the data directory"
    )]
    NoMasterKey,
    /// A node cannot join without the cluster's secret.
    #[error(
        "no cluster secret: set COUNTERSIGN_CLUSTER_SECRET to the one that the other nodes have; \
         without it no cluster lets this node in"
    )]
    NoClusterSecret,
    /// No seed let this node in.
    #[error("joining the cluster failed: {0}")]
    Join(String),
    /// What nodes show each other cannot be made or read.
    #[error("this node's credentials: {0}")]
    Credentials(String),
    /// The node was taken out of its cluster.
    #[error(
        "this node was removed from its cluster; to take it in again as a new node, start it with \
         --join on an empty data directory"
    )]
    Expelled,
    /// The disk lacks what the node acknowledged.
    #[error(
        "this node's data directory is an older copy of itself: node {by} remembers it to have come \
         further, so what this node acknowledged since is missing. It must not go on with it. \
         Remove the node (`countersign cluster remove <name>`, asked of another one), then start \
         it with --join on an empty data directory"
    )]
    OlderDisk {
        /// Who refused it.
        by: u64,
    },
    /// A cluster without shards.
    #[error("the data directory names no shard")]
    NoShards,
    /// An empty node was not told how to begin.
    #[error(
        "{path} holds no data yet: give --bootstrap to found a new cluster there, --join to join \
         one, or --data-dir of an existing node",
        path = path.display()
    )]
    NothingThere {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used: {reason}", path = path.display())]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The master key is another than the data was sealed with.
    #[error(
        "the master key is not the one that {path} was sealed with; nothing was changed. Start \
         with the key that was used before",
        path = path.display()
    )]
    WrongMasterKey {
        /// The data directory.
        path: PathBuf,
    },
    /// The location database cannot be used.
    #[error("geoip.database: {path} cannot be used: {reason}", path = path.display())]
    GeoIp {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is nobody to trust.
    #[error(
        "{key}: the certificates that are trusted cannot be loaded: {reason}. Install the system's \
         (Debian's ca-certificates), or name a file of them in SSL_CERT_FILE"
    )]
    Trust {
        /// The setting that needs them.
        key: &'static str,
        /// Why.
        reason: String,
    },
    /// Somebody else listens there.
    #[error(
        "{address} is in use by another process: stop that one, or choose another address \
         (--listen of `dev`, --api-listen or --peer-listen of `serve`)"
    )]
    AddressInUse {
        /// Where.
        address: SocketAddr,
    },
    /// It is not possible to listen there.
    #[error("listening on {address} failed: {reason}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// A Raft group failed.
    #[error("the Raft group of shard {shard} failed to {action}: {reason}")]
    Raft {
        /// Whose.
        shard: ShardId,
        /// What was attempted.
        action: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// The cluster could not be founded.
    #[error("founding the cluster failed at {step}: {reason}")]
    Founding {
        /// Where.
        step: &'static str,
        /// Why.
        reason: String,
    },
    /// The actors did not start.
    #[error("starting the service failed: {0}")]
    Service(String),
    /// A file or folder cannot be written or read.
    #[error("{action} {path} failed: {reason}", path = path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        reason: String,
    },
    /// An argument cannot be taken.
    #[error("{0}")]
    Usage(String),
    /// A server did not answer as it should.
    #[error("{url}: {reason}")]
    Request {
        /// What was asked.
        url: String,
        /// What came back.
        reason: String,
    },
    /// An audit export does not verify.
    #[error("{0}")]
    Audit(String),
}

impl Error {
    /// The exit code that tells scripts what kind of failure it was.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::ConfigUnreadable { .. }
            | Self::ConfigSyntax { .. }
            | Self::UnknownKey { .. }
            | Self::UnknownVariable { .. }
            | Self::VariableNotUnicode { .. }
            | Self::InvalidSetting { .. }
            | Self::MissingSetting { .. }
            | Self::BootstrapAndJoin
            | Self::TwoMasterKeys
            | Self::NoMasterKey
            | Self::NoClusterSecret
            | Self::NothingThere { .. }
            | Self::GeoIp { .. }
            | Self::Trust { .. }
            | Self::Usage(_) => EXIT_USAGE,
            // Starting again would not help; service managers are told not to try.
            Self::DataDir { .. }
            | Self::WrongMasterKey { .. }
            | Self::NoShards
            | Self::OlderDisk { .. }
            | Self::Expelled => EXIT_DATA,
            Self::AddressInUse { .. } => EXIT_ADDRESS,
            Self::Listen { .. }
            | Self::Raft { .. }
            | Self::Founding { .. }
            | Self::Join(_)
            | Self::Credentials(_)
            | Self::Service(_)
            | Self::File { .. }
            | Self::Request { .. }
            | Self::Audit(_) => EXIT_FAILED,
        }
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}
