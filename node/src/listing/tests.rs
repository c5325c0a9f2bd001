use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use countersign_actors::gateway::PolicyPreview;
use countersign_core::audit::AuditEntry;
use countersign_core::event::UserEvent;
use countersign_core::ids::{Pseudonym, UserId};
use countersign_core::policy::{Policy, PolicyPatch, Requirement};
use countersign_core::proposal::{Change, LogCommand, Proposal};
use countersign_core::settings::Settings;
use countersign_core::tenant::{TenantState, with_policy};
use countersign_core::user::Profile;
use countersign_storage::{Entry, StoreOptions, TypeConfig};
use openraft::type_config::alias::CommittedLeaderIdOf;
use openraft::vote::RaftLeaderId;
use openraft::{EntryPayload, LogId};
use tempfile::TempDir;

use super::*;

const SHARDS: u16 = 4;
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Lists whose requests end for the number of rows alone: tests do not depend on time.
fn listing(store: Arc<Store>) -> Listing {
    let readers = Readers::reading_for(Duration::from_secs(600));
    Listing { readers, ..Listing::new(store, SHARDS) }
}

/// Rows of all shards, and nothing else of a node.
struct Rows {
    listing: Listing,
    _dir: TempDir,
}

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

impl Rows {
    /// With users of these ids and addresses.
    fn of<'a>(tenant: &TenantId, users: impl IntoIterator<Item = (String, &'a str)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let mut entries: Vec<Vec<Entry>> = vec![Vec::new(); usize::from(SHARDS)];
        for (id, email) in users {
            let key = UserKey::new(tenant.clone(), id.parse().unwrap());
            let own = &mut entries[usize::from(key.hash().shard(SHARDS).0)];
            own.push(entry(own.len() as u64 + 1, key, email));
        }
        for (shard, entries) in (0..).zip(entries) {
            store.machine(ShardId(shard)).unwrap().apply_entries(&entries).unwrap();
        }
        Self { listing: listing(store), _dir: dir }
    }

    /// All pages of who is found, and how many pages there were.
    async fn found(&self, tenant: &TenantId, query: &str, limit: usize) -> (Vec<String>, usize) {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let query = Some(query.to_owned());
            let page = self.listing.users(tenant.clone(), query, cursor, limit).await.unwrap();
            assert!(page.data.len() <= limit);
            seen.extend(page.data.iter().map(|user| user.id.as_str().to_owned()));
            pages += 1;
            cursor = page.next_cursor;
            if cursor.is_none() {
                return (seen, pages);
            }
        }
    }

    async fn preview(&self, patch: &PolicyPatch, looks_for: Duration) -> PolicyPreview {
        let current = TenantState::new(
            tenant(),
            "Default".to_owned(),
            NOW,
            Policy::initial(NOW),
            Settings::initial(),
        );
        let next = with_policy(&current, patch, NOW).unwrap();
        self.listing.preview(Arc::new(current), next, NOW, looks_for).await.unwrap()
    }
}

fn entry(index: u64, key: UserKey, email: &str) -> Entry {
    let profile =
        Profile { email: (!email.is_empty()).then(|| email.to_owned()), ..Profile::default() };
    let created = UserEvent::Created { pseudonym: Pseudonym::from_bytes([7; 16]) };
    let proposal = Proposal {
        change: Change::User { key, events: vec![created, UserEvent::ProfileSet(profile)] },
        expected_version: 0,
        now: NOW,
        clock: NOW,
        audit: Vec::new(),
        answer: None,
    };
    Entry {
        log_id: LogId::new(CommittedLeaderIdOf::<TypeConfig>::new(1, 1), index),
        payload: EntryPayload::Normal(LogCommand::Propose(Box::new(proposal))),
    }
}

#[test]
fn a_cursor_comes_back_and_a_strange_one_is_refused() {
    let cursor = AuditCursor { before: vec![0, u64::MAX, 7] };
    assert_eq!(parse(Some(&write(&cursor).unwrap())), Ok(Some(cursor)));
    assert_eq!(parse::<AuditCursor>(None), Ok(None));
    for strange in ["", "x", "AAAA", "💥", "AQ=="] {
        let refused = Err(GatewayError::InvalidCursor);
        assert_eq!(parse::<AuditCursor>(Some(strange)), refused, "{strange}");
    }
}

fn numbered(count: u32) -> impl Iterator<Item = (String, &'static str)> {
    (0..count).map(|number| (format!("user_{number}"), ""))
}

