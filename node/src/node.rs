//! One node, from its settings to its end: what is started in which order, and ended in which.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use countersign_actors::carrier::{Carrier, Steward};
use countersign_actors::gateway::Gateway;
use countersign_actors::ports::Clock;
use countersign_actors::{Options, Ports, Service};
use countersign_api::{ApiOptions, ApiState, WebhookTargets};
use countersign_core::ids::ShardId;
use countersign_core::secret::Secret;
use countersign_core::vault::Vault;
use countersign_storage::{KeyRing, NodeAddress, NodeId, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock::{NodeClock, SystemClock, WallClock};
use crate::cluster::balancer::Balancer;
use crate::cluster::book::Book;
use crate::cluster::credentials::OwnCredentials;
use crate::cluster::currency::Currency;
use crate::cluster::disk::{self, Room};
use crate::cluster::disks::Disks;
use crate::cluster::elections::{Elections, Vacancies};
use crate::cluster::joining::{Addresses, Seeds};
use crate::cluster::liveness::Liveness;
use crate::cluster::reconciler::Reconciler;
use crate::cluster::registry::Registry;
use crate::cluster::{announcing, introductions, will};
use crate::config::{Beginning, Config};
use crate::delivery::webhook::WebhookPoster;
use crate::delivery::{Carriers, Inbox};
use crate::demo;
use crate::directory::AppliedDirectory;
use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::founding::{self, Founding};
use crate::gateway::{Answering, ClusterGateway, Here, Reading, Route};
use crate::geoip::GeoIp;
use crate::leadership::Leadership;
#[cfg(test)]
use crate::leadership::Led;
use crate::listing::Listing;
use crate::network::{Contact, Dial, PeerServer, PeerServing, Peers, TcpDial};
use crate::opening::{FIRST_NODE, Opened};
use crate::raft::{self, Groups};
use crate::retention::Retention;
use crate::server::{self, Bounds, Server};
use crate::shard_time::ShardTimes;
use crate::steward::GatewaySteward;
use crate::{limits, root_key, snapshots, telemetry};

/// How long the shards that this node leads may take to find another leader when it ends.
const HAND_OVER: Duration = Duration::from_secs(6);
/// What requests in flight may take beyond their own deadline once the node ends.
const DRAIN_SLACK: Duration = Duration::from_secs(2);
/// How long decisions in flight may take after that.
const DECIDE: Duration = Duration::from_secs(10);

/// What a node takes from outside, for tests to put something else in.
#[derive(Clone)]
pub struct World {
    /// The system's clocks.
    pub clock: Arc<dyn SystemClock>,
    /// How connections to peers are made.
    pub dial: Arc<dyn Dial>,
}

impl Default for World {
    fn default() -> Self {
        Self { clock: Arc::new(WallClock), dial: Arc::new(TcpDial) }
    }
}

/// A running node. Dropping it ends it without order, as a crash would; see [`Node::stop`].
pub struct Node {
    id: NodeId,
    store: Arc<Store>,
    groups: Groups,
    service: Service,
    leadership: Leadership,
    gateway: Arc<dyn Gateway>,
    here: Arc<Here>,
    geoip: Option<Arc<GeoIp>>,
    server: Server,
    peer_server: PeerServer,
    peer_address: SocketAddr,
    beside: JoinSet<()>,
    stopping: watch::Sender<bool>,
    shutdown_grace: Duration,
    drain: Duration,
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
        Self::start_in(World::default(), config, announce).await
    }

    /// Starts a node in a world of the caller's making.
    ///
    /// # Errors
    /// If the settings, the data directory or the address cannot be used, or no peer lets it in.
    pub async fn start_in(
        world: World,
        config: Config,
        announce: impl FnOnce(&Secret),
    ) -> Result<Self, Error> {
        let open_files = limits::raise_open_files();
        // Before anything counts: a number kept without a recorder is lost.
        let _ = telemetry::recorder();
        let geoip = config.geoip_database.as_deref().map(GeoIp::open).transpose()?.map(Arc::new);
        let opened = Opened::open(&config)?;
        let listener = server::bind(config.api_listen).await?;
        let peer_listener = server::bind(config.peer_listen).await?;
        let own = addresses(&config, &listener, &peer_listener)?;
        let peer_address = peer_listener.local_addr().map_err(|error| Error::Listen {
            address: config.peer_listen,
            reason: error.to_string(),
        })?;
        let identity = opened.begin(&config, &own, &world.dial).await?;
        let Opened { store, keys, .. } = opened;
        let vault: Arc<dyn Vault> = Arc::clone(&keys) as Arc<dyn Vault>;

        let node_clock = NodeClock::new(Arc::clone(&world.clock));
        let clock: Arc<dyn Clock> = Arc::new(node_clock.clone());
        let times = ShardTimes::new(node_clock.clone(), Arc::clone(&store), identity.shards);
        let disks = Disks::begin(&store).await?;
        let book =
            Book::new(identity.node_id, identity.shards, Arc::clone(&vault), &store, disks.clone());
        let credentials = OwnCredentials::open(&store, &keys, &identity, &clock)?;
        book.tell(credentials.told());
        if book.voters().len() == 1 {
            node_clock.is_alone();
        }
        credentials.renew()?;
        let peers = Peers::new(
            identity.node_id,
            credentials.holder().clone(),
            Arc::new(book.clone()),
            Arc::clone(&world.dial),
        );
        let started = Instant::now();
        let groups = raft::start_groups(&store, identity.node_id, identity.shards, &peers).await?;

        let carriers: Arc<dyn Carrier> = Arc::new(Carriers::configure(&config.messaging)?);
        let inbox = config.inbox.then(|| Arc::new(Inbox::before(Arc::clone(&carriers))));
        let carrier = inbox.clone().map_or(carriers, |inbox| inbox as Arc<dyn Carrier>);
        let steward = Arc::new(GatewaySteward::default());
        let ports = Ports {
            directory: Arc::new(AppliedDirectory::new(store.directory())),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SystemEntropy),
            vault: Arc::clone(&vault),
            carrier,
            poster: Arc::new(WebhookPoster::new(&config.webhooks)),
            steward: Arc::clone(&steward) as Arc<dyn Steward>,
        };
        let service = Service::start(Options::default(), ports.clone())
            .await
            .map_err(|error| Error::Service(error.to_string()))?;
        let leadership = Leadership::start(&store, &groups, &service, &times);
        let led = leadership.led();

        // A founding that was killed half way is gone on with, whatever the flags say now.
        let founds = identity.node_id == FIRST_NODE;
        let complete = !founds || founding::complete(ports.directory.as_ref(), identity.node_id);
        let address = NodeAddress {
            name: config.name.clone(),
            api_address: own.api.clone(),
            peer_address: own.peer.clone(),
        };
        let founder = Some(&address).filter(|_| !complete);
        for (shard, group) in groups.iter() {
            raft::set_going(*shard, group, identity.node_id, founder).await?;
        }
        if !complete {
            let founding = Founding {
                replica: founding::system_replica(&store, &groups, &led).await?,
                service: &service,
                directory: ports.directory.as_ref(),
                keys: &keys,
                clock: ports.clock.as_ref(),
                cluster_id: &identity.cluster_id,
                shards: identity.shards,
                node: credentials.record(&address),
                credentials: &credentials,
            };
            founding.run(config.root_key.clone(), announce).await?;
        }

        let contact = Contact::new(identity.shards);
        let currency = Currency::new(
            groups.get(&ShardId::SYSTEM).cloned().ok_or(Error::NoShards)?,
            led.clone(),
            contact.clone(),
            peers.clone(),
            Arc::clone(&store),
            Arc::clone(&keys),
            node_clock.clone(),
        );
        let liveness = Liveness::default();
        let vacancies = Vacancies::default();
        let balancer =
            Balancer { groups: Arc::clone(&groups), led: led.clone(), liveness: liveness.clone() };
        let (stopping, stopped) = watch::channel(false);
        let (room, roomy) = watch::channel(Room::Enough);
        let (resting, rests) = watch::channel(false);
        let (rest, rest_until) = watch::channel(None);
        let here = Arc::new(Here {
            service: service.clone(),
            led: led.clone(),
            groups: Arc::clone(&groups),
            store: Arc::clone(&store),
            registry: Registry {
                store: Arc::clone(&store),
                groups: Arc::clone(&groups),
                vault: Arc::clone(&vault),
                clock: Arc::clone(&clock),
                identity: identity.clone(),
                liveness: liveness.clone(),
                one: tokio::sync::Mutex::new(()),
            },
            balancer: balancer.clone(),
            currency: currency.clone(),
            liveness: liveness.clone(),
            clock: node_clock.clone(),
            peers: peers.clone(),
            book: book.clone(),
            room: roomy.clone(),
            resting: rests.clone(),
            rest,
        });
        let route = Route { here: Arc::clone(&here), peers: peers.clone() };
        let answering = Answering {
            here: Arc::clone(&here),
            route: route.clone(),
            liveness: liveness.clone(),
            disks: disks.clone(),
        };
        let (checked, is_checked) = watch::channel(false);
        let peer_server = PeerServer::start(
            peer_listener,
            PeerServing {
                credentials: credentials.holder().clone(),
                groups: Arc::clone(&groups),
                store: Arc::clone(&store),
                answerer: Arc::new(answering),
                book: Arc::new(book.clone()),
                cluster_secret: config.cluster_secret.clone(),
                contact: contact.clone(),
                takes_entries: Arc::new({
                    let room = roomy.clone();
                    move || *room.borrow() < Room::Out
                }),
                checked: is_checked.clone(),
                votes_from: started + raft::LEASE,
            },
        )
        .map_err(|error| Error::Credentials(error.to_string()))?;
        let gateway: Arc<dyn Gateway> = Arc::new(ClusterGateway {
            here: Arc::clone(&here),
            route: route.clone(),
            reading: Reading { here: Arc::clone(&here), peers: peers.clone() },
            listing: Listing::new(Arc::clone(&store), identity.shards),
            currency: currency.clone(),
            liveness: liveness.clone(),
            vacancies: vacancies.clone(),
            peers: peers.clone(),
            geoip: geoip.clone(),
            cluster_id: identity.cluster_id.clone(),
            deadline: config.request_timeout,
            clock: Arc::clone(&clock),
            times: times.clone(),
            stopping: stopped.clone(),
        });
        steward.through(&gateway);
        let seeds = seeds(&config, &own, &keys, &credentials, &world.dial)?;
        let replaced = config.root_key.clone().filter(|_| config.replace_root_key);
        let mut options = api_options(&config, &identity.cluster_id, inbox);
        if config.sample {
            options.sample = Some(sample(&listener, config.root_key)?);
            // Whoever has it listen elsewhere than on this machine means that address.
            let ip = server::local_address(&listener)?.ip();
            if options.public_url.is_none() && !ip.is_loopback() && !ip.is_unspecified() {
                options.public_url = Some(demo::url(server::local_address(&listener)?));
            }
        }
        let router = api(options, &store, &groups, &gateway, &ports, geoip.clone(), &times);
        let server =
            Server::start(listener, router, Bounds::within(open_files, config.trusted_proxies))?;

        let mut beside = JoinSet::new();
        beside.spawn(telemetry::keep_up());
        if let Some(key) = replaced {
            beside.spawn(root_key::replace(Arc::clone(&gateway), key));
        }
        beside.spawn(snapshots::keep_compact(Arc::clone(&store), Arc::clone(&groups)));
        beside.spawn(follow_keys(Arc::clone(&store), Arc::clone(&keys)));
        let retention = Retention {
            store: Arc::clone(&store),
            groups: Arc::clone(&groups),
            led: led.clone(),
            clock: ports.clock,
            audit_days: config.audit_retention_days,
        };
        beside.spawn(retention.run());
        if let Some(geoip) = &geoip {
            beside.spawn(Arc::clone(geoip).watch());
        }
        beside.spawn(currency.clone().keep());
        let introductions =
            introductions::run(book.clone(), peers.clone(), identity.clone(), seeds);
        beside.spawn(introductions);
        beside.spawn(liveness.clone().keep(peers.clone(), book.clone(), node_clock.clone()));
        beside.spawn(disk::watch(config.data_dir.clone(), config.disk_reserve, room));
        beside.spawn(will::keep(
            resting,
            stopped,
            roomy,
            rest_until,
            currency.clone(),
            node_clock.clone(),
        ));
        beside.spawn(times.clone().keep());
        beside.spawn(balancer.clone().run(rests));
        let watch = Elections {
            groups: Arc::clone(&groups),
            led: led.clone(),
            contact,
            not_before: started,
            vacancies: vacancies.clone(),
            clock: node_clock,
        };
        beside.spawn(once(is_checked, watch.run()));
        let reconciler = Reconciler {
            groups: Arc::clone(&groups),
            led: led.clone(),
            directory: store.directory(),
            liveness: liveness.clone(),
            balancer,
        };
        beside.spawn(reconciler.run());
        beside.spawn(credentials.keep());
        beside.spawn(announcing::run(route, store.directory(), identity.node_id, own));
        beside.spawn(disks.clone().keep(peers.clone(), book.clone()));
        beside.spawn(disks.check(peers.clone(), book.clone(), checked));
        Ok(Self {
            id: identity.node_id,
            store,
            groups,
            service,
            leadership,
            gateway,
            here,
            geoip,
            server,
            peer_server,
            peer_address,
            beside,
            stopping,
            shutdown_grace: config.shutdown_grace,
            drain: config.request_timeout + DRAIN_SLACK,
        })
    }

    /// Its number in the cluster.
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// Where the API listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where peers reach it.
    pub const fn peer_address(&self) -> SocketAddr {
        self.peer_address
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

    /// Waits until every shard has a leader that answers and this node is one of the voters and has
    /// caught up; `false` if that was not so in time.
    pub async fn ready(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let health = self.gateway.health();
            let served = health.shards.iter().all(|one| one.leader.is_some() && one.caught_up);
            if served && health.current && health.clock.is_none() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reads again what lies in files beside the settings: the GeoIP database.
    pub async fn reload(&self) {
        if let Some(geoip) = self.geoip.clone() {
            let _ = tokio::task::spawn_blocking(move || geoip.reload()).await;
        }
    }

    /// Returns why the node must end, once it must: it was taken out of the cluster, or its disk is
    /// an older copy of itself.
    pub async fn expelled(&self) -> Error {
        tokio::select! {
            () = self.here.book.expelled() => Error::Expelled,
            by = self.here.book.disk_refused() => Error::OlderDisk { by },
        }
    }

    /// Ends the node in order: it hands over what it leads, is not ready any more, goes on answering
    /// for a while, then ends requests and decisions in flight, Raft and the store. Membership never
    /// changes: a node that ended is expected back.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        if !self.here.book.others().is_empty() {
            let begun = Instant::now();
            self.hand_over_all(begun + HAND_OVER).await;
            tokio::time::sleep_until(begun + self.shutdown_grace).await;
        }
        self.server.stop(self.drain).await;
        let mut beside = self.beside;
        beside.shutdown().await;
        if !self.service.shutdown(DECIDE).await {
            tracing::warn!("some decisions were still running at the deadline");
        }
        self.leadership.stop().await;
        self.peer_server.stop().await;
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

    async fn hand_over_all(&self, deadline: Instant) {
        while Instant::now() < deadline {
            let (_, kept) = self.here.balancer.give_all_away().await;
            if kept == 0 {
                return;
            }
            tokio::time::sleep(will::WILL).await;
        }
        // Where all nodes are stopped at once there is nobody to take over, and nothing to warn of.
        if self.here.led.all().any(|shard| self.here.balancer.heir(shard).is_some()) {
            tracing::warn!("some shards found no other leader in time; they will elect one");
        } else {
            tracing::info!("no other node is there to lead; whoever comes back first elects one");
        }
    }
}

