//! How a node comes to know one that its registry does not have yet. It was away, and the one that
//! wants to bring it up to date joined meanwhile: it is refused, and a member that is known here is
//! asked which nodes there are. If no member that is known here answers, because all of them were
//! replaced, the seeds of the settings are asked, as a node does that joins: both sides prove the
//! cluster secret.

use std::time::Duration;

use countersign_storage::Identity;
use futures::future::join_all;
use tokio::time::sleep;

use super::book::Book;
use super::joining::{NotGranted, Seeds};
use crate::network::{Answer, Call, Member, Peers};

/// How long a member may take to answer.
const ASK: Duration = Duration::from_secs(1);
/// At most this often: strangers must not make this node ask without end.
const PAUSE: Duration = Duration::from_secs(2);

/// Asks whenever an unknown node was met, until dropped.
pub(crate) async fn run(book: Book, peers: Peers, identity: Identity, seeds: Option<Seeds>) {
    loop {
        book.met_unknown().await;
        let asked = book.known().into_iter().map(|node| {
            let peers = peers.clone();
            async move { peers.call(node, &Call::Members, ASK).await }
        });
        let told: Vec<Vec<Member>> = join_all(asked).await.into_iter().filter_map(told).collect();
        if told.is_empty()
            && let Some(seeds) = &seeds
        {
            match seeds.ask().await {
                Ok(grant)
                    if grant.cluster_id == identity.cluster_id
                        && grant.node_id == identity.node_id =>
                {
                    book.tell(grant.nodes);
                }
                Ok(_) => {
                    tracing::warn!("the seeds belong to another cluster, or gave another node id")
                }
                Err(NotGranted::Later(reason)) => tracing::debug!(reason, "no seed was reached"),
                Err(NotGranted::Never(error)) => {
                    tracing::warn!(%error, "the seeds do not know this node")
                }
            }
        }
        told.into_iter().for_each(|members| book.tell(members));
        sleep(PAUSE).await;
    }
}

fn told<E>(answer: Result<Answer, E>) -> Option<Vec<Member>> {
    match answer {
        Ok(Answer::Members(members)) if !members.is_empty() => Some(members),
        _ => None,
    }
}
