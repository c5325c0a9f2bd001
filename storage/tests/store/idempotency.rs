//! An answer is kept for its key, once, and not for ever, nor for longer than whom it tells of.

use countersign_core::event::UserEvent;
use countersign_core::proposal::{Applied, Change, LogCommand, Proposal};
use countersign_core::tenant::TenantEvent;
use countersign_core::time::{DAY_MS, HOUR_MS, Timestamp};

use crate::stage::{
    Stage, answer, at, created, day, entry, found_tenant, head, named, proposal, propose, retain,
    tenant, user,
};

fn asked(index: u64, expected: u64, now: Timestamp, key: u8) -> countersign_storage::Entry {
    let mut one = proposal(&user(1), expected, now, vec![created(1), named(&index.to_string())]);
    one.answer = Some(answer(key, now.plus_millis(DAY_MS)));
    entry(index, propose(one))
}

#[test]
fn a_repeated_request_changes_nothing_even_with_the_right_version() {
    let stage = Stage::new();
    let answers = stage.apply(&[asked(1, 0, at(0), 5), asked(2, 1, at(1), 5)], 2);
    assert_eq!(answers, [Applied::Done { version: 1, at: at(0) }, Applied::Repeated]);
    assert_eq!(stage.rows().user(&user(1)).unwrap().0, 1);
    let stage = stage.restarted();
    assert_eq!(stage.apply(&[asked(3, 1, at(2), 5)], 1), [Applied::Repeated]);
    assert_eq!(stage.rows().answer(&[5; 32]).unwrap().unwrap().reply, vec![5; 40]);
    assert_eq!(head(&stage).sequence, 1);
    stage.state_hash();
}

#[test]
fn an_expired_answer_is_removed_and_its_key_is_free_again() {
    let stage = Stage::new();
    stage.apply(&[asked(1, 0, at(0), 5), asked(2, 1, at(1), 6)], 2);
    let day = DAY_MS / 1_000;
    // The key itself, expired by the shard's clock.
    let again = stage.apply(&[asked(3, 2, at(day), 5)], 1);
    assert_eq!(again, [Applied::Done { version: 3, at: at(day) }]);
    assert_eq!(stage.rows().answer(&[5; 32]).unwrap().unwrap().expires_at, at(2 * day));
    // Later proposals sweep what has expired.
    let plain = proposal(&user(2), 0, at(day + 1), vec![created(2)]);
    stage.apply(&[entry(16, propose(plain))], 1);
    assert_eq!(stage.rows().answer(&[6; 32]).unwrap(), None);
    assert!(stage.rows().answer(&[5; 32]).unwrap().is_some());
    stage.state_hash();
}

#[test]
fn many_expired_answers_go_some_at_a_time_whatever_the_batches_were() {
    let entries: Vec<_> =
        (0..200u8).map(|key| asked(u64::from(key) + 1, u64::from(key), at(0), key)).collect();
    let later = |index: u64| {
        let number = index as u32;
        entry(index, propose(proposal(&user(number), 0, day(2), vec![created(number)])))
    };
    let sweeping: Vec<_> = (201..=272).map(later).collect();
    let hashes = [1, 5, 72].map(|size| {
        let stage = Stage::new();
        stage.apply(&entries, 7);
        let left = |stage: &Stage| {
            (0..200u8).filter(|key| stage.rows().answer(&[*key; 32]).unwrap().is_some()).count()
        };
        assert_eq!(left(&stage), 200);
        stage.apply(&sweeping[..20], size);
        assert_eq!(left(&stage), 136);
        stage.apply(&sweeping[20..], size);
        assert_eq!(left(&stage), 0);
        stage.state_hash()
    });
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));
}

#[test]
fn answers_of_a_shard_where_nothing_happens_go_by_retention() {
    let stage = Stage::new();
    stage.apply(&[asked(1, 0, at(0), 5), asked(2, 1, at(1), 6)], 2);
    let hourly = |index: u64| entry(index, retain(at(0).plus_millis(index as i64 * HOUR_MS), 0));
    stage.apply(&(3..=24).map(hourly).collect::<Vec<_>>(), 1);
    // The clock of the 24th entry, exactly a day: the first answer ends, the second does not.
    assert!(stage.rows().answer(&[5; 32]).unwrap().is_none());
    assert!(stage.rows().answer(&[6; 32]).unwrap().is_some());
    stage.apply(&[hourly(25)], 1);
    assert!(stage.rows().answer(&[6; 32]).unwrap().is_none());
    stage.state_hash();
}

