//! One run: a cluster, its clients and its faults from one seed; then all is mended, and the cluster
//! must serve; then everything that was acknowledged is looked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_actors::ports::Directory;
use countersign_actors::testing::FixedDirectory;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use crate::board::Board;
use crate::client::Client;
use crate::clock::SkewedClock;
use crate::disk::Disk;
use crate::faults::{self, Action, Due};
use crate::guesser::Guesser;
use crate::ledger::Ledger;
use crate::machine::Machine;
use crate::node::{self, Place};
use crate::owner::Owner;
use crate::raft::Seeded;
use crate::sabotage::Sabotage;
use crate::transcript::Transcript;
use crate::wire::host;

/// Faults begin then: the first leaders have been elected.
const FAULTS_FROM_MS: u64 = 2_000;
/// And are over then.
const FAULTS_UNTIL_MS: u64 = 10_000;
/// How long after the last fault every shard may take to serve, and every client to be answered.
const SERVES_WITHIN_MS: u64 = 10_000;
/// How long after the last client the replicas may take to be equal.
const EQUAL_WITHIN_MS: u64 = 5_000;
/// What a step of the simulation takes.
const TICK: Duration = Duration::from_millis(1);
/// Users of each shard.
const USERS_A_SHARD: usize = 2;

/// What a run is to be.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Decides everything else.
    pub(crate) seed: u64,
    /// What the nodes do wrong.
    pub(crate) sabotage: Sabotage,
    /// Whether owners make recovery codes. Those are hashed on threads of their own.
    pub(crate) recovery_codes: bool,
}

/// What became of a run.
pub(crate) struct Outcome {
    /// Its seed.
    pub(crate) seed: u64,
    /// What happened.
    pub(crate) transcript: Transcript,
}

impl Outcome {
    /// The promises that were broken.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.transcript.violations()
    }

    /// What a person wants to see of a failed run.
    pub(crate) fn report(&self) -> String {
        format!(
            "seed {}:\n{}\n  broken:\n    {}\n",
            self.seed,
            self.transcript.shown(),
            self.violations().join("\n    ")
        )
    }
}

/// Runs the simulation that the seed decides.
pub(crate) fn run(plan: Plan) -> Outcome {
    let seed = plan.seed;
    Seeded::begin(seed);
    align_task_ids();
    let mut run = Run::new(plan);
    let transcript = run.transcript.clone();
    run.go();
    Outcome { seed, transcript }
}

/// A runtime that is dropped, as a crash does it, ends its tasks in groups by their ids, which are
/// counted over the whole process. So every run begins at the first of a group.
fn align_task_ids() {
    const GROUPS: u64 = 64;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let id = || runtime.spawn(async {}).id().to_string().parse::<u64>().unwrap();
    while !id().is_multiple_of(GROUPS) {}
}

struct Run {
    sim: turmoil::Sim<'static>,
    places: Vec<Place>,
    boards: Vec<Arc<Board>>,
    due: std::vec::IntoIter<Due>,
    next: Option<Due>,
    finish: Arc<AtomicBool>,
    transcript: Transcript,
}

