//! Whether what this node knows of tenants, API keys and policies is up to date.
//!
//! They are read from memory, as applied here, by every request. So that a change of them is seen
//! by the next request through any node, two sides keep a bargain: the leader of shard 0 answers a
//! change only when every node has applied it or has heard nothing of the leader for [`BOUND`]; and
//! a node that has heard nothing for so long counts itself out of date, until it is in touch again
//! and has applied all that it missed. Requests wait for that within their deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::ShardId;
use countersign_storage::{Directory, KeyRing};
use openraft::Instant as _;
use openraft::async_runtime::WatchReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::leadership::Led;
use crate::network::Contact;
use crate::raft::Group;

/// A node that has not been in touch with shard 0's leader for so long is out of date.
pub(crate) const BOUND: Duration = Duration::from_millis(1_500);
/// How often the touch is checked.
const CHECK: Duration = Duration::from_millis(100);
/// A check that comes later than this after the last one may have missed a gap.
const LATE: Duration = Duration::from_millis(400);
/// How often a waiting request looks again.
const LOOK: Duration = Duration::from_millis(5);
/// Committed entries that a node in touch may not have applied yet.
const LAG: u64 = 512;

/// This node's word on its own knowledge. Clones are the same.
#[derive(Clone)]
pub(crate) struct Currency(Arc<Inner>);

struct Inner {
    group: Group,
    led: Led,
    contact: Contact,
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
        keys: Arc<KeyRing>,
        directory: Arc<Directory>,
    ) -> Self {
        Self(Arc::new(Inner {
            group,
            led,
            contact,
            keys,
            directory,
            begun: Instant::now(),
            current: AtomicBool::new(false),
            checked: AtomicU64::new(0),
        }))
    }

    /// Whether the knowledge is up to date.
    pub(crate) fn is_current(&self) -> bool {
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
            // Not before the next tick if it was the touch that was lost, but at once if regained.
            self.check();
        }
        Ok(())
    }

    /// Checks from time to time, until dropped.
    pub(crate) async fn keep(self) {
        let mut every = interval(CHECK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if self.late() {
                self.0.current.store(false, Ordering::Release);
            }
            self.check();
            let at = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.0.checked.store(at, Ordering::Release);
        }
    }

    fn late(&self) -> bool {
        let checked = Duration::from_millis(self.0.checked.load(Ordering::Acquire));
        self.0.begun.elapsed().saturating_sub(checked) > LATE
    }

    fn check(&self) {
        let was = self.0.current.load(Ordering::Acquire);
        // Who was out of touch must make up for all of it; who is in touch may be a little behind.
        let allowed = if was { LAG } else { 0 };
        let is = self.in_touch() && self.behind() <= allowed && (was || self.has_keys());
        if is != was {
            self.0.current.store(is, Ordering::Release);
        }
    }

    /// Whether the key that seals is at hand.
    fn has_keys(&self) -> bool {
        let system = self.0.directory.system();
        system.data_keys.last().is_some_and(|key| key.id == self.0.keys.active_key())
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

    /// Entries that were committed, as far as this node was told, and not applied here.
    fn behind(&self) -> u64 {
        let metrics = self.0.group.metrics();
        let metrics = metrics.borrow_watched();
        let committed = metrics.cluster_committed.map_or(0, |log_id| log_id.index);
        let applied = metrics.last_applied.map_or(0, |log_id| log_id.index);
        committed.saturating_sub(applied)
    }
}
