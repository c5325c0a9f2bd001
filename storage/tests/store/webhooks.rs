//! How deliveries to webhooks stand: late and repeated reports change nothing, and what is over goes.

use countersign_core::audit::AuditEntry;
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::proposal::{Applied, LogCommand};
use countersign_core::time::{DAY_MS, HOUR_MS, Timestamp};
use countersign_core::webhook::{DELIVERY_KEPT_MS, Delivery, DeliveryState};
use countersign_storage::Entry;

use crate::stage::{
    Stage, at, created, ended, entry, herald, named, proposal, propose, retain, tenant, user,
    waiting, webhook,
};

const STATUS: [DeliveryState; 2] = [DeliveryState::Delivered, DeliveryState::Dead];

fn report(index: u64, deliveries: Vec<Delivery>) -> Entry {
    entry(index, herald(at(0), webhook(1), None, deliveries))
}

fn again(index: u64, sequence: u64, now: Timestamp) -> Entry {
    let (tenant, webhook) = (tenant(), webhook(1));
    entry(index, LogCommand::Redeliver { tenant, webhook, sequence, now })
}

fn delivery(stage: &Stage, sequence: u64) -> Delivery {
    stage.rows().delivery(&tenant(), webhook(1), sequence).unwrap().unwrap()
}

#[test]
fn a_position_only_moves_forward() {
    let stage = Stage::new();
    let place = |index, position| entry(index, herald(at(0), webhook(1), position, Vec::new()));
    let position = |stage: &Stage| stage.rows().webhook_position(&tenant(), webhook(1)).unwrap();
    assert_eq!(position(&stage), None);
    for (index, said, stands) in
        [(1, Some(0), 0), (2, Some(5), 5), (3, Some(4), 5), (4, None, 5), (5, Some(6), 6)]
    {
        assert_eq!(stage.apply(&[place(index, said)], 1), [Applied::Noted]);
        assert_eq!(position(&stage), Some(stands));
    }
    assert_eq!(stage.rows().webhook_position(&tenant(), webhook(2)).unwrap(), None);
    let stage = stage.restarted();
    assert_eq!(position(&stage), Some(6));
    stage.state_hash();
}

#[test]
fn what_was_delivered_stays_delivered() {
    let stage = Stage::new();
    let first = waiting(4, at(0), 0);
    let delivered = ended(first.clone(), DeliveryState::Delivered, at(1));
    stage.apply(&[report(1, vec![first.clone()]), report(2, vec![delivered.clone()])], 1);
    for (index, late) in [
        (3, first.clone()),
        (4, waiting(4, at(0), 9)),
        (5, ended(waiting(4, at(0), 9), DeliveryState::Dead, at(9))),
        (6, waiting(4, at(50), 0)),
    ] {
        stage.apply(&[report(index, vec![late])], 1);
        assert_eq!(delivery(&stage, 4), delivered, "report {index}");
    }
    // One that was given up may have arrived after all.
    let dead = ended(waiting(5, at(0), 3), DeliveryState::Dead, at(9));
    let arrived = ended(waiting(5, at(0), 3), DeliveryState::Delivered, at(9));
    stage.apply(&[report(7, vec![dead]), report(8, vec![arrived.clone()])], 1);
    assert_eq!(delivery(&stage, 5), arrived);
    stage.state_hash();
}

#[test]
fn a_report_of_fewer_attempts_than_are_known_changes_nothing() {
    let stage = Stage::new();
    let known = waiting(4, at(0), 3);
    stage.apply(&[report(1, vec![known.clone()]), report(2, vec![waiting(4, at(0), 2)])], 1);
    assert_eq!(delivery(&stage, 4), known);
    let more = waiting(4, at(0), 4);
    stage.apply(&[report(3, vec![more.clone()])], 1);
    assert_eq!(delivery(&stage, 4), more);
}

#[test]
fn a_redelivery_begins_anew_and_no_late_report_ends_it() {
    for (number, state) in STATUS.into_iter().enumerate() {
        let stage = Stage::new();
        let old = ended(waiting(4, at(0), 2), state, at(1));
        stage.apply(&[report(1, vec![old.clone()])], 1);
        let mut redelivered = stage.rows().redelivered();
        assert_eq!(stage.apply(&[again(2, 4, at(60))], 1), [Applied::Noted], "{number}");
        assert!(redelivered.has_changed().unwrap());
        redelivered.mark_unchanged();
        let anew = delivery(&stage, 4);
        assert_eq!((anew.state, anew.attempts), (DeliveryState::Pending, 0));
        assert_eq!((anew.since, anew.next_attempt_at), (at(60), Some(at(60))));
        // Whatever is said of the attempts before it.
        for (index, state) in (3..).zip(STATUS) {
            stage.apply(&[report(index, vec![ended(waiting(4, at(0), 9), state, at(61))])], 1);
            assert_eq!(delivery(&stage, 4), anew);
        }
        let over = ended(anew, DeliveryState::Delivered, at(62));
        stage.apply(&[report(5, vec![over.clone()])], 1);
        assert_eq!(delivery(&stage, 4), over);
        assert!(!redelivered.has_changed().unwrap());
        stage.state_hash();
    }
}