/// Where others reach this node: what was set, or where it listens.
fn addresses(
    config: &Config,
    listener: &TcpListener,
    peer_listener: &TcpListener,
) -> Result<Addresses, Error> {
    let at = |listener: &TcpListener, listen: SocketAddr| {
        listener
            .local_addr()
            .map_err(|error| Error::Listen { address: listen, reason: error.to_string() })
    };
    let api = at(listener, config.api_listen)?;
    let peer = at(peer_listener, config.peer_listen)?;
    let said =
        |said: &Option<String>, at: SocketAddr| said.clone().unwrap_or_else(|| at.to_string());
    Ok(Addresses {
        api: said(&config.api_advertise, api),
        peer: said(&config.peer_advertise, peer),
    })
}

/// Whom to ask if all nodes that are known here have gone; `None` if the settings name nobody.
fn seeds(
    config: &Config,
    own: &Addresses,
    keys: &KeyRing,
    credentials: &OwnCredentials,
    dial: &Arc<dyn Dial>,
) -> Result<Option<Seeds>, Error> {
    let (Beginning::Join(seeds), Some(held)) = (&config.beginning, credentials.holder().current())
    else {
        return Ok(None);
    };
    if config.cluster_secret.is_none() {
        return Ok(None);
    }
    Seeds::of(config, seeds, own, keys, held.key.clone(), dial).map(Some)
}

