//! The audit chain: it verifies, it breaks when it should, and it forgets people.

use countersign_core::audit::{AuditEntry, FACTORS_RESET};
use countersign_core::event::UserEvent;
use countersign_core::ids::{TenantId, UserKey};
use countersign_core::proposal::{Applied, LogCommand, RETAIN_EVERY_MS};
use countersign_storage::ChainPoint;
use countersign_storage::audit::{
    AuditBounds, AuditQuery, Broken, ExportRow, public_pseudonym, verify,
};

use crate::stage::{
    Stage, bounds, created, day, entry, head, history, named, proposal, propose, retain, tenant,
    user,
};

fn export(stage: &Stage) -> (ChainPoint, Vec<ExportRow>) {
    stage.rows().audit_export(&tenant(), 0, usize::MAX).unwrap()
}

fn verified(stage: &Stage) -> Result<ChainPoint, Broken> {
    let (from, rows) = export(stage);
    verify(&from, &rows, Some(&head(stage)))
}

/// Users 1 to 4, changed in turn, one audit row a day.
fn busy(rows: u64) -> Stage {
    let stage = Stage::new();
    let mut versions = [0; 5];
    let entries: Vec<_> = (1..=rows)
        .map(|index| {
            let number = (index % 4 + 1) as usize;
            let events = match versions[number] {
                0 => vec![created(number as u32)],
                _ => vec![named(&index.to_string())],
            };
            let one = proposal(&user(number as u32), versions[number], day(index as i64), events);
            versions[number] = index;
            entry(index, propose(one))
        })
        .collect();
    stage.apply(&entries, 10);
    stage
}

#[test]
fn the_chain_verifies_and_every_alteration_breaks_it() {
    let stage = busy(20);
    assert_eq!(verified(&stage).unwrap().sequence, 20);
    let (from, rows) = export(&stage);
    let head = head(&stage);
    for at in 0..rows.len() {
        let sequence = rows[at].sequence;
        let mut altered = rows.clone();
        let last = altered[at].chained.len() - 1;
        altered[at].chained[last] ^= 1;
        assert_eq!(verify(&from, &altered, Some(&head)), Err(Broken::Hash(sequence)));
        let mut altered = rows.clone();
        altered[at].annex.as_mut().unwrap()[5] ^= 1;
        assert_eq!(verify(&from, &altered, Some(&head)), Err(Broken::Annex(sequence)));
        let mut without = rows.clone();
        without.remove(at);
        assert!(verify(&from, &without, Some(&head)).is_err());
    }
}

#[test]
fn a_rewritten_chain_is_not_the_one_of_the_checkpoint() {
    let (one, two) = (busy(8), Stage::new());
    two.apply(&history(9), 9);
    let (from, rows) = export(&two);
    let end = verify(&from, &rows, None).unwrap();
    let checkpoint = ChainPoint { sequence: end.sequence, ..head(&one) };
    assert!(matches!(verify(&from, &rows, Some(&checkpoint)), Err(Broken::Head { .. })));
}

#[test]
fn erasing_a_user_takes_the_person_out_and_leaves_the_chain() {
    let stage = busy(20);
    let (version, state) = stage.rows().user(&user(1)).unwrap();
    let pseudonym = public_pseudonym(state.pseudonym.unwrap());
    let erase = proposal(&user(1), version, day(30), vec![UserEvent::Erased]);
    stage.apply(&[entry(21, propose(erase))], 1);
    assert_eq!(verified(&stage).unwrap().sequence, 21);
    let page =
        stage.rows().audit_page(&tenant(), &AuditQuery::default(), bounds(None, 100)).unwrap();
    assert_eq!(page.rows.len(), 21);
    for row in &page.rows {
        let is_erased = row.chained.pseudonym == Some(pseudonym);
        assert_eq!(row.annex.is_none(), is_erased, "row {}", row.chained.sequence);
    }
    // The name and the address are nowhere in the bytes that remain of the user.
    let (_, rows) = export(&stage);
    let text = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"user_1");
    assert!(rows.iter().all(|row| !text(&row.chained)));
    assert!(rows.iter().filter_map(|row| row.annex.as_deref()).all(|annex| !text(annex)));
    // Whoever comes back under the same name is somebody new.
    let again = proposal(&user(1), 0, day(31), vec![created(99)]);
    stage.apply(&[entry(22, propose(again))], 1);
    let query = AuditQuery { user: Some(user(1).user), ..AuditQuery::default() };
    assert_eq!(
        stage.rows().audit_page(&tenant(), &query, bounds(None, 100)).unwrap().rows.len(),
        1
    );
}