#[tokio::test]
async fn a_user_is_found_by_the_beginning_of_the_id_and_the_very_id_comes_first() {
    let rows = Rows::of(&tenant(), numbered(120));
    for limit in [1, 3, 200] {
        let (found, _) = rows.found(&tenant(), "user_1", limit).await;
        assert_eq!(found[0], "user_1", "{limit}");
        let expected: BTreeSet<String> =
            (0..120).map(|n| format!("user_{n}")).filter(|id| id.starts_with("user_1")).collect();
        assert_eq!(found.len(), expected.len(), "each once: {found:?}");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{limit}");
    }
    for nobody in ["user_120", "User_1", "ser_1", "user_1%", "ü", "user_1 "] {
        assert_eq!(rows.found(&tenant(), nobody, 10).await.0, Vec::<String>::new(), "{nobody}");
    }
}

#[tokio::test]
async fn a_user_is_found_by_the_beginning_of_the_address_in_any_case() {
    let users = [
        ("ann@example.com", "other@example.com"),
        ("u1", "Ann@Example.com"),
        ("u2", "ann@example.org"),
        ("u3", "joann@example.com"),
    ];
    let rows = Rows::of(&tenant(), users.map(|(id, email)| (id.to_owned(), email)));
    let sorted = |mut found: Vec<String>| {
        found[1..].sort();
        found
    };
    let (found, _) = rows.found(&tenant(), "ann@example", 50).await;
    assert_eq!(sorted(found), ["ann@example.com", "u1", "u2"]);
    let (found, _) = rows.found(&tenant(), "ANN@EXAMPLE.COM", 50).await;
    assert_eq!(found, ["u1"]);
    // Without an `@` nobody's address is looked at.
    assert_eq!(rows.found(&tenant(), "joann", 50).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn nobody_of_another_tenant_is_found() {
    let rows = Rows::of(&"other".parse().unwrap(), [("ann".to_owned(), "ann@example.com")]);
    for query in ["ann", "a", "ann@"] {
        assert_eq!(rows.found(&tenant(), query, 10).await.0, Vec::<String>::new(), "{query}");
    }
    assert_eq!(rows.found(&"other".parse().unwrap(), "ann@", 10).await.0, ["ann"]);
}

#[tokio::test]
async fn a_page_by_address_looks_at_a_bounded_number_of_users_and_the_next_goes_on() {
    let last = ("zzz".to_owned(), "needle@example.com");
    let rows = Rows::of(&tenant(), numbered(25_000).chain([last]));
    let (found, pages) = rows.found(&tenant(), "needle@", 50).await;
    assert_eq!(found, ["zzz"]);
    assert_eq!(pages, 3);
}

/// Twenty thousand audit rows over all shards, of which the oldest of one is of another type.
fn many_audit_rows() -> Rows {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
    for shard in 0..SHARDS {
        let entries = (1..=10).map(|index| {
            let key = UserKey::new(tenant(), format!("user_{shard}").parse().unwrap());
            let mut audit = vec![AuditEntry::success("mfa.user.updated"); 500];
            if (shard, index) == (2, 1) {
                audit[0] = AuditEntry::success("mfa.needle");
            }
            let change = Change::User { key, events: Vec::new() };
            let proposal =
                Proposal { change, expected_version: 0, now: NOW, clock: NOW, audit, answer: None };
            Entry {
                log_id: LogId::new(CommittedLeaderIdOf::<TypeConfig>::new(1, 1), index),
                payload: EntryPayload::Normal(LogCommand::Propose(Box::new(proposal))),
            }
        });
        let entries: Vec<Entry> = entries.collect();
        store.machine(ShardId(shard)).unwrap().apply_entries(&entries).unwrap();
    }
    Rows { listing: listing(store), _dir: dir }
}

impl Rows {
    /// A page of audit rows of a type, and at how many rows was looked for it.
    fn audit_page(
        &self,
        event_type: &str,
        cursor: Option<&str>,
        mut budget: Budget,
    ) -> (Page<AuditRow>, usize) {
        let from: Option<AuditCursor> = parse(cursor).unwrap();
        let chains = (0..SHARDS)
            .map(|shard| {
                let before = from.as_ref().map(|from| from.before[usize::from(shard)]);
                Chain::new(self.listing.store.rows(ShardId(shard)), before)
            })
            .collect();
        let query = AuditQuery { event_type: Some(event_type.to_owned()), ..AuditQuery::default() };
        let page = merge(chains, &tenant(), &query, 50, &mut budget).unwrap();
        (page, budget.looked_at())
    }

    /// All rows of a type, the requests that it took, and the rows that one of them looked at most.
    fn all_audit(&self, event_type: &str, reads_for: Duration) -> (Vec<AuditRow>, usize, usize) {
        let (mut found, mut requests, mut most) = (Vec::new(), 0, 0);
        let mut cursor: Option<String> = None;
        loop {
            let budget = Budget::new(SHARDS, reads_for, Arc::default());
            let (page, looked_at) = self.audit_page(event_type, cursor.as_deref(), budget);
            requests += 1;
            most = most.max(looked_at);
            found.extend(page.data);
            match page.next_cursor {
                None => return (found, requests, most),
                next => {
                    assert_ne!(next, cursor, "every request gets on");
                    cursor = next;
                }
            }
        }
    }
}

#[test]
fn a_request_with_a_narrow_filter_looks_at_a_bounded_number_of_rows() {
    let rows = many_audit_rows();
    let (found, requests, most) = rows.all_audit("mfa.needle", Duration::from_secs(600));
    assert_eq!(found.len(), 1);
    assert!(most < 10_000 + 1_250, "{most} rows for one request");
    assert!((2..=6).contains(&requests), "{requests} requests");
    let (found, ..) = rows.all_audit("mfa.nothing", Duration::from_secs(600));
    assert!(found.is_empty());
    // All of them come, once.
    let (found, ..) = rows.all_audit("mfa.user.*", Duration::from_secs(600));
    let ids: BTreeSet<&str> = found.iter().map(|row| row.id.as_str()).collect();
    assert_eq!((found.len(), ids.len()), (19_999, 19_999));
}

#[test]
fn a_request_whose_time_is_up_looks_once_into_each_shard_and_the_next_goes_on() {
    let rows = many_audit_rows();
    let (found, requests, most) = rows.all_audit("mfa.needle", Duration::ZERO);
    assert_eq!(found.len(), 1);
    assert!(most <= 5_000, "{most} rows after the time was up");
    assert!(requests <= 8, "{requests} requests");
}

#[test]
fn a_request_for_which_nobody_waits_looks_at_nothing_more() {
    let rows = many_audit_rows();
    let given_up = Arc::new(AtomicBool::new(true));
    let budget = Budget::new(SHARDS, Duration::from_secs(600), given_up);
    assert_eq!(rows.audit_page("mfa.needle", None, budget).1, 0);
}

#[tokio::test]
async fn a_place_that_no_search_gave_is_refused_or_shows_no_stranger() {
    let rows = Rows::of(&tenant(), numbered(20));
    let users = |cursor: &str| {
        let cursor = Some(cursor.to_owned());
        rows.listing.users(tenant(), Some("user_1".to_owned()), cursor, 5)
    };
    for strange in ["", "x", "AAAA", "💥"] {
        assert_eq!(users(strange).await, Err(GatewayError::InvalidCursor), "{strange}");
    }
    // Of another search: the rows after it may have another beginning.
    for elsewhere in ["a", "user_0", "zzz"] {
        let id: UserId = elsewhere.parse().unwrap();
        let cursor = users::place_after(0, id);
        let page = users(&cursor).await.unwrap();
        assert!(page.data.iter().all(|user| user.id.as_str().starts_with("user_1")), "{page:?}");
    }
}

#[tokio::test]
async fn a_preview_looks_at_every_user_if_time_allows() {
    let rows = Rows::of(&tenant(), numbered(2_000));
    let patch = PolicyPatch { requirement: Some(Requirement::Required), ..PolicyPatch::default() };
    let preview = rows.preview(&patch, Duration::from_secs(60)).await;
    assert!(preview.complete);
    assert_eq!((preview.users, preview.found.scanned), (Some(2_000), 2_000));
    assert_eq!(preview.found.affected, 2_000);
    assert_eq!((preview.found.before.not_asked, preview.found.after.must_enroll), (2_000, 2_000));
}

#[tokio::test]
async fn a_preview_ends_when_its_time_is_up_and_says_so() {
    let rows = Rows::of(&tenant(), numbered(4_000));
    let preview = rows.preview(&PolicyPatch::default(), Duration::ZERO).await;
    assert!(!preview.complete);
    assert_eq!((preview.found.scanned, preview.users), (250, None));
    let few = Rows::of(&tenant(), numbered(400));
    let preview = few.preview(&PolicyPatch::default(), Duration::ZERO).await;
    assert!(!preview.complete);
    // One shard of four, as many in each.
    let users = preview.users.unwrap();
    assert_eq!(users, preview.found.scanned * 4);
    assert!((250..=550).contains(&users), "{users}");
}

#[tokio::test(start_paused = true)]
async fn one_preview_is_made_at_a_time_and_the_next_does_not_wait_for_ever() {
    let rows = Rows::of(&tenant(), numbered(10));
    let held = Arc::clone(&rows.listing.scans).acquire_owned().await.unwrap();
    let current = Arc::new(TenantState::new(
        tenant(),
        "Default".to_owned(),
        NOW,
        Policy::initial(NOW),
        Settings::initial(),
    ));
    let next = TenantState::clone(&current);
    let refused = rows.listing.preview(Arc::clone(&current), next.clone(), NOW, Duration::ZERO);
    assert_eq!(refused.await, Err(GatewayError::Overloaded));
    drop(held);
    assert!(rows.listing.preview(current, next, NOW, Duration::ZERO).await.is_ok());
}
