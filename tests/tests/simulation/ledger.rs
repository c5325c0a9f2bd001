//! Watches what the nodes apply, entry by entry, and holds it against the promises.
//!
//! - Whatever two nodes apply at one index of a shard is one entry (Raft's State Machine Safety),
//!   also across a crash that makes a node apply it again.
//! - Versions and times of a shard only grow.
//! - A time step, a recovery code and a challenge are accepted at most once.
//! - No guess is evaluated while the user is locked. The lock is counted here anew, from the
//!   policy's numbers, not by the core's own code.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use countersign_core::challenge::ChallengeOutcome;
use countersign_core::codec;
use countersign_core::event::UserEvent;
use countersign_core::ids::{ChallengeId, FactorId, ShardId, UserKey};
use countersign_core::policy::LockoutPolicy;
use countersign_core::proposal::{Applied, Change, LogCommand};
use countersign_core::time::Timestamp;
use openraft::EntryPayload;

use crate::raft::Entry;
use crate::transcript::Transcript;

/// The watcher of one run.
pub(crate) struct Ledger {
    transcript: Transcript,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    shards: BTreeMap<ShardId, Chain>,
    users: BTreeMap<UserKey, Account>,
}

/// What was applied in one shard.
#[derive(Default)]
struct Chain {
    entries: BTreeMap<u64, u64>,
    last_now: Timestamp,
}

/// What happened to one user.
#[derive(Default)]
struct Account {
    version: u64,
    failures: u32,
    failures_ever: u32,
    /// Those of `failures` that were meant for a pending enrollment.
    at_enrollment: BTreeMap<Option<FactorId>, u32>,
    locked_until: Option<Timestamp>,
    last_steps: BTreeMap<FactorId, u64>,
    spent: BTreeSet<String>,
    verified: BTreeSet<ChallengeId>,
}

impl Ledger {
    /// An empty ledger.
    pub(crate) fn new(transcript: Transcript) -> Self {
        Self { transcript, books: Mutex::default() }
    }

    /// A node has applied an entry.
    pub(crate) fn applied(&self, node: u64, shard: ShardId, entry: &Entry, applied: &Applied) {
        let index = entry.log_id.index;
        let digest = digest(entry, applied);
        let mut books = self.books.lock().unwrap();
        let Books { shards, users } = &mut *books;
        let chain = shards.entry(shard).or_default();
        if let Some(first) = chain.entries.get(&index) {
            if *first != digest {
                self.violation(format!(
                    "node {node} applied another entry at {index} of shard {shard} than was \
                     applied there before ({})",
                    entry.log_id
                ));
            }
            return;
        }
        chain.entries.insert(index, digest);
        self.transcript.note(format!("shard {shard} applied {}: {}", entry.log_id, told(applied)));
        let EntryPayload::Normal(LogCommand::Propose(proposal)) = &entry.payload else { return };
        let (Applied::Done { version, at }, Change::User { key, events }) =
            (applied, &proposal.change)
        else {
            return;
        };
        if *at < chain.last_now {
            self.violation(format!("the time of shard {shard} went back at {index}"));
        }
        chain.last_now = *at;
        let account = users.entry(key.clone()).or_default();
        if *version <= account.version {
            self.violation(format!("the version of {} went back at {index}", key.user));
        }
        account.version = *version;
        for problem in account.enter(events, *at) {
            self.violation(format!("{}: {problem} (shard {shard}, entry {index})", key.user));
        }
    }

    /// How many wrong codes of the user were counted ever.
    pub(crate) fn failures(&self, key: &UserKey) -> u32 {
        self.books.lock().unwrap().users.get(key).map_or(0, |account| account.failures_ever)
    }

    fn violation(&self, text: String) {
        self.transcript.violation(text);
    }
}

impl Account {
    /// Takes in the events of one commit; says what should not have been.
    fn enter(&mut self, events: &[UserEvent], at: Timestamp) -> Vec<String> {
        let mut problems = Vec::new();
        let evaluated = events.iter().any(|event| {
            matches!(event, UserEvent::AttemptFailed { .. } | UserEvent::AttemptSucceeded)
        });
        if evaluated && self.locked_until.is_some_and(|until| at < until) {
            problems.push("a guess was evaluated while the user was locked".to_owned());
        }
        for event in events {
            match event {
                UserEvent::AttemptFailed { policy, enrollment, .. } => {
                    self.fail(policy, at);
                    if enrollment.is_some() {
                        *self.at_enrollment.entry(*enrollment).or_default() += 1;
                    }
                }
                UserEvent::AttemptSucceeded | UserEvent::Reset | UserEvent::Unlocked => {
                    self.failures = 0;
                    self.at_enrollment.clear();
                    self.locked_until = None;
                }
                UserEvent::FactorActivated(factor) => {
                    self.failures -= self.at_enrollment.remove(&Some(factor.id)).unwrap_or(0);
                    if let Some(step) = factor.kind.totp().and_then(|totp| totp.last_step) {
                        problems.extend(self.spend(factor.id, step));
                    }
                }
                UserEvent::StepSpent { id, step } => problems.extend(self.spend(*id, *step)),
                UserEvent::RecoveryCodeSpent { digest }
                    if !self.spent.insert(format!("{digest:?}")) =>
                {
                    problems.push("a recovery code was accepted twice".to_owned());
                }
                UserEvent::ChallengeEnded { id, outcome: ChallengeOutcome::Verified }
                    if !self.verified.insert(*id) =>
                {
                    problems.push(format!("challenge {id} was accepted twice"));
                }
                _ => {}
            }
        }
        problems
    }

    fn fail(&mut self, policy: &LockoutPolicy, at: Timestamp) {
        self.failures += 1;
        self.failures_ever += 1;
        if let Some(over) = self.failures.checked_sub(policy.max_attempts) {
            let doubled = u64::from(policy.base_delay_seconds) << over.min(20);
            let seconds = doubled.min(u64::from(policy.max_delay_seconds));
            self.locked_until = Some(at.plus_millis(i64::try_from(seconds).unwrap() * 1_000));
        }
    }

    fn spend(&mut self, id: FactorId, step: u64) -> Option<String> {
        let last = self.last_steps.insert(id, step);
        let again = last.is_some_and(|last| step <= last);
        again.then(|| format!("time step {step} of {id} was accepted at or after {last:?}"))
    }
}

fn told(applied: &Applied) -> String {
    match applied {
        Applied::Nothing => "nothing".to_owned(),
        Applied::Done { at, .. } => format!("done, as of {}", at.millis()),
        Applied::Conflict { version } => format!("conflict with version {version}"),
        Applied::Repeated => "repeated".to_owned(),
        Applied::Maintained { .. } => "maintained".to_owned(),
        Applied::Noted => "noted".to_owned(),
        Applied::Unknown => "unknown".to_owned(),
    }
}

/// Of the entry and of what applying it gave: both must be the same on all nodes.
fn digest(entry: &Entry, applied: &Applied) -> u64 {
    let mut hasher = DefaultHasher::new();
    codec::encode(&(entry, applied)).unwrap().hash(&mut hasher);
    hasher.finish()
}