#[test]
fn a_trimmed_chain_verifies_from_its_anchor() {
    let stage = busy(20);
    let trim = entry(21, retain(day(20), 12));
    assert_eq!(stage.apply(&[trim], 1), [Applied::Maintained { more: false }]);
    let (anchor, rows) = export(&stage);
    assert_eq!((anchor.sequence, rows.first().unwrap().sequence, rows.len()), (7, 8, 13));
    assert_eq!(verified(&stage).unwrap().sequence, 20);
    let page =
        stage.rows().audit_page(&tenant(), &AuditQuery::default(), bounds(None, 100)).unwrap();
    assert_eq!(page.rows.len(), 13);
    // An export that starts in the middle verifies as well.
    let (from, rows) = stage.rows().audit_export(&tenant(), 15, 3).unwrap();
    assert_eq!(verify(&from, &rows, None).unwrap().sequence, 17);
    let stage = stage.restarted();
    assert_eq!(verified(&stage).unwrap().sequence, 20);
}

#[test]
fn a_long_trim_is_done_in_bounded_steps() {
    let stage = busy(1_500);
    let trim = |index| entry(index, retain(day(1_500), 1));
    assert_eq!(stage.apply(&[trim(1_501)], 1), [Applied::Maintained { more: true }]);
    assert_eq!(stage.apply(&[trim(1_502)], 1), [Applied::Maintained { more: false }]);
    let (anchor, rows) = export(&stage);
    assert_eq!((anchor.sequence, rows.len()), (1_498, 2));
    assert_eq!(verified(&stage).unwrap().sequence, 1_500);
}

#[test]
fn a_leader_whose_clock_is_years_ahead_trims_nothing_young() {
    let stage = busy(20);
    let years_ahead = day(5_000);
    // However much has piled up and however often it is said: one step an entry, and none while
    // anything is left that was due before.
    let first = stage.apply(&[entry(21, retain(years_ahead, 12))], 1);
    assert_eq!(first, [Applied::Maintained { more: false }]);
    assert_eq!(export(&stage).0.sequence, 7, "by the clock of the 20th day");
    stage.apply(&[entry(22, retain(years_ahead, 12))], 1);
    assert_eq!(export(&stage).0.sequence, 8, "and two hours");
    // What such a leader decides meanwhile ages nothing either.
    let version = stage.rows().user(&user(1)).unwrap().0;
    let decided = proposal(&user(1), version, years_ahead, vec![named("ahead")]);
    stage.apply(&[entry(23, propose(decided)), entry(24, retain(years_ahead, 12))], 2);
    assert_eq!(export(&stage).0.sequence, 8);
    assert_eq!(stage.rows().last_now(), years_ahead);
    // The old command, which told a time, removes nothing.
    stage.apply(&[entry(25, LogCommand::TrimAudit { before: years_ahead })], 1);
    assert_eq!(export(&stage).0.sequence, 8);
    // With the right time again, rows grow old as the days go by.
    let hours = (1..=40).map(|hour| {
        entry(25 + hour as u64, retain(day(20).plus_millis(hour * RETAIN_EVERY_MS), 12))
    });
    stage.apply(&hours.collect::<Vec<_>>(), 1);
    assert_eq!(export(&stage).0.sequence, 9);
    verified(&stage).unwrap();
}

