//! A node: its groups, its actors, and the port at which peers and clients ask.
//!
//! A question goes to the node that leads the user's shard, passed on at most once. A node that
//! has just started takes part in no election for one lease: it may have promised a leader, before
//! it lost its memory, to elect nobody else meanwhile. That goes for its own vote as well.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::{GatewayError, Target};
use countersign_actors::ports::Directory;
use countersign_actors::testing::{FixedVault, Nowhere, SeededSource};
use countersign_actors::{Options, Ports, Service};
use countersign_core::ids::{ShardId, UserKey};
use countersign_core::vault::Vault;
use openraft::BasicNode;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::RaftError;
use openraft::raft::AppendEntriesResponse;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use turmoil::net::{TcpListener, TcpStream};

use crate::clock::SkewedClock;
use crate::disk::Disk;
use crate::elections::{Elections, Heard};
use crate::leadership::Watcher;
use crate::ledger::Ledger;
use crate::peers::{Connection, Peers};
use crate::raft::{Group, LEASE, Snapshot, config};
use crate::sabotage::Sabotage;
use crate::store::{ShardLog, ShardMachine};
use crate::transcript::Transcript;
use crate::wire::{self, Answer, Ask, PORT, Request};

/// How often a question looks again for a leader.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What outlives a node's process, and what it is told about the run.
#[derive(Clone)]
pub(crate) struct Place {
    /// Its number, from 1.
    pub(crate) id: u64,
    /// How many nodes there are.
    pub(crate) nodes: u64,
    /// How many shards.
    pub(crate) shards: u16,
    /// Decides its randomness.
    pub(crate) seed: u64,
    /// Its disk.
    pub(crate) disk: Arc<Disk>,
    /// Its clock.
    pub(crate) clock: SkewedClock,
    /// The tenants.
    pub(crate) directory: Arc<dyn Directory>,
    /// Who watches what is applied.
    pub(crate) ledger: Arc<Ledger>,
    /// Where things are told.
    pub(crate) transcript: Transcript,
    /// What it does wrong.
    pub(crate) sabotage: Sabotage,
}

/// A running node.
struct Node {
    place: Place,
    groups: BTreeMap<ShardId, Group>,
    led: BTreeMap<ShardId, watch::Receiver<bool>>,
    service: Service,
    grants_from: Instant,
    boots: u64,
    heard: Heard,
}

/// Runs a node until its host is crashed.
///
/// # Errors
/// If it cannot start, which ends the simulation.
pub(crate) async fn run(place: Place) -> turmoil::Result {
    let grants_from = Instant::now() + LEASE;
    tokio::spawn(Arc::clone(&place.disk).run());
    let node = Arc::new(Node::start(place, grants_from).await?);
    let elections = Elections {
        groups: node.groups.clone(),
        heard: node.heard.clone(),
        not_before: grants_from,
        random: ChaCha8Rng::seed_from_u64(node.randomness(1)),
    };
    tokio::spawn(elections.run());
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let node = Arc::clone(&node);
        // An error ends one connection; whoever made it makes another.
        tokio::spawn(async move { drop(node.attend(stream).await) });
    }
}

impl Node {
    async fn start(place: Place, grants_from: Instant) -> turmoil::Result<Self> {
        let boots = place.disk.count_boot();
        let ports = Ports {
            directory: Arc::clone(&place.directory),
            clock: Arc::new(place.clock.clone()),
            entropy: Arc::new(SeededSource::new(randomness(&place, boots, 0))),
            vault: Arc::new(FixedVault),
            carrier: Arc::new(Nowhere),
            poster: Arc::new(Nowhere),
            steward: Arc::new(Nowhere),
        };
        let options = Options {
            // Short, so that outcomes are unknown now and then.
            propose_timeout: Duration::from_millis(300),
            gate_permits: 1,
            ..Options::default()
        };
        let service = Service::start(options, ports).await?;
        let members: BTreeMap<u64, BasicNode> =
            (1..=place.nodes).map(|id| (id, BasicNode::new(wire::host(id)))).collect();
        let (mut groups, mut led) = (BTreeMap::new(), BTreeMap::new());
        for shard in (0..place.shards).map(ShardId) {
            let log = ShardLog { shard, disk: Arc::clone(&place.disk) };
            let machine = ShardMachine {
                node: place.id,
                shard,
                disk: Arc::clone(&place.disk),
                ledger: Arc::clone(&place.ledger),
            };
            let config = Arc::new(config(shard).validate()?);
            let group =
                Box::pin(Group::new(place.id, config, Peers { shard }, log, machine)).await?;
            // The same first entry on every node: none of them founds alone.
            if !group.is_initialized().await? {
                group.initialize(members.clone()).await?;
            }
            let (leads, watched) = watch::channel(false);
            let watcher = Watcher {
                node: place.id,
                shard,
                group: group.clone(),
                disk: Arc::clone(&place.disk),
                service: service.clone(),
                led: leads,
                sabotage: place.sabotage,
                transcript: place.transcript.clone(),
            };
            tokio::spawn(watcher.run());
            groups.insert(shard, group);
            led.insert(shard, watched);
        }
        Ok(Self { place, groups, led, service, grants_from, boots, heard: Heard::default() })
    }

