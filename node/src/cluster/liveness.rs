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

/// When each node answered last. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Liveness(Arc<Mutex<BTreeMap<NodeId, Instant>>>);

impl Liveness {
    /// Whether a node answered lately.
    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(&node).is_some_and(|at| at.elapsed() < PATIENCE)
    }

    /// A node was heard of.
    pub(crate) fn heard(&self, node: NodeId) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(node, Instant::now());
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
                    if let Ok(Answer::Pong { .. }) = peers.call(node, &Call::Ping, ASK).await {
                        liveness.heard(node);
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

    #[tokio::test(start_paused = true)]
    async fn a_node_is_up_for_a_while_after_it_was_heard_of() {
        let liveness = Liveness::default();
        assert!(!liveness.is_up(2));
        liveness.heard(2);
        assert!(liveness.is_up(2) && !liveness.is_up(3));
        tokio::time::advance(PATIENCE).await;
        assert!(!liveness.is_up(2));
    }
}
