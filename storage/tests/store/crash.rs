//! Processes that die in the middle. After each death the store must open, hold everything that
//! was reported, and agree with itself.

use std::collections::BTreeMap;
use std::path::Path;

use countersign_core::codec;
use countersign_core::ids::ShardId;
use countersign_storage::Store;
use countersign_storage::audit::verify;
use openraft::RaftLogReader;
use openraft::storage::{RaftLogStorage, RaftSnapshotBuilder, RaftStateMachine};
use tempfile::TempDir;

use crate::child::{Report, SHARDS, start};
use crate::stage::{SHARD, Stage, close, history, open, tenant};

/// The last entry and the last vote of each shard that were reported.
pub(crate) type Promised = BTreeMap<ShardId, (u64, u64)>;

pub(crate) fn remember(promised: &mut Promised, report: &Report) {
    match report {
        Report::Entry(shard, index) => {
            let last = &mut promised.entry(*shard).or_default().0;
            *last = (*last).max(*index);
        }
        Report::Vote(shard, term) => promised.entry(*shard).or_default().1 = *term,
        Report::Note(_) => {}
    }
}

/// Entries and votes that were promised and are gone.
pub(crate) async fn missing(store: &std::sync::Arc<Store>, promised: &Promised) -> u64 {
    let mut gone = 0;
    for (shard, (index, term)) in promised {
        let mut log = store.log(*shard);
        let held = log.try_get_log_entries(1..=*index).await.unwrap();
        gone += *index - held.len() as u64;
        let vote = log.read_vote().await.unwrap().map_or(0, |vote| vote.leader_id.term);
        gone += u64::from(vote < *term);
    }
    gone
}

