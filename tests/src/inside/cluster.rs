//! Nodes that make one cluster, and what can happen to them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign::config::Beginning;
use countersign::{Config, Error, Node, World};
use countersign_actors::gateway::{GatewayError, Health, NodeRemoval};
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::secret::Secret;
use countersign_storage::Store;
use tokio::time::{Instant, sleep};

use super::clock::SkewedClock;
use super::door::{Door, user};
use super::links::{LinkDial, Links};
use super::member::Member;
use crate::client::Client;
use crate::house::{CLUSTER_SECRET, ROOT_KEY};

/// How long a cluster may take to be as it should.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// Addresses that one cluster has.
const ADDRESSES: u32 = 8;
const API_PORT: u16 = 8080;
const PEER_PORT: u16 = 7080;

static CLUSTERS: AtomicU32 = AtomicU32::new(0);

/// What a cluster is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many shards.
    pub shards: u16,
    /// How long a request may take.
    pub request_timeout: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self { shards: 4, request_timeout: Duration::from_secs(5) }
    }
}

/// A cluster. Nodes are named by their places, from 0 in the order in which they came; places of
/// nodes that went are not used again. Ends, without order, when dropped.
pub struct Cluster {
    plan: Plan,
    number: u32,
    members: Vec<Member>,
    links: Links,
}

impl Cluster {
    /// One node that founded it and is ready.
    pub async fn found(plan: Plan) -> Self {
        let number = CLUSTERS.fetch_add(1, Ordering::Relaxed);
        assert!(number < 256 / ADDRESSES, "no more addresses");
        let mut cluster = Self { plan, number, members: Vec::new(), links: Links::default() };
        let place = cluster.settle();
        let config = cluster.config(place, Beginning::Bootstrap);
        cluster.start_with(place, config).await.expect("a founding");
        cluster.whole().await;
        cluster
    }

    /// So many nodes, each of which has caught up and votes.
    pub async fn of(nodes: usize, plan: Plan) -> Self {
        let mut cluster = Self::found(plan).await;
        while cluster.members.len() < nodes {
            cluster.add().await;
        }
        cluster.whole().await;
        cluster
    }

    /// A place for one more node, which does not run yet.
    pub fn settle(&mut self) -> usize {
        let place = self.members.len();
        let (peer, api) = (self.address(place, PEER_PORT), self.address(place, API_PORT));
        self.links.settle(place, &peer.to_string());
        self.members.push(Member::new(place, peer, api));
        place
    }

    /// A loopback address of its own for each node of each cluster of each process: a node that comes
    /// back is where it was, and nobody took its port meanwhile.
    fn address(&self, place: usize, port: u16) -> SocketAddr {
        let process = std::process::id();
        let last = self.number * ADDRESSES + u32::try_from(place).expect("a small number");
        let byte = |number: u32| u8::try_from(number % 256).expect("a byte");
        let middle = 64 + (process >> 8) % 128;
        SocketAddr::from(([127, byte(middle), byte(process), byte(last)], port))
    }

    /// The settings of the node at a place.
    pub fn config(&self, place: usize, beginning: Beginning) -> Config {
        let member = &self.members[place];
        Config {
            name: format!("n{place}"),
            api_listen: member.api,
            peer_listen: member.peer,
            beginning,
            root_key: Some(Secret::from(ROOT_KEY.to_owned())),
            cluster_secret: Some(Secret::from(CLUSTER_SECRET.to_owned())),
            shards: self.plan.shards,
            request_timeout: self.plan.request_timeout,
            ..Config::local(member.path().to_owned(), [9; 32])
        }
    }

    /// To join through whoever runs.
    pub fn joining(&self) -> Beginning {
        let seeds = self.running().into_iter().map(|place| self.members[place].peer.to_string());
        Beginning::Join(seeds.collect())
    }

    /// What the node at a place takes from outside.
    pub fn world(&self, place: usize) -> World {
        let clock = Arc::clone(&self.members[place].clock);
        World { clock, dial: Arc::new(LinkDial::new(self.links.clone(), place)) }
    }

    /// Starts the node at a place.
    ///
    /// # Errors
    /// What it says.
    pub async fn start_with(&mut self, place: usize, config: Config) -> Result<(), Error> {
        let world = self.world(place);
        self.members[place].start(world, config).await
    }

    /// One more node joins; returns once it listens. See [`Cluster::whole`].
    pub async fn add(&mut self) -> usize {
        let place = self.settle();
        let config = self.config(place, self.joining());
        self.start_with(place, config).await.expect("a node that is let in");
        place
    }

    /// Starts a node again that ended.
    pub async fn start(&mut self, place: usize) {
        let config = self.config(place, Beginning::Refuse);
        self.start_with(place, config).await.expect("a start");
    }

    /// Ends a node in order.
    pub async fn stop(&mut self, place: usize) {
        self.members[place].stop().await;
    }

    /// Ends a node at once: what it had in memory and under way is lost, what it wrote is not.
    pub async fn crash(&mut self, place: usize) {
        self.members[place].crash().await;
    }

    /// Ends a node at once, and with it its disk.
    pub async fn wipe(&mut self, place: usize) {
        self.crash(place).await;
        let member = &mut self.members[place];
        member.dir = tempfile::tempdir().expect("a directory");
    }

    /// Takes a node out of the cluster by a word to another; it ends as the program would.
    pub async fn remove(&mut self, by: usize, place: usize) -> Result<NodeRemoval, GatewayError> {
        let id = self.node(place).id();
        let removed = self.door(by).remove_node(id).await?;
        if removed == NodeRemoval::Removed {
            let told = tokio::time::timeout(PATIENCE, self.node(place).expelled()).await;
            assert!(told.is_ok(), "node {place} does not notice that it was removed");
            self.stop(place).await;
        }
        Ok(removed)
    }

