//! Replicas that applied the same log agree, however it was cut into batches.

use countersign_core::event::UserEvent;
use countersign_core::proposal::{Applied, LogCommand};

use crate::stage::{Stage, created, entry, history, named, proposal, propose, tenant, user};
use crate::stage::{at, found_tenant};

#[test]
fn replicas_agree_whatever_the_batches_were() {
    let entries = history(400);
    let stages = [1, 7, 400].map(|size| {
        let stage = Stage::new();
        let answers = stage.apply(&entries, size);
        (stage, answers)
    });
    let (first, answers) = &stages[0];
    assert!(answers.contains(&Applied::Maintained { more: false }));
    assert!(answers.iter().any(|answer| matches!(answer, Applied::Conflict { .. })));
    assert!(first.rows().head().users > 0);
    for (other, others) in &stages[1..] {
        assert_eq!(others, answers);
        assert_eq!(other.rows().head(), first.rows().head());
        assert_eq!(other.state_hash(), first.state_hash());
        assert_eq!(
            other.rows().audit_export(&tenant(), 0, 1_000).unwrap(),
            first.rows().audit_export(&tenant(), 0, 1_000).unwrap()
        );
    }
}

#[test]
fn a_restart_keeps_everything() {
    let stage = Stage::new();
    stage.apply(&history(200), 16);
    let (head, hash) = (stage.rows().head(), stage.state_hash());
    let stage = stage.restarted();
    assert_eq!(stage.rows().head(), head);
    assert_eq!(stage.state_hash(), hash);
    assert_eq!(stage.rows().last_applied(), 200);
}

#[test]
fn a_proposal_made_on_another_version_changes_nothing() {
    let stage = Stage::new();
    let key = user(1);
    let make = |index, expected, name: &str| {
        let events = vec![created(1), named(name)];
        entry(index, propose(proposal(&key, expected, at(0), events)))
    };
    let first = stage.apply(&[make(1, 0, "one")], 1);
    assert_eq!(first, [Applied::Done { version: 1, at: at(0) }]);
    let before = stage.rows().head();
    let stale = stage.apply(&[make(2, 0, "two"), make(3, 7, "three")], 2);
    assert_eq!(stale, [Applied::Conflict { version: 1 }, Applied::Conflict { version: 1 }]);
    let after = stage.rows().head();
    assert_eq!(
        (after.state_hash, after.audit, after.last_now),
        (before.state_hash, before.audit, before.last_now)
    );
    assert_eq!(after.last_applied.unwrap().index, 3);
    let (version, state) = stage.rows().user(&key).unwrap();
    assert_eq!((version, state.profile.display_name.as_deref()), (1, Some("one")));
}

#[test]
fn of_two_decisions_on_one_version_in_one_batch_the_first_wins() {
    let stage = Stage::new();
    let key = user(1);
    let make = |index, name: &str| {
        entry(index, propose(proposal(&key, 0, at(0), vec![created(1), named(name)])))
    };
    let answers = stage.apply(&[make(1, "first"), make(2, "second")], 2);
    assert_eq!(
        answers,
        [Applied::Done { version: 1, at: at(0) }, Applied::Conflict { version: 1 }]
    );
    let (_, state) = stage.rows().user(&key).unwrap();
    assert_eq!(state.profile.display_name.as_deref(), Some("first"));
}

#[test]
fn the_clock_of_a_shard_never_goes_back() {
    let stage = Stage::new();
    let make = |index, number, seconds| {
        entry(index, propose(proposal(&user(number), 0, at(seconds), vec![created(number)])))
    };
    let entries = [make(1, 1, 100), make(2, 2, 40), make(3, 3, 101)];
    let answers = stage.apply(&entries, 3);
    let times = answers.map_times();
    assert_eq!(times, [at(100), at(100), at(101)]);
    let stage = stage.restarted();
    assert_eq!(stage.rows().last_now(), at(101));
    let late = stage.apply(&[make(4, 4, 5)], 1);
    assert_eq!(late.map_times(), [at(101)]);
    assert_eq!(stage.rows().user(&user(4)).unwrap().1.created_at, at(101));
}

trait Times {
    fn map_times(&self) -> Vec<countersign_core::time::Timestamp>;
}

impl Times for Vec<Applied> {
    fn map_times(&self) -> Vec<countersign_core::time::Timestamp> {
        self.iter()
            .map(|answer| match answer {
                Applied::Done { at, .. } => *at,
                other => panic!("not done: {other:?}"),
            })
            .collect()
    }
}