#[test]
fn a_redelivery_within_the_same_moment_is_still_another() {
    let stage = Stage::new();
    let old = ended(waiting(4, at(60), 0), DeliveryState::Delivered, at(60));
    stage.apply(&[report(1, vec![old.clone()]), again(2, 4, at(60))], 2);
    assert!(delivery(&stage, 4).since > at(60));
    stage.apply(&[report(3, vec![old])], 1);
    assert_eq!(delivery(&stage, 4).state, DeliveryState::Pending);
}

#[test]
fn what_is_not_known_is_not_begun_anew() {
    let stage = Stage::new();
    stage.apply(&[report(1, vec![waiting(4, at(0), 0)])], 1);
    assert_eq!(stage.apply(&[again(2, 5, at(1))], 1), [Applied::Unknown]);
    let elsewhere = LogCommand::Redeliver {
        tenant: "other".parse().unwrap(),
        webhook: webhook(1),
        sequence: 4,
        now: at(1),
    };
    assert_eq!(stage.apply(&[entry(3, elsewhere)], 1), [Applied::Unknown]);
}

#[test]
fn deliveries_are_listed_from_either_end() {
    let stage = Stage::new();
    let some = |numbers: &[u64]| numbers.iter().map(|one| waiting(*one, at(0), 0)).collect();
    stage.apply(&[report(1, some(&[1, 2, 300, 4]))], 1);
    stage.apply(&[entry(2, herald(at(0), webhook(2), None, some(&[7])))], 1);
    let rows = stage.rows();
    let places = |deliveries: Vec<Delivery>| -> Vec<u64> {
        deliveries.iter().map(|delivery| delivery.sequence).collect()
    };
    let up = |after, limit| places(rows.deliveries(&tenant(), webhook(1), after, limit).unwrap());
    assert_eq!(up(None, 10), [1, 2, 4, 300]);
    assert_eq!(up(Some(1), 2), [2, 4]);
    assert_eq!(up(Some(300), 2), [0; 0]);
    assert_eq!(up(Some(u64::MAX), 2), [0; 0]);
    let down =
        |before, limit| places(rows.deliveries_page(&tenant(), webhook(1), before, limit).unwrap());
    assert_eq!(down(None, 3), [300, 4, 2]);
    assert_eq!(down(Some(2), 3), [1]);
    assert_eq!(down(Some(1), 3), [0; 0]);
}

#[test]
fn endpoints_are_listed_as_long_as_anything_of_them_is_there() {
    let stage = Stage::new();
    let of = |index, webhook: WebhookId, position, deliveries| {
        entry(index, herald(at(0), webhook, position, deliveries))
    };
    let many = |count| (1..=count).map(|one| waiting(one, at(0), 0)).collect::<Vec<_>>();
    stage.apply(
        &[
            of(1, webhook(3), Some(5), Vec::new()),
            of(2, webhook(1), None, many(3)),
            of(3, webhook(2), Some(1_500), many(1_500)),
        ],
        3,
    );
    let listed = |stage: &Stage| -> Vec<WebhookId> {
        stage.rows().webhooks().unwrap().into_iter().map(|(_, webhook)| webhook).collect()
    };
    assert_eq!(listed(&stage), [webhook(1), webhook(2), webhook(3)]);
    let forget = |index, number| {
        let (tenant, webhook) = (tenant(), webhook(number));
        entry(index, LogCommand::ForgetWebhook { tenant, webhook })
    };
    assert_eq!(stage.apply(&[forget(4, 2)], 1), [Applied::Maintained { more: true }]);
    assert_eq!(listed(&stage).len(), 3, "it is not gone yet");
    assert_eq!(stage.apply(&[forget(5, 2)], 1), [Applied::Maintained { more: false }]);
    assert_eq!(listed(&stage), [webhook(1), webhook(3)]);
    assert_eq!(stage.rows().webhook_position(&tenant(), webhook(2)).unwrap(), None);
    assert_eq!(stage.apply(&[forget(6, 9)], 1), [Applied::Maintained { more: false }]);
    stage.apply(&[forget(7, 1), forget(8, 3)], 2);
    assert!(listed(&stage).is_empty());
    // A report that comes late is taken in, and forgotten again.
    stage.apply(&[of(9, webhook(2), Some(9), many(1))], 1);
    assert_eq!(listed(&stage), [webhook(2)]);
    stage.state_hash();
}

#[test]
fn a_purge_forgets_the_endpoints_of_the_tenant_alone() {
    let stage = Stage::new();
    let other: TenantId = "other".parse().unwrap();
    let of_other = LogCommand::Herald(Box::new(countersign_core::outbox::HeraldReport {
        now: at(0),
        tenant: other.clone(),
        webhook: webhook(2),
        position: Some(3),
        deliveries: vec![waiting(3, at(0), 0)],
    }));
    stage.apply(&[report(1, vec![waiting(1, at(0), 0)]), entry(2, of_other)], 2);
    let purge = LogCommand::PurgeTenant { tenant: tenant(), limit: 10 };
    stage.apply(&[entry(3, purge)], 1);
    assert_eq!(stage.rows().webhooks().unwrap(), [(other, webhook(2))]);
    stage.state_hash();
}

