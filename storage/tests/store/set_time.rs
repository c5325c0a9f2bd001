//! A shard's time that is set back: nothing is open again, nothing waits for a time that was wrong.

use countersign_core::factor::message::SendOutcome;
use countersign_core::proposal::{Applied, LogCommand, TimeSetting};
use countersign_core::time::{HOUR_MS, Timestamp};

use countersign_storage::audit::{AuditQuery, Chained, verify};
use countersign_storage::{AppliedTime, Stored};

use crate::stage::{Stage, answer, at, bounds, entry, errands, proposal, propose, tenant, user};

/// What the clocks that were ahead said, and what the right ones say.
const AHEAD_SECONDS: i64 = 6 * HOUR_MS / 1_000;

fn set(from: Timestamp, to: Timestamp) -> LogCommand {
    LogCommand::SetTime(Box::new(TimeSetting { from, to, by: None }))
}

#[test]
fn the_time_goes_back_and_goes_on_from_there() {
    let stage = Stage::new();
    let ahead = at(AHEAD_SECONDS);
    stage.apply(&[entry(1, propose(proposal(&user(1), 0, ahead, vec![])))], 1);
    assert_eq!(stage.rows().time(), AppliedTime { last: ahead, ahead_ms: 0, set_at: 0 });
    let later = ahead.plus_millis(1_000);
    let answers = stage.apply(&[entry(2, set(later, at(60)))], 1);
    assert_eq!(answers, [Applied::Done { version: 2, at: at(60) }]);
    assert_eq!(stage.rows().time(), AppliedTime { last: at(60), ahead_ms: 0, set_at: 2 });
    // One that is right already is left alone.
    assert_eq!(stage.apply(&[entry(3, set(at(50), at(70)))], 1), [Applied::Noted]);
    assert_eq!(stage.rows().last_now(), at(60));
    let told = stage.rows().audit_export(&tenant(), 0, 100).unwrap().1;
    let told = Chained::from_bytes(&told.last().unwrap().chained).unwrap();
    assert_eq!(told.event_type, "mfa.cluster.time_set");
    assert_eq!(told.details["setBackMs"], later.millis_since(at(60)).to_string());
}

#[test]
fn how_far_a_shard_is_ahead_is_kept_with_its_last_change() {
    let stage = Stage::new();
    let stamped = |index: u64, now, clock| {
        let mut proposal = proposal(&user(u32::try_from(index).unwrap()), 0, now, vec![]);
        proposal.clock = clock;
        entry(index, propose(proposal))
    };
    stage.apply(&[stamped(1, at(AHEAD_SECONDS), at(0))], 1);
    let time = AppliedTime { last: at(AHEAD_SECONDS), ahead_ms: AHEAD_SECONDS * 1_000, set_at: 0 };
    assert_eq!(stage.rows().time(), time);
    // One that another overtook says nothing of the time that is.
    stage.apply(&[stamped(2, at(10), at(10))], 1);
    assert_eq!(stage.rows().time(), time);
    let stage = stage.restarted();
    assert_eq!(stage.rows().time(), time);
}

#[test]
fn messages_on_their_way_end_and_replicas_agree_however_entries_are_batched() {
    let entries = errands(300);
    let last = u64::try_from(entries.len()).unwrap();
    let (one, other) = (Stage::new(), Stage::new());
    one.apply(&entries, 16);
    other.apply(&entries, 1);
    assert!(!one.rows().messages(None, 1_000).unwrap().is_empty());
    assert!(waits_for_messages(&one));
    let to = one.rows().last_now().plus_millis(-HOUR_MS);
    let settings = [
        entry(last + 1, set(one.rows().last_now(), to)),
        entry(last + 2, propose(proposal(&user(200), 0, to, vec![]))),
    ];
    one.apply(&settings, 2);
    other.apply(&settings, 1);
    assert_eq!(one.state_hash(), other.state_hash());
    assert_eq!(one.rows().head(), other.rows().head());
    assert!(one.rows().messages(None, 1_000).unwrap().is_empty());
    assert!(!waits_for_messages(&one), "nobody is told to wait for what was not sent");
    let one = one.restarted();
    assert_eq!(one.state_hash(), other.state_hash());
}

/// Whether a user has a code whose message is on its way.
fn waits_for_messages(stage: &Stage) -> bool {
    (0..8).any(|number| {
        let (_, state) = stage.rows().user(&user(number)).unwrap();
        state.messages().any(|(_, _, to)| {
            to.codes.iter().any(|code| matches!(code.outcome, SendOutcome::Pending))
        })
    })
}

#[test]
fn answers_that_had_expired_stay_forgotten_and_new_ones_are_forgotten_in_their_time() {
    let stage = Stage::new();
    let keep = |index: u64, key: u8, now: Timestamp, seconds: i64| {
        let mut proposal = proposal(&user(key.into()), 0, now, vec![]);
        proposal.answer = Some(answer(key, now.plus_millis(seconds * 1_000)));
        entry(index, propose(proposal))
    };
    let ahead = at(AHEAD_SECONDS);
    stage.apply(&[keep(1, 1, ahead, 10)], 1);
    stage.apply(&[entry(2, set(ahead.plus_millis(20_000), at(60)))], 1);
    assert!(stage.rows().answer(&[1; 32]).unwrap().is_none(), "it had expired");
    stage.apply(&[keep(3, 2, at(60), 10)], 1);
    // The sweep comes with each sixteenth entry.
    let sweeping = propose(proposal(&user(9), 0, at(80), vec![]));
    stage.apply(&[entry(16, sweeping)], 1);
    assert!(stage.rows().answer(&[2; 32]).unwrap().is_none(), "it has expired by now");
}

#[test]
fn the_audit_log_verifies_and_is_found_by_time_although_time_was_set_back() {
    let stage = Stage::new();
    let ahead = AHEAD_SECONDS;
    let told = |index: u64, seconds: i64| {
        entry(index, propose(proposal(&user(index as u32), 0, at(seconds), vec![])))
    };
    stage.apply(&[told(1, 10)], 1);
    stage.apply(&(2..7).map(|index| told(index, ahead + index as i64)).collect::<Vec<_>>(), 5);
    stage.apply(&[entry(7, set(at(ahead + 10), at(60)))], 1);
    stage.apply(&[told(8, 70), told(9, 100)], 2);
    let (from, rows) = stage.rows().audit_export(&tenant(), 0, 100).unwrap();
    assert_eq!(verify(&from, &rows, None).unwrap().sequence, 9);
    let found = |since: Option<i64>, until: Option<i64>| {
        let query = AuditQuery { since: since.map(at), until: until.map(at), ..Default::default() };
        let page = stage.rows().audit_page(&tenant(), &query, bounds(None, 100)).unwrap();
        page.rows.iter().map(|row| row.chained.sequence).collect::<Vec<_>>()
    };
    assert_eq!(found(None, None), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(found(None, Some(200)), [9, 8, 7, 1]);
    assert_eq!(found(None, Some(80)), [8, 7, 1]);
    assert_eq!(found(None, Some(65)), [7, 1]);
    assert_eq!(found(None, Some(30)), [1]);
    assert_eq!(found(Some(65), None), [9, 8]);
    assert_eq!(found(Some(30), None), [9, 8, 7, 6, 5, 4, 3, 2]);
}
