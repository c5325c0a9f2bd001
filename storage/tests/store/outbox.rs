//! Messages that wait: in the commit of their code, until they are settled, and no longer than their
//! user.

use countersign_core::audit::AuditOutcome;
use countersign_core::event::UserEvent;
use countersign_core::factor::message::SendOutcome;
use countersign_core::ids::{FactorId, ShardId, TenantId};
use countersign_core::outbox::MessageOutcome;
use countersign_core::proposal::{Applied, LogCommand};
use countersign_core::sending::{LaneKey, Traffic};
use countersign_core::time::{DAY_MS, HOUR_MS, Timestamp};
use countersign_storage::Entry;
use countersign_storage::audit::{AuditQuery, AuditRow, verify};

use crate::stage::{
    Stage, at, bounds, created, delivery_id, entry, errands, head, issued, lane, message_key,
    named, phone, proposal, propose, retain, sent, settle, tenant, user,
};

/// A new user to whose telephone a code is sent.
fn enrolled(index: u64, number: u32, delivery: u32, now: Timestamp) -> Entry {
    let events = vec![created(number), phone(1), issued(1, delivery, now)];
    entry(index, propose(proposal(&user(number), 0, now, events)))
}

fn traffic(stage: &Stage, number: u8, now: Timestamp) -> Traffic {
    stage.store.directory().traffic(&tenant(), &lane(number), now).unwrap()
}

fn waiting(stage: &Stage) -> Vec<u32> {
    let messages = stage.rows().messages(None, 100).unwrap();
    let number = |bytes: &[u8; 16]| u32::from_be_bytes(bytes[..4].try_into().unwrap());
    messages.iter().map(|message| number(message.delivery.as_bytes())).collect()
}

fn told(stage: &Stage) -> Vec<AuditRow> {
    let query = AuditQuery::default();
    let rows = stage.rows().audit_page(&tenant(), &query, bounds(None, 100)).unwrap().rows;
    rows.into_iter().filter(|row| row.chained.event_type != "mfa.user.updated").collect()
}

#[test]
fn a_message_comes_with_its_code_and_is_counted_by_where_it_goes() {
    let stage = Stage::new();
    let mut put = stage.rows().messages_put();
    stage.apply(&[enrolled(1, 1, 7, at(0))], 1);
    assert!(put.has_changed().unwrap());
    put.mark_unchanged();
    let key = message_key(7, at(0));
    let message = stage.rows().message(&key).unwrap().unwrap();
    assert_eq!((message.user.clone(), message.factor), (user(1), FactorId::from_bytes([1; 16])));
    assert_eq!((message.issued_at, message.key()), (at(0), key));
    assert_eq!(stage.rows().messages(None, 10).unwrap(), [message]);
    let counts = traffic(&stage, 1, at(1));
    assert_eq!(
        [counts.destination, counts.prefix, counts.tenant].map(|window| window.sent_day),
        [1, 1, 1]
    );
    let other = traffic(&stage, 2, at(1));
    assert_eq!((other.destination.sent_day, other.prefix.sent_day), (0, 1));
    stage.apply(&[entry(2, propose(proposal(&user(1), 1, at(1), vec![named("x")])))], 1);
    assert!(!put.has_changed().unwrap());
    stage.state_hash();
}

#[test]
fn a_decision_that_does_not_take_effect_sends_and_counts_nothing() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(0))], 1);
    let stale = proposal(&user(1), 0, at(1), vec![issued(1, 8, at(1))]);
    let answers = stage.apply(&[entry(2, propose(stale))], 1);
    assert_eq!(answers, [Applied::Conflict { version: 1 }]);
    assert_eq!(waiting(&stage), [7]);
    assert_eq!(traffic(&stage, 1, at(2)).tenant.sent_day, 1);
}

#[test]
fn a_message_lives_as_long_as_its_code_by_the_shards_own_clock() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(100)), enrolled(2, 2, 8, at(40))], 2);
    // The second leader's clock was behind.
    let message = stage.rows().message(&message_key(8, at(100))).unwrap().unwrap();
    assert_eq!(message.issued_at, at(100));
    let (_, state) = stage.rows().user(&user(2)).unwrap();
    let code = state.factors[0].kind.message().unwrap().1.latest().unwrap();
    assert_eq!((code.sent_at, code.expires_at), (message.issued_at, message.expires_at));
}

