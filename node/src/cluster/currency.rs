//! Whether what this node knows of tenants, API keys and policies is up to date.
//!
//! They are read from memory, as applied here, by every request. So that a change of them is seen
//! by the next request through any node, two sides keep a bargain: the leader of shard 0 answers a
//! change only when every node has applied it or has heard nothing of the leader for [`BOUND`]; and
//! a node that has heard nothing for so long counts itself out of date. Requests wait meanwhile,
//! within their deadline.
//!
//! To be up to date again takes a question to the leader that was asked after the loss, and having
//! applied all that its answer names. To hear of the leader is not enough: a process that was
//! stopped for a while finds the leader's old messages in its sockets and takes them for new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::ShardId;
use countersign_storage::{Directory, KeyRing, Store};
use openraft::async_runtime::WatchReceiver;
use openraft::{Instant as _, ReadPolicy};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::leadership::Led;
use crate::network::{Answer, Call, Contact, Peers};
use crate::raft::Group;

/// A node that has not been in touch with shard 0's leader for so long is out of date.
pub(crate) const BOUND: Duration = Duration::from_millis(1_500);
/// How often the touch is checked.
const CHECK: Duration = Duration::from_millis(100);
/// A check that comes later than this after the last one may have missed a gap.
const LATE: Duration = Duration::from_millis(400);
/// How long the leader's answer and applying what it names may take. A process that was stopped in
/// between must not take an old answer for a new one, so this is well below [`BOUND`].
const CONFIRM: Duration = Duration::from_millis(500);
/// How often a waiting request looks again, and a lost touch is tried again.
const LOOK: Duration = Duration::from_millis(10);

/// This node's word on its own knowledge. Clones are the same.
#[derive(Clone)]
pub(crate) struct Currency(Arc<Inner>);

struct Inner {
    group: Group,
    led: Led,
    contact: Contact,
    peers: Peers,
    store: Arc<Store>,
    keys: Arc<KeyRing>,
    directory: Arc<Directory>,
    begun: Instant,
    current: AtomicBool,
    /// Milliseconds from `begun` to the last check.
    checked: AtomicU64,
}

impl Currency {
    /// Over shard 0's group; out of date until [`Currency::keep`] has found otherwise.
    pub(crate) fn new(
        group: Group,
        led: Led,
        contact: Contact,
        peers: Peers,
        store: Arc<Store>,
        keys: Arc<KeyRing>,
    ) -> Self {
        Self(Arc::new(Inner {
            group,
            led,
            contact,
            peers,
            directory: store.directory(),
            store,
            keys,
            begun: Instant::now(),
            current: AtomicBool::new(false),
            checked: AtomicU64::new(0),
        }))
    }

    /// Whether the knowledge is up to date.
    pub(crate) fn is_current(&self) -> bool {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::trust_memory", |_| true);
        self.0.current.load(Ordering::Acquire) && !self.late() && self.in_touch()
    }

    /// Returns once the knowledge is up to date.
    ///
    /// # Errors
    /// `Unavailable` if that is not so by `deadline`.
    pub(crate) async fn wait(&self, deadline: Instant) -> Result<(), GatewayError> {
        while !self.is_current() {
            if Instant::now() >= deadline {
                return Err(GatewayError::Unavailable(
                    "this node is not in touch with the cluster".to_owned(),
                ));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Checks from time to time, until dropped.
    pub(crate) async fn keep(self) {
        let mut every = interval(CHECK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let lost = self.late() || !self.in_touch();
            if lost {
                self.0.current.store(false, Ordering::Release);
            }
            while !self.0.current.load(Ordering::Acquire) {
                let asked = Instant::now();
                let confirmed = timeout(CONFIRM, self.confirm()).await == Ok(true);
                self.note_check();
                // A process that was stopped meanwhile finds that the answer is old.
                if confirmed && asked.elapsed() < BOUND {
                    self.0.current.store(true, Ordering::Release);
                } else {
                    sleep(LOOK).await;
                }
            }
            self.note_check();
        }
    }

    fn note_check(&self) {
        let at = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.checked.store(at, Ordering::Release);
    }

    fn late(&self) -> bool {
        let checked = Duration::from_millis(self.0.checked.load(Ordering::Acquire));
        self.0.begun.elapsed().saturating_sub(checked) > LATE
    }

    /// Whether this node leads shard 0 with a quorum behind it, or has lately heard of who does.
    fn in_touch(&self) -> bool {
        if self.0.led.is_led(ShardId::SYSTEM) {
            let metrics = self.0.group.metrics();
            let metrics = metrics.borrow_watched();
            let alone = metrics.membership_config.membership().voter_ids().count() == 1;
            let acked = metrics.last_quorum_acked.as_ref().map(|at| at.elapsed());
            return alone || acked.is_some_and(|age| age < BOUND);
        }
        self.0.contact.heard(ShardId::SYSTEM).is_some_and(|at| at.elapsed() < BOUND)
    }

    /// Whether this node has applied all that shard 0's leader names now, and can open it.
    async fn confirm(&self) -> bool {
        let applied = if self.0.led.is_led(ShardId::SYSTEM) {
            self.0.group.ensure_linearizable(ReadPolicy::ReadIndex).await.is_ok()
        } else {
            self.catch_up().await
        };
        applied && self.in_touch() && self.has_keys()
    }

    async fn catch_up(&self) -> bool {
        let Some(last) = self.0.contact.last(ShardId::SYSTEM) else { return false };
        let call = Call::ReadIndex { shards: vec![ShardId::SYSTEM] };
        let answer = self.0.peers.call(last.leader, &call, CONFIRM).await;
        let index = match answer {
            Ok(Answer::Indexes(indexes)) => indexes.into_iter().find_map(|(_, index)| index),
            _ => None,
        };
        let Some(index) = index else { return false };
        let mut applied = self.0.store.applied(ShardId::SYSTEM);
        applied.wait_for(|applied| *applied >= index).await.is_ok()
    }

    /// Whether the key that seals is at hand.
    fn has_keys(&self) -> bool {
        let system = self.0.directory.system();
        system.data_keys.last().is_some_and(|key| key.id == self.0.keys.active_key())
    }
}