/// How the HTTP layer behaves, as the settings say.
fn api_options(config: &Config, cluster_id: &str, inbox: Option<Arc<Inbox>>) -> ApiOptions {
    // The same on every node, or a verifier would depend on which one answered: RFC 7519 section 2
    // takes any URI.
    let issuer_url =
        config.issuer_url.clone().unwrap_or_else(|| format!("urn:countersign:{cluster_id}"));
    let mut options = ApiOptions::new(issuer_url);
    options.public_url = config.public_url.clone();
    options.trusted_proxies = config.trusted_proxies.clone();
    options.request_timeout = config.request_timeout;
    // Single networks of the inside are judged when an event is posted: here is no resolver.
    let inside = config.webhooks.allow_private || !config.webhooks.allow_networks.is_empty();
    options.webhooks = WebhookTargets { allow_private: inside };
    options.inbox = inbox.map(|inbox| inbox as Arc<dyn countersign_api::Inbox>);
    options
}

/// The sample application, which asks this node as any application asks a service.
fn sample(listener: &TcpListener, key: Option<Secret>) -> Result<Router, Error> {
    let address = listener.local_addr().map_err(|error| Error::Service(error.to_string()))?;
    let key = key.unwrap_or_else(|| Secret::new(Vec::new()));
    demo::router(&demo::url(address), demo::loopback(address), key)
}

