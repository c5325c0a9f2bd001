//! `countersign serve`: a node of a cluster.

use std::path::PathBuf;

use clap::Args;

use super::{running, say};
use crate::config::sources::{self, Origin};
use crate::config::{Config, Sources};
use crate::error::Error;
use crate::node::Node;

/// Flags of `serve`. Secrets have none, since a command line is for all to see.
#[derive(Args, Debug)]
#[command(after_help = "\
Example, a first node and one that joins it (with the same variables):
  (umask 077; countersign keys generate > countersign.env)
  set -a && . ./countersign.env && set +a
  countersign serve --bootstrap --data-dir /var/lib/countersign --name n1 \\
      --api-listen 0.0.0.0:8080 --peer-listen 0.0.0.0:7080 --peer-advertise n1.internal:7080
  countersign serve --join n1.internal:7080 --data-dir /var/lib/countersign --name n2 \\
      --api-listen 0.0.0.0:8080 --peer-listen 0.0.0.0:7080 --peer-advertise n2.internal:7080

Every flag is also a variable (--data-dir is COUNTERSIGN_DATA_DIR) and a key of the file of
--config (data_dir). A flag wins over a variable, a variable over the file. Secrets have no flag:
  COUNTERSIGN_MASTER_KEY or COUNTERSIGN_MASTER_KEY_FILE   32 bytes in base64; seals secrets at rest
  COUNTERSIGN_ROOT_KEY       the first API key, csk_ and at least 32 characters; else one is made
                             and printed once. With --replace-root-key it takes the place of all
                             root keys that there are
  COUNTERSIGN_CLUSTER_SECRET proves to peers that this node belongs to them

SIGTERM and SIGINT end the node in order: it hands over what it leads, is not ready any more,
finishes what it has begun, and exits with 0. A second signal ends it at once, which loses nothing that was answered.
SIGHUP reads the log level and the GeoIP database again; other settings need a restart.")]
pub(super) struct ServeArgs {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    /// Where everything is kept. One node, one directory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// The node's name within its cluster.
    #[arg(long)]
    name: Option<String>,
    /// Where the HTTP API listens [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    api_listen: Option<String>,
    /// Where the node listens for its peers [default: 127.0.0.1:7080].
    #[arg(long, value_name = "ADDRESS")]
    peer_listen: Option<String>,
    /// Where others reach the API, if not where it listens.
    #[arg(long, value_name = "HOST:PORT")]
    api_advertise: Option<String>,
    /// Where peers reach this node, if not where it listens; a name may change its address.
    #[arg(long, value_name = "HOST:PORT")]
    peer_advertise: Option<String>,
    /// Found a new cluster if the data directory is empty; ignored if it is not.
    #[arg(long, conflicts_with = "join")]
    bootstrap: bool,
    /// Join the cluster of these peers if the data directory is empty; they are tried in turn.
    #[arg(long, value_name = "HOST:PORT,…")]
    join: Option<String>,
    /// How many shards a new cluster has, forever [default: 16].
    #[arg(long, value_name = "NUMBER")]
    shards: Option<String>,
    /// End all root keys and take the one of COUNTERSIGN_ROOT_KEY in their place: for when they are
    /// lost. Done once; leave it out of later starts.
    #[arg(long)]
    replace_root_key: bool,
    /// A file with the master key, 32 bytes in base64.
    #[arg(long, value_name = "FILE")]
    master_key_file: Option<String>,
    /// The `iss` of access tokens, the same on all nodes [default: urn:countersign:<cluster id>].
    #[arg(long, value_name = "URL")]
    issuer_url: Option<String>,
    /// Where browsers reach the hosted pages, the same on all nodes [default: localhost alone].
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Proxies that say where requests come from: networks or addresses [default: none].
    #[arg(long, value_name = "NETWORK,…")]
    trusted_proxies: Option<String>,
    /// Where they say it: x-forwarded-for or forwarded [default: x-forwarded-for].
    #[arg(long, value_name = "HEADER")]
    forwarded_header: Option<String>,
    /// How log lines are written: text or json [default: text].
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Which log lines are written: a level or directives [default: info].
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How long a request may take [default: 10s].
    #[arg(long, value_name = "TIME")]
    request_timeout: Option<String>,
    /// How long to go on answering after SIGTERM, so that load balancers notice [default: 5s].
    #[arg(long, value_name = "TIME")]
    shutdown_grace: Option<String>,
    /// Free disk below which this node leads no more and refuses writes [default: 512MiB].
    #[arg(long, value_name = "SIZE")]
    disk_reserve: Option<String>,
    /// A MaxMind database that tells where addresses are.
    #[arg(long, value_name = "FILE")]
    geoip_database: Option<String>,
    /// For how many days audit rows are kept; 0 keeps them for ever [default: 400].
    #[arg(long, value_name = "DAYS")]
    audit_retention_days: Option<String>,
}

