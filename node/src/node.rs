//! One node, from its settings to its end: what is started in which order, and ended in which.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use countersign_actors::gateway::Gateway;
use countersign_actors::{Options, Ports, Service};
use countersign_api::{ApiOptions, ApiState};
use countersign_core::ids::ShardId;
use countersign_core::secret::Secret;
use countersign_core::vault::Vault;
use countersign_storage::{
    Identity, KeyRing, MasterKey, NodeAddress, StorageError, Store, StoreOptions,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::clock::WallClock;
use crate::config::{Beginning, Config};
use crate::directory::AppliedDirectory;
use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::founding::{self, Founding};
use crate::gateway::LocalGateway;
use crate::geoip::GeoIp;
use crate::leadership::{Leadership, Led};
use crate::listing::Listing;
use crate::raft::{self, Groups};
use crate::replica::ShardReplica;
use crate::retention::Retention;
use crate::server::{self, Bounds, Server};
use crate::{limits, snapshots, telemetry};

/// The number of the node that founds a cluster.
const FIRST_NODE: u64 = 1;
/// How long a founding node waits for its own election.
const FOUNDING_ELECTION: Duration = Duration::from_secs(30);
/// How long requests in flight may take once the node ends.
const DRAIN: Duration = Duration::from_secs(15);
/// How long decisions in flight may take after that.
const DECIDE: Duration = Duration::from_secs(10);

/// A running node. Dropping it ends it without order, as a crash would; see [`Node::stop`].
pub struct Node {
    store: Arc<Store>,
    groups: Groups,
    service: Service,
    leadership: Leadership,
    gateway: Arc<dyn Gateway>,
    server: Server,
    beside: JoinSet<()>,
    stopping: watch::Sender<bool>,
}

impl Node {
    /// Starts a node and waits until its API listens. A made root key is lost; see
    /// [`Node::start_with`].
    ///
    /// # Errors
    /// If the settings, the data directory or the address cannot be used.
    pub async fn start(config: Config) -> Result<Self, Error> {
        Self::start_with(config, |_| {}).await
    }

    /// Starts a node and waits until its API listens. If it founds a cluster and no root key was
    /// chosen, one is made and shown to `announce`, once.
    ///
    /// # Errors
    /// If the settings, the data directory or the address cannot be used.
    pub async fn start_with(config: Config, announce: impl FnOnce(&Secret)) -> Result<Self, Error> {
        let open_files = limits::raise_open_files();
        let geoip = config.geoip_database.as_deref().map(GeoIp::open).transpose()?;
        // Before anything counts: a number kept without a recorder is lost.
        let _ = telemetry::recorder();
        let Opened { store, identity, keys } = Opened::open(&config)?;
        let listener = server::bind(config.api_listen).await?;
        let address = listener.local_addr().map_err(|error| Error::Listen {
            address: config.api_listen,
            reason: error.to_string(),
        })?;
        let groups = raft::start_groups(&store, identity.node_id, identity.shards).await?;

        let ports = Ports {
            directory: Arc::new(AppliedDirectory::new(store.directory())),
            clock: Arc::new(WallClock),
            entropy: Arc::new(SystemEntropy),
            vault: Arc::clone(&keys) as Arc<dyn Vault>,
        };
        let service = Service::start(Options::default(), ports.clone())
            .await
            .map_err(|error| Error::Service(error.to_string()))?;
        let leadership = Leadership::start(&store, &groups, &service);

        let own_address = NodeAddress {
            name: config.name.clone(),
            api_address: address.to_string(),
            peer_address: config.peer_listen.to_string(),
        };
        // A founding that was killed half way is gone on with, whatever the flags say now.
        let complete = founding::complete(ports.directory.as_ref());
        let founder = Some(&own_address).filter(|_| !complete);
        for (shard, group) in groups.iter() {
            raft::set_going(*shard, group, identity.node_id, founder).await?;
        }
        if !complete {
            let founding = Founding {
                replica: system_replica(&store, &groups, &leadership.led()).await?,
                service: &service,
                directory: ports.directory.as_ref(),
                keys: &keys,
                clock: ports.clock.as_ref(),
                cluster_id: &identity.cluster_id,
                shards: identity.shards,
            };
            founding.run(config.root_key.clone(), announce).await?;
        }

        let (stopping, stopped) = watch::channel(false);
        let gateway: Arc<dyn Gateway> = Arc::new(LocalGateway {
            shards: identity.shards,
            service: service.clone(),
            led: leadership.led(),
            listing: Listing::new(Arc::clone(&store), identity.shards),
            groups: Arc::clone(&groups),
            vault: Arc::clone(&ports.vault),
            geoip,
            cluster_id: identity.cluster_id.clone(),
            node_id: identity.node_id,
            deadline: config.request_timeout,
            stopping: stopped,
        });
        let router = api(&config, address, &store, &groups, &gateway, &ports);
        let server = Server::start(listener, router, Bounds::within(open_files))?;

        let mut beside = JoinSet::new();
        beside.spawn(telemetry::keep_up());
        beside.spawn(snapshots::keep_compact(Arc::clone(&store), Arc::clone(&groups)));
        beside.spawn(follow_keys(Arc::clone(&store), keys));
        let retention = Retention {
            store: Arc::clone(&store),
            groups: Arc::clone(&groups),
            led: leadership.led(),
            clock: ports.clock,
            audit_days: config.audit_retention_days,
        };
        beside.spawn(retention.run());
        Ok(Self { store, groups, service, leadership, gateway, server, beside, stopping })
    }

    /// Where the API listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Asks without HTTP.
    pub fn gateway(&self) -> Arc<dyn Gateway> {
        Arc::clone(&self.gateway)
    }

    /// The store, for those who measure it.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// The groups, for tests that look behind the doors.
    #[cfg(test)]
    pub(crate) const fn groups(&self) -> &Groups {
        &self.groups
    }

    /// What is led, for tests that look behind the doors.
    #[cfg(test)]
    pub(crate) fn led(&self) -> Led {
        self.leadership.led()
    }

    /// Waits until the actors answer for every shard; `false` if that was not so in time.
    pub async fn ready(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let led = self.leadership.led();
        for shard in self.groups.keys() {
            if !led.wait(*shard, deadline).await {
                return false;
            }
        }
        true
    }

    /// Ends the node in order: no new connections, then requests and decisions in flight, then
    /// Raft, then the store. Membership never changes: a node that ended is expected back.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        self.server.stop(DRAIN).await;
        let mut beside = self.beside;
        beside.shutdown().await;
        if !self.service.shutdown(DECIDE).await {
            tracing::warn!("some decisions were still running at the deadline");
        }
        self.leadership.stop().await;
        raft::stop_groups(&self.groups).await;
        let store = self.store;
        let flushed = tokio::task::spawn_blocking(move || store.flush()).await;
        match flushed {
            Ok(Ok(())) => {}
            // Everything that was answered is in the write-ahead log already.
            Ok(Err(error)) => tracing::warn!(%error, "the store was not flushed"),
            Err(error) => tracing::warn!(%error, "the store was not flushed"),
        }
    }
}

