//! The audit chain: it verifies, it breaks when it should, and it forgets people.

use countersign_core::event::UserEvent;
use countersign_core::proposal::{Applied, LogCommand};
use countersign_storage::ChainPoint;
use countersign_storage::audit::{AuditQuery, Broken, ExportRow, public_pseudonym, verify};

use crate::stage::{Stage, at, created, entry, history, named, proposal, propose, tenant, user};

fn export(stage: &Stage) -> (ChainPoint, Vec<ExportRow>) {
    stage.rows().audit_export(0, usize::MAX).unwrap()
}

fn verified(stage: &Stage) -> Result<ChainPoint, Broken> {
    let (from, rows) = export(stage);
    verify(&from, &rows, Some(&stage.rows().audit_head()))
}

/// Users 1 to 4, changed in turn, one audit row each time.
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
            let one = proposal(&user(number as u32), versions[number], at(index as i64), events);
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
    let head = stage.rows().audit_head();
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
    let checkpoint = ChainPoint { sequence: end.sequence, ..one.rows().audit_head() };
    assert!(matches!(verify(&from, &rows, Some(&checkpoint)), Err(Broken::Head { .. })));
}

#[test]
fn erasing_a_user_takes_the_person_out_and_leaves_the_chain() {
    let stage = busy(20);
    let (version, state) = stage.rows().user(&user(1)).unwrap();
    let pseudonym = public_pseudonym(state.pseudonym.unwrap());
    let erase = proposal(&user(1), version, at(30), vec![UserEvent::Erased]);
    stage.apply(&[entry(21, propose(erase))], 1);
    assert_eq!(verified(&stage).unwrap().sequence, 21);
    let page = stage.rows().audit_page(&tenant(), &AuditQuery::default(), None, 100).unwrap();
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
    let again = proposal(&user(1), 0, at(31), vec![created(99)]);
    stage.apply(&[entry(22, propose(again))], 1);
    let query = AuditQuery { user: Some(user(1).user), ..AuditQuery::default() };
    assert_eq!(stage.rows().audit_page(&tenant(), &query, None, 100).unwrap().rows.len(), 1);
}

#[test]
fn a_trimmed_chain_verifies_from_its_anchor() {
    let stage = busy(20);
    let trim = entry(21, LogCommand::TrimAudit { before: at(8) });
    assert_eq!(stage.apply(&[trim], 1), [Applied::Maintained { more: false }]);
    let (anchor, rows) = export(&stage);
    assert_eq!((anchor.sequence, rows.first().unwrap().sequence, rows.len()), (7, 8, 13));
    assert_eq!(verified(&stage).unwrap().sequence, 20);
    let page = stage.rows().audit_page(&tenant(), &AuditQuery::default(), None, 100).unwrap();
    assert_eq!(page.rows.len(), 13);
    // An export that starts in the middle verifies as well.
    let (from, rows) = stage.rows().audit_export(15, 3).unwrap();
    assert_eq!(verify(&from, &rows, None).unwrap().sequence, 17);
    let stage = stage.restarted();
    assert_eq!(verified(&stage).unwrap().sequence, 20);
}

#[test]
fn a_long_trim_is_done_in_bounded_steps() {
    let stage = busy(1_500);
    let trim = |index| entry(index, LogCommand::TrimAudit { before: at(2_000) });
    assert_eq!(stage.apply(&[trim(1_501)], 1), [Applied::Maintained { more: true }]);
    assert_eq!(stage.apply(&[trim(1_502)], 1), [Applied::Maintained { more: false }]);
    let (anchor, rows) = export(&stage);
    assert_eq!((anchor.sequence, rows.len()), (1_500, 0));
    assert_eq!(verified(&stage).unwrap().sequence, 1_500);
}

#[test]
fn pages_come_newest_first_and_hold_what_was_asked_for() {
    let stage = busy(20);
    let rows = stage.rows();
    let all = AuditQuery::default();
    let first = rows.audit_page(&tenant(), &all, None, 8).unwrap();
    let places = |rows: &[countersign_storage::audit::AuditRow]| {
        rows.iter().map(|row| row.chained.sequence).collect::<Vec<_>>()
    };
    assert_eq!(places(&first.rows), [20, 19, 18, 17, 16, 15, 14, 13]);
    let second = rows.audit_page(&tenant(), &all, first.before, 8).unwrap();
    assert_eq!(places(&second.rows), [12, 11, 10, 9, 8, 7, 6, 5]);
    let last = rows.audit_page(&tenant(), &all, second.before, 8).unwrap();
    assert_eq!((places(&last.rows), last.before), (vec![4, 3, 2, 1], None));

    let between = AuditQuery { since: Some(at(5)), until: Some(at(8)), ..all.clone() };
    assert_eq!(places(&rows.audit_page(&tenant(), &between, None, 8).unwrap().rows), [7, 6, 5]);

    let one = AuditQuery { user: Some(user(1).user), ..all.clone() };
    let page = rows.audit_page(&tenant(), &one, None, 8).unwrap();
    assert_eq!(places(&page.rows), [20, 16, 12, 8, 4]);
    assert!(page.rows.iter().all(|row| row.user() == Some(&user(1).user)));

    let typed = |text: &str| AuditQuery { event_type: Some(text.to_owned()), ..all.clone() };
    let count = |query| rows.audit_page(&tenant(), &query, None, 100).unwrap().rows.len();
    assert_eq!(count(typed("mfa.user.*")), 20);
    assert_eq!(count(typed("mfa.user.updated")), 20);
    assert_eq!(count(typed("mfa.user")), 0);
    let nobody = AuditQuery { user: Some("nobody".parse().unwrap()), ..all.clone() };
    assert_eq!(count(nobody), 0);
    assert!(
        rows.audit_page(&"other".parse().unwrap(), &typed("*"), None, 8).unwrap().rows.is_empty()
    );
}