#[test]
fn a_leader_that_is_ahead_forgets_no_young_answer_by_retention() {
    let stage = Stage::new();
    stage.apply(&[asked(1, 0, at(0), 5)], 1);
    stage.apply(&[entry(2, retain(day(1_000), 0)), entry(3, retain(day(1_000), 0))], 1);
    assert!(stage.rows().answer(&[5; 32]).unwrap().is_some());
    assert_eq!(stage.rows().last_now(), at(4 * 3_600));
}

#[test]
fn what_was_answered_about_a_user_is_erased_with_the_user() {
    let about = |index: u64, number: u32, expected: u64, key: u8| {
        let events = vec![created(number), named(&index.to_string())];
        let mut one = proposal(&user(number), expected, at(index as i64), events);
        one.answer = Some(answer(key, one.now.plus_millis(DAY_MS)));
        entry(index, propose(one))
    };
    let mut erase = proposal(&user(1), 4, at(5), vec![UserEvent::Erased]);
    erase.answer = Some(answer(9, at(5).plus_millis(DAY_MS)));
    // User 10's name begins like user 1's.
    let entries = [
        about(1, 1, 0, 1),
        about(2, 10, 0, 2),
        about(3, 1, 1, 3),
        about(4, 1, 3, 4),
        entry(5, propose(erase)),
    ];
    // What the erasing finds in the database, and what waits in its own batch.
    for size in [1, 2, 5] {
        let stage = Stage::new();
        stage.apply(&entries, size);
        let kept: Vec<u8> =
            (1..=9).filter(|key| stage.rows().answer(&[*key; 32]).unwrap().is_some()).collect();
        assert_eq!(kept, [2, 9], "in batches of {size}: the other user's, and the erasing's own");
        stage.state_hash();
        // Erasing whoever comes after leaves the answer to the first erasing.
        let again = proposal(&user(1), 0, at(6), vec![created(77)]);
        let erase = proposal(&user(1), 6, at(7), vec![UserEvent::Erased]);
        stage.apply(&[entry(6, propose(again)), entry(7, propose(erase))], 1);
        assert!(stage.rows().answer(&[9; 32]).unwrap().is_some());
    }
}

#[test]
fn what_was_answered_about_a_tenant_ends_with_it() {
    let stage = Stage::new();
    let of_tenant = |expected_version, events, key: u8| {
        let change = Change::Tenant { id: tenant(), events };
        let answer = Some(answer(key, at(1).plus_millis(DAY_MS)));
        propose(Proposal {
            change,
            expected_version,
            now: at(1),
            clock: at(1),
            audit: Vec::new(),
            answer,
        })
    };
    stage.apply(&[entry(1, found_tenant(at(0)))], 1);
    stage.apply(&[entry(2, of_tenant(1, Vec::new(), 2)), asked(3, 0, at(1), 3)], 1);
    stage.apply(&[entry(4, of_tenant(2, vec![TenantEvent::Removed], 4))], 1);
    let kept = |key: u8| stage.rows().answer(&[key; 32]).unwrap().is_some();
    assert_eq!([2, 3, 4].map(kept), [false, true, true]);
    stage.apply(&[entry(5, LogCommand::PurgeTenant { tenant: tenant(), limit: 10 })], 1);
    assert_eq!([2, 3, 4].map(kept), [false, false, true]);
    stage.state_hash();
}

#[test]
fn an_answer_is_kept_as_long_by_a_leader_whose_clock_is_behind() {
    let stage = Stage::new();
    stage.apply(&[asked(1, 0, day(9), 5), asked(2, 1, day(3), 6)], 2);
    let kept = stage.rows().answer(&[6; 32]).unwrap().unwrap();
    assert_eq!(kept.expires_at, day(10));
    assert_eq!(stage.apply(&[asked(3, 2, day(3), 6)], 1), [Applied::Repeated]);
}

#[test]
fn no_answer_is_kept_for_longer_than_a_day_of_the_shard() {
    let stage = Stage::new();
    let mut one = proposal(&user(1), 0, at(0), vec![created(1)]);
    one.answer = Some(answer(9, at(0).plus_millis(400 * DAY_MS)));
    stage.apply(&[entry(1, propose(one))], 1);
    let kept = stage.rows().answer(&[9; 32]).unwrap().unwrap();
    assert_eq!(kept.expires_at, at(0).plus_millis(DAY_MS));
}
