//! Nodes in one process that talk over loopback, and what can be done to them: see the stories in
//! the modules below.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use countersign_storage::{DiskHistory, NodeId, Store, StoreOptions};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use openraft::{Config, Raft};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::authority::ClusterAuthority;
use super::call::{Answer, Call};
use super::contact::Contact;
use super::credentials::{CredentialHolder, KeyPair, PeerCertificates};
use super::dial::{Dial, Stream};
use super::identity::{PeerIdentity, PeerKey};
use super::peers::{AddressBook, Peers};
use super::raft::PeerNetworks;
use super::refused::Refused;
use super::server::{Answerer, PeerServer, PeerServing};
use super::wire::{JoinGrant, JoinRefusal, JoinRequest, Member};
use crate::raft::Groups;

mod append;
mod door;
mod join;
mod links;
mod snapshot;

const CLUSTER: &str = "clu_0123456789abcdefghijklmnop";
const SECRET: &str = "the secret of the cluster, long enough";
const SHARD: ShardId = ShardId(0);

/// Certificates are checked against the system's clock.
fn now() -> Timestamp {
    use countersign_actors::ports::Clock;
    crate::clock::WallClock.now()
}

/// What a node of a test answers to a ping.
fn pong(version: String) -> Answer {
    Answer::Pong { version, resting: false, wall: Timestamp::EPOCH, agreed: None }
}

/// What all nodes of a test have in common.
struct Cluster {
    authority: Arc<ClusterAuthority>,
    book: Arc<Plan>,
}

/// Where everybody is, and by which key each is known.
#[derive(Default)]
struct Plan {
    addresses: Mutex<BTreeMap<NodeId, String>>,
    keys: Mutex<BTreeMap<NodeId, PeerKey>>,
    removed: Mutex<Vec<NodeId>>,
    /// Whose disks are older copies.
    older: Mutex<Vec<NodeId>>,
    /// The disk has gone on whenever it is looked at, from 1.
    disk_count: Option<AtomicU64>,
    /// Who refused somebody for ever.
    refusals: Mutex<Vec<(NodeId, Refused)>>,
}

impl Plan {
    fn tell(&self, node: NodeId, address: &str) {
        self.addresses.lock().unwrap().insert(node, address.to_owned());
    }

    /// From now on a node is known by this key.
    fn register(&self, node: NodeId, public_key: &[u8]) {
        let key = <sha2::Sha256 as sha2::Digest>::digest(public_key).into();
        self.keys.lock().unwrap().insert(node, key);
    }

    fn member(&self, node: NodeId) -> Member {
        let key = self.keys.lock().unwrap()[&node];
        Member { id: node, peer_address: self.address(node).unwrap(), key }
    }
}

impl AddressBook for Plan {
    fn address(&self, node: NodeId) -> Option<String> {
        self.addresses.lock().unwrap().get(&node).cloned()
    }

    fn check(&self, node: NodeId, key: &PeerKey) -> Result<(), Refused> {
        if self.removed.lock().unwrap().contains(&node) {
            return Err(Refused::Removed);
        }
        match self.keys.lock().unwrap().get(&node) {
            None => Err(Refused::UnknownNode),
            Some(known) if known == key => Ok(()),
            Some(_) => Err(Refused::OtherKey),
        }
    }

    fn own_disk(&self) -> DiskHistory {
        let count =
            self.disk_count.as_ref().map_or(0, |count| count.fetch_add(1, Ordering::SeqCst));
        DiskHistory { count, ..DiskHistory::default() }
    }

    fn is_sound(&self, node: NodeId, _disk: &DiskHistory) -> bool {
        !self.older.lock().unwrap().contains(&node)
    }

    fn refused_by(&self, node: NodeId, refused: Refused) {
        self.refusals.lock().unwrap().push((node, refused));
    }
}

/// One node.
struct Side {
    credentials: CredentialHolder,
    peers: Peers,
    contact: Contact,
    groups: Groups,
    store: Arc<Store>,
    server: PeerServer,
    folder: TempDir,
    address: String,
}

impl Cluster {
    fn new() -> Self {
        let authority = ClusterAuthority::found(CLUSTER, now()).unwrap();
        Self { authority: Arc::new(authority), book: Arc::default() }
    }

    /// A node's credentials, as this cluster's authority makes them for any identity.
    fn credentials(&self, identity: &PeerIdentity) -> CredentialHolder {
        let key = KeyPair::generate().unwrap();
        let certificate = self.authority.issue(identity, &key.public_key(), now()).unwrap();
        let holder = CredentialHolder::default();
        let certificates = PeerCertificates {
            key,
            certificate: certificate.to_vec(),
            authority: self.authority.certificate().to_vec(),
            issued_at: now(),
        };
        holder.set(certificates).unwrap();
        holder
    }

    /// Somebody's way to the others, under any identity.
    fn peers(&self, identity: &PeerIdentity, dial: Arc<dyn Dial>) -> Peers {
        let book = Arc::clone(&self.book);
        Peers::new(identity.node_id, self.credentials(identity), book, dial)
    }

    async fn node(&self, id: NodeId) -> Side {
        self.node_that_dials(id, Arc::new(Gate::default()), Instant::now()).await
    }

