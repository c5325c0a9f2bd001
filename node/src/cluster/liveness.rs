//! Which nodes answer, and what time it is there: every node asks every other once a second.
//!
//! Who answers is for people, for the choice of the next leader and for the question whether a
//! removal would cost a quorum; a wrong guess costs time and nothing else. The clocks are compared
//! with each answer: see [`crate::clock`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_storage::NodeId;
use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::book::Book;
use crate::clock::{NodeClock, PeerClock, Trust};
use crate::network::{Answer, Call, Peers};

/// How often the others are asked.
const ASK: Duration = Duration::from_secs(1);
/// How often while this node does not know yet whether its clock is right: until then it leads
/// nothing.
const ASK_SOON: Duration = Duration::from_millis(100);
/// For how long what a node said of its clock counts.
const CLOCK_KEPT: Duration = Duration::from_secs(5);
/// A node that has not answered for so long counts as down.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// When each node answered last, and whether it wants to lead. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Liveness(Arc<Inner>);

#[derive(Default)]
struct Inner {
    heard: Mutex<BTreeMap<NodeId, Heard>>,
}

#[derive(Clone, Copy)]
struct Heard {
    at: Instant,
    resting: bool,
    clock: Option<PeerClock>,
}

impl Liveness {
    /// Whether a node answered lately.
    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        self.last(node).is_some_and(|heard| heard.at.elapsed() < PATIENCE)
    }

    /// Whether a node answered lately and wants to lead: it does not while it ends or runs out of
    /// disk.
    pub(crate) fn can_lead(&self, node: NodeId) -> bool {
        self.last(node).is_some_and(|heard| heard.at.elapsed() < PATIENCE && !heard.resting)
    }

    fn last(&self, node: NodeId) -> Option<Heard> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&node).copied()
    }

    /// A node was heard of.
    pub(crate) fn heard(&self, node: NodeId) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let before = heard.get(&node).copied();
        let resting = before.is_some_and(|heard| heard.resting);
        let clock = before.and_then(|heard| heard.clock);
        heard.insert(node, Heard { at: Instant::now(), resting, clock });
    }

    fn answered(&self, node: NodeId, resting: bool, clock: PeerClock) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(node, Heard { at: Instant::now(), resting, clock: Some(clock) });
    }

    /// What the nodes said lately of their clocks; `now` is this node's elapsed time.
    pub(crate) fn clocks(&self, now: Duration) -> BTreeMap<NodeId, PeerClock> {
        let heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = |clock: &PeerClock| now.saturating_sub(clock.at) < CLOCK_KEPT;
        let clocks = heard.iter().filter_map(|(node, heard)| Some((*node, heard.clock?)));
        clocks.filter(|(_, clock)| lately(clock)).collect()
    }

    /// Asks the others, until dropped, and compares clocks.
    pub(crate) async fn keep(self, peers: Peers, book: Book, clock: NodeClock) {
        let mut every = interval(ASK_SOON);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last: Option<Instant> = None;
        loop {
            every.tick().await;
            let soon = clock.trust() != Trust::Agreed;
            if !soon && last.is_some_and(|last| last.elapsed() < ASK) {
                continue;
            }
            last = Some(Instant::now());
            let asked = book.others().into_iter().map(|node| {
                let (liveness, peers) = (self.clone(), peers.clone());
                let (book, clock) = (&book, &clock);
                async move {
                    let before = clock.elapsed();
                    if let Ok(Answer::Pong { resting, wall, agreed, .. }) =
                        peers.call(node, &Call::Ping, ASK).await
                    {
                        // In the middle of the way there and back.
                        let at = before + clock.elapsed().saturating_sub(before) / 2;
                        liveness.answered(node, resting, PeerClock { wall, agreed, at });
                        liveness.compare(book, clock);
                    }
                }
            });
            join_all(asked).await;
            self.compare(&book, &clock);
        }
    }

    /// Compares this node's clock with what the other voters said, and says so if that changes
    /// anything.
    fn compare(&self, book: &Book, clock: &NodeClock) {
        let voters = book.voters();
        let mut clocks = self.clocks(clock.elapsed());
        clocks.retain(|node, _| voters.contains(node));
        let (now, before) = clock.compare(voters.len(), &clocks);
        if std::mem::discriminant(&now) == std::mem::discriminant(&before) {
            return;
        }
        match (now, now.complaint()) {
            (Trust::Off { .. }, Some(complaint)) => {
                tracing::error!("{complaint}; until then this node leads nothing");
            }
            (_, Some(complaint)) => tracing::info!("{complaint}"),
            (_, None) => tracing::info!("this node's clock agrees with a majority's"),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_node_is_up_for_a_while_after_it_was_heard_of() {
        let liveness = Liveness::default();
        assert!(!liveness.is_up(2));
        liveness.heard(2);
        assert!(liveness.is_up(2) && !liveness.is_up(3));
        assert!(liveness.can_lead(2));
        let clock = PeerClock { wall: Timestamp::EPOCH, agreed: None, at: Duration::ZERO };
        liveness.answered(2, true, clock);
        liveness.heard(2);
        assert_eq!(liveness.clocks(Duration::from_secs(4)).get(&2), Some(&clock));
        assert!(liveness.clocks(Duration::from_secs(5)).is_empty());
        assert!(liveness.is_up(2) && !liveness.can_lead(2));
        let long_ago = Instant::now().checked_sub(PATIENCE).unwrap();
        let heard = Heard { at: long_ago, resting: false, clock: None };
        liveness.0.heard.lock().unwrap().insert(2, heard);
        assert!(!liveness.is_up(2) && !liveness.can_lead(2));
    }
}