    /// A seed of this process, for one of its purposes.
    fn randomness(&self, purpose: u64) -> u64 {
        randomness(&self.place, self.boots, purpose)
    }

    async fn attend(&self, mut stream: TcpStream) -> io::Result<()> {
        loop {
            let request = wire::receive(&mut stream).await?;
            let answer = Box::pin(self.answer(request)).await;
            wire::send(&mut stream, &answer).await?;
        }
    }

    async fn answer(&self, request: Request) -> Answer {
        let remembers = Instant::now() >= self.grants_from;
        match request {
            Request::Append(shard, request) => {
                let answer = self.groups[&shard].append_entries(request).await;
                if !matches!(answer, Ok(AppendEntriesResponse::HigherVote(_)) | Err(_)) {
                    self.heard.note(shard);
                }
                told(answer, Answer::Append)
            }
            Request::Vote(..) | Request::PreVote(..) if !remembers => {
                Answer::Failed("started less than a lease ago".to_owned())
            }
            Request::Vote(shard, request) => {
                told(self.groups[&shard].vote(request).await, Answer::Vote)
            }
            Request::PreVote(shard, request) => {
                told(self.groups[&shard].pre_vote(request).await, Answer::Vote)
            }
            Request::Snapshot(shard, vote, meta, snapshot) => {
                let snapshot = Snapshot { meta, snapshot };
                match self.groups[&shard].install_full_snapshot(vote, snapshot).await {
                    Ok(answer) => Answer::Snapshot(answer),
                    Err(error) => Answer::Failed(error.to_string()),
                }
            }
            Request::Ask(ask) => self.ask(ask).await,
        }
    }

    fn shard_of(&self, ask: &Ask) -> ShardId {
        let hash = match &ask.target {
            Target::User(user) => UserKey::new(ask.caller.tenant.clone(), user.clone()).hash(),
            Target::Challenge(id) => FixedVault.challenge_user(*id),
        };
        hash.shard(self.place.shards)
    }

    async fn ask(&self, ask: Ask) -> Answer {
        let shard = self.shard_of(&ask);
        let deadline = Instant::now() + Duration::from_millis(ask.within_ms);
        loop {
            let within = deadline.saturating_duration_since(Instant::now());
            if within.is_zero() {
                let reason = format!("shard {shard} has no leader");
                return Answer::Reply(Err(GatewayError::Unavailable(reason)));
            }
            if *self.led[&shard].borrow() {
                let Ask { caller, target, question, .. } = ask;
                let reply = self.service.ask(shard, caller, target, question, within).await;
                return Answer::Reply(reply);
            }
            if ask.forwarded {
                return Answer::NotLeading;
            }
            let leader = self.groups[&shard].server_metrics().borrow_watched().current_leader;
            if let Some(leader) = leader.filter(|leader| *leader != self.place.id) {
                let within_ms = u64::try_from(within.as_millis()).unwrap();
                let forward = Ask { forwarded: true, within_ms, ..ask.clone() };
                let mut connection = Connection::new(shard, leader);
                match connection.call(&Request::Ask(forward), within).await {
                    // Nothing was done, so it may be asked elsewhere.
                    Ok(Answer::NotLeading) => {}
                    Ok(answer) => return answer,
                    Err(error) => {
                        let reason = format!("node {leader} did not answer: {error}");
                        return Answer::Reply(Err(GatewayError::Unavailable(reason)));
                    }
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

fn randomness(place: &Place, boots: u64, purpose: u64) -> u64 {
    place.seed ^ (place.id << 32) ^ (boots << 40) ^ (purpose << 56)
}

fn told<T>(answer: Result<T, RaftError<crate::raft::TypeConfig>>, wrap: fn(T) -> Answer) -> Answer {
    match answer {
        Ok(answer) => wrap(answer),
        Err(error) => Answer::Failed(error.to_string()),
    }
}
