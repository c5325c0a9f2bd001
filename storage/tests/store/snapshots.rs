//! Snapshots: built beside applies, carried in pieces, installed whole or not at all.

use std::path::Path;

use countersign_core::ids::ShardId;
use countersign_core::policy::Policy;
use countersign_core::proposal::{Change, LogCommand, Proposal};
use countersign_core::settings::Settings;
use countersign_core::tenant::TenantEvent;
use countersign_storage::{Snapshot, SnapshotFile};
use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};

use crate::stage::{
    SHARD, Stage, at, entry, errands, found_tenant, history, lane, propose, tenant, webhook,
};

async fn build(stage: &Stage) -> Snapshot {
    let mut builder = stage.machine().try_create_snapshot_builder(true).await.unwrap();
    builder.build_snapshot().await.unwrap()
}

/// Sends a file as the network does: in pieces.
fn carry(from: &SnapshotFile, to: &Stage, shard: ShardId) -> SnapshotFile {
    let mut incoming = to.store.receive_snapshot(shard).unwrap();
    let mut buffer = vec![0; 1_000];
    loop {
        let count = from.read_at(incoming.bytes(), &mut buffer).unwrap();
        if count == 0 {
            return incoming.finish().unwrap();
        }
        incoming.write(&buffer[..count]).unwrap();
    }
}

