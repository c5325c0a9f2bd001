//! Calls for a new leader as soon as the old one's lease has ended, like the node's own watch:
//! openraft's timers are off, for they fire while leases still hold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_core::ids::ShardId;
use openraft::async_runtime::WatchReceiver;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use crate::raft::{Group, LEASE};

/// How often the leases are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// After the lease: the other voters' leases began a little later than ours.
const MARGIN: Duration = Duration::from_millis(20);
/// The random wait is at most this.
const SPREAD_MS: u64 = 120;
/// How long to wait for the outcome before asking again.
const AGAIN: Duration = Duration::from_millis(200);

/// When each shard's leader was last heard of.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<BTreeMap<ShardId, Instant>>>);

impl Heard {
    /// An append from the leader was accepted.
    pub(crate) fn note(&self, shard: ShardId) {
        self.0.lock().unwrap().insert(shard, Instant::now());
    }

    fn at(&self, shard: ShardId) -> Option<Instant> {
        self.0.lock().unwrap().get(&shard).copied()
    }
}

/// The watch over all groups of a node.
pub(crate) struct Elections {
    /// The groups.
    pub(crate) groups: BTreeMap<ShardId, Group>,
    /// When their leaders were heard of.
    pub(crate) heard: Heard,
    /// Before this nobody is asked: the node has just started.
    pub(crate) not_before: Instant,
    /// Decides who asks first.
    pub(crate) random: ChaCha8Rng,
}

impl Elections {
    /// Watches until the groups stop.
    pub(crate) async fn run(mut self) {
        let mut due: BTreeMap<ShardId, Instant> = BTreeMap::new();
        loop {
            sleep(LOOK).await;
            let now = Instant::now();
            for (shard, group) in self.groups.clone() {
                if group.server_metrics().borrow_watched().state.is_leader() {
                    due.remove(&shard);
                    continue;
                }
                let heard = self.heard.at(shard).unwrap_or(self.not_before).max(self.not_before);
                let ended = heard + LEASE + MARGIN;
                let spread = self.spread();
                let at = due.entry(shard).or_insert(ended + spread);
                // The leader was heard of since.
                if ended > *at {
                    *at = ended + spread;
                }
                if now < *at {
                    continue;
                }
                *at = now + AGAIN + spread;
                if group.trigger().elect(true).await.is_err() {
                    return;
                }
            }
        }
    }

    fn spread(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(0..SPREAD_MS))
    }
}