#[test]
fn ended_deliveries_are_kept_for_days_and_waiting_ones_until_they_end() {
    let stage = Stage::new();
    let done = ended(waiting(1, at(0), 0), DeliveryState::Delivered, at(0));
    let dead = ended(waiting(2, at(0), 0), DeliveryState::Dead, at(0).plus_millis(DAY_MS));
    stage.apply(&[entry(1, propose(proposal(&user(1), 0, at(0), vec![created(1)])))], 1);
    stage.apply(&[report(2, vec![done, dead, waiting(3, at(0), 0)])], 1);
    let hour = |hour: i64| at(0).plus_millis(hour * HOUR_MS);
    let left = |stage: &Stage, from: i64, to: i64| -> Vec<u64> {
        let hours: Vec<_> =
            (from..=to).map(|one| entry(2 + one as u64, retain(hour(one), 0))).collect();
        stage.apply(&hours, 1);
        stage.state_hash();
        let deliveries = stage.rows().deliveries(&tenant(), webhook(1), None, 10).unwrap();
        deliveries.iter().map(|delivery| delivery.sequence).collect()
    };
    let kept = DELIVERY_KEPT_MS / HOUR_MS;
    assert_eq!(left(&stage, 1, kept - 1), [1, 2, 3]);
    assert_eq!(left(&stage, kept, kept), [2, 3]);
    assert_eq!(left(&stage, kept + 1, kept + 24), [3]);
    assert_eq!(left(&stage, kept + 25, 2 * kept), [3]);
}

#[test]
fn a_delivery_begun_anew_is_kept_as_long_as_any() {
    let stage = Stage::new();
    let done = ended(waiting(1, at(0), 0), DeliveryState::Delivered, at(0));
    stage.apply(&[entry(1, propose(proposal(&user(1), 0, at(0), vec![created(1)])))], 1);
    stage.apply(&[report(2, vec![done]), again(3, 1, at(2 * 24 * 3_600))], 1);
    let since = delivery(&stage, 1).since;
    let over = ended(waiting(1, since, 0), DeliveryState::Delivered, since);
    stage.apply(&[report(4, vec![over])], 1);
    let hours = |from: i64, to: i64| -> Vec<_> {
        let hour = |hour: i64| at(0).plus_millis(hour * HOUR_MS);
        (from..=to).map(|one| entry(4 + one as u64, retain(hour(one), 0))).collect()
    };
    stage.apply(&hours(1, 5 * 24 - 1), 1);
    assert_eq!(delivery(&stage, 1).state, DeliveryState::Delivered);
    stage.apply(&hours(5 * 24, 5 * 24), 1);
    assert_eq!(stage.rows().delivery(&tenant(), webhook(1), 1).unwrap(), None);
}

#[test]
fn events_are_read_on_from_any_place_of_the_chain() {
    let stage = Stage::new();
    let other: TenantId = "other".parse().unwrap();
    let entries: Vec<_> = (1..=10u64)
        .map(|index| {
            let mut key = user(index as u32);
            if index % 2 == 0 {
                key.tenant = other.clone();
            }
            let mut one = proposal(&key, 0, at(index as i64), vec![created(index as u32)]);
            one.audit = vec![AuditEntry::success("mfa.user.updated")];
            entry(index, propose(one))
        })
        .collect();
    stage.apply(&entries, 4);
    let rows = stage.rows();
    let after = |place, limit| -> Vec<u64> {
        let events = rows.events(&tenant(), place, limit).unwrap();
        events.iter().map(|row| row.chained.sequence).collect()
    };
    // Each tenant's rows are numbered by themselves.
    assert_eq!(after(0, 3), [1, 2, 3]);
    assert_eq!(after(3, 10), [4, 5]);
    assert_eq!(after(5, 10), [0; 0]);
    assert_eq!(after(u64::MAX, 10), [0; 0]);
    let third = rows.event(&tenant(), 3).unwrap().unwrap();
    assert_eq!(third.user(), Some(&user(5).user));
    let others = rows.event(&other, 3).unwrap().unwrap();
    assert_eq!(others.user(), Some(&user(6).user));
    assert_eq!(rows.event(&tenant(), 6).unwrap(), None);
    let before = |tenant: &TenantId, time| rows.events_before(tenant, time).unwrap();
    assert_eq!(before(&tenant(), at(5)), 2);
    assert_eq!(before(&tenant(), at(6)), 3);
    assert_eq!(before(&other, at(2)), 0);
    assert_eq!(before(&other, at(100)), 5);
    assert_eq!(before(&"nobody".parse().unwrap(), at(100)), 0);
    let more = proposal(&user(1), 1, at(11), vec![named("x")]);
    let mut applied = rows.applied();
    applied.mark_unchanged();
    stage.apply(&[entry(11, propose(more))], 1);
    assert!(applied.has_changed().unwrap());
    assert_eq!(after(5, 10), [6]);
}
