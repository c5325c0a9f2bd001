//! Raft as it is simulated: the house's own log commands and answers, openraft itself, and its
//! randomness from a seed.

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_core::proposal::{Applied, LogCommand};
use openraft::async_runtime::AsyncRuntime;
use openraft::type_config::alias;
use openraft::{Config, OptionalSend, SnapshotPolicy, TokioRuntime};
use rand_of_openraft::SeedableRng;
use rand_of_openraft::rngs::SmallRng;

use crate::ordered_watch::OrderedWatch;
use crate::store::ShardMachine;

openraft::declare_raft_types!(
    /// The types of every simulated group.
    pub(crate) TypeConfig:
        D = LogCommand,
        R = Applied,
        NodeId = u64,
        Node = openraft::BasicNode,
        AsyncRuntime = Seeded,
);

/// Term, leader and index of an entry.
pub(crate) type LogId = alias::LogIdOf<TypeConfig>;
/// A vote, granted or asked for.
pub(crate) type Vote = alias::VoteOf<TypeConfig>;
/// An entry of the log.
pub(crate) type Entry = alias::EntryOf<TypeConfig>;
/// The membership in force and the entry that set it.
pub(crate) type StoredMembership = alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot covers.
pub(crate) type SnapshotMeta = alias::SnapshotMetaOf<TypeConfig>;
/// A snapshot: the state machine's bytes.
pub(crate) type Snapshot = alias::SnapshotOf<TypeConfig, Vec<u8>>;
/// The term that a leader won.
pub(crate) type Fence = alias::CommittedLeaderIdOf<TypeConfig>;
/// One shard's group on one node.
pub(crate) type Group = openraft::Raft<TypeConfig, ShardMachine>;

/// The longest election timeout, which is also the leader's lease.
pub(crate) const LEASE: Duration = Duration::from_millis(600);

/// How every group behaves: the timing of the house, and snapshots often enough to matter in a
/// run of seconds.
pub(crate) fn config(shard: ShardId) -> Config {
    Config {
        cluster_name: format!("shard-{shard}"),
        heartbeat_interval: 100,
        election_timeout_min: 500,
        election_timeout_max: 600,
        enable_pre_vote: Some(true),
        enable_leader_restore: Some(false),
        // `elections.rs` does it.
        enable_elect: false,
        max_payload_entries: 32,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(40),
        max_in_snapshot_log_to_keep: 10,
        replication_lag_threshold: 50,
        purge_batch_size: 1,
        install_snapshot_timeout: 1_000,
        ..Config::default()
    }
}

thread_local! {
    static RANDOMNESS: RefCell<SmallRng> = RefCell::new(SmallRng::seed_from_u64(0));
}

/// Tokio, with randomness that a seed decides. A simulation runs in one thread, so what is local
/// to the thread is local to the run.
#[derive(Debug)]
pub(crate) struct Seeded(TokioRuntime);

impl Seeded {
    /// Begins the randomness of a run that starts in this thread.
    pub(crate) fn begin(seed: u64) {
        RANDOMNESS.set(SmallRng::seed_from_u64(seed));
    }
}

impl AsyncRuntime for Seeded {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = <TokioRuntime as AsyncRuntime>::Sleep;
    type Instant = <TokioRuntime as AsyncRuntime>::Instant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, T: Future<Output = R> + OptionalSend> =
        <TokioRuntime as AsyncRuntime>::Timeout<R, T>;
    type ThreadLocalRng = SmallRng;
    type Mpsc = <TokioRuntime as AsyncRuntime>::Mpsc;
    type Watch = OrderedWatch;
    type Oneshot = <TokioRuntime as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::Mutex<T>;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        TokioRuntime::spawn(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        TokioRuntime::sleep(duration)
    }

    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        TokioRuntime::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        TokioRuntime::is_panic(join_error)
    }

    fn thread_rng() -> Self::ThreadLocalRng {
        RANDOMNESS.with_borrow_mut(SmallRng::from_rng)
    }

    fn new(threads: usize) -> Self {
        Self(TokioRuntime::new(threads))
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.0.block_on(future)
    }
}
