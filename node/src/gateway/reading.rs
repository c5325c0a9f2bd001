//! Reads that span shards. Every node holds every shard, so a list is read from this node's own
//! rows; before that, each shard's leader says how far this node must have applied, so that the
//! list shows all that was answered before it was asked for. One call a node, however many shards
//! it leads; shards whose leader is being elected are asked about again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::ShardId;
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use super::here::Here;
use crate::network::{Answer, Call, Peers};

/// How long to wait before shards without an answer are asked about again.
const AGAIN: Duration = Duration::from_millis(20);

/// Asks how far to read. Clones are the same.
#[derive(Clone)]
pub(crate) struct Reading {
    /// This node's own parts.
    pub(crate) here: Arc<Here>,
    /// The others.
    pub(crate) peers: Peers,
}

impl Reading {
    /// Returns once this node has applied all that was answered before this was called, of each of
    /// the shards.
    ///
    /// # Errors
    /// `Unavailable` if a shard's leader did not say so, or this node did not apply it, by
    /// `deadline`.
    pub(crate) async fn catch_up(
        &self,
        shards: impl IntoIterator<Item = ShardId>,
        deadline: Instant,
    ) -> Result<(), GatewayError> {
        let mut open: Vec<ShardId> = shards.into_iter().collect();
        let mut known: Vec<(ShardId, u64)> = Vec::with_capacity(open.len());
        while !open.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(late(&open));
            }
            let mut missing = Vec::new();
            for (shard, index) in self.indexes(open, left).await {
                match index {
                    Some(index) => known.push((shard, index)),
                    None => missing.push(shard),
                }
            }
            open = missing;
            if !open.is_empty() {
                sleep(AGAIN).await;
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let applied = known.iter().map(|(shard, index)| async move {
            (*shard, self.here.wait_applied(*shard, *index, left).await)
        });
        let behind: Vec<ShardId> = join_all(applied)
            .await
            .into_iter()
            .filter(|(_, applied)| !applied)
            .map(|(shard, _)| shard)
            .collect();
        if behind.is_empty() { Ok(()) } else { Err(late(&behind)) }
    }

    /// One question to each node that leads some of the shards.
    async fn indexes(&self, shards: Vec<ShardId>, left: Duration) -> Vec<(ShardId, Option<u64>)> {
        let own = self.here.book.own();
        let mut by_node: BTreeMap<Option<u64>, Vec<ShardId>> = BTreeMap::new();
        for shard in shards {
            by_node.entry(self.here.leader(shard)).or_default().push(shard);
        }
        let asked = by_node.into_iter().map(|(node, shards)| async move {
            let nothing = |shards: Vec<ShardId>| {
                shards.into_iter().map(|shard| (shard, None)).collect::<Vec<_>>()
            };
            match node {
                None => nothing(shards),
                Some(node) if node == own => self.here.read_indexes(shards).await,
                Some(node) => {
                    let call = Call::ReadIndex { shards: shards.clone() };
                    match self.peers.call(node, &call, left.min(Duration::from_secs(1))).await {
                        Ok(Answer::Indexes(indexes)) => indexes,
                        _ => nothing(shards),
                    }
                }
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }
}

fn late(shards: &[ShardId]) -> GatewayError {
    let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
    GatewayError::Unavailable(format!(
        "what was written last could not be read in time, of shard {}",
        names.join(", ")
    ))
}