impl ServeArgs {
    fn settings(&self) -> Result<Config, Error> {
        let mut sources = Sources::default();
        if let Some(file) = &self.config {
            sources.read_file(file)?;
        }
        sources.read_variables(sources::variables()?)?;
        for (path, flag, value) in [
            ("data_dir", "--data-dir", &self.data_dir),
            ("name", "--name", &self.name),
            ("api_listen", "--api-listen", &self.api_listen),
            ("peer_listen", "--peer-listen", &self.peer_listen),
            ("api_advertise", "--api-advertise", &self.api_advertise),
            ("peer_advertise", "--peer-advertise", &self.peer_advertise),
            ("join", "--join", &self.join),
            ("shards", "--shards", &self.shards),
            ("master_key_file", "--master-key-file", &self.master_key_file),
            ("issuer_url", "--issuer-url", &self.issuer_url),
            ("public_url", "--public-url", &self.public_url),
            ("trusted_proxies", "--trusted-proxies", &self.trusted_proxies),
            ("forwarded_header", "--forwarded-header", &self.forwarded_header),
            ("log_format", "--log-format", &self.log_format),
            ("log_level", "--log-level", &self.log_level),
            ("request_timeout", "--request-timeout", &self.request_timeout),
            ("shutdown_grace", "--shutdown-grace", &self.shutdown_grace),
            ("disk_reserve", "--disk-reserve", &self.disk_reserve),
            ("geoip.database", "--geoip-database", &self.geoip_database),
            ("audit.retention_days", "--audit-retention-days", &self.audit_retention_days),
        ] {
            if let Some(value) = value {
                sources.set(path, value, Origin::Flag(flag.to_owned()));
            }
        }
        if self.replace_root_key {
            let origin = Origin::Flag("--replace-root-key".to_owned());
            sources.set("replace_root_key", "true", origin);
        }
        if self.bootstrap {
            sources.set("bootstrap", "true", Origin::Flag("--bootstrap".to_owned()));
        }
        Config::read(&sources)
    }
}

/// Reads the settings again for what can be changed while a node runs: the log level.
fn reload(args: &ServeArgs) {
    let level = args.settings().map(|config| config.log_level).map_err(|error| error.to_string());
    match level.and_then(|level| crate::telemetry::set_level(&level).map(|()| level)) {
        Ok(level) => tracing::info!(level, "SIGHUP: settings read again"),
        Err(error) => {
            tracing::error!(error, "SIGHUP: the settings cannot be used; nothing changes")
        }
    }
}

pub(super) async fn run(args: ServeArgs) -> Result<(), Error> {
    let config = args.settings()?;
    crate::telemetry::start_logging(&config.log_level, config.log_format);
    let until = running::signals()?;
    let started = Node::start_with(config, |root_key| {
        say("This cluster is new. Its first API key, shown this once:");
        say(root_key.expose_str());
    });
    let node = Box::pin(started).await?;
    tracing::info!(
        node = node.id(), api = %node.address(), peers = %node.peer_address(),
        "ready for requests"
    );
    running::tell_service_manager(sd_notify::NotifyState::Ready);
    running::until_stopped(node, until, Some(&|| reload(&args))).await
}