#[test]
fn messages_are_listed_by_when_they_die() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 9, at(0)), enrolled(2, 2, 8, at(1)), enrolled(3, 3, 7, at(1))], 3);
    assert_eq!(waiting(&stage), [9, 7, 8]);
    let first = stage.rows().messages(None, 2).unwrap();
    let rest = stage.rows().messages(Some(first[1].key()), 2).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].key(), message_key(8, at(1)));
    // A name that is settled meanwhile is as good a place to go on from.
    let second = message_key(7, at(1));
    stage.apply(&[entry(4, settle(at(2), vec![(second, sent())]))], 1);
    assert_eq!(stage.rows().messages(Some(second), 2).unwrap(), rest);
}

#[test]
fn what_became_of_a_message_stands_beside_its_code() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(0)), enrolled(2, 2, 8, at(0))], 2);
    let outcome = |number| {
        let (version, state) = stage.rows().user(&user(number)).unwrap();
        let code = state.factors[0].kind.message().unwrap().1.latest().unwrap();
        (version, code.outcome.clone())
    };
    assert_eq!(outcome(1), (1, SendOutcome::Pending));
    let failed = MessageOutcome::Failed { reason: "provider_21610".to_owned() };
    let outcomes = vec![(message_key(7, at(0)), failed), (message_key(8, at(0)), sent())];
    stage.apply(&[entry(3, settle(at(1), outcomes))], 1);
    let reason = "provider_21610".to_owned();
    assert_eq!(outcome(1), (3, SendOutcome::Failed { reason }));
    assert_eq!(outcome(2), (3, SendOutcome::Sent));
    // Whoever decides on what stood there before decides again.
    let stale = proposal(&user(1), 1, at(2), vec![named("x")]);
    assert_eq!(stage.apply(&[entry(4, propose(stale))], 1), [Applied::Conflict { version: 3 }]);
    stage.state_hash();
}

#[test]
fn what_became_of_a_message_is_told_once_under_its_user() {
    let stage = Stage::new();
    let all = [7, 8, 9].map(|number| enrolled(u64::from(number), number, number, at(0)));
    stage.apply(&all, 3);
    let key = |number| message_key(number, at(0));
    let failed = MessageOutcome::Failed { reason: "rejected".to_owned() };
    let outcomes = vec![
        (key(7), sent()),
        (key(8), failed.clone()),
        (key(9), MessageOutcome::Superseded),
        (key(10), sent()),
    ];
    let settled = stage.apply(&[entry(10, settle(at(1), outcomes))], 1);
    assert_eq!(settled, [Applied::Noted]);
    assert_eq!(waiting(&stage), [0; 0]);
    let again = vec![(key(7), failed), (key(8), sent())];
    stage.apply(&[entry(11, settle(at(2), again))], 1);
    let rows = told(&stage);
    assert_eq!(rows.len(), 2, "{rows:?}");
    for (row, number, event_type, outcome, reason) in [
        (&rows[1], 7, "mfa.code.sent", AuditOutcome::Success, None),
        (&rows[0], 8, "mfa.delivery.failed", AuditOutcome::Failure, Some("rejected")),
    ] {
        assert_eq!(row.chained.event_type, event_type);
        assert_eq!((row.chained.outcome, row.reason()), (outcome, reason));
        assert_eq!(row.user(), Some(&user(number).user));
        assert_eq!(row.chained.factor_id, Some(FactorId::from_bytes([1; 16])));
        let details = [
            ("attempts".to_owned(), "2".to_owned()),
            ("channel".to_owned(), "sms".to_owned()),
            ("deliveryId".to_owned(), delivery_id(number).to_string()),
        ];
        assert_eq!(row.chained.details, details.into());
    }
    stage.state_hash();
}

#[test]
fn a_settling_leader_whose_clock_is_behind_does_not_turn_the_chain_back() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(100))], 1);
    stage.apply(&[entry(2, settle(at(5), vec![(message_key(7, at(100)), sent())]))], 1);
    assert_eq!(head(&stage).at, at(100));
    stage.apply(&[enrolled(3, 2, 8, at(200))], 1);
    stage.apply(&[entry(4, settle(at(300), vec![(message_key(8, at(200)), sent())]))], 1);
    assert_eq!(stage.rows().last_now(), at(300));
    stage.apply(&[enrolled(5, 3, 9, at(250))], 1);
    let times: Vec<_> = stage.rows().events(&tenant(), 0, 10).unwrap();
    assert!(times.is_sorted_by_key(|row| row.chained.at));
}

