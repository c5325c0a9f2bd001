//! Whether what this node knows of tenants, API keys and policies is up to date.
//!
//! They are read from memory, as applied here, by every request. So that a change of them is seen
//! by the next request through any node, two sides keep a bargain:
//!
//! - A node counts itself up to date for [`BOUND`] from the moment in which it **asked** shard 0's
//!   leader how far to apply, once it has applied that far and can open it. It asks again before
//!   that time is over. Requests wait meanwhile, within their deadline.
//! - The leader of shard 0 answers a change only when every node has applied it, or cannot count
//!   itself up to date any more: it asked nothing for [`LEFT_OUT_AFTER`], which is longer.
//!
//! Both count from the same question, the node from before it left and the leader from after it
//! arrived, so a node is always out of date before it is left out, whichever messages were lost. To hear
//! of the leader is not enough: a process that was stopped for a while finds the leader's old
//! messages in its sockets, and a node that hears may not be heard.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::ShardId;
use countersign_storage::{Directory, KeyRing, NodeId, Store};
use openraft::ReadPolicy;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::clock::NodeClock;
use crate::leadership::Led;
use crate::network::{Answer, Call, Contact, Peers};
use crate::raft::Group;

/// For so long after its question a node counts itself up to date.
pub(crate) const BOUND: Duration = Duration::from_millis(1_500);
/// A node that asked shard 0's leader nothing for so long is not waited for. Longer than [`BOUND`] by
/// what two machines' clocks may differ in counting it.
const LEFT_OUT_AFTER: Duration = Duration::from_secs(3);
/// How often the leader is asked again.
const ASK: Duration = Duration::from_millis(250);
/// How long the leader's answer and applying what it names may take.
const CONFIRM: Duration = Duration::from_millis(500);
/// How often a waiting request looks again, and a node that is out of date asks again.
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
    lease: Lease,
    asked: Asked,
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
        clock: NodeClock,
    ) -> Self {
        Self(Arc::new(Inner {
            group,
            led,
            contact,
            peers,
            directory: store.directory(),
            store,
            keys,
            lease: Lease::new(clock.clone()),
            asked: Asked::new(clock),
        }))
    }

    /// Whether the knowledge is up to date.
    pub(crate) fn is_current(&self) -> bool {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::trust_memory", |_| true);
        !self.0.lease.left().is_zero() && self.has_keys()
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

    /// Asks from time to time, until dropped.
    pub(crate) async fn keep(self) {
        let mut every = interval(ASK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.renew().await;
            while !self.is_current() {
                sleep(LOOK).await;
                self.renew().await;
            }
        }
    }

    async fn renew(&self) {
        self.0.lease.renew(async { timeout(CONFIRM, self.confirm()).await == Ok(true) }).await;
    }

    /// A node asks how far to apply shard 0. To be noted before that is looked up: what is committed
    /// later must wait for the node.
    pub(crate) fn asked_by(&self, node: NodeId) {
        self.0.asked.note(node);
    }

    /// Whether a node may count itself up to date without having applied what is committed now.
    /// Asked by shard 0's leader.
    pub(crate) fn may_be_current(&self, node: NodeId) -> bool {
        self.0.asked.lately(node, self.term())
    }

    /// The term in which this node leads shard 0.
    fn term(&self) -> Option<u64> {
        self.0.group.as_leader().ok().map(|leader| leader.to_committed_leader_id().term)
    }

    /// Whether this node has applied all that shard 0's leader names now, and can open it.
    async fn confirm(&self) -> bool {
        if self.0.led.is_led(ShardId::SYSTEM) {
            self.0.asked.leads(self.term());
            self.0.group.ensure_linearizable(ReadPolicy::ReadIndex).await.is_ok()
        } else {
            self.catch_up().await
        }
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

    /// Whether the key that seals is at hand: a new one is opened a moment after it was applied.
    fn has_keys(&self) -> bool {
        let system = self.0.directory.system();
        system.data_keys.last().is_some_and(|key| key.id == self.0.keys.active_key())
    }
}

/// Until when this node counts itself up to date.
struct Lease {
    clock: NodeClock,
    /// Milliseconds of elapsed time, which goes on while the process or the machine stands still.
    until_ms: AtomicU64,
}

impl Lease {
    const fn new(clock: NodeClock) -> Self {
        Self { clock, until_ms: AtomicU64::new(0) }
    }

    fn left(&self) -> Duration {
        let until = Duration::from_millis(self.until_ms.load(Ordering::Acquire));
        until.saturating_sub(self.clock.elapsed())
    }

    /// Asks, and if the answer is yes, prolongs the lease. It counts from before the question: what
    /// the leader answered may be old by the time that the answer took.
    async fn renew(&self, question: impl Future<Output = bool>) {
        let asked = self.clock.elapsed();
        if question.await {
            let until = asked + BOUND;
            let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
            self.until_ms.fetch_max(until_ms, Ordering::AcqRel);
        }
    }
}

/// When each node asked this one, as the leader of shard 0.
struct Asked {
    clock: NodeClock,
    /// The term that this node leads in, and since when that is known.
    term: Mutex<Option<(u64, Duration)>>,
    nodes: Mutex<BTreeMap<NodeId, Duration>>,
}

impl Asked {
    fn new(clock: NodeClock) -> Self {
        Self { clock, term: Mutex::default(), nodes: Mutex::default() }
    }

    fn note(&self, node: NodeId) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(node, self.clock.elapsed());
    }

    /// Notes in which term this node leads. Since when it is known to.
    fn leads(&self, leads_in: Option<u64>) -> Duration {
        let now = self.clock.elapsed();
        // Deposed: whoever is told then is told too much, and nobody too little.
        let Some(leads_in) = leads_in else { return now };
        let mut term = self.term.lock().unwrap_or_else(PoisonError::into_inner);
        match *term {
            Some((known, since)) if known == leads_in => since,
            _ => {
                *term = Some((leads_in, now));
                now
            }
        }
    }

    /// Whether a node asked within [`LEFT_OUT_AFTER`], or may have asked the leader before this one.
    fn lately(&self, node: NodeId, leads_in: Option<u64>) -> bool {
        let now = self.clock.elapsed();
        let lately = |at: Duration| now.saturating_sub(at) <= LEFT_OUT_AFTER;
        let since = self.leads(leads_in);
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        lately(since) || nodes.get(&node).copied().is_some_and(lately)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::SetClock;

    const BOUND_MS: u64 = 1_500;

    #[tokio::test]
    async fn the_lease_counts_from_before_the_question() {
        let system = SetClock::at(0);
        let lease = Lease::new(NodeClock::new(system.clone()));
        system.pass(10_000);
        lease.renew(async { false }).await;
        assert_eq!(lease.left(), Duration::ZERO);
        lease.renew(async { true }).await;
        assert_eq!(lease.left(), BOUND);
        system.pass(1_000);
        // The process stands still between the leader's answer and its own next step.
        let slow = async {
            system.pass(BOUND_MS + 1);
            true
        };
        lease.renew(slow).await;
        assert_eq!(lease.left(), Duration::ZERO, "the answer is older than the lease");
        lease.renew(async { true }).await;
        system.pass(BOUND_MS - 1);
        assert_eq!(lease.left(), Duration::from_millis(1));
        system.pass(1);
        assert_eq!(lease.left(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_node_is_out_of_date_before_it_is_left_out_whatever_was_lost() {
        // One clock for both: what they say of each other must hold at each moment of it.
        let system = SetClock::at(0);
        let clock = NodeClock::new(system.clone());
        let (lease, asked) = (Lease::new(clock.clone()), Asked::new(clock));
        asked.lately(2, Some(7));
        system.pass(10_000);
        assert!(!asked.lately(2, Some(7)));
        // The question arrives at once; its answer is late, or never comes. Meanwhile the node hears
        // the leader's heartbeats, which is nothing to either.
        lease
            .renew(async {
                asked.note(2);
                system.pass(400);
                true
            })
            .await;
        assert!(!lease.left().is_zero() && asked.lately(2, Some(7)));
        for _ in 0..100 {
            system.pass(50);
            assert!(lease.left().is_zero() || asked.lately(2, Some(7)));
        }
        assert!(!asked.lately(2, Some(7)), "a node that is away is not waited for for ever");
    }

    #[tokio::test]
    async fn a_new_leader_leaves_nobody_out_who_may_have_asked_the_one_before() {
        let system = SetClock::at(0);
        let clock = NodeClock::new(system.clone());
        let (lease, asked) = (Lease::new(clock.clone()), Asked::new(clock));
        asked.lately(2, Some(7));
        system.pass(60_000);
        // Another leads, and node 2 asks that one. Then this one leads again.
        lease.renew(async { true }).await;
        for _ in 0..100 {
            assert!(lease.left().is_zero() || asked.lately(2, Some(9)));
            system.pass(50);
        }
        assert!(!asked.lately(2, Some(9)));
    }
}