/// Rows, hash, audit chain and log of a shard must fit together.
pub(crate) async fn check(store: &std::sync::Arc<Store>, shard: ShardId) {
    let rows = store.rows(shard);
    assert_eq!(rows.state_hash(), rows.compute_state_hash().unwrap(), "shard {shard}");
    let (from, exported) = rows.audit_export(&tenant(), 0, usize::MAX).unwrap();
    verify(&from, &exported, Some(&rows.audit_chain(&tenant()).unwrap().head)).unwrap();
    let last = store.log(shard).get_log_state().await.unwrap().last_log_id;
    if let Some(last) = last {
        assert!(rows.last_applied() <= last.index, "shard {shard} applied what it does not have");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_reported_survives_sigkill() {
    let folder = TempDir::new().unwrap();
    let mut promised = Promised::new();
    for round in 1..=4 {
        let mut child = start("write", folder.path(), "");
        for _ in 0..round * 150 {
            remember(&mut promised, &child.next().expect("the child ended by itself"));
        }
        for report in child.kill() {
            remember(&mut promised, &report);
        }
        assert_eq!(promised.len(), SHARDS.len());
        let store = open(folder.path());
        assert_eq!(missing(&store, &promised).await, 0, "round {round}");
        for shard in SHARDS {
            check(&store, shard).await;
        }
        close(store);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_reported_survives_a_death_around_a_sync() {
    for point in ["storage::before_sync@40", "storage::after_sync@40"] {
        let folder = TempDir::new().unwrap();
        let mut promised = Promised::new();
        let (reports, well) = start("write", folder.path(), point).end();
        assert!(!well, "{point} was not reached");
        for report in &reports {
            remember(&mut promised, report);
        }
        assert!(!promised.is_empty());
        let store = open(folder.path());
        assert_eq!(missing(&store, &promised).await, 0, "{point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_applied_whole_or_not_at_all() {
    let reference = Stage::new();
    reference.apply(&history(300), 300);
    for point in ["storage::apply_before_write@12", "storage::apply_after_write@12"] {
        let folder = TempDir::new().unwrap();
        let (_, well) = start("apply", folder.path(), point).end();
        assert!(!well, "{point} was not reached");
        let store = open(folder.path());
        let reached = store.rows(SHARD).last_applied();
        assert!((1..300).contains(&reached), "{point}: {reached}");
        check(&store, SHARD).await;
        close(store);
        // Going on from there leads to where an undisturbed replica is.
        let (_, well) = start("apply", folder.path(), "").end();
        assert!(well);
        let store = open(folder.path());
        assert_eq!(store.rows(SHARD).head(), reference.rows().head(), "{point}");
    }
}

fn parts(folder: &Path) -> usize {
    let Ok(files) = std::fs::read_dir(folder.join("snapshots/00003")) else { return 0 };
    files.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "part").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_while_a_snapshot_is_built_leaves_the_one_before() {
    for point in ["storage::snapshot_written@0", "storage::snapshot_before_rename@0"] {
        let stage = Stage::new();
        stage.apply(&history(300)[..100], 16);
        let mut builder = stage.machine().try_create_snapshot_builder(true).await.unwrap();
        let first = builder.build_snapshot().await.unwrap();
        drop(builder);
        stage.apply(&history(300)[100..200], 16);
        let (head, Stage { store, folder }) = (stage.rows().head(), stage);
        close(store);
        let (_, well) = start("build", folder.path(), point).end();
        assert!(!well, "{point} was not reached");
        assert_eq!(parts(folder.path()), 1, "{point}");
        let store = open(folder.path());
        assert_eq!(parts(folder.path()), 0, "{point}");
        assert_eq!(store.rows(SHARD).head(), head);
        let current = store.machine(SHARD).unwrap().get_current_snapshot().await.unwrap().unwrap();
        assert_eq!(current.meta, first.meta, "{point}");
        drop(current);
        close(store);
        let (_, well) = start("build", folder.path(), "").end();
        assert!(well, "{point}: it cannot be built any more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_while_a_snapshot_is_installed_leaves_the_old_state_or_the_new() {
    let leader = Stage::new();
    leader.apply(&history(8_000), 100);
    let mut builder = leader.machine().try_create_snapshot_builder(true).await.unwrap();
    let offered = builder.build_snapshot().await.unwrap();
    let points = [
        ("storage::install_before_rename@0", false),
        ("storage::install_marked@0", true),
        ("storage::install_cleared@0", true),
        ("storage::install_half@0", true),
        ("storage::install_before_head@0", true),
    ];
    for (point, is_new) in points {
        let follower = Stage::new();
        follower.apply(&history(50), 16);
        let old = follower.rows().head();
        let Stage { store, folder } = follower;
        close(store);
        std::fs::copy(offered.snapshot.path(), folder.path().join("offered")).unwrap();
        let meta = codec::encode(&offered.meta).unwrap();
        std::fs::write(folder.path().join("offered.meta"), meta).unwrap();
        let (_, well) = start("install", folder.path(), point).end();
        assert!(!well, "{point} was not reached");
        let store = open(folder.path());
        let expected = if is_new { leader.rows().head() } else { old };
        assert_eq!(store.rows(SHARD).head(), expected, "{point}");
        let rows = store.rows(SHARD);
        assert_eq!(rows.state_hash(), rows.compute_state_hash().unwrap(), "{point}");
        let (from, exported) = rows.audit_export(&tenant(), 0, usize::MAX).unwrap();
        verify(&from, &exported, Some(&rows.audit_chain(&tenant()).unwrap().head)).unwrap();
        assert_eq!(parts(folder.path()), 0, "{point}");
        drop(rows);
        close(store);
        // Once more, to the end.
        let (_, well) = start("install", folder.path(), "").end();
        assert!(well, "{point}: it cannot be installed any more");
        let store = open(folder.path());
        assert_eq!(store.rows(SHARD).head(), leader.rows().head(), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_death_left_of_an_install_a_newer_snapshot_takes_its_place() {
    let leader = Stage::new();
    let offer = async |folder: &Path| {
        let mut builder = leader.machine().try_create_snapshot_builder(true).await.unwrap();
        let offered = builder.build_snapshot().await.unwrap();
        std::fs::copy(offered.snapshot.path(), folder.join("offered")).unwrap();
        std::fs::write(folder.join("offered.meta"), codec::encode(&offered.meta).unwrap()).unwrap();
    };
    let folders: Vec<_> = [
        "storage::install_before_rename@0",
        "storage::install_marked@0",
        "storage::install_cleared@0",
        "storage::install_half@0",
        "storage::install_before_head@0",
    ]
    .map(|point| (point, Stage::new()))
    .into_iter()
    .map(|(point, follower)| {
        follower.apply(&history(150), 2);
        let Stage { store, folder } = follower;
        close(store);
        (point, folder)
    })
    .collect();
    let entries = history(5_100);
    leader.apply(&entries[..4_000], 100);
    for (point, folder) in &folders {
        offer(folder.path()).await;
        let (_, well) = start("install", folder.path(), point).end();
        assert!(!well, "{point} was not reached");
    }
    leader.apply(&entries[4_000..5_000], 100);
    for (point, folder) in &folders {
        offer(folder.path()).await;
        let (_, well) = start("install", folder.path(), "").end();
        assert!(well, "{point}: a newer one cannot be installed");
        // Applying goes on, over more batches than are counted, and the store opens after it.
        let store = open(folder.path());
        assert_eq!(store.rows(SHARD).head().state_hash, leader.rows().state_hash(), "{point}");
        for one in entries[5_000..].chunks(1) {
            store.machine(SHARD).unwrap().apply_entries(one).unwrap();
        }
        close(store);
        let store = open(folder.path());
        assert_eq!(store.rows(SHARD).last_applied(), 5_100, "{point}");
        check(&store, SHARD).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_refuses_to_sync_ends_the_process() {
    let folder = TempDir::new().unwrap();
    let (reports, well) = start("write", folder.path(), "storage::sync_fails=return").end();
    assert!(!well);
    let entries = reports.iter().filter(|report| !matches!(report, Report::Note(_))).count();
    assert_eq!(entries, 0, "something was reported that was not on disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_none_succeeds() {
    let folder = TempDir::new().unwrap();
    let (reports, well) = start("refuse", folder.path(), "storage::sync_fails=1*return->off").end();
    assert!(well);
    let notes = ["refused", "append 0 false", "refused", "append 1 false", "finished"];
    assert_eq!(reports, notes.map(|note| Report::Note(note.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_a_snapshot_keeps_the_one_before() {
    let folder = TempDir::new().unwrap();
    let (reports, well) = start("build twice", folder.path(), "").end();
    assert!(well, "{reports:?}");
}