impl Run {
    fn new(plan: Plan) -> Self {
        let Plan { seed, sabotage, recovery_codes } = plan;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let nodes = if random.random_bool(0.7) { 3 } else { 5 };
        let shards = random.random_range(2..=4);
        let latency = random.random_range(2..30);
        let mut sim = turmoil::Builder::new()
            .rng_seed(random.random())
            .tick_duration(TICK)
            .simulation_duration(Duration::from_secs(600))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(latency))
            .tcp_capacity(4_096)
            .enable_random_order()
            .epoch(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
            .build();
        let transcript = Transcript::default();
        transcript.note(format!(
            "seed {seed}: {nodes} nodes, {shards} shards, messages of up to {latency} ms"
        ));
        let ledger = Arc::new(Ledger::new(transcript.clone()));
        let directory = directory();
        let places: Vec<Place> = (1..=nodes)
            .map(|id| Place {
                id,
                nodes,
                shards,
                seed,
                disk: Disk::new(shards, random.random(), sabotage),
                clock: SkewedClock::default(),
                directory: Arc::clone(&directory),
                ledger: Arc::clone(&ledger),
                transcript: transcript.clone(),
                sabotage,
            })
            .collect();
        for place in &places {
            let place = place.clone();
            sim.host(host(place.id), move || node::run(place.clone()));
        }
        let boards = boards(shards, &transcript);
        let finish = Arc::new(AtomicBool::new(false));
        let hashing = Arc::default();
        let client = |random: &mut ChaCha8Rng| Client {
            nodes,
            random: ChaCha8Rng::seed_from_u64(random.random()),
            clock: SkewedClock::default(),
            hashing: Arc::clone(&hashing),
            finish: Arc::clone(&finish),
            transcript: transcript.clone(),
        };
        let owners: Vec<Owner> = boards
            .iter()
            .map(|board| Owner::new(client(&mut random), Arc::clone(board), recovery_codes))
            .collect();
        let guessers: Vec<Guesser> = [0.3, 0.3, 1.0, 1.0, 1.0, 1.0]
            .into_iter()
            .map(|reads| Guesser { client: client(&mut random), boards: boards.clone(), reads })
            .collect();
        sim.client("clients", async move {
            let mut tasks = JoinSet::new();
            owners.into_iter().for_each(|owner| drop(tasks.spawn(owner.run())));
            guessers.into_iter().for_each(|guesser| drop(tasks.spawn(guesser.run())));
            while let Some(ended) = tasks.join_next().await {
                ended?;
            }
            Ok(())
        });
        let (from, until) = (FAULTS_FROM_MS, FAULTS_UNTIL_MS);
        let schedule = faults::schedule(&mut random, nodes, from, until, shards, latency);
        let mut due = schedule.into_iter();
        let next = due.next();
        Self { sim, places, boards, due, next, finish, transcript }
    }

    fn go(&mut self) {
        if self.until_served() {
            self.until_equal();
        }
        self.settle();
    }

    /// Whether all clients came to an end in time.
    fn until_served(&mut self) -> bool {
        loop {
            let now = self.now();
            while let Some((_, action)) = self.next.take_if(|(at, _)| *at <= now) {
                self.act(&action);
                self.next = self.due.next();
            }
            if now >= FAULTS_UNTIL_MS && !self.finish.swap(true, Ordering::SeqCst) {
                self.transcript.note("all is mended");
            }
            match self.sim.step() {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => {
                    self.transcript.violation(format!("the run stopped: {error}"));
                    return false;
                }
            }
            if now > FAULTS_UNTIL_MS + SERVES_WITHIN_MS {
                let within = SERVES_WITHIN_MS;
                let text = format!("{within} ms after the last fault not all clients are served");
                self.transcript.violation(text);
                return false;
            }
        }
    }

    /// Waits until all replicas of each shard are equal.
    fn until_equal(&mut self) {
        let begun = self.now();
        loop {
            let unequal = self.unequal();
            if unequal.is_empty() {
                return;
            }
            if self.now() > begun + EQUAL_WITHIN_MS {
                unequal.iter().for_each(|text| self.transcript.violation(text));
                return;
            }
            if let Err(error) = self.sim.step() {
                self.transcript.violation(format!("the run stopped: {error}"));
                return;
            }
        }
    }

    fn now(&self) -> u64 {
        let now = u64::try_from(self.sim.elapsed().as_millis()).unwrap();
        self.transcript.set_time(now);
        now
    }

