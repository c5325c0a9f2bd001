//! The run: faults one after the other while clients work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::clock::{self, Witness};
use super::fault::Fault;
use super::schedule::{Schedule, Step};
use super::verdict;
use crate::client::Client;
use crate::cluster::{Cluster, Plan, Program};
use crate::history::Tape;
use crate::house::ROOT_KEY;
use crate::workload::{Crowd, Sdk, prepare};

/// How long service may take to come back before that counts as a broken promise.
const SERVICE_WITHIN: Duration = Duration::from_secs(30);
/// Users of the probe: enough that most shards have one.
const PROBES: usize = 24;
/// People who are looked at after each fault.
const LOOKED_AT: usize = 24;
/// Bytes of a node's disk.
const DISK_BYTES: u64 = 2 << 30;

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// For how long faults are made.
    pub seconds: u64,
    /// Chooses faults and what clients do.
    pub seed: u64,
    /// Which faults; those that this machine does not allow are left out.
    pub faults: Vec<Fault>,
    /// How many nodes.
    pub nodes: usize,
    /// How many clients.
    pub workers: usize,
    /// What the nodes run.
    pub program: Program,
    /// Ends with the first broken promise.
    pub stop_when_broken: bool,
    /// Where nodes' logs are kept in the end.
    pub keep_logs: Option<PathBuf>,
}

impl Options {
    /// All faults on three nodes.
    pub fn new(seconds: u64, seed: u64) -> Self {
        Self {
            seconds,
            seed,
            faults: Fault::ALL.to_vec(),
            nodes: 3,
            workers: 12,
            program: Program::shipped(),
            stop_when_broken: false,
            keep_logs: None,
        }
    }
}

/// One fault as it was.
#[derive(Clone, Debug)]
pub struct Band {
    /// What.
    pub fault: Fault,
    /// Which nodes.
    pub nodes: Vec<usize>,
    /// Microseconds since the tape began.
    pub from_us: u64,
    /// When it was undone.
    pub to_us: u64,
    /// When the others served everything again, while it lasted; where a quorum was left.
    pub served_without_us: Option<u64>,
    /// When every node served everything again.
    pub served_us: Option<u64>,
}

/// What came of a run.
pub struct Outcome {
    /// Everything that was noted.
    pub tape: Arc<Tape>,
    /// The faults.
    pub bands: Vec<Band>,
    /// When the clients stopped, in microseconds since the tape began. What follows are looks
    /// back.
    pub stopped_us: u64,
    /// Users whose history was checked.
    pub users: usize,
    /// How long the run took, from the first fault to the verdict, or to the first broken promise.
    pub took: Duration,
    /// Every broken promise.
    pub violations: Vec<String>,
}

/// A time in which a node was cut off from a quorum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    pub(super) node: usize,
    pub(super) from_us: u64,
    pub(super) to_us: u64,
}

/// A run under way.
pub(super) struct Run {
    pub(super) options: Options,
    pub(super) cluster: Cluster,
    pub(super) tape: Arc<Tape>,
    pub(super) crowd: Crowd,
    pub(super) bands: Vec<Band>,
    pub(super) closed: Vec<Closed>,
    /// The highest term of each shard that each node told.
    terms: BTreeMap<(usize, u64), u64>,
}

/// Runs.
///
/// # Panics
/// If the cluster cannot be started.
pub async fn run(options: Options) -> Outcome {
    let mut plan = Plan { nodes: options.nodes, program: options.program.clone(), ..Plan::of(3) };
    plan.arguments = [
        "--disk-reserve",
        "64MiB",
        "--shutdown-grace",
        "500ms",
        // As operators are told to: one name for all nodes.
        "--issuer-url",
        "https://countersign.test",
    ]
    .map(str::to_owned)
    .into();
    let plan = plan.with_links().with_disks(DISK_BYTES);
    let cluster = Cluster::start(plan).await;
    let tape = Arc::new(Tape::default());
    let sdk = Sdk::new(&cluster.urls(), ROOT_KEY, Arc::clone(&tape));
    prepare(&cluster.client(0)).await;
    let crowd = Crowd::start(&sdk, options.workers, options.seed);
    let run = Run {
        options,
        cluster,
        tape,
        crowd,
        bands: Vec::new(),
        closed: Vec::new(),
        terms: BTreeMap::new(),
    };
    run.whole().await
}

impl Run {
    async fn whole(mut self) -> Outcome {
        let begun = Instant::now();
        let end = begun + Duration::from_secs(self.options.seconds);
        let possible: Vec<Fault> =
            self.options.faults.iter().copied().filter(|fault| fault.is_possible()).collect();
        let mut broken_after = None;
        if !possible.is_empty() {
            for step in Schedule::new(self.options.seed, &possible, self.cluster.len()) {
                if Instant::now() >= end {
                    break;
                }
                self.step(step).await;
                if self.tape.is_broken() {
                    broken_after.get_or_insert(begun.elapsed());
                    if self.options.stop_when_broken {
                        break;
                    }
                }
            }
        }
        while Instant::now() < end && broken_after.is_none() {
            sleep(Duration::from_millis(50)).await;
        }
        let users = self.crowd.stop().await;
        let stopped_us = self.tape.now_us();
        if broken_after.is_none() || !self.options.stop_when_broken {
            verdict::judge(&mut self).await;
        }
        if let Some(folder) = &self.options.keep_logs {
            for node in 0..self.cluster.len() {
                let path = folder.join(format!("{}.log", self.cluster.name(node)));
                std::fs::write(path, self.cluster.log(node)).unwrap();
            }
        }
        let violations = self.tape.violations();
        Outcome {
            bands: self.bands,
            stopped_us,
            users,
            took: broken_after.unwrap_or_else(|| begun.elapsed()),
            violations,
            tape: self.tape,
        }
    }