#[test]
fn what_waits_for_a_user_is_erased_with_the_user() {
    let erase = proposal(&user(1), 3, at(3), vec![UserEvent::Erased]);
    let second = proposal(&user(1), 1, at(2), vec![issued(1, 9, at(2))]);
    // User 10's name begins like user 1's.
    let entries = [
        enrolled(1, 1, 7, at(0)),
        enrolled(2, 10, 8, at(1)),
        entry(3, propose(second)),
        entry(4, propose(erase)),
    ];
    // What the erasing finds in the database, and what waits in its own batch.
    for size in [1, 2, 4] {
        let stage = Stage::new();
        stage.apply(&entries, size);
        assert_eq!(waiting(&stage), [8], "in batches of {size}");
        stage.apply(&[entry(5, settle(at(4), vec![(message_key(9, at(2)), sent())]))], 1);
        assert!(told(&stage).is_empty());
        stage.state_hash();
    }
}

#[test]
fn accepted_codes_and_told_floods_are_counted_over_shards_and_restarts() {
    let stage = Stage::new();
    for shard in [ShardId(1), ShardId(2)] {
        let spent = UserEvent::CodeSpent {
            factor: FactorId::from_bytes([1; 16]),
            delivery: delivery_id(7),
            lane: lane(1),
        };
        let noted = UserEvent::FloodNoted { key: LaneKey::Prefix("+1415".to_owned()) };
        let events = vec![spent, noted];
        let entries = [
            enrolled(1, 1, 7, at(0)),
            entry(2, propose(proposal(&user(1), 1, at(i64::from(shard.0)), events))),
        ];
        stage.store.machine(shard).unwrap().apply_entries(&entries).unwrap();
    }
    let check = |stage: &Stage| {
        let counts = traffic(stage, 1, at(10));
        assert_eq!((counts.destination.sent_day, counts.destination.verified_hour), (2, 2));
        assert_eq!((counts.prefix.sent_hour, counts.prefix.verified_hour), (2, 2));
        assert_eq!((counts.tenant.sent_hour, counts.tenant.verified_hour), (2, 2));
        assert_eq!(counts.prefix.noted_at, Some(at(2)));
        assert_eq!((counts.destination.noted_at, counts.tenant.noted_at), (None, None));
        let nobody: TenantId = "other".parse().unwrap();
        let elsewhere = stage.store.directory().traffic(&nobody, &lane(1), at(10)).unwrap();
        assert_eq!(elsewhere, Traffic::default());
    };
    check(&stage);
    check(&stage.restarted());
}

#[test]
fn messages_and_counts_survive_a_restart() {
    let stage = Stage::new();
    stage.apply(&errands(100), 16);
    let (messages, hash) = (stage.rows().messages(None, 1_000).unwrap(), stage.state_hash());
    let counts = traffic(&stage, 1, at(6_000));
    assert!(!messages.is_empty() && counts.tenant.sent_day > 10);
    let stage = stage.restarted();
    assert_eq!(stage.rows().messages(None, 1_000).unwrap(), messages);
    assert_eq!(traffic(&stage, 1, at(6_000)), counts);
    assert_eq!(stage.state_hash(), hash);
}

/// Hourly retention, as far as the age clock must move, from the entry `index` on.
fn hours(index: u64, from: i64, count: i64) -> Vec<Entry> {
    let hour = |hour: i64| at(from).plus_millis(hour * HOUR_MS);
    (1..=count).map(|one| entry(index + one as u64, retain(hour(one), 0))).collect()
}

#[test]
fn a_message_that_nobody_settled_goes_an_hour_after_its_code_died() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(0))], 1);
    stage.apply(&hours(1, 0, 1), 1);
    assert_eq!(waiting(&stage), [7], "its code has been dead for 55 minutes");
    stage.apply(&hours(2, 3_600, 1), 1);
    assert_eq!(waiting(&stage), [0; 0]);
    let rows = told(&stage);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].chained.event_type, "mfa.delivery.failed");
    assert_eq!((rows[0].reason(), rows[0].user()), (Some("expired"), Some(&user(1).user)));
    let (from, exported) = stage.rows().audit_export(&tenant(), 0, usize::MAX).unwrap();
    verify(&from, &exported, Some(&head(&stage))).unwrap();
    stage.state_hash();
}