#[test]
fn users_are_listed_by_id_and_found_by_hash_until_they_are_erased() {
    let stage = Stage::new();
    let entries: Vec<_> = (1..=5)
        .map(|number| {
            let one = proposal(&user(number), 0, at(0), vec![created(number)]);
            entry(u64::from(number), propose(one))
        })
        .collect();
    stage.apply(&entries, 5);
    let rows = stage.rows();
    let first = rows.users_page(&tenant(), None, 2).unwrap();
    let ids: Vec<_> = first.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["user_1", "user_2"]);
    let rest = rows.users_page(&tenant(), Some(&first[1].0), 10).unwrap();
    assert_eq!(rest.len(), 3);
    assert!(rows.users_page(&"other".parse().unwrap(), None, 10).unwrap().is_empty());
    let hash = user(3).hash();
    assert_eq!(rows.user_by_hash(&tenant(), hash).unwrap(), Some(user(3).user));
    let erase = proposal(&user(3), 3, at(1), vec![UserEvent::Erased]);
    stage.apply(&[entry(6, propose(erase))], 1);
    assert_eq!(rows.user_by_hash(&tenant(), hash).unwrap(), None);
    assert_eq!(rows.user(&user(3)).unwrap().0, 0);
    assert_eq!(rows.head().users, 4);
    stage.state_hash();
}

#[test]
fn a_removed_tenant_is_purged_page_by_page() {
    let stage = Stage::new();
    let entries: Vec<_> = (1..=5)
        .map(|number| {
            let one = proposal(&user(number), 0, at(0), vec![created(number)]);
            entry(u64::from(number), propose(one))
        })
        .collect();
    stage.apply(&entries, 5);
    let purge = |index| entry(index, LogCommand::PurgeTenant { tenant: tenant(), limit: 3 });
    assert_eq!(stage.apply(&[purge(6)], 1), [Applied::Maintained { more: true }]);
    assert_eq!(stage.rows().head().users, 2);
    assert_eq!(stage.apply(&[purge(7)], 1), [Applied::Maintained { more: false }]);
    assert_eq!(stage.rows().head().users, 0);
    assert!(stage.rows().users_page(&tenant(), None, 10).unwrap().is_empty());
    stage.state_hash();
}

#[test]
fn the_directory_knows_tenants_before_and_after_a_restart() {
    let stage = Stage::new();
    let system = stage.store.machine(countersign_core::ids::ShardId::SYSTEM).unwrap();
    system.apply_entries(&[entry(1, found_tenant(at(0)))]).unwrap();
    drop(system);
    assert!(stage.store.directory().tenant(&tenant()).is_some());
    let stage = stage.restarted();
    assert_eq!(stage.store.directory().tenants().len(), 1);
}

#[test]
fn failures_of_an_address_are_counted_over_users_shards_and_restarts() {
    use countersign_core::audit::AuditEntry;
    use countersign_core::ids::ShardId;
    let address = std::net::IpAddr::from([198, 51, 100, 9]);
    let stage = Stage::new();
    for shard in [ShardId(1), ShardId(2)] {
        let entries: Vec<_> = (1..=3)
            .map(|number| {
                let mut one =
                    proposal(&user(number), 0, at(i64::from(number)), vec![created(number)]);
                one.audit = vec![
                    AuditEntry::failure("mfa.challenge.failed", "invalid_code")
                        .from_address(Some(address)),
                ];
                entry(u64::from(number), propose(one))
            })
            .collect();
        stage.store.machine(shard).unwrap().apply_entries(&entries).unwrap();
    }
    let count = |stage: &Stage, now| stage.store.directory().failures_from(&tenant(), address, now);
    assert_eq!(count(&stage, at(3)), 6);
    let stage = stage.restarted();
    assert_eq!(count(&stage, at(3)), 6);
    assert_eq!(count(&stage, at(602)), 2);
    assert_eq!(count(&stage, at(700)), 0);
}

#[test]
fn replicas_that_stand_at_different_entries_have_hashes_in_common() {
    let entries = history(1_000);
    let (ahead, behind) = (Stage::new(), Stage::new());
    ahead.apply(&entries, 100);
    behind.apply(&entries[..700], 9);
    let (hashes, others) = (ahead.rows().state_hashes(), behind.rows().state_hashes());
    assert_eq!(hashes.keys().copied().collect::<Vec<_>>(), [256, 512, 768, 1_000]);
    assert_eq!(others.keys().copied().collect::<Vec<_>>(), [256, 512, 700]);
    assert_eq!(hashes[&1_000], ahead.state_hash());
    for index in [256, 512] {
        assert_eq!(hashes[&index], others[&index]);
        assert_ne!(hashes[&index], hashes[&1_000]);
    }
}
