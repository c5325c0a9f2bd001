//! A shard of one, in memory. It applies by the same rules as the real one (version check, kept
//! answers, time that never goes back, what waits to leave), and does to a proposal what the test
//! says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::ids::{ShardId, TenantId, UserHash, UserId, UserKey};
use countersign_core::outbox::{MessageOutcome, OutboxKey};
use countersign_core::proposal::{AnswerKey, Applied, Change, KeptAnswer, LogCommand, Proposal};
use countersign_core::system::SystemState;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use super::memory::Memory;
use super::waiting::Waiting;
use crate::gateway::AuditRow;
use crate::ports::{Outbox, Replica, ReplicaError, Versioned};

/// What becomes of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is applied.
    Apply,
    /// It is applied once [`MemoryReplica::release`] is called.
    Hold,
    /// It is refused without effect: this node does not lead, node 2 does.
    NotLeader,
    /// It is applied, but the proposer is told that the outcome is unknown.
    LoseAnswer,
    /// The proposer is told that the outcome is unknown; it is applied once
    /// [`MemoryReplica::release`] is called.
    ApplyLate,
}

type Judge = dyn Fn(&Proposal) -> Fate + Send + Sync;
type Recorder = dyn Fn(&LogCommand) -> Fate + Send + Sync;

/// The replica. Share it by [`Arc`]; as many services as wanted may work on one, as nodes that
/// each believe they lead.
pub struct MemoryReplica {
    shard: ShardId,
    memory: Mutex<Memory>,
    judge: Mutex<Arc<Judge>>,
    recorder: Mutex<Arc<Recorder>>,
    released: watch::Sender<bool>,
    barrier_open: watch::Sender<bool>,
    quorum: AtomicBool,
    counts: watch::Sender<Counts>,
    pub(super) messages_put: watch::Sender<u64>,
    pub(super) applied_index: watch::Sender<u64>,
    pub(super) redelivered: watch::Sender<u64>,
}

/// What was asked of the replica so far.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    holding: usize,
    at_barrier: usize,
    loads: usize,
    event_reads: usize,
}

impl MemoryReplica {
    /// An empty shard that applies all.
    pub fn new(shard: ShardId) -> Arc<Self> {
        Arc::new(Self {
            shard,
            memory: Mutex::default(),
            judge: Mutex::new(Arc::new(|_| Fate::Apply)),
            recorder: Mutex::new(Arc::new(|_| Fate::Apply)),
            released: watch::Sender::new(false),
            barrier_open: watch::Sender::new(true),
            quorum: AtomicBool::new(true),
            counts: watch::Sender::default(),
            messages_put: watch::Sender::default(),
            applied_index: watch::Sender::default(),
            redelivered: watch::Sender::default(),
        })
    }

    /// From here on `judge` says what becomes of a proposal, and what is held stays held.
    pub fn judge(&self, judge: impl Fn(&Proposal) -> Fate + Send + Sync + 'static) {
        self.released.send_replace(false);
        *self.judge.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(judge);
    }

    /// From here on `recorder` says what becomes of everything else that is put into the log, and what
    /// is held stays held.
    pub fn judge_records(&self, recorder: impl Fn(&LogCommand) -> Fate + Send + Sync + 'static) {
        self.released.send_replace(false);
        *self.recorder.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(recorder);
    }

    /// Applies what was held or late, and holds nothing from here on until [`Self::judge`].
    pub fn release(&self) {
        let late = std::mem::take(&mut self.memory().late);
        for command in late {
            self.apply(command);
        }
        self.released.send_replace(true);
    }

    /// Closes or opens the barrier.
    pub fn open_barrier(&self, open: bool) {
        self.barrier_open.send_replace(open);
    }

    /// Whether the others answer; without them nobody passes the barrier.
    pub fn set_quorum(&self, quorum: bool) {
        self.quorum.store(quorum, Ordering::SeqCst);
    }

