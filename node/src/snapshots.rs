//! When snapshots are made, besides the number of entries that openraft counts itself: a quiet
//! cluster with few but large entries, or with hardly any, would otherwise keep its log for ever.

use std::sync::Arc;
use std::time::Duration;

use countersign_storage::Store;
use openraft::async_runtime::WatchReceiver;
use tokio::time::Instant;

use crate::raft::{Group, Groups};

/// How often the triggers are looked at.
const LOOK: Duration = Duration::from_secs(30);
/// Bytes of new log, over all shards, after which all shards with new entries make one.
const BYTES: u64 = 256 << 20;
/// The longest time that new entries stay without one.
const AGE: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a snapshot is waited for before it is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long one shard's snapshot may take before the next shard's turn.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Makes snapshots by bytes and time, until dropped.
pub(crate) async fn keep_compact(store: Arc<Store>, groups: Groups) {
    let mut every = tokio::time::interval(LOOK);
    let mut since = Instant::now();
    let mut from = store.statistics().bytes_appended;
    loop {
        every.tick().await;
        let bytes = store.statistics().bytes_appended;
        if bytes.saturating_sub(from) < BYTES && since.elapsed() < AGE {
            continue;
        }
        since = Instant::now();
        from = bytes;
        make(&groups).await;
    }
}

/// Makes a snapshot of every shard that has entries beyond its last one, one shard after the other,
/// as the store builds them.
async fn make(groups: &Groups) {
    for (shard, group) in groups.iter() {
        if new_entries(group) && !covered(group).await {
            tracing::warn!(%shard, "no snapshot came about; the log stays until the next time");
        }
    }
}

/// Asks for a snapshot until there is one of all that was applied when this began: the store
/// defers one that is asked for while it builds another, and openraft does not ask again.
async fn covered(group: &Group) -> bool {
    let wanted = group.data_metrics().borrow_watched().last_applied;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if group.trigger().snapshot().await.is_err() {
            return false;
        }
        let waiting = group.wait(Some(ASK_AGAIN));
        if waiting.metrics(|metrics| metrics.snapshot >= wanted, "a snapshot").await.is_ok() {
            return true;
        }
    }
    false
}

fn new_entries(group: &Group) -> bool {
    let metrics = group.data_metrics();
    let metrics = metrics.borrow_watched();
    metrics.last_applied > metrics.snapshot
}

#[cfg(test)]
mod tests {
    use countersign_core::ids::ShardId;

    use super::*;
    use crate::node::Node;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_snapshot_is_made_of_new_entries_and_a_restart_goes_on_from_it() {
        let dir = tempfile::tempdir().unwrap();
        let start = || Node::start(crate::Config::local(dir.path().to_owned(), [9; 32]));
        let node = start().await.unwrap();
        let group = node.groups()[&ShardId::SYSTEM].clone();
        assert!(new_entries(&group));
        make(node.groups()).await;
        for (shard, group) in node.groups().iter() {
            assert!(!new_entries(group), "shard {shard} has none");
        }
        node.stop().await;
        drop(group);
        let again = start().await.unwrap();
        assert!(again.ready(Duration::from_secs(30)).await);
        assert!(again.store().directory().system().founded());
        again.stop().await;
    }
}
