//! The Raft log over restarts, and beside the logs of other shards.

use countersign_core::ids::ShardId;
use countersign_storage::Vote;
use openraft::RaftLogReader;
use openraft::storage::{RaftLogStorage, RaftLogStorageExt};

use crate::stage::{SHARD, Stage, history, log_id};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_the_same_after_a_restart_and_its_neighbours_are_untouched() {
    let stage = Stage::new();
    let neighbours = [ShardId(SHARD.0 - 1), ShardId(SHARD.0 + 1)];
    for shard in neighbours.into_iter().chain([SHARD]) {
        stage.store.log(shard).blocking_append(history(10)).await.unwrap();
    }
    let mut log = stage.store.log(SHARD);
    log.truncate_after(Some(log_id(1, 7))).await.unwrap();
    log.purge(log_id(1, 3)).await.unwrap();
    log.save_committed(Some(log_id(1, 6))).await.unwrap();
    log.save_vote(&Vote::new(9, 2)).await.unwrap();
    drop(log);
    let stage = stage.restarted();
    let mut log = stage.store.log(SHARD);
    let state = log.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(log_id(1, 3)));
    assert_eq!(state.last_log_id, Some(log_id(1, 7)));
    assert_eq!(log.read_committed().await.unwrap(), Some(log_id(1, 6)));
    assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new(9, 2)));
    assert_eq!(log.try_get_log_entries(..).await.unwrap(), history(10)[3..7]);
    for shard in neighbours {
        let mut other = stage.store.log(shard);
        assert_eq!(other.try_get_log_entries(..).await.unwrap(), history(10));
        assert_eq!(other.read_vote().await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_a_log_is_an_error() {
    let stage = Stage::new();
    let mut log = stage.store.log(SHARD);
    let entries = history(5);
    log.blocking_append([entries[0].clone(), entries[1].clone(), entries[4].clone()])
        .await
        .unwrap();
    let error = log.try_get_log_entries(1..6).await.unwrap_err();
    assert!(error.to_string().contains("lacks entry 3"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_of_many_shards_share_their_syncs() {
    let stage = Stage::new();
    let before = stage.store.statistics();
    let writers = (0..32).map(|shard| {
        let mut log = stage.store.log(ShardId(shard));
        tokio::spawn(async move {
            for entry in history(50) {
                log.blocking_append([entry]).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let after = stage.store.statistics();
    let (writes, syncs) = (after.synced_writes - before.synced_writes, after.syncs - before.syncs);
    assert_eq!(writes, 32 * 50);
    assert!(syncs < writes / 2, "{syncs} syncs for {writes} appends");
}
