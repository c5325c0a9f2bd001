//! An answer is kept for its key, once, and not for ever.

use countersign_core::proposal::Applied;
use countersign_core::time::{DAY_MS, Timestamp};

use crate::stage::{Stage, answer, at, created, entry, named, proposal, propose, user};

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
    assert_eq!(stage.rows().audit_head().sequence, 1);
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
    // Any later proposal sweeps what has expired.
    let plain = proposal(&user(2), 0, at(day + 1), vec![created(2)]);
    stage.apply(&[entry(4, propose(plain))], 1);
    assert_eq!(stage.rows().answer(&[6; 32]).unwrap(), None);
    assert!(stage.rows().answer(&[5; 32]).unwrap().is_some());
    stage.state_hash();
}

#[test]
fn many_expired_answers_go_a_few_at_a_time() {
    let stage = Stage::new();
    let kept: Vec<_> =
        (0..20u8).map(|key| asked(u64::from(key) + 1, u64::from(key), at(0), key)).collect();
    stage.apply(&kept, 7);
    let left = |stage: &Stage| {
        (0..20u8).filter(|key| stage.rows().answer(&[*key; 32]).unwrap().is_some()).count()
    };
    assert_eq!(left(&stage), 20);
    let later = at(DAY_MS / 1_000 + 1);
    let mut counts = Vec::new();
    for number in 2..8u32 {
        let plain = proposal(&user(number), 0, later, vec![created(number)]);
        stage.apply(&[entry(u64::from(number) + 19, propose(plain))], 1);
        counts.push(left(&stage));
    }
    assert_eq!(counts, [16, 12, 8, 4, 0, 0]);
    stage.state_hash();
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
