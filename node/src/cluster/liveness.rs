//! Which nodes answer: every node asks every other once a second. It is for people, for the choice
//! of the next leader and for the question whether a removal would cost a quorum; a wrong guess
//! costs time and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_storage::NodeId;
use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::book::Book;
use crate::network::{Answer, Call, Peers};

/// How often the others are asked.
const ASK: Duration = Duration::from_secs(1);
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
        let resting = heard.get(&node).is_some_and(|heard| heard.resting);
        heard.insert(node, Heard { at: Instant::now(), resting });
    }

    fn answered(&self, node: NodeId, resting: bool) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(node, Heard { at: Instant::now(), resting });
    }

    /// Asks the others, until dropped.
    pub(crate) async fn keep(self, peers: Peers, book: Book) {
        let mut every = interval(ASK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let asked = book.others().into_iter().map(|node| {
                let (liveness, peers) = (self.clone(), peers.clone());
                async move {
                    if let Ok(Answer::Pong { resting, .. }) =
                        peers.call(node, &Call::Ping, ASK).await
                    {
                        liveness.answered(node, resting);
                    }
                }
            });
            join_all(asked).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_up_for_a_while_after_it_was_heard_of() {
        let liveness = Liveness::default();
        assert!(!liveness.is_up(2));
        liveness.heard(2);
        assert!(liveness.is_up(2) && !liveness.is_up(3));
        assert!(liveness.can_lead(2));
        liveness.answered(2, true);
        assert!(liveness.is_up(2) && !liveness.can_lead(2));
        let long_ago = Instant::now().checked_sub(PATIENCE).unwrap();
        let heard = Heard { at: long_ago, resting: false };
        liveness.0.heard.lock().unwrap().insert(2, heard);
        assert!(!liveness.is_up(2) && !liveness.can_lead(2));
    }
}
