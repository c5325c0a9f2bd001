//! What is counted over time: of each tenant its own, the same after a restart, after a crash and
//! after a snapshot, and nothing twice.

use std::path::Path;

use countersign_core::audit::AuditEntry;
use countersign_core::ids::{ChallengeId, TenantId, UserKey};
use countersign_core::statistics::{Counts, Window};
use countersign_storage::{Entry, Store};
use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
use tempfile::TempDir;

use crate::stage::{SHARD, Stage, at, created, entry, open, proposal, propose, retain, tenant};

fn other() -> TenantId {
    "other".parse().unwrap()
}

/// A new user about whom the log says something.
fn told(tenant: TenantId, index: u64, seconds: i64, audit: Vec<AuditEntry>) -> Entry {
    let number = index as u32;
    let key = UserKey::new(tenant, format!("user_{number}").parse().unwrap());
    let mut one = proposal(&key, 0, at(seconds), vec![created(number)]);
    one.audit = audit;
    entry(index, propose(one))
}

fn asked(challenged: bool) -> AuditEntry {
    let entry = AuditEntry::success("mfa.challenge.created").because("USER_ENROLLED");
    let id = ChallengeId::from_bytes([3; 16]);
    if challenged { entry.challenge(id) } else { entry }
}

fn right() -> AuditEntry {
    AuditEntry::success("mfa.challenge.verified")
}

fn wrong() -> AuditEntry {
    AuditEntry::failure("mfa.challenge.failed", "invalid_code")
}

/// Logins of two tenants within an hour, and one the day before.
fn history() -> Vec<Entry> {
    vec![
        told(tenant(), 1, -20 * 3_600, vec![asked(true), right()]),
        told(tenant(), 2, 0, vec![asked(true), wrong(), wrong()]),
        told(tenant(), 3, 1, vec![asked(false)]),
        told(other(), 4, 90, vec![asked(true), right()]),
        told(tenant(), 5, 150, vec![AuditEntry::failure("mfa.user.locked", "too_many_attempts")]),
    ]
}

fn lively() -> Stage {
    let stage = Stage::new();
    stage.apply(&history(), 2);
    stage
}

fn total(store: &Store, tenant: &TenantId, window: Window) -> Counts {
    let statistics = store.activity(tenant, window, at(200));
    assert_eq!(statistics.counted_since, None);
    let mut total = Counts::default();
    statistics.slots.iter().for_each(|(_, counts)| total.merge(counts));
    total
}

fn is_lively(store: &Store) {
    let hour = Counts { logins: 2, challenges: 1, failures: 2, lockouts: 1, ..Counts::default() };
    assert_eq!(total(store, &tenant(), Window::Hour), hour);
    let day = Counts { logins: 3, challenges: 2, verifications: 1, ..hour };
    assert_eq!(total(store, &tenant(), Window::Day), day);
    let others = Counts { logins: 1, challenges: 1, verifications: 1, ..Counts::default() };
    assert_eq!(total(store, &other(), Window::Day), others);
    let nobody = "nobody".parse().unwrap();
    assert_eq!(total(store, &nobody, Window::Day), Counts::default());
}

#[test]
fn each_row_is_counted_once_at_its_time() {
    let stage = lively();
    is_lively(&stage.store);
    let statistics = stage.store.activity(&tenant(), Window::Hour, at(200));
    assert_eq!(statistics.slots.len(), 60);
    let busy: Vec<_> = statistics.slots.iter().filter(|(_, it)| *it != Counts::default()).collect();
    let minutes: Vec<i64> = busy.iter().map(|(begin, _)| begin.millis() / 60_000).collect();
    let minute = at(0).millis() / 60_000;
    assert_eq!(minutes, [minute, at(150).millis() / 60_000]);
}

#[test]
fn what_is_counted_over_time_is_the_same_after_a_restart() {
    let stage = lively().restarted();
    is_lively(&stage.store);
    is_lively(&stage.restarted().store);
}

#[test]
fn what_is_counted_over_time_is_the_same_after_a_stop_in_order() {
    let stage = lively();
    stage.store.flush().unwrap();
    is_lively(&stage.restarted().store);
}

#[test]
fn what_is_counted_over_time_is_the_same_after_a_crash() {
    // Whatever was kept when the process died, the rest is read from the chain.
    for applied in 1..=5 {
        let stage = Stage::new();
        stage.apply(&history()[..applied], 1);
        let copy = TempDir::new().unwrap();
        copy_folder(stage.folder.path(), copy.path());
        let crashed = Stage { store: open(copy.path()), folder: copy };
        crashed.apply(&history()[applied..], 1);
        is_lively(&crashed.store);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_over_time_comes_with_a_snapshot() {
    let (leader, follower) = (lively(), Stage::new());
    // What the follower counted itself must not be counted twice.
    follower.apply(&history()[..2], 1);
    let mut builder = leader.machine().try_create_snapshot_builder(true).await.unwrap();
    let snapshot = builder.build_snapshot().await.unwrap();
    let bytes = std::fs::read(snapshot.snapshot.path()).unwrap();
    let mut incoming = follower.store.receive_snapshot(SHARD).unwrap();
    incoming.write(&bytes).unwrap();
    let received = incoming.finish().unwrap();
    follower.machine().install_snapshot(&snapshot.meta, received).await.unwrap();
    is_lively(&follower.store);
    is_lively(&follower.restarted().store);
}

#[test]
fn replicas_agree_whatever_they_have_kept_of_their_counts() {
    let (one, other) = (lively(), Stage::new());
    other.apply(&history(), 5);
    assert_eq!(one.state_hash(), other.state_hash());
    let retained = entry(6, retain(at(300), 365));
    for stage in [&one, &other] {
        stage.apply(std::slice::from_ref(&retained), 1);
    }
    assert_eq!(one.restarted().state_hash(), other.state_hash());
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy_folder(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}