    async fn step(&mut self, mut step: Step) {
        if step.leader
            && let Some(leader) = self.leads_most().await
        {
            step.order.retain(|node| *node != leader);
            step.order.insert(0, leader);
        }
        let from_us = self.tape.now_us();
        let witnesses = match step.fault {
            Fault::ClockJump => clock::witnesses(&self.cluster, self.bands.len()).await,
            _ => Vec::new(),
        };
        let hit = self.strike(&step).await;
        let mut served_without_us = None;
        let held = Instant::now();
        if let Some(others) = &hit.serving {
            let served = self.serves(others, SERVICE_WITHIN).await;
            served_without_us = served.then(|| self.tape.now_us());
            if !served {
                self.tape.violation(format!(
                    "service: {} of {:?}: the others do not serve",
                    step.fault, hit.nodes
                ));
            }
        }
        if step.fault == Fault::ClockJump {
            self.while_ahead(&step, &witnesses).await;
        }
        sleep(step.hold.saturating_sub(held.elapsed())).await;
        self.undo(&step, &hit).await;
        if step.fault == Fault::ClockJump {
            self.after_jump(&step, &witnesses).await;
        }
        let to_us = self.tape.now_us();
        let all: Vec<usize> = (0..self.cluster.len()).collect();
        let served = self.ready(&step).await && self.serves(&all, SERVICE_WITHIN).await;
        let served_us = served.then(|| self.tape.now_us());
        if !served {
            self.tape.violation(format!(
                "service: it did not come back within {SERVICE_WITHIN:?} of {}",
                step.fault
            ));
        }
        let band = Band {
            fault: step.fault,
            nodes: hit.nodes,
            from_us,
            to_us,
            served_without_us,
            served_us,
        };
        tell(&band);
        self.bands.push(band);
        self.terms_never_fall().await;
        let people = self.crowd.finished(LOOKED_AT);
        self.crowd.look_at(&people).await;
        verdict::histories(&self.tape, Some(&people));
        sleep(step.calm).await;
    }

    /// Makes a fault.
    async fn strike(&mut self, step: &Step) -> Hit {
        let all: Vec<usize> = (0..self.cluster.len()).collect();
        let first = step.order[0];
        let second = step.order[1 % step.order.len()];
        let others: Vec<usize> = all.iter().copied().filter(|node| *node != first).collect();
        let quorum = others.len() * 2 > all.len();
        let one =
            Hit { nodes: vec![first], serving: quorum.then_some(others.clone()), closed: None };
        match step.fault {
            Fault::Kill => self.cluster.kill(first),
            Fault::KillAll => {
                self.cluster.kill_all();
                return Hit { nodes: all, serving: None, closed: None };
            }
            Fault::Pause => self.cluster.pause(first),
            Fault::Isolate => self.cluster.isolate(first),
            Fault::Asymmetric => others.iter().for_each(|other| self.cluster.cut(first, *other)),
            Fault::OneWay => {
                self.cluster.cut(first, second);
                return Hit { nodes: vec![first, second], serving: None, closed: None };
            }
            Fault::Bridge => {
                self.cluster.part(first, second);
                return Hit { nodes: vec![first, second], serving: None, closed: None };
            }
            Fault::Power => self.cluster.cut_power(&[first]),
            Fault::PowerAll => {
                self.cluster.cut_power(&all);
                return Hit { nodes: all, serving: None, closed: None };
            }
            Fault::DiskFull => self.cluster.fill_disk(first, step.leave),
            Fault::Skew => {
                self.cluster.kill(first);
                self.cluster.set_skew(first, step.skew_seconds);
            }
            Fault::ClockJump => self.cluster.set_skew(first, step.jump_seconds),
            Fault::Rolling => {
                for node in &step.order {
                    self.cluster.stop_and_restart(*node).await;
                }
                return Hit { nodes: step.order.clone(), serving: None, closed: None };
            }
            Fault::Replace => {
                self.cluster.replace(first, second).await;
                self.terms.retain(|(node, _), _| *node != first);
                return Hit { nodes: vec![first], serving: None, closed: None };
            }
        }
        let alone = matches!(step.fault, Fault::Isolate | Fault::Asymmetric) && !others.is_empty();
        Hit { closed: alone.then(|| (first, self.tape.now_us())), ..one }
    }

