//! What is counted over many users: the same after a restart and after a snapshot.

use std::net::IpAddr;

use countersign_core::alerts::{ADDRESS_FAILURES, Pressure, RESET_BURST};
use countersign_core::audit::{AuditEntry, FACTORS_RESET};
use countersign_core::event::UserEvent;
use countersign_core::ids::{KeyId, Pseudonym};
use countersign_core::time::HOUR_MS;
use countersign_storage::Entry;
use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};

use crate::stage::{SHARD, Stage, at, created, entry, proposal, propose, tenant, user};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 9));
const KEY: KeyId = KeyId::from_bytes([5; 16]);

/// A new user about whom the log says something.
fn told(index: u64, seconds: i64, audit: Vec<AuditEntry>) -> Entry {
    let number = index as u32;
    let mut one = proposal(&user(number), 0, at(seconds), vec![created(number)]);
    one.audit = audit;
    entry(index, propose(one))
}

fn wrong() -> AuditEntry {
    AuditEntry::failure("mfa.challenge.failed", "invalid_code").from_address(Some(ADDRESS))
}

fn by_key(event_type: &str) -> AuditEntry {
    AuditEntry { actor: Some(KEY), ..AuditEntry::success(event_type) }
}

fn about(stage: &Stage, user: Option<Pseudonym>, seconds: i64) -> Pressure {
    stage.store.directory().pressure(&tenant(), user, Some(ADDRESS), Some(KEY), at(seconds))
}

/// Three users fail, one of them twice; two are reset; both are told.
fn troubled() -> Stage {
    let stage = Stage::new();
    let alert = AuditEntry::success(ADDRESS_FAILURES).from_address(Some(ADDRESS));
    stage.apply(
        &[
            told(1, 0, vec![wrong(), wrong()]),
            told(2, 1, vec![wrong()]),
            told(3, 2, vec![wrong(), alert]),
            told(4, 3, vec![by_key(FACTORS_RESET).because("lost"), by_key(RESET_BURST)]),
            told(5, 4, vec![by_key(FACTORS_RESET)]),
        ],
        2,
    );
    stage
}

fn is_troubled(stage: &Stage) {
    let all = Pressure { other_users_failing: 3, address_told: true, resets: 2, resets_told: true };
    assert_eq!(about(stage, None, 10), all);
    // Asked for by the pseudonym in the user's own row, which is not the one in the log.
    let own = stage.rows().user(&user(1)).unwrap().1.pseudonym;
    assert_eq!(about(stage, own, 10).other_users_failing, 2);
    assert_eq!(stage.store.directory().failures_from(&tenant(), ADDRESS, at(10)), 4);
    // Failures count for ten minutes, the rest for an hour.
    let later = about(stage, None, 1_200);
    assert_eq!(later, Pressure { other_users_failing: 0, ..all });
    assert_eq!(about(stage, None, 2 * 3_600), Pressure::default());
}

#[test]
fn what_is_counted_over_many_users_is_the_same_after_a_restart() {
    let stage = troubled();
    is_troubled(&stage);
    is_troubled(&stage.restarted());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_over_many_users_comes_with_a_snapshot() {
    let (leader, follower) = (troubled(), Stage::new());
    // What the follower counted itself must not be counted twice.
    follower.apply(&[told(1, 0, vec![wrong(), wrong()])], 1);
    let mut builder = leader.machine().try_create_snapshot_builder(true).await.unwrap();
    let snapshot = builder.build_snapshot().await.unwrap();
    let bytes = std::fs::read(snapshot.snapshot.path()).unwrap();
    let mut incoming = follower.store.receive_snapshot(SHARD).unwrap();
    incoming.write(&bytes).unwrap();
    let received = incoming.finish().unwrap();
    follower.machine().install_snapshot(&snapshot.meta, received).await.unwrap();
    is_troubled(&follower);
}

#[test]
fn what_fails_in_a_shard_that_is_ahead_counts_by_real_time() {
    let stage = Stage::new();
    let clock = at(60);
    let now = clock.plus_millis(6 * HOUR_MS);
    let mut failure = proposal(&user(1), 0, now, vec![created(1)]);
    failure.clock = clock;
    failure.audit = vec![wrong()];
    stage.apply(&[entry(1, propose(failure))], 1);
    let failures = |stage: &Stage, seconds| {
        stage.store.directory().failures_from(&tenant(), ADDRESS, at(seconds))
    };
    assert_eq!((failures(&stage, 70), failures(&stage, 61 + 600)), (1, 0));
    let stage = stage.restarted();
    assert_eq!((failures(&stage, 70), failures(&stage, 61 + 600)), (1, 0));
}

#[test]
fn nobody_is_asked_about_where_nothing_is_known() {
    let stage = troubled();
    let directory = stage.store.directory();
    assert_eq!(directory.pressure(&tenant(), None, None, None, at(10)), Pressure::default());
    let nobody = "other".parse().unwrap();
    let elsewhere = directory.pressure(&nobody, None, Some(ADDRESS), None, at(10));
    assert_eq!(elsewhere, Pressure::default());
}

#[test]
fn what_an_erased_user_did_is_forgotten_with_the_address_at_the_next_start() {
    let stage = troubled();
    let erase = proposal(&user(2), 2, at(5), vec![UserEvent::Erased]);
    stage.apply(&[entry(6, propose(erase))], 1);
    let stage = stage.restarted();
    assert_eq!(about(&stage, None, 10).other_users_failing, 2);
}