#[test]
fn what_somebody_wrote_is_erased_with_the_user() {
    let stage = busy(4);
    let reset = |number: u32, index: u64| {
        let version = stage.rows().user(&user(number)).unwrap().0;
        let mut one = proposal(&user(number), version, day(5), vec![UserEvent::Reset]);
        one.audit = vec![AuditEntry::success(FACTORS_RESET).because("Ann Example called")];
        stage.apply(&[entry(index, propose(one))], 1);
    };
    reset(1, 5);
    reset(2, 6);
    let page = stage.rows().audit_page(&tenant(), &AuditQuery::default(), bounds(None, 2)).unwrap();
    assert!(page.rows.iter().all(|row| row.reason() == Some("Ann Example called")));
    let erase = proposal(&user(1), 5, day(6), vec![UserEvent::Erased]);
    stage.apply(&[entry(7, propose(erase))], 1);
    let tells = |row: &ExportRow| {
        let bytes = [row.chained.as_slice(), row.annex.as_deref().unwrap_or_default()].concat();
        bytes.windows(3).any(|window| window == b"Ann")
    };
    let (_, rows) = export(&stage);
    let telling: Vec<u64> = rows.iter().filter(|row| tells(row)).map(|row| row.sequence).collect();
    assert_eq!(telling, [6], "the other user's stays, the erased one's is gone");
    assert!(rows.iter().all(|row| !row.chained.windows(3).any(|window| window == b"Ann")));
    verified(&stage).unwrap();
}

fn other_tenant() -> TenantId {
    "other".parse().unwrap()
}

fn user_of_other(number: u32) -> UserKey {
    UserKey::new(other_tenant(), user(number).user)
}

/// Ten rows of the default tenant, and before each as many of another one as `others` says.
fn shared(others: u64) -> Stage {
    let stage = Stage::new();
    let mut entries = Vec::new();
    let mut index = 0;
    for number in 1..=10_u32 {
        for other in 0..others {
            index += 1;
            let number = number * 100 + other as u32;
            let created = vec![created(number)];
            let one = proposal(&user_of_other(number), 0, day(number as i64 / 100), created);
            entries.push(entry(index, propose(one)));
        }
        index += 1;
        let one = proposal(&user(number), 0, day(number.into()), vec![created(number)]);
        entries.push(entry(index, propose(one)));
    }
    stage.apply(&entries, 7);
    stage
}

#[test]
fn a_tenants_export_is_the_same_bytes_whatever_others_do_in_its_shards() {
    let alone = export(&shared(0));
    assert_eq!(alone.1.len(), 10);
    for others in [1, 5] {
        let stage = shared(others);
        assert_eq!(export(&stage), alone, "{others}");
        assert_eq!(verified(&stage).unwrap().sequence, 10);
        let (from, rows) = stage.rows().audit_export(&other_tenant(), 0, usize::MAX).unwrap();
        let head = stage.rows().audit_chain(&other_tenant()).unwrap().head;
        assert_eq!(verify(&from, &rows, Some(&head)).unwrap().sequence, 10 * others);
    }
}

#[test]
fn a_trim_tells_each_tenant_where_its_own_chain_begins() {
    let stage = shared(2);
    stage.apply(&[entry(31, retain(day(10), 5))], 1);
    let (start, rows) = export(&stage);
    assert_eq!((start.sequence, rows.len()), (4, 6));
    assert_eq!(verified(&stage).unwrap().sequence, 10);
    let (start, rows) = stage.rows().audit_export(&other_tenant(), 0, usize::MAX).unwrap();
    assert_eq!((start.sequence, rows.len()), (8, 12));
    let head = stage.rows().audit_chain(&other_tenant()).unwrap().head;
    assert_eq!(verify(&start, &rows, Some(&head)).unwrap().sequence, 20);
    // And all of it, once.
    stage.apply(&[entry(32, retain(day(10), 0)), entry(33, retain(day(10), 5))], 1);
    assert_eq!(export(&stage.restarted()).0.sequence, 4);
}