    /// Undoes a fault.
    async fn undo(&mut self, step: &Step, hit: &Hit) {
        if let Some((node, from_us)) = hit.closed {
            self.closed.push(Closed { node, from_us, to_us: self.tape.now_us() });
        }
        match step.fault {
            Fault::Pause => self.cluster.resume(step.order[0]),
            Fault::Isolate | Fault::Asymmetric | Fault::OneWay | Fault::Bridge => {
                self.cluster.mend();
            }
            Fault::DiskFull => self.cluster.unfill_disk(step.order[0]),
            Fault::ClockJump => self.cluster.set_skew(step.order[0], 0),
            _ => {}
        }
        // In the order of the step, which is any order. A node that ended by itself, for its disk
        // was full, is started again as an operator would.
        for node in &step.order {
            if step.fault == Fault::DiskFull {
                self.cluster.has_ended(*node);
            }
            if !self.cluster.runs(*node) {
                self.cluster.spawn(*node);
            }
        }
    }

    /// The node whose clock has jumped leads nothing and says why; right codes go on working.
    async fn while_ahead(&mut self, step: &Step, witnesses: &[Witness]) {
        let node = step.order[0];
        let told = clock::leads_nothing_and_says_why(&self.cluster, node).await;
        let right = clock::right_codes_work(&self.cluster, witnesses).await;
        for broken in [told, right].into_iter().filter_map(Result::err) {
            self.tape.violation(format!("time: {} is ahead: {broken}", self.cluster.name(node)));
        }
    }

    /// Its clock is right again: so is everything.
    async fn after_jump(&mut self, step: &Step, witnesses: &[Witness]) {
        let ahead = step.jump_seconds;
        let right = clock::right_codes_work(&self.cluster, witnesses).await;
        let old = clock::nothing_old_is_accepted(&self.cluster, witnesses, ahead).await;
        let times = clock::no_shard_is_ahead(&self.cluster).await;
        for broken in [right, old, times].into_iter().filter_map(Result::err) {
            let name = self.cluster.name(step.order[0]);
            self.tape.violation(format!("time: after {name} was ahead by {ahead} s: {broken}"));
        }
    }

    /// Waits until every node says that it is ready.
    async fn ready(&mut self, step: &Step) -> bool {
        for node in step.order.clone() {
            if let Err(reason) = self.cluster.try_wait_until_ready(node, SERVICE_WITHIN).await {
                self.tape.violation(format!("service: after {}: {reason}", step.fault));
                return false;
            }
        }
        true
    }

    /// Waits until every shard is written to through each of these nodes.
    async fn serves(&self, nodes: &[usize], within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let probes = nodes.iter().flat_map(|node| {
            let client = self.cluster.client(*node);
            (0..PROBES).map(move |probe| writes(client.clone(), probe, deadline))
        });
        join_all(probes).await.into_iter().all(|served| served)
    }

    async fn leads_most(&self) -> Option<usize> {
        let mut best = None;
        for node in 0..self.cluster.len() {
            let led = self.cluster.shards_led(node).await;
            if led > best.map_or(0, |(most, _)| most) {
                best = Some((led, node));
            }
        }
        best.map(|(_, node)| node)
    }

    /// A node that forgets a term forgets its vote.
    async fn terms_never_fall(&mut self) {
        for node in 0..self.cluster.len() {
            let Some(status) = self.cluster.status(node).await else { continue };
            for shard in status["shards"].as_array().into_iter().flatten() {
                let (Some(id), Some(term)) = (shard["id"].as_u64(), shard["term"].as_u64()) else {
                    continue;
                };
                let before = self.terms.entry((node, id)).or_insert(term);
                if term < *before {
                    self.tape.violation(format!(
                        "votes: {} was in term {before} of shard {id} and is in term {term} now",
                        self.cluster.name(node)
                    ));
                }
                *before = term.max(*before);
            }
        }
    }
}

/// Writes one user until that succeeds; `false` if it does not by `deadline`.
async fn writes(client: Client, probe: usize, deadline: Instant) -> bool {
    loop {
        let path = format!("/v1/users/probe-{probe}");
        let asked = client.send(Method::PUT, &path, Some(json!({})), None);
        let answer = timeout(Duration::from_secs(2), asked).await.ok().flatten();
        if answer.is_some_and(|answer| answer.status.is_success()) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// A fault that was made.
struct Hit {
    nodes: Vec<usize>,
    /// Who must go on serving meanwhile.
    serving: Option<Vec<usize>>,
    /// Who is cut off from a quorum, and since when.
    closed: Option<(usize, u64)>,
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn tell(band: &Band) {
    let since = |from: u64, to: Option<u64>| {
        to.map_or("never".to_owned(), |to| format!("{:.2} s", to.saturating_sub(from) as f64 / 1e6))
    };
    let without = match band.served_without_us {
        Some(_) => format!(", others serve after {}", since(band.from_us, band.served_without_us)),
        None => String::new(),
    };
    eprintln!(
        "chaos: {:7.1} s  {:<10} nodes {:?} for {}{without}, all serve {} after its end",
        band.from_us as f64 / 1e6,
        band.fault,
        band.nodes,
        since(band.from_us, Some(band.to_us)),
        since(band.to_us, band.served_us),
    );
}