/// The HTTP layer over a node's parts.
fn api(
    mut options: ApiOptions,
    store: &Arc<Store>,
    groups: &Groups,
    gateway: &Arc<dyn Gateway>,
    ports: &Ports,
    geoip: Option<Arc<GeoIp>>,
    times: &ShardTimes,
) -> Router {
    let (store, groups, times) = (Arc::clone(store), Arc::clone(groups), times.clone());
    let metered = Arc::clone(&ports.clock);
    options.metrics = Some(Arc::new(move || {
        telemetry::record(&store, &groups, &times);
        if let Some(geoip) = &geoip {
            geoip.measure(metered.now());
        }
        telemetry::recorder().render()
    }));
    let Ports { directory, clock, entropy, vault, .. } = ports.clone();
    let state = ApiState::new(Arc::clone(gateway), directory, vault, clock, entropy, options);
    countersign_api::router(state)
}

/// Begins something once a condition holds; never, if it never does.
async fn once(mut condition: watch::Receiver<bool>, then: impl Future<Output = ()>) {
    if condition.wait_for(|holds| *holds).await.is_ok() {
        then.await;
    }
}

/// Opens data keys as they come into being.
async fn follow_keys(store: Arc<Store>, keys: Arc<KeyRing>) {
    let directory = store.directory();
    let mut changes = directory.changes();
    let mut known = 0;
    loop {
        // Looked at after listening began, so that none is missed.
        let system = directory.system();
        if system.data_keys.len() != known {
            match keys.load(&system) {
                Ok(()) => known = system.data_keys.len(),
                Err(error) => {
                    tracing::error!(%error, "a data key cannot be opened with this master key");
                }
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