/// The HTTP layer over a node's parts.
fn api(
    config: &Config,
    address: SocketAddr,
    store: &Arc<Store>,
    groups: &Groups,
    gateway: &Arc<dyn Gateway>,
    ports: &Ports,
) -> Router {
    let issuer_url = config.issuer_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let mut options = ApiOptions::new(issuer_url);
    options.request_timeout = config.request_timeout;
    let (store, groups) = (Arc::clone(store), Arc::clone(groups));
    options.metrics = Some(Arc::new(move || {
        telemetry::record(&store, &groups);
        telemetry::recorder().render()
    }));
    let Ports { directory, clock, entropy, vault } = ports.clone();
    let state = ApiState::new(Arc::clone(gateway), directory, vault, clock, entropy, options);
    countersign_api::router(state)
}

/// A store that is this node's, and the keys that open what is in it.
struct Opened {
    store: Arc<Store>,
    identity: Identity,
    keys: Arc<KeyRing>,
}

impl Opened {
    /// Opens the data directory and checks the master key against it, before anything is written.
    fn open(config: &Config) -> Result<Self, Error> {
        let dir = config.data_dir.as_path();
        let data = |error: &StorageError| Error::DataDir {
            path: dir.to_owned(),
            reason: error.to_string(),
        };
        let begins = !holds_data(dir);
        if begins {
            match &config.beginning {
                Beginning::Bootstrap => {}
                Beginning::Join(_) => return Err(Error::JoinNotAvailable),
                Beginning::Refuse => return Err(Error::NothingThere { path: dir.to_owned() }),
            }
        }
        let master = master_key(config)?;
        let store = Store::open(dir, StoreOptions::default()).map_err(|error| data(&error))?;
        let found = store.identity().map_err(|error| data(&error))?;
        let keys = Arc::new(KeyRing::new(master));
        let identity = match found {
            Some(identity) if keys.verify_key_check(&identity.key_check).is_ok() => identity,
            Some(_) => return Err(Error::WrongMasterKey { path: dir.to_owned() }),
            None => Self::begin(config, &store, &keys)?,
        };
        let system = store.directory().system();
        if system.founded() {
            keys.load(&system).map_err(|error| Error::DataDir {
                path: dir.to_owned(),
                reason: format!("a data key cannot be opened: {error}"),
            })?;
        }
        Ok(Self { store, identity, keys })
    }

