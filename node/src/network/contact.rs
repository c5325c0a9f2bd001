//! When this node last heard from each shard's leader. The election watchdog and the question
//! whether this node is up to date read it; the server writes it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::ids::ShardId;
use countersign_storage::NodeId;
use tokio::time::Instant;

/// The last append that a shard accepted from its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// When it arrived. Not when it was done with: whoever takes this for a lease must not be
    /// given the time that a slow disk took.
    pub(crate) at: Instant,
    /// Who sent it.
    pub(crate) leader: NodeId,
    /// The index up to which the leader said that entries are committed; 0 if none.
    pub(crate) committed: u64,
}

/// What was heard, by shard. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Contact(Arc<BTreeMap<ShardId, Mutex<Option<Heard>>>>);

impl Contact {
    /// Nothing heard yet, of so many shards.
    pub(crate) fn new(shards: u16) -> Self {
        let silent = (0..shards).map(|shard| (ShardId(shard), Mutex::default()));
        Self(Arc::new(silent.collect()))
    }

    /// When the last append that the shard accepted from its leader arrived.
    pub(crate) fn heard(&self, shard: ShardId) -> Option<Instant> {
        self.last(shard).map(|heard| heard.at)
    }

    /// The last append that the shard accepted from its leader.
    pub(crate) fn last(&self, shard: ShardId) -> Option<Heard> {
        *self.0.get(&shard)?.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an append that was accepted.
    pub(crate) fn note(&self, shard: ShardId, heard: Heard) {
        let Some(place) = self.0.get(&shard) else { return };
        let mut last = place.lock().unwrap_or_else(PoisonError::into_inner);
        // Two streams may answer in any order; the later arrival counts.
        if last.is_none_or(|last| heard.at >= last.at) {
            *last = Some(heard);
        }
    }
}