fn files(stage: &Stage) -> Vec<String> {
    let folder = stage.folder.path().join("snapshots/00003");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_installs_a_snapshot_agrees_and_goes_on_agreeing() {
    let entries = history(500);
    let (leader, follower) = (Stage::new(), Stage::new());
    leader.apply(&entries[..300], 16);
    // The follower has something else, which must vanish.
    follower.apply(&history(30)[..25], 4);
    let snapshot = build(&leader).await;
    let received = carry(&snapshot.snapshot, &follower, SHARD);
    follower.machine().install_snapshot(&snapshot.meta, received).await.unwrap();
    assert_eq!(follower.rows().head(), leader.rows().head());
    assert_eq!(follower.state_hash(), leader.state_hash());
    let chain = |stage: &Stage| stage.rows().audit_export(&tenant(), 0, usize::MAX).unwrap();
    assert_eq!(chain(&follower), chain(&leader));
    leader.apply(&entries[300..], 50);
    follower.apply(&entries[300..], 3);
    assert_eq!(follower.state_hash(), leader.state_hash());
    assert_eq!(follower.rows().head(), leader.rows().head());
    let follower = follower.restarted();
    assert_eq!(follower.state_hash(), leader.state_hash());
    let current = follower.machine().get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(current.meta, snapshot.meta);
    assert_eq!(files(&follower).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_leave_and_what_is_counted_of_it_come_with_a_snapshot() {
    let entries = errands(500);
    let (leader, follower) = (Stage::new(), Stage::new());
    leader.apply(&entries[..300], 16);
    // What the follower has of its own must vanish.
    follower.apply(&entries[..25], 4);
    let snapshot = build(&leader).await;
    let received = carry(&snapshot.snapshot, &follower, SHARD);
    let (put, again) = (follower.rows().messages_put(), follower.rows().redelivered());
    follower.machine().install_snapshot(&snapshot.meta, received).await.unwrap();
    assert!(put.has_changed().unwrap() && again.has_changed().unwrap());
    let agree = |follower: &Stage, seconds| {
        assert_eq!(follower.state_hash(), leader.state_hash());
        let messages = |stage: &Stage| stage.rows().messages(None, 1_000).unwrap();
        assert_eq!(messages(follower), messages(&leader));
        assert!(!messages(follower).is_empty());
        let endpoints = leader.rows().webhooks().unwrap();
        assert_eq!(follower.rows().webhooks().unwrap(), endpoints);
        for (tenant, endpoint) in endpoints {
            let deliveries = |stage: &Stage| {
                let rows = stage.rows();
                let position = rows.webhook_position(&tenant, endpoint).unwrap();
                (position, rows.deliveries(&tenant, endpoint, None, 1_000).unwrap())
            };
            assert_eq!(deliveries(follower), deliveries(&leader));
        }
        let counts = |stage: &Stage| {
            stage.store.directory().traffic(&tenant(), &lane(1), at(seconds)).unwrap()
        };
        assert_eq!(counts(follower), counts(&leader));
        assert!(counts(follower).tenant.sent_day > 0);
    };
    agree(&follower, 300 * 60);
    assert!(leader.rows().webhook_position(&tenant(), webhook(1)).unwrap().is_some());
    leader.apply(&entries[300..], 50);
    follower.apply(&entries[300..], 3);
    agree(&follower, 500 * 60);
    agree(&follower.restarted(), 500 * 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_release_that_sent_nothing_is_installed() {
    let (reference, follower) = (Stage::new(), Stage::new());
    reference.apply(&history(40), 16);
    follower.apply(&errands(25), 4);
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/golden/snapshot.bin");
    let of_today = build(&reference).await;
    if std::env::var_os("COUNTERSIGN_WRITE_GOLDEN").is_some() && !Path::new(golden).exists() {
        std::fs::copy(of_today.snapshot.path(), golden).unwrap();
    }
    let received = carry(&SnapshotFile::open(golden.as_ref()).unwrap(), &follower, SHARD);
    follower.machine().install_snapshot(&of_today.meta, received).await.unwrap();
    assert_eq!(follower.state_hash(), reference.state_hash());
    assert!(follower.rows().messages(None, 1).unwrap().is_empty());
    // And such a release reads what this one builds, as long as nothing is sent.
    assert_eq!(std::fs::read(of_today.snapshot.path()).unwrap(), std::fs::read(golden).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_holds_the_state_of_the_moment_its_builder_was_made() {
    let entries = history(200);
    let stage = Stage::new();
    stage.apply(&entries[..100], 16);
    let hash = stage.state_hash();
    let mut builder = stage.machine().try_create_snapshot_builder(true).await.unwrap();
    stage.apply(&entries[100..], 16);
    let snapshot = builder.build_snapshot().await.unwrap();
    assert_eq!(snapshot.meta.last_log_id.unwrap().index, 100);
    let other = Stage::new();
    let received = carry(&snapshot.snapshot, &other, SHARD);
    other.machine().install_snapshot(&snapshot.meta, received).await.unwrap();
    assert_eq!(other.state_hash(), hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_snapshot_replaces_the_older_file() {
    let entries = history(100);
    let stage = Stage::new();
    stage.apply(&entries[..50], 16);
    build(&stage).await;
    stage.apply(&entries[50..], 16);
    let newer = build(&stage).await;
    assert_eq!(files(&stage).len(), 1);
    let stage = stage.restarted();
    let current = stage.machine().get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(current.meta, newer.meta);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_ends_after_an_install_leaves_the_newer_snapshot() {
    let entries = history(300);
    let (leader, follower) = (Stage::new(), Stage::new());
    leader.apply(&entries, 16);
    let newer = build(&leader).await;
    follower.apply(&entries[..100], 16);
    let mut builder = follower.machine().try_create_snapshot_builder(true).await.unwrap();
    let received = carry(&newer.snapshot, &follower, SHARD);
    follower.machine().install_snapshot(&newer.meta, received).await.unwrap();
    let built = builder.build_snapshot().await.unwrap();
    assert_eq!(built.meta, newer.meta, "the newer one is the answer");
    let current = follower.machine().get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(current.meta, newer.meta);
    assert_eq!(current.snapshot.bytes(), newer.snapshot.bytes());
    assert_eq!(files(&follower).len(), 1);
    let follower = follower.restarted();
    let current = follower.machine().get_current_snapshot().await.unwrap().unwrap();
    assert_eq!(current.meta, newer.meta);
    assert_eq!(follower.state_hash(), leader.state_hash());
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_and_installs_at_once_never_lose_the_newest_snapshot() {
    let entries = history(400);
    let (leader, follower) = (Stage::new(), Stage::new());
    for round in 0..20u64 {
        let to = 20 * (round as usize + 1);
        leader.apply(&entries[to - 20..to], 16);
        let newer = build(&leader).await;
        let builder = follower.machine().try_create_snapshot_builder(true).await.unwrap();
        let received = carry(&newer.snapshot, &follower, SHARD);
        let mut machine = follower.machine();
        let meta = newer.meta.clone();
        let building = tokio::spawn(async move {
            let mut builder = builder;
            builder.build_snapshot().await.map(|built| built.meta)
        });
        machine.install_snapshot(&meta, received).await.unwrap();
        building.await.unwrap().unwrap();
        let current = follower.machine().get_current_snapshot().await.unwrap().unwrap();
        assert_eq!(current.meta, newer.meta, "round {round}");
        assert_eq!(files(&follower).len(), 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_cut_snapshot_is_refused_and_the_state_stays() {
    let (leader, follower) = (Stage::new(), Stage::new());
    leader.apply(&history(300), 16);
    follower.apply(&history(30), 4);
    let before = follower.state_hash();
    let snapshot = build(&leader).await;
    let bytes = std::fs::read(snapshot.snapshot.path()).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let longer = [bytes.as_slice(), b"x"].concat();
    for wrong in [&bytes[..bytes.len() - 1], &bytes[..4], &flipped, &longer, b""] {
        let mut incoming = follower.store.receive_snapshot(SHARD).unwrap();
        incoming.write(wrong).unwrap();
        let received = incoming.finish().unwrap();
        let mut machine = follower.machine();
        assert!(machine.install_snapshot(&snapshot.meta, received).await.is_err());
        assert_eq!(follower.state_hash(), before);
    }
    assert!(files(&follower).is_empty());
    // One of another shard, and one that is not what its sender says.
    let received = carry(&snapshot.snapshot, &follower, ShardId(4));
    let mut other = follower.store.machine(ShardId(4)).unwrap();
    assert!(other.install_snapshot(&snapshot.meta, received).await.is_err());
    let mut meta = snapshot.meta.clone();
    meta.last_log_id = None;
    let received = carry(&snapshot.snapshot, &follower, SHARD);
    assert!(follower.machine().install_snapshot(&meta, received).await.is_err());
    assert_eq!(follower.state_hash(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_on_disk_is_passed_over() {
    let stage = Stage::new();
    stage.apply(&history(100), 16);
    let snapshot = build(&stage).await;
    let path = snapshot.snapshot.path().to_owned();
    let bytes = std::fs::read(&path).unwrap();
    let stage = stage.restarted();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(stage.machine().get_current_snapshot().await.unwrap().is_none());
    assert_eq!(stage.rows().last_applied(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_transfer_leaves_nothing() {
    let stage = Stage::new();
    let mut incoming = stage.store.receive_snapshot(SHARD).unwrap();
    incoming.write(b"some").unwrap();
    assert_eq!(files(&stage).len(), 1);
    drop(incoming);
    assert!(files(&stage).is_empty());
    let unused = stage.store.receive_snapshot(SHARD).unwrap().finish().unwrap();
    assert_eq!(files(&stage).len(), 1);
    drop(unused);
    assert!(files(&stage).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_follows_an_installed_snapshot() {
    let (leader, follower) = (Stage::new(), Stage::new());
    let mut machine = leader.store.machine(ShardId::SYSTEM).unwrap();
    machine.apply_entries(&[entry(1, found_tenant(at(0)))]).unwrap();
    let mut builder = machine.try_create_snapshot_builder(true).await.unwrap();
    let snapshot = builder.build_snapshot().await.unwrap();
    let received = carry(&snapshot.snapshot, &follower, ShardId::SYSTEM);
    let changes = follower.store.directory().changes();
    let mut installing = follower.store.machine(ShardId::SYSTEM).unwrap();
    installing.install_snapshot(&snapshot.meta, received).await.unwrap();
    assert!(follower.store.directory().tenant(&tenant()).is_some());
    assert!(changes.has_changed().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_snapshots_wait_their_turn_and_forced_ones_do_not() {
    let stage = Stage::new();
    stage.apply(&history(10), 16);
    let one = stage.machine().try_create_snapshot_builder(false).await.unwrap();
    let two = stage.machine().try_create_snapshot_builder(false).await.unwrap();
    assert!(stage.machine().try_create_snapshot_builder(false).await.is_none());
    let mut forced = stage.machine().try_create_snapshot_builder(true).await.unwrap();
    assert!(forced.build_snapshot().await.is_ok());
    drop((one, two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_installed_snapshot_tells_of_tenants_is_known_before_its_index_shows() {
    const TENANTS: u32 = 2_000;
    let (leader, follower) = (Stage::new(), Stage::new());
    let last = format!("t{TENANTS}").parse().unwrap();
    let entries: Vec<_> =
        (1..=TENANTS).map(|number| entry(number.into(), make_tenant(number))).collect();
    let machine = leader.store.machine(ShardId::SYSTEM).unwrap();
    for some in entries.chunks(100) {
        machine.apply_entries(some).unwrap();
    }
    drop(machine);
    let mut machine = leader.store.machine(ShardId::SYSTEM).unwrap();
    let mut builder = machine.try_create_snapshot_builder(true).await.unwrap();
    let snapshot = builder.build_snapshot().await.unwrap();
    let received = carry(&snapshot.snapshot, &follower, ShardId::SYSTEM);

    // Whoever waits for the index asks for the tenant at once.
    let (mut applied, directory) =
        (follower.store.applied(ShardId::SYSTEM), follower.store.directory());
    let waiting = std::thread::spawn(move || {
        while *applied.borrow_and_update() < u64::from(TENANTS) {
            std::hint::spin_loop();
        }
        directory.tenant(&last).is_some()
    });
    let mut installing = follower.store.machine(ShardId::SYSTEM).unwrap();
    installing.install_snapshot(&snapshot.meta, received).await.unwrap();
    assert!(waiting.join().unwrap(), "the index showed before the tenants");
}

/// The proposal that makes a tenant.
fn make_tenant(number: u32) -> LogCommand {
    propose(Proposal {
        change: Change::Tenant {
            id: format!("t{number}").parse().unwrap(),
            events: vec![TenantEvent::Created {
                name: "One of many".to_owned(),
                policy: Box::new(Policy::initial(at(0))),
                settings: Box::new(Settings::initial()),
            }],
        },
        expected_version: 0,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    })
}