    /// Gives an empty node its identity.
    fn begin(config: &Config, store: &Store, keys: &KeyRing) -> Result<Identity, Error> {
        match &config.beginning {
            Beginning::Bootstrap => {}
            Beginning::Join(_) => return Err(Error::JoinNotAvailable),
            Beginning::Refuse => {
                return Err(Error::NothingThere { path: config.data_dir.clone() });
            }
        }
        let identity = Identity {
            node_id: FIRST_NODE,
            cluster_id: founding::new_cluster_id(),
            name: config.name.clone(),
            shards: config.shards,
            key_check: keys.key_check(),
        };
        store.set_identity(&identity).map_err(|error| Error::DataDir {
            path: config.data_dir.clone(),
            reason: error.to_string(),
        })?;
        Ok(identity)
    }
}

/// Whether a store was ever opened there. Looks without opening, so that a refusal to begin
/// leaves nothing behind.
fn holds_data(dir: &Path) -> bool {
    dir.join("db").is_dir()
}

fn master_key(config: &Config) -> Result<MasterKey, Error> {
    let bytes =
        Zeroizing::new(config.master_key.expose().try_into().map_err(|_| Error::NoMasterKey)?);
    Ok(MasterKey::from_bytes(*bytes))
}

/// Shard 0's replica, once it is led here.
async fn system_replica(
    store: &Arc<Store>,
    groups: &Groups,
    led: &Led,
) -> Result<Arc<dyn countersign_actors::ports::Replica>, Error> {
    let shard = ShardId::SYSTEM;
    let failed =
        |reason: &str| Error::Founding { step: "the first election", reason: reason.to_owned() };
    if !led.wait(shard, Instant::now() + FOUNDING_ELECTION).await {
        return Err(failed("shard 0 has no leader"));
    }
    let group = groups.get(&shard).ok_or_else(|| failed("there is no shard 0"))?;
    let leader = group.as_leader().map_err(|error| failed(&error.to_string()))?;
    let fence = leader.to_committed_leader_id();
    Ok(ShardReplica::new(shard, group.clone(), store.rows(shard), fence).into_port())
}

/// Opens data keys as they come into being.
async fn follow_keys(store: Arc<Store>, keys: Arc<KeyRing>) {
    let directory = store.directory();
    let mut changes = directory.changes();
    while changes.changed().await.is_ok() {
        if let Err(error) = keys.load(&directory.system()) {
            tracing::error!(%error, "a data key cannot be opened with this node's master key");
        }
    }
}