    /// The node at a place, which runs.
    pub fn node(&self, place: usize) -> &Node {
        self.members[place].node().expect("a node that runs")
    }

    /// Its store.
    pub fn store(&self, place: usize) -> Arc<Store> {
        self.node(place).store()
    }

    /// Its gateway.
    pub fn door(&self, place: usize) -> Door {
        self.members[place].door().expect("a node that runs")
    }

    /// Its HTTP API, with the root key.
    pub fn client(&self, place: usize) -> Client {
        Client::new(&format!("http://{}", self.members[place].api), ROOT_KEY)
    }

    /// Its clock.
    pub fn clock(&self, place: usize) -> &SkewedClock {
        &self.members[place].clock
    }

    /// Its directory.
    pub fn directory(&self, place: usize) -> &Path {
        self.members[place].path()
    }

    /// The links between the nodes.
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// The places of the nodes that run.
    pub fn running(&self) -> Vec<usize> {
        self.members.iter().filter(|one| one.node().is_some()).map(|one| one.place).collect()
    }

    /// The doors of the nodes that run.
    pub fn doors(&self) -> Vec<Door> {
        self.running().into_iter().map(|place| self.door(place)).collect()
    }

    /// All shards.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> {
        (0..self.plan.shards).map(ShardId)
    }

    /// A user's name that belongs to a shard: the one with that number.
    pub fn user_of(&self, shard: ShardId, number: usize) -> String {
        let names = (0..).map(|number: u32| format!("u{number}"));
        let tenant = TenantId::default_tenant();
        let lives = |name: &String| {
            UserKey::new(tenant.clone(), user(name)).hash().shard(self.plan.shards) == shard
        };
        names.filter(lives).nth(number).expect("names without end")
    }

    /// The cluster as the node at a place sees it.
    pub fn health(&self, place: usize) -> Health {
        self.door(place).health().expect("a node that runs")
    }

    /// The place of the node that leads a shard, as the node at `by` sees it.
    pub fn leader(&self, by: usize, shard: ShardId) -> Option<usize> {
        let health = self.health(by);
        let leader = health.shards.iter().find(|one| one.id == shard)?.leader?;
        self.running().into_iter().find(|place| self.node(*place).id() == leader)
    }

    /// How many shards each running node leads, as the node at `by` sees it.
    pub fn led(&self, by: usize) -> BTreeMap<usize, usize> {
        let mut counts: BTreeMap<usize, usize> =
            self.running().into_iter().map(|place| (place, 0)).collect();
        for leader in self.shards().filter_map(|shard| self.leader(by, shard)) {
            *counts.entry(leader).or_default() += 1;
        }
        counts
    }

    /// Waits until every node that runs sees every shard led, and voted for by just the nodes that
    /// run, and has caught up.
    pub async fn whole(&self) {
        let ids: BTreeSet<u64> =
            self.running().into_iter().map(|place| self.node(place).id()).collect();
        let whole = |health: &Health| {
            health.current
                && health.clock.is_none()
                && health.shards.iter().all(|one| {
                    let voters: BTreeSet<u64> = one.voters.iter().copied().collect();
                    let led = one.leader.is_some_and(|leader| ids.contains(&leader));
                    led && one.caught_up && one.learners.is_empty() && voters == ids
                })
        };
        until("the cluster is whole", PATIENCE, async || {
            self.running().into_iter().all(|place| whole(&self.health(place)))
        })
        .await;
    }

    /// Waits until leaderships are spread as evenly as they can be, as every running node sees it.
    pub async fn balanced(&self) {
        until("leaderships are balanced", PATIENCE, async || {
            self.running().into_iter().all(|place| {
                let led = self.led(place);
                let most = led.values().max().copied().unwrap_or(0);
                let least = led.values().min().copied().unwrap_or(0);
                most - least <= 1 && led.values().sum::<usize>() == usize::from(self.plan.shards)
            })
        })
        .await;
    }

    /// Waits until the nodes at these places have applied the same of every shard, and asserts that
    /// the same came of it.
    pub async fn agree(&self, places: &[usize]) {
        for shard in self.shards() {
            let heads = || -> Vec<_> {
                let rows = places.iter().map(|place| self.store(*place).rows(shard).head());
                rows.map(|head| (head.last_applied.map(|id| id.index), head.state_hash)).collect()
            };
            let what = format!("nodes {places:?} have applied the same of shard {shard}");
            until(&what, PATIENCE, async || {
                let heads = heads();
                heads.windows(2).all(|pair| pair[0].0 == pair[1].0)
            })
            .await;
            // Of an index that all of them had: an entry may have come in between.
            let known: Vec<_> =
                places.iter().map(|place| self.store(*place).rows(shard).state_hashes()).collect();
            let common = known[0]
                .keys()
                .rev()
                .find(|index| known.iter().all(|hashes| hashes.contains_key(index)));
            let index = common.unwrap_or_else(|| panic!("shard {shard}: no index in common"));
            for (place, hashes) in places.iter().zip(&known) {
                let (one, other) = (hashes[index], known[0][index]);
                assert_eq!(one, other, "node {place} drifted in shard {shard} by {index}");
            }
        }
    }
}

/// Waits until something is so.
///
/// # Panics
/// If it is not so in time.
pub async fn until(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds().await {
        assert!(Instant::now() < deadline, "not so within {within:?}: {what}");
        sleep(LOOK).await;
    }
}
