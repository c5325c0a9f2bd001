//! Calls for a new leader as soon as the old one's lease has ended.
//!
//! Voters grant nothing while they hold a leader's lease, and openraft's own timers fire before it
//! ends; their next round comes a whole timeout later. This watch asks for the (pre-)vote at the
//! first moment at which it can be granted, after a short random wait so that two followers seldom
//! ask at once. It only ever asks: whether a leader is elected is Raft's to decide.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::entropy::Entropy;
use countersign_core::ids::ShardId;
use openraft::async_runtime::WatchReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::clock::{NodeClock, Trust};
use crate::entropy::SystemEntropy;
use crate::leadership::Led;
use crate::network::Contact;
use crate::raft::{Group, Groups, LEASE};

/// How often the leases are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// After the lease: the other voters' leases began a little later than ours.
const MARGIN: Duration = Duration::from_millis(20);
/// The random wait is at most this.
const SPREAD_MS: u64 = 120;
/// How long to wait for the outcome before asking again, and a random wait on top.
const AGAIN: Duration = Duration::from_millis(200);

/// Longer than an election takes.
const VACANT: Duration = Duration::from_secs(3);

/// When each shard was last seen to have a leader. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Vacancies(Arc<Mutex<BTreeMap<ShardId, Instant>>>);

impl Vacancies {
    fn led(&self, shard: ShardId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shard, Instant::now());
    }

    /// Those of the shards that have had no leader for longer than an election takes, or never.
    pub(crate) fn long(&self, shards: impl Iterator<Item = ShardId>) -> Vec<ShardId> {
        let led = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let vacant = |shard: &ShardId| led.get(shard).is_none_or(|at| at.elapsed() > VACANT);
        shards.filter(vacant).collect()
    }
}

/// The watch over all shards.
pub(crate) struct Elections {
    /// All groups.
    pub(crate) groups: Groups,
    /// What this node's actors answer for.
    pub(crate) led: Led,
    /// When each shard's leader was last heard of.
    pub(crate) contact: Contact,
    /// Before this nobody is asked: the node has just started.
    pub(crate) not_before: Instant,
    /// What was seen is noted here.
    pub(crate) vacancies: Vacancies,
    /// A node whose clock is off, or not compared with a majority's yet, does not ask to be elected.
    pub(crate) clock: NodeClock,
}

impl Elections {
    /// Watches until dropped.
    pub(crate) async fn run(self) {
        let mut every = interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due: BTreeMap<ShardId, Instant> = BTreeMap::new();
        let mut timers = false;
        loop {
            every.tick().await;
            let now = Instant::now();
            let may_lead = self.clock.trust() == Trust::Agreed;
            // Openraft's own timers call elections too, once every lease from before the start has
            // ended.
            let wanted = may_lead && now >= self.not_before + LEASE;
            if timers != wanted {
                timers = wanted;
                self.groups.values().for_each(|group| group.runtime_config().elect(wanted));
            }
            for (shard, group) in self.groups.iter() {
                if self.served(*shard, group) {
                    self.vacancies.led(*shard);
                }
                if !may_lead || !waits_for_leader(group) {
                    due.remove(shard);
                    continue;
                }
                let heard = self.contact.heard(*shard).unwrap_or(self.not_before);
                let ended = heard.max(self.not_before) + LEASE + MARGIN;
                let at = due.entry(*shard).or_insert_with(|| ended + spread());
                // The leader was heard of since.
                if ended > *at {
                    *at = ended + spread();
                }
                if now < *at {
                    continue;
                }
                *at = now + AGAIN + spread();
                tracing::debug!(%shard, "calling for a new leader");
                if group.trigger().elect(true).await.is_err() {
                    due.remove(shard);
                }
            }
        }
    }
}

impl Elections {
    /// Whether a group has a leader: not this node itself before its actors answer.
    fn served(&self, shard: ShardId, group: &Group) -> bool {
        let metrics = group.server_metrics();
        let metrics = metrics.borrow_watched();
        match metrics.current_leader {
            Some(leader) if leader == metrics.id => self.led.is_led(shard),
            Some(_) => true,
            None => false,
        }
    }
}

/// Whether this node votes in a group that it does not lead, together with others.
fn waits_for_leader(group: &Group) -> bool {
    let metrics = group.server_metrics();
    let metrics = metrics.borrow_watched();
    let membership = metrics.membership_config.membership();
    let votes = membership.voter_ids().any(|voter| voter == metrics.id);
    votes && !metrics.state.is_leader() && membership.voter_ids().count() > 1
}

fn spread() -> Duration {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    let random = u64::from_be_bytes(entropy.bytes::<8>());
    Duration::from_millis(random % SPREAD_MS)
}
