//! Spreads leaderships evenly: whoever leads at least two shards more than another node that is
//! there gives it one, once a second, until that is no longer so. A node that came back gets its
//! share like this, one shard after another, and each time in order: see [`crate::leadership`].

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_storage::NodeId;
use openraft::async_runtime::WatchReceiver;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::liveness::Liveness;
use crate::leadership::Led;
use crate::raft::{Group, Groups};

/// How often a leadership may be given away.
const EVERY: Duration = Duration::from_secs(1);
/// Entries that the next leader may be behind.
const LAG: u64 = 256;

/// What the balancer works with. Clones are the same.
#[derive(Clone)]
pub(crate) struct Balancer {
    /// All groups.
    pub(crate) groups: Groups,
    /// What this node leads.
    pub(crate) led: Led,
    /// Who is there.
    pub(crate) liveness: Liveness,
}

impl Balancer {
    /// Balances until dropped; while `resting`, gives away all that it leads instead.
    pub(crate) async fn run(self, resting: watch::Receiver<bool>) {
        let mut every = interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if *resting.borrow() {
                self.give_all_away().await;
            } else if let Some((shard, to)) = self.surplus() {
                self.led.hand_over(shard, to).await;
            }
        }
    }

    /// Hands over every shard that somebody else can lead. How many were, and how many were not.
    pub(crate) async fn give_all_away(&self) -> (u32, u32) {
        let handing = self.led.all().map(|shard| async move {
            match self.heir(shard) {
                Some(to) => self.led.hand_over(shard, to).await,
                None => false,
            }
        });
        let handed = futures::future::join_all(handing).await;
        let count = |wanted| handed.iter().filter(|moved| **moved == wanted).count();
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        (number(count(true)), number(count(false)))
    }

    /// A shard to give away, and to whom.
    fn surplus(&self) -> Option<(ShardId, NodeId)> {
        let counts = self.counts();
        let own = self.led.all().count();
        self.led.all().find_map(|shard| {
            let heir = self.heir_by(shard, &counts)?;
            let theirs = counts.get(&heir).copied().unwrap_or(0);
            (own >= theirs + 2).then_some((shard, heir))
        })
    }

    /// Who should lead a shard after this node.
    pub(crate) fn heir(&self, shard: ShardId) -> Option<NodeId> {
        self.heir_by(shard, &self.counts())
    }

    fn heir_by(&self, shard: ShardId, counts: &BTreeMap<NodeId, usize>) -> Option<NodeId> {
        let group = self.groups.get(&shard)?;
        // The shard's number turns the choice among equals, so that not all go to the same node.
        let turned = |node: NodeId| (node.wrapping_add(u64::from(shard.0))) % 7;
        self.fit(group)
            .into_iter()
            .min_by_key(|node| (counts.get(node).copied().unwrap_or(0), turned(*node), *node))
    }

    /// The other voters that are there and have nearly all entries.
    fn fit(&self, group: &Group) -> Vec<NodeId> {
        let metrics = group.metrics();
        let metrics = metrics.borrow_watched();
        let Some(replication) = &metrics.replication else { return Vec::new() };
        let last = metrics.last_log_index.unwrap_or(0);
        let membership = metrics.membership_config.membership();
        membership
            .voter_ids()
            .filter(|node| *node != metrics.id && self.liveness.can_lead(*node))
            .filter(|node| {
                let matched = replication.get(node).cloned().flatten();
                matched.is_some_and(|matched| matched.index + LAG >= last)
            })
            .collect()
    }

    /// How many shards each node leads, as this node knows.
    fn counts(&self) -> BTreeMap<NodeId, usize> {
        let mut counts = BTreeMap::new();
        for group in self.groups.values() {
            let metrics = group.server_metrics();
            let leader = metrics.borrow_watched().current_leader;
            if let Some(leader) = leader {
                *counts.entry(leader).or_insert(0) += 1;
            }
        }
        counts
    }
}