#[test]
fn many_messages_that_nobody_settled_go_some_at_a_time() {
    let stage = Stage::new();
    let entries: Vec<_> =
        (1..=1_200).map(|number| enrolled(u64::from(number), number, number, at(0))).collect();
    stage.apply(&entries, 128);
    stage.apply(&hours(1_200, 0, 1), 1);
    let answers = stage.apply(&hours(1_201, 3_600, 2), 1);
    assert_eq!(answers[0], Applied::Maintained { more: true });
    assert_eq!(answers[1], Applied::Maintained { more: false });
    assert_eq!(waiting(&stage), [0; 0]);
    stage.state_hash();
}

#[test]
fn counts_go_when_nothing_of_them_counts_any_more() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(0))], 1);
    let later = proposal(&user(1), 1, at(20 * 3_600), vec![issued(1, 8, at(20 * 3_600))]);
    stage.apply(&[entry(2, propose(later))], 1);
    // Asked for the past, the row tells what it still holds.
    let held = |stage: &Stage| traffic(stage, 1, at(20 * 3_600)).tenant.sent_day;
    stage.apply(&hours(2, 20 * 3_600, 20), 1);
    assert_eq!(held(&stage), 2, "the second message still counts");
    stage.apply(&hours(22, 40 * 3_600, 20), 1);
    assert_eq!(held(&stage), 0);
    stage.state_hash();
}

#[test]
fn a_leader_whose_clock_is_years_ahead_removes_nothing_young() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(0))], 1);
    let years = at(0).plus_millis(2_000 * DAY_MS);
    stage.apply(&[entry(2, retain(years, 0))], 1);
    assert_eq!(traffic(&stage, 1, at(1)).tenant.sent_day, 1);
    let more: Vec<_> = (3..=8).map(|index| entry(index, retain(years, 0))).collect();
    let answers = stage.apply(&more, 1);
    assert!(answers.iter().all(|answer| *answer == Applied::Maintained { more: false }));
    assert_eq!(traffic(&stage, 1, at(1)).tenant.sent_day, 1, "fourteen hours have passed at most");
}

#[test]
fn what_waits_and_is_counted_for_a_tenant_goes_with_it() {
    let stage = Stage::new();
    stage.apply(&[enrolled(1, 1, 7, at(0)), enrolled(2, 2, 8, at(0))], 2);
    let purge = |index, limit| entry(index, LogCommand::PurgeTenant { tenant: tenant(), limit });
    stage.apply(&[purge(3, 1)], 1);
    assert_eq!(waiting(&stage).len(), 1);
    assert_eq!(stage.apply(&[purge(4, 10)], 1), [Applied::Maintained { more: false }]);
    assert_eq!(waiting(&stage), [0; 0]);
    assert_eq!(traffic(&stage, 1, at(1)), Traffic::default());
    // What was to be looked at later is not there any more, and that is no surprise.
    stage.apply(&hours(4, 0, 40), 1);
    stage.state_hash();
}

#[test]
fn replicas_agree_on_what_leaves_whatever_the_batches_were() {
    let entries = errands(600);
    let stages = [1, 7, 600].map(|size| {
        let stage = Stage::new();
        let answers = stage.apply(&entries, size);
        (stage, answers)
    });
    let (first, answers) = &stages[0];
    assert!(!answers.iter().any(|answer| matches!(answer, Applied::Conflict { .. })));
    assert!(answers.contains(&Applied::Unknown) && answers.contains(&Applied::Noted));
    assert!(!first.rows().messages(None, 10).unwrap().is_empty());
    assert!(!first.rows().webhooks().unwrap().is_empty());
    for (other, others) in &stages[1..] {
        assert_eq!(others, answers);
        assert_eq!(other.rows().head(), first.rows().head());
        assert_eq!(other.state_hash(), first.state_hash());
        let chain = |stage: &Stage| stage.rows().audit_export(&tenant(), 0, 10_000).unwrap();
        assert_eq!(chain(other), chain(first));
    }
}