    fn act(&mut self, action: &Action) {
        self.transcript.note(format!("FAULT {action:?}"));
        let sim = &mut self.sim;
        let place = |node: u64| &self.places[usize::try_from(node).unwrap() - 1];
        match action {
            Action::Crash(nodes) => {
                for node in nodes {
                    sim.crash(host(*node));
                    let lost = place(*node).disk.lose_power();
                    self.transcript.note(format!("node {node} lost {lost} writes"));
                }
            }
            Action::Start(nodes) => nodes.iter().for_each(|node| sim.bounce(host(*node))),
            Action::Part(one, other) => sim.partition(host(*one), host(*other)),
            Action::PartLeader(shard) => {
                let Some(leader) = leader(&self.places, ShardId(*shard)) else { return };
                self.transcript.note(format!("node {leader} is alone"));
                for peer in self.places.iter().filter(|place| place.id != leader) {
                    sim.partition(host(leader), host(peer.id));
                }
            }
            Action::MendAll => {
                for one in &self.places {
                    for other in self.places.iter().filter(|other| other.id > one.id) {
                        sim.repair(host(one.id), host(other.id));
                    }
                }
            }
            Action::PartOneWay(from, to) => sim.partition_oneway(host(*from), host(*to)),
            Action::Mend(one, other) => sim.repair(host(*one), host(*other)),
            Action::Hold(one, other) => sim.hold(host(*one), host(*other)),
            Action::Release(one, other) => sim.release(host(*one), host(*other)),
            Action::Delay(one, other, most) => {
                let most = Duration::from_millis(*most);
                sim.set_link_max_message_latency(host(*one), host(*other), most);
            }
            Action::Disk(node, least, most) => place(*node).disk.set_sync_ms(*least, *most),
            Action::Clock(node, offset) => place(*node).clock.set_offset_ms(*offset),
        }
    }

    fn machine(&self, node: usize, shard: ShardId) -> Machine {
        self.places[node].disk.read(shard, |volume| volume.machine.clone())
    }

    fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        (0..self.places[0].shards).map(ShardId)
    }

    /// What differs between the replicas: rows, and entries that two logs have at one index.
    fn unequal(&self) -> Vec<String> {
        let mut unequal = Vec::new();
        for shard in self.shards() {
            let first = &self.places[0].disk;
            for place in &self.places[1..] {
                let (id, disk) = (place.id, &place.disk);
                let same =
                    first.read(shard, |one| disk.read(shard, |other| one.machine == other.machine));
                if !same {
                    unequal.push(format!("shard {shard}: node {id} has other rows than node 1"));
                }
                let same = first.read(shard, |one| {
                    disk.read(shard, |other| {
                        let both =
                            one.log.iter().filter_map(|(at, a)| Some((a, other.log.get(at)?)));
                        both.fold(true, |same, (a, b)| same && a == b)
                    })
                });
                if !same {
                    unequal.push(format!("shard {shard}: node {id} has another log than node 1"));
                }
            }
        }
        unequal
    }

    /// Looks for what was acknowledged.
    fn settle(&self) {
        for board in &self.boards {
            let shard = board.key.hash().shard(self.places[0].shards);
            // The replica that has applied most, should they differ.
            let nodes = 0..self.places.len();
            let machine = nodes
                .map(|node| self.machine(node, shard))
                .max_by_key(|machine| machine.applied)
                .unwrap();
            let state = machine.users.get(&board.key).map(|row| &row.state);
            board.settle(state, self.places[0].ledger.failures(&board.key));
        }
    }
}

/// Whoever was elected last.
fn leader(places: &[Place], shard: ShardId) -> Option<u64> {
    let votes = places.iter().filter_map(|place| place.disk.read(shard, |volume| volume.vote));
    let newest = votes.filter(|vote| vote.committed).max_by_key(|vote| vote.leader_id.term)?;
    Some(newest.leader_id.node_id)
}

/// The default tenant, with short locks and few recovery codes: a run lasts minutes of wall clock.
fn directory() -> Arc<dyn Directory> {
    let directory = FixedDirectory::new();
    let mut tenant = (*directory.tenant(&TenantId::default_tenant()).unwrap()).clone();
    tenant.policy.recovery_codes_count = 2;
    tenant.policy.lockout.base_delay_seconds = 10;
    tenant.policy.lockout.max_delay_seconds = 40;
    directory.put(tenant);
    Arc::new(directory)
}

/// Users of every shard.
fn boards(shards: u16, transcript: &Transcript) -> Vec<Arc<Board>> {
    let mut boards = Vec::new();
    for shard in (0..shards).map(ShardId) {
        let keys = (0..).map(|n| {
            UserKey::new(TenantId::default_tenant(), format!("user_{n}").parse().unwrap())
        });
        let of_shard = keys.filter(|key| key.hash().shard(shards) == shard).take(USERS_A_SHARD);
        boards.extend(of_shard.map(|key| Arc::new(Board::new(key, transcript.clone()))));
    }
    boards
}