    async fn node_that_dials(&self, id: NodeId, dial: Arc<dyn Dial>, votes_from: Instant) -> Side {
        let identity = PeerIdentity::new(CLUSTER, id);
        let credentials = self.credentials(&identity);
        self.book.register(id, &credentials.current().unwrap().key.public_key());
        let book = Arc::clone(&self.book);
        let peers = Peers::new(id, credentials.clone(), book, dial);
        let folder = TempDir::new().unwrap();
        let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        let config = Config {
            heartbeat_interval: 100,
            election_timeout_min: 500,
            election_timeout_max: 600,
            enable_elect: false,
            enable_pre_vote: Some(true),
            install_snapshot_timeout: 30_000,
            ..Config::default()
        };
        let network = PeerNetworks::new(peers.clone(), SHARD);
        let (log, machine) = (store.log(SHARD), store.machine(SHARD).unwrap());
        let config = Arc::new(config.validate().unwrap());
        let group = Box::pin(Raft::new(id, config, network, log, machine)).await.unwrap();
        let groups: Groups = Arc::new(BTreeMap::from([(SHARD, group)]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        self.book.tell(id, &address);
        let contact = Contact::new(1);
        let serving = PeerServing {
            credentials: credentials.clone(),
            cluster_secret: Some(Secret::from(SECRET.to_owned())),
            groups: Arc::clone(&groups),
            store: Arc::clone(&store),
            contact: contact.clone(),
            answerer: Arc::new(Echo {
                authority: Arc::clone(&self.authority),
                book: Arc::clone(&self.book),
            }),
            book: Arc::<Plan>::clone(&self.book),
            takes_entries: Arc::new(|| true),
            checked: watch::Sender::new(true).subscribe(),
            votes_from,
        };
        let server = PeerServer::start(listener, serving).unwrap();
        Side { credentials, peers, contact, groups, store, server, folder, address }
    }
}

impl Side {
    fn group(&self) -> &crate::raft::Group {
        &self.groups[&SHARD]
    }
}

/// Says who asked what; lets a question about an entry wait for ever.
struct Echo {
    authority: Arc<ClusterAuthority>,
    book: Arc<Plan>,
}

impl Answerer for Echo {
    fn answer(&self, from: NodeId, call: Call) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            match call {
                Call::Ping => pong(format!("asked by {from}")),
                Call::ReadIndex { shards } => {
                    Answer::Indexes(shards.into_iter().map(|shard| (shard, Some(7))).collect())
                }
                Call::WaitApplied { .. } => std::future::pending().await,
                _ => Answer::Applied(false),
            }
        })
    }

    fn admit(&self, request: JoinRequest) -> BoxFuture<'_, Result<JoinGrant, JoinRefusal>> {
        Box::pin(async move {
            if request.name == "taken" {
                return Err(JoinRefusal::NameTaken { name: request.name, id: 1 });
            }
            let node = PeerIdentity::new(CLUSTER, 9);
            let certificate = self.authority.issue(&node, &request.public_key, now()).unwrap();
            self.book.register(9, &request.public_key);
            Ok(JoinGrant {
                cluster_id: CLUSTER.to_owned(),
                node_id: 9,
                shards: 1,
                authority: self.authority.certificate().to_vec(),
                certificate: certificate.to_vec(),
                nodes: vec![self.book.member(1)],
            })
        })
    }
}

/// A wire that can be stopped without a word, or broken after some bytes.
struct Gate {
    open: watch::Sender<bool>,
    broken: watch::Sender<bool>,
    budget: Arc<AtomicI64>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(true),
            broken: watch::Sender::new(false),
            budget: Arc::new(AtomicI64::new(i64::MAX)),
        }
    }
}

impl Gate {
    /// Nothing passes any more, and nobody is told.
    fn stop(&self) {
        self.open.send_replace(false);
    }

    /// What was stopped goes on.
    fn go(&self) {
        self.open.send_replace(true);
    }

    /// Every connection breaks once so many more bytes have been sent.
    fn break_after(&self, bytes: i64) {
        self.broken.send_replace(false);
        self.budget.store(bytes, Ordering::SeqCst);
    }

    fn spend(budget: &AtomicI64, broken: &watch::Sender<bool>, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap();
        if budget.fetch_sub(bytes, Ordering::SeqCst) < bytes {
            broken.send_replace(true);
        }
    }
}

impl Dial for Gate {
    fn dial<'a>(
        &'a self,
        _node: NodeId,
        address: &'a str,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let mut wire = TcpStream::connect(address).await?;
            wire.set_nodelay(true)?;
            let (near, mut far) = tokio::io::duplex(64 << 10);
            let (mut open, broken) = (self.open.subscribe(), self.broken.clone());
            let budget = Arc::clone(&self.budget);
            tokio::spawn(async move {
                let mut breaks = broken.subscribe();
                let (mut out, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
                loop {
                    // What was read is held back while the gate is shut; both ways are.
                    tokio::select! {
                        () = async { drop(breaks.wait_for(|broken| *broken).await) } => return,
                        read = far.read(&mut out) => {
                            let Ok(read @ 1..) = read else { return };
                            if open.wait_for(|open| *open).await.is_err() { return }
                            Gate::spend(&budget, &broken, read);
                            if wire.write_all(&out[..read]).await.is_err() { return }
                        }
                        read = wire.read(&mut back) => {
                            let Ok(read @ 1..) = read else { return };
                            if open.wait_for(|open| *open).await.is_err() { return }
                            if far.write_all(&back[..read]).await.is_err() { return }
                        }
                    }
                }
            });
            let stream: Box<dyn Stream> = Box::new(near);
            Ok(stream)
        })
    }
}

/// Counts what is refused, for as long as its guard lives, on this thread.
struct Counts {
    recorder: PrometheusRecorder,
}

impl Counts {
    fn new() -> Self {
        Self { recorder: PrometheusBuilder::new().build_recorder() }
    }

    fn handle(&self) -> PrometheusHandle {
        self.recorder.handle()
    }
}

fn refused(counts: &PrometheusHandle, reason: &str) -> u64 {
    let line = format!("countersign_peer_refused_total{{reason=\"{reason}\"}} ");
    let text = counts.render();
    text.lines().find_map(|one| one.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

/// Waits for a condition, at most ten seconds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = timeout(Duration::from_secs(10), async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}
