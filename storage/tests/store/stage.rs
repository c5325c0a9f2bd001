//! What the tests have in common: a store in a folder that goes away, and entries to apply.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::audit::AuditEntry;
use countersign_core::event::UserEvent;
use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserKey};
use countersign_core::policy::Policy;
use countersign_core::proposal::{Applied, Change, KeptAnswer, LogCommand, Proposal};
use countersign_core::settings::Settings;
use countersign_core::tenant::TenantEvent;
use countersign_core::time::{HOUR_MS, Timestamp};
use countersign_core::user::Profile;
use countersign_storage::{
    Entry, LogId, Rows, ShardMachine, StateHash, StorageError, Store, StoreOptions, TypeConfig,
};
use openraft::EntryPayload;
use openraft::type_config::alias::CommittedLeaderIdOf;
use openraft::vote::RaftLeaderId;
use tempfile::TempDir;

/// The shard that most tests use; not the system's, so that both kinds are tried.
pub(crate) const SHARD: ShardId = ShardId(3);

/// A store in a folder of its own.
pub(crate) struct Stage {
    pub(crate) store: Arc<Store>,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        Self { store, folder }
    }

    /// Closes the store and opens it again.
    pub(crate) fn restarted(self) -> Self {
        let Self { store, folder } = self;
        close(store);
        let store = open(folder.path());
        Self { store, folder }
    }

    pub(crate) fn machine(&self) -> ShardMachine {
        self.store.machine(SHARD).unwrap()
    }

    pub(crate) fn rows(&self) -> Rows {
        self.store.rows(SHARD)
    }

    /// Applies entries in batches of `size`.
    pub(crate) fn apply(&self, entries: &[Entry], size: usize) -> Vec<Applied> {
        let machine = self.machine();
        entries.chunks(size).flat_map(|some| machine.apply_entries(some).unwrap()).collect()
    }

    /// The state hash as kept, which must be what all rows add up to.
    pub(crate) fn state_hash(&self) -> StateHash {
        assert_eq!(self.rows().state_hash(), self.rows().compute_state_hash().unwrap());
        self.rows().state_hash()
    }
}

pub(crate) fn open(folder: &Path) -> Arc<Store> {
    // A child that another test is just starting holds every open file, locks included, until it
    // has become its own program.
    for _ in 0..500 {
        match Store::open(folder, StoreOptions::default()) {
            Err(StorageError::Locked { .. }) => std::thread::sleep(Duration::from_millis(10)),
            opened => return opened.unwrap(),
        }
    }
    panic!("{} stays locked", folder.display())
}

/// Closes a store: nobody else may hold it.
pub(crate) fn close(store: Arc<Store>) {
    drop(Arc::into_inner(store).expect("somebody still holds the store"));
}

pub(crate) fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderIdOf::<TypeConfig>::new(term, 1), index)
}

pub(crate) fn entry(index: u64, command: LogCommand) -> Entry {
    Entry { log_id: log_id(1, index), payload: EntryPayload::Normal(command) }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

pub(crate) fn day(days: i64) -> Timestamp {
    at(days * 24 * 3_600)
}

/// The removal of what is past its time, with audit rows kept for `audit_days`.
pub(crate) fn retain(now: Timestamp, audit_days: u32) -> LogCommand {
    LogCommand::Retain { now, audit_days }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::default_tenant()
}

pub(crate) fn user(number: u32) -> UserKey {
    UserKey::new(tenant(), format!("user_{number}").parse().unwrap())
}

pub(crate) fn created(number: u32) -> UserEvent {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    UserEvent::Created { pseudonym: Pseudonym::from_bytes(bytes) }
}

pub(crate) fn named(name: &str) -> UserEvent {
    UserEvent::ProfileSet(Profile { display_name: Some(name.to_owned()), ..Profile::default() })
}

/// A proposal about a user, with one audit entry.
pub(crate) fn proposal(
    key: &UserKey,
    expected_version: u64,
    now: Timestamp,
    events: Vec<UserEvent>,
) -> Proposal {
    Proposal {
        change: Change::User { key: key.clone(), events },
        expected_version,
        now,
        audit: vec![
            AuditEntry::success("mfa.user.updated").from_address(Some([203, 0, 113, 7].into())),
        ],
        answer: None,
    }
}

pub(crate) fn propose(proposal: Proposal) -> LogCommand {
    LogCommand::Propose(Box::new(proposal))
}

pub(crate) fn answer(key: u8, expires_at: Timestamp) -> KeptAnswer {
    KeptAnswer { key: [key; 32], request: [1; 32], reply: vec![key; 40], expires_at }
}

/// The proposal that makes the default tenant.
pub(crate) fn found_tenant(now: Timestamp) -> LogCommand {
    propose(Proposal {
        change: Change::Tenant {
            id: tenant(),
            events: vec![TenantEvent::Created {
                name: "Default".to_owned(),
                policy: Box::new(Policy::initial(now)),
                settings: Box::new(Settings::initial()),
            }],
        },
        expected_version: 0,
        now,
        audit: vec![AuditEntry::success("mfa.tenant.created")],
        answer: None,
    })
}

/// A varied history: users come, change, conflict and go; answers are kept, erased and expire;
/// audit rows are trimmed. `count` entries from index 1, about an hour apart.
pub(crate) fn history(count: u64) -> Vec<Entry> {
    let mut versions = std::collections::HashMap::<u32, u64>::new();
    (1..=count)
        .map(|index| {
            let number = (index * 7 % 23) as u32;
            let key = user(number);
            let now = at((index as i64 - (index as i64 % 5) * 3) * 3_600);
            if index % 41 == 0 {
                return entry(index, retain(now, 1));
            }
            if index % 67 == 0 {
                let blank = EntryPayload::Blank;
                return Entry { log_id: log_id(1, index), payload: blank };
            }
            let known = versions.get(&number).copied();
            let events = match known {
                None => vec![created(number + index as u32), named("new")],
                Some(_) if index % 13 == 0 => vec![UserEvent::Erased],
                Some(_) => vec![named(&format!("name {index}"))],
            };
            // Every 11th is stale and must change nothing.
            let stale = index % 11 == 0;
            let expected = known.unwrap_or(0) + u64::from(stale);
            if !stale {
                match events.contains(&UserEvent::Erased) {
                    true => versions.remove(&number),
                    false => versions.insert(number, index),
                };
            }
            let mut one = proposal(&key, expected, now, events);
            if index % 3 == 0 && !stale {
                let mut kept = answer(0, now.plus_millis(20 * HOUR_MS));
                kept.key[..8].copy_from_slice(&index.to_be_bytes());
                one.answer = Some(kept);
            }
            entry(index, propose(one))
        })
        .collect()
}