#[test]
fn what_is_no_users_keeps_its_address_in_each_tenant() {
    let stage = Stage::new();
    let told = |key: &UserKey, address: [u8; 4]| {
        let mut one = proposal(key, 0, day(1), Vec::new());
        let audit = AuditEntry::failure("mfa.portal.refused", "unknown");
        one.audit = vec![audit.from_address(Some(address.into()))];
        propose(one)
    };
    let entries = [
        entry(1, told(&user(1), [203, 0, 113, 1])),
        entry(2, told(&user_of_other(1), [203, 0, 113, 2])),
    ];
    stage.apply(&entries, 2);
    for (tenant, last) in [(tenant(), 1), (other_tenant(), 2)] {
        let rows = stage.rows().audit_page(&tenant, &AuditQuery::default(), bounds(None, 9));
        let rows = rows.unwrap().rows;
        let address = rows[0].annex.as_ref().unwrap().ip_address;
        assert_eq!(address, Some([203, 0, 113, last].into()), "{tenant}");
    }
    verified(&stage).unwrap();
}

#[test]
fn a_page_looks_at_no_more_rows_than_it_may_and_the_next_goes_on() {
    let stage = busy(20);
    let nothing = AuditQuery { event_type: Some("mfa.none".to_owned()), ..AuditQuery::default() };
    let mut before = None;
    for looked_at in [8, 8, 4] {
        let bounds = AuditBounds { before, limit: 100, look_at: 8 };
        let page = stage.rows().audit_page(&tenant(), &nothing, bounds).unwrap();
        assert_eq!((page.rows.len(), page.looked_at), (0, looked_at));
        before = page.before;
    }
    assert_eq!(before, None);
    // None at all would never end.
    let bounds = AuditBounds { before: None, limit: 100, look_at: 0 };
    assert_eq!(stage.rows().audit_page(&tenant(), &nothing, bounds).unwrap().before, Some(20));
}

#[test]
fn pages_come_newest_first_and_hold_what_was_asked_for() {
    let stage = busy(20);
    let rows = stage.rows();
    let all = AuditQuery::default();
    let first = rows.audit_page(&tenant(), &all, bounds(None, 8)).unwrap();
    let places = |rows: &[countersign_storage::audit::AuditRow]| {
        rows.iter().map(|row| row.chained.sequence).collect::<Vec<_>>()
    };
    assert_eq!(places(&first.rows), [20, 19, 18, 17, 16, 15, 14, 13]);
    let second = rows.audit_page(&tenant(), &all, bounds(first.before, 8)).unwrap();
    assert_eq!(places(&second.rows), [12, 11, 10, 9, 8, 7, 6, 5]);
    let last = rows.audit_page(&tenant(), &all, bounds(second.before, 8)).unwrap();
    assert_eq!((places(&last.rows), last.before), (vec![4, 3, 2, 1], None));

    let between = AuditQuery { since: Some(day(5)), until: Some(day(8)), ..all.clone() };
    assert_eq!(
        places(&rows.audit_page(&tenant(), &between, bounds(None, 8)).unwrap().rows),
        [7, 6, 5]
    );

    let one = AuditQuery { user: Some(user(1).user), ..all.clone() };
    let page = rows.audit_page(&tenant(), &one, bounds(None, 8)).unwrap();
    assert_eq!(places(&page.rows), [20, 16, 12, 8, 4]);
    assert!(page.rows.iter().all(|row| row.user() == Some(&user(1).user)));

    let typed = |text: &str| AuditQuery { event_type: Some(text.to_owned()), ..all.clone() };
    let count = |query| rows.audit_page(&tenant(), &query, bounds(None, 100)).unwrap().rows.len();
    assert_eq!(count(typed("mfa.user.*")), 20);
    assert_eq!(count(typed("mfa.user.updated")), 20);
    assert_eq!(count(typed("mfa.user")), 0);
    let nobody = AuditQuery { user: Some("nobody".parse().unwrap()), ..all.clone() };
    assert_eq!(count(nobody), 0);
    assert!(
        rows.audit_page(&"other".parse().unwrap(), &typed("*"), bounds(None, 8))
            .unwrap()
            .rows
            .is_empty()
    );
}
