//! Seeded simulation of the cluster: real openraft, real actors, real decisions, over turmoil's
//! simulated network and clock, with logs and rows in memory.
//!
//! One seed decides a run: how many nodes and shards, what every message and sync takes, what
//! clients ask of whom, what breaks when. A run has three parts:
//!
//! 1. *Safety*: owners enroll, log in, spend recovery codes, remove, reset and repeat; guessers
//!    guess; meanwhile nodes lose their power (one, two or all; unsynced writes with it), links are
//!    cut, cut one way, held and slowed, disks are slow and clocks wrong ([`faults`]).
//! 2. *Liveness*: all is mended; every client must be answered, and every user's shard take a write
//!    that is read through every node, within a bound.
//! 3. *Settling*: all replicas of a shard must become equal, and what was acknowledged must be there.
//!
//! What is checked stands in [`ledger`] (of what nodes apply) and [`board`] (of what clients were
//! told). What is simulated: [`disk`] and [`volume`] (a disk with a synced prefix), [`machine`] and
//! [`store`] (the rows, and openraft's view of them), [`peers`] and [`wire`] (messages), [`node`],
//! [`elections`], [`leadership`] and [`replica`] (the node around the actors; written like the real one, which
//! needs RocksDB and sockets), [`clock`].
//!
//! A node can be made to do wrong ([`sabotage`]); for each way there is a test that some seed
//! notices it. Without those, that no violation is found would mean little.
//!
//! `SIMULATION_SEEDS=1000` runs the seeds from 0, `SIMULATION_SEEDS=500..600` a range; each failing
//! seed is printed with the end of its transcript. Running `SIMULATION_SEEDS=42..43` shows seed 42
//! again.
//!
//! **Where determinism ends.** turmoil, openraft's randomness ([`raft::Seeded`]) and its watch
//! channels ([`ordered_watch`]), the actors' and the clients' randomness are all decided by the
//! seed, and a run has one thread, except for password hashing. That runs on threads of its own:
//! simulated time waits for it, but what wakes first afterwards only real time decides. So runs
//! without recovery codes repeat line by line, which a test holds; runs with them repeat up to about
//! their first set of codes and then differ by milliseconds. Not seeded either: the fairness of
//! `tokio::select!` (that needs `--cfg tokio_unstable`), the order of std's hash maps, and the
//! numbers of tasks and actors, which go on from run to run within a process. So a failure is
//! printed with its transcript, and not every failing seed fails again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::large_enum_variant,
    reason = "a simulation stops at what should not be"
)]

mod board;
mod client;
mod clock;
mod disk;
mod elections;
mod faults;
mod guesser;
mod leadership;
mod ledger;
mod machine;
mod node;
mod ordered_watch;
mod owner;
mod peers;
mod raft;
mod replica;
mod run;
mod sabotage;
mod store;
mod transcript;
mod volume;
mod wire;

use std::ops::Range;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use run::{Outcome, Plan, run};
use sabotage::Sabotage;

/// Seeds that `make test` runs.
const SEEDS: Range<u64> = 0..20;
/// Seeds that may pass before a sabotage is noticed.
const NOTICED_WITHIN: Range<u64> = 0..40;

/// Set for the process that [`the_same_seed_gives_the_same_history`] has to itself.
const ALONE: &str = "SIMULATION_ALONE";

/// The seeds to run: `SIMULATION_SEEDS` is a number or a range.
fn seeds() -> Range<u64> {
    let Ok(wanted) = std::env::var("SIMULATION_SEEDS") else { return SEEDS };
    let number = |text: &str| text.trim().parse().expect("SIMULATION_SEEDS=1000 or 500..600");
    match wanted.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => 0..number(&wanted),
    }
}

/// Runs seeds on every core, until `enough` says so; what failed, by seed.
fn failures(
    seeds: Range<u64>,
    sabotage: Sabotage,
    enough: impl Fn(&Outcome) -> bool + Sync,
) -> Vec<Outcome> {
    let (next, end) = (AtomicU64::new(seeds.start), AtomicU64::new(seeds.end));
    let failed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= end.load(Ordering::SeqCst) {
                        return;
                    }
                    let outcome = run(Plan { seed, sabotage, recovery_codes: true });
                    if !outcome.violations().is_empty() {
                        if enough(&outcome) {
                            end.store(0, Ordering::SeqCst);
                        }
                        failed.lock().unwrap().push(outcome);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_by_key(|outcome| outcome.seed);
    failed
}

#[test]
fn no_promise_is_broken_whatever_fails() {
    let tell = |outcome: &Outcome| {
        println!("{}", outcome.report());
        false
    };
    let failed = failures(seeds(), Sabotage::None, tell);
    let failing: Vec<u64> = failed.iter().map(|outcome| outcome.seed).collect();
    assert!(failing.is_empty(), "failing seeds: {failing:?}");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    // Tasks and actors are numbered across a process, so these runs want one to themselves.
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().unwrap();
        let name = "the_same_seed_gives_the_same_history";
        let child = Command::new(this).args([name, "--exact"]).env(ALONE, "1").output().unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        return;
    }
    let plan = Plan { seed: 7, sabotage: Sabotage::None, recovery_codes: false };
    let (once, again) = (run(plan), run(plan));
    let (once, again) = (once.transcript.all(), again.transcript.all());
    let differs = once.iter().zip(&again).position(|(one, other)| one != other);
    let shown = differs.map(|at| (at, &once[at.saturating_sub(5)..=at], &again[at]));
    assert_eq!(differs, None, "{shown:#?}");
    assert_eq!(once.len(), again.len());
}

fn assert_noticed(sabotage: Sabotage) {
    let failed = failures(NOTICED_WITHIN, sabotage, |_| true);
    let first = failed.first();
    println!("{sabotage:?}: {}", first.map_or("not noticed".to_owned(), Outcome::report));
    assert!(first.is_some(), "no seed of {NOTICED_WITHIN:?} noticed {sabotage:?}");
}

#[test]
fn acknowledging_before_the_sync_is_noticed() {
    assert_noticed(Sabotage::AcknowledgeBeforeSync);
}

#[test]
fn applying_whatever_the_version_is_noticed() {
    assert_noticed(Sabotage::NoVersionCheck);
}

#[test]
fn forgetting_the_answers_to_idempotency_keys_is_noticed() {
    assert_noticed(Sabotage::ForgetAnswers);
}

#[test]
fn leading_without_a_quorums_word_is_noticed() {
    assert_noticed(Sabotage::UnconfirmedLeader);
}

#[test]
fn replying_before_the_commit_is_noticed() {
    assert_noticed(Sabotage::ReplyBeforeCommit);
}