    /// Returns once `n` proposals are held.
    pub async fn holding(&self, n: usize) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.counts.subscribe().wait_for(|counts| counts.holding >= n).await;
    }

    /// Returns once no proposal is held: applied, or its proposer has gone.
    pub async fn holding_none(&self) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.holding == 0).await;
    }

    /// Returns once `n` callers wait at the closed barrier.
    pub async fn at_barrier(&self, n: usize) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.at_barrier >= n).await;
    }

    /// How often a user's row was read.
    pub fn loads(&self) -> usize {
        self.counts.borrow().loads
    }

    /// How often audit rows were read.
    pub fn event_reads(&self) -> usize {
        self.counts.borrow().event_reads
    }

    pub(super) fn events_are_read(&self) {
        self.counts.send_modify(|counts| counts.event_reads += 1);
    }

    /// Changes the row of a user as another node would: behind the actors' backs.
    pub fn interfere(&self, key: &UserKey, events: Vec<countersign_core::event::UserEvent>) {
        let (now, version) = {
            let memory = self.memory();
            (memory.last_now, memory.users.get(key).map_or(0, |row| row.version))
        };
        let change = Change::User { key: key.clone(), events };
        let proposal = Proposal {
            change,
            expected_version: version,
            now,
            clock: now,
            audit: Vec::new(),
            answer: None,
        };
        self.apply(LogCommand::Propose(Box::new(proposal)));
    }

    /// Keeps an answer, as if a commit had brought it.
    pub fn keep(&self, answer: KeptAnswer) {
        self.memory().answers.insert(answer.key, answer);
    }

    /// Sets the latest time that the shard has applied.
    pub fn set_last_now(&self, now: Timestamp) {
        self.memory().last_now = now;
    }

    /// All that took effect, in order.
    pub fn applied(&self) -> Vec<Proposal> {
        self.memory().applied.clone()
    }

    /// Outcomes of messages that took effect, in order.
    pub fn settled(&self) -> Vec<(OutboxKey, MessageOutcome, u32)> {
        self.memory().waiting.settled.clone()
    }

    /// The audit rows, oldest first.
    pub fn chain(&self) -> Vec<AuditRow> {
        self.memory().waiting.chain.iter().map(|(_, row)| row.clone()).collect()
    }

    /// Reads what waits to leave.
    pub(super) fn with_waiting<T>(&self, f: impl FnOnce(&Waiting) -> T) -> Result<T, ReplicaError> {
        Ok(f(&self.memory().waiting))
    }

    /// A user's row, without being counted as a load.
    pub fn peek(&self, key: &UserKey) -> Versioned<UserState> {
        self.memory().users.get(key).cloned().unwrap_or_default()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, command: LogCommand) -> Applied {
        let mut memory = self.memory();
        let (mut put, mut redelivered) = (0, 0);
        let applied = match command {
            LogCommand::Propose(proposal) => {
                let (applied, messages) = memory.apply(self.shard, *proposal);
                put = messages;
                applied
            }
            other => {
                redelivered = u64::from(matches!(other, LogCommand::Redeliver { .. }));
                memory.record(self.shard, other)
            }
        };
        let index = memory.index;
        drop(memory);
        self.applied_index.send_replace(index);
        if put > 0 {
            self.messages_put.send_modify(|count| *count += put);
        }
        if redelivered > 0 {
            self.redelivered.send_modify(|count| *count += redelivered);
        }
        applied
    }

    async fn decide_fate(&self, command: LogCommand) -> Result<Applied, ReplicaError> {
        let fate = match &command {
            LogCommand::Propose(proposal) => {
                let judge = Arc::clone(&self.judge.lock().unwrap_or_else(PoisonError::into_inner));
                judge(proposal)
            }
            other => {
                let lock = self.recorder.lock();
                let recorder = Arc::clone(&lock.unwrap_or_else(PoisonError::into_inner));
                recorder(other)
            }
        };
        match fate {
            Fate::Apply => Ok(self.apply(command)),
            Fate::NotLeader => Err(ReplicaError::NotLeader { shard: self.shard, leader: Some(2) }),
            Fate::LoseAnswer => {
                self.apply(command);
                Err(self.unavailable())
            }
            Fate::ApplyLate => {
                self.memory().late.push(command);
                Err(self.unavailable())
            }
            Fate::Hold => {
                let held = Counted::new(&self.counts, |counts| &mut counts.holding);
                let _ = self.released.subscribe().wait_for(|released| *released).await;
                drop(held);
                Ok(self.apply(command))
            }
        }
    }

    fn unavailable(&self) -> ReplicaError {
        ReplicaError::Unavailable { shard: self.shard, reason: "the test says so".to_owned() }
    }
}

impl Replica for MemoryReplica {
    fn shard(&self) -> ShardId {
        self.shard
    }

    fn propose(&self, command: LogCommand) -> BoxFuture<'_, Result<Applied, ReplicaError>> {
        self.decide_fate(command).boxed()
    }

    fn barrier(&self) -> BoxFuture<'_, Result<(), ReplicaError>> {
        async {
            let mut open = self.barrier_open.subscribe();
            if !*open.borrow() {
                let _waiting = Counted::new(&self.counts, |counts| &mut counts.at_barrier);
                let _ = open.wait_for(|open| *open).await;
            }
            if self.quorum.load(Ordering::SeqCst) { Ok(()) } else { Err(self.unavailable()) }
        }
        .boxed()
    }

    fn user(&self, key: &UserKey) -> Result<Versioned<UserState>, ReplicaError> {
        self.counts.send_modify(|counts| counts.loads += 1);
        Ok(self.peek(key))
    }

    fn user_by_hash(
        &self,
        tenant: &TenantId,
        hash: UserHash,
    ) -> Result<Option<UserId>, ReplicaError> {
        let memory = self.memory();
        let fits = |key: &&UserKey| key.tenant == *tenant && key.hash() == hash;
        Ok(memory.users.keys().find(fits).map(|key| key.user.clone()))
    }

    fn tenant(&self, id: &TenantId) -> Result<Versioned<Option<TenantState>>, ReplicaError> {
        Ok(self.memory().tenants.get(id).cloned().unwrap_or_default())
    }

    fn system(&self) -> Result<Versioned<SystemState>, ReplicaError> {
        Ok(self.memory().system.clone())
    }

    fn answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, ReplicaError> {
        Ok(self.memory().answers.get(key).cloned())
    }

    fn last_now(&self) -> Timestamp {
        self.memory().last_now
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        Some(self)
    }
}

/// Counts one for as long as it lives.
struct Counted<'a> {
    counts: &'a watch::Sender<Counts>,
    field: fn(&mut Counts) -> &mut usize,
}

impl<'a> Counted<'a> {
    fn new(counts: &'a watch::Sender<Counts>, field: fn(&mut Counts) -> &mut usize) -> Self {
        counts.send_modify(|counts| *field(counts) += 1);
        Self { counts, field }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.counts.send_modify(|counts| *(self.field)(counts) -= 1);
    }
}
