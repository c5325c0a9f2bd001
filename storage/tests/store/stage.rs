//! What the tests have in common: a store in a folder that goes away, and entries to apply.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::audit::AuditEntry;
use countersign_core::event::{IssuedCode, UserEvent};
use countersign_core::factor::message::{MessageFactor, SendOutcome, SentCode};
use countersign_core::factor::{Factor, FactorKind};
use countersign_core::ids::{
    DeliveryId, FactorId, Pseudonym, ShardId, TenantId, UserKey, WebhookId,
};
use countersign_core::message::{CODE_LIFETIME_MS, Channel};
use countersign_core::outbox::{HeraldReport, MessageOutcome, OutboxKey, Settlement};
use countersign_core::policy::Policy;
use countersign_core::proposal::{Applied, Change, KeptAnswer, LogCommand, Proposal};
use countersign_core::sending::Lane;
use countersign_core::settings::Settings;
use countersign_core::tenant::TenantEvent;
use countersign_core::time::{HOUR_MS, Timestamp};
use countersign_core::user::Profile;
use countersign_core::vault::Sealed;
use countersign_core::webhook::{Delivery, DeliveryState};
use countersign_storage::audit::AuditBounds;
use countersign_storage::{
    ChainPoint, Entry, LogId, Rows, ShardMachine, StateHash, StorageError, Store, StoreOptions,
    TypeConfig,
};
use openraft::EntryPayload;
use openraft::type_config::alias::CommittedLeaderIdOf;
use openraft::vote::RaftLeaderId;
use tempfile::TempDir;

/// The head of the default tenant's audit chain.
pub(crate) fn head(stage: &Stage) -> ChainPoint {
    stage.rows().audit_chain(&tenant()).unwrap().head
}

/// At most `limit` audit rows before a place, however many are looked at.
pub(crate) fn bounds(before: Option<u64>, limit: usize) -> AuditBounds {
    AuditBounds { before, limit, look_at: usize::MAX }
}

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
        clock: now,
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
        clock: now,
        audit: vec![AuditEntry::success("mfa.tenant.created")],
        answer: None,
    })
}

/// A telephone, to which nothing was sent yet.
pub(crate) fn phone(number: u8) -> UserEvent {
    UserEvent::FactorActivated(Factor {
        id: FactorId::from_bytes([number; 16]),
        name: None,
        created_at: at(0),
        last_used_at: None,
        kind: FactorKind::Sms(MessageFactor::new("+14155550100".to_owned())),
    })
}

/// Where messages to a telephone are counted.
pub(crate) fn lane(number: u8) -> Lane {
    Lane { channel: Channel::Sms, destination: [number; 16], prefix: Some("+1415".to_owned()) }
}

pub(crate) fn delivery_id(number: u32) -> DeliveryId {
    let mut bytes = [1; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DeliveryId::from_bytes(bytes)
}

/// A code for a telephone, made at `now`.
pub(crate) fn issued(telephone: u8, delivery: u32, now: Timestamp) -> UserEvent {
    let code = SentCode {
        delivery: delivery_id(delivery),
        digest: [delivery as u8; 16],
        sent_at: now,
        expires_at: now.plus_millis(CODE_LIFETIME_MS),
        wrong: 0,
        spent: false,
        outcome: SendOutcome::Pending,
    };
    UserEvent::CodeIssued(Box::new(IssuedCode {
        factor: FactorId::from_bytes([telephone; 16]),
        channel: Channel::Sms,
        code,
        message: Sealed::from_bytes(vec![delivery as u8; 50]),
        lane: lane(telephone),
    }))
}

/// The name of a message whose code was made at `now` by the shard's clock.
pub(crate) fn message_key(delivery: u32, now: Timestamp) -> OutboxKey {
    OutboxKey { expires_at: now.plus_millis(CODE_LIFETIME_MS), delivery: delivery_id(delivery) }
}

pub(crate) fn sent() -> MessageOutcome {
    MessageOutcome::Sent { reference: None }
}

pub(crate) fn settle(now: Timestamp, outcomes: Vec<(OutboxKey, MessageOutcome)>) -> LogCommand {
    let outcomes = outcomes.into_iter().map(|(key, outcome)| (key, outcome, 2)).collect();
    LogCommand::Settle(Box::new(Settlement { now, outcomes }))
}

pub(crate) fn webhook(number: u8) -> WebhookId {
    WebhookId::from_bytes([number; 16])
}

/// A delivery that waits since `since` and was tried `attempts` times.
pub(crate) fn waiting(sequence: u64, since: Timestamp, attempts: u32) -> Delivery {
    Delivery {
        sequence,
        event_type: "mfa.user.updated".to_owned(),
        state: DeliveryState::Pending,
        attempts,
        since,
        last_attempt_at: (attempts > 0).then_some(since),
        next_attempt_at: Some(since),
        last_status: (attempts > 0).then_some(503),
        last_error: None,
    }
}

/// The same, ended at `ended`.
pub(crate) fn ended(waiting: Delivery, state: DeliveryState, ended: Timestamp) -> Delivery {
    let attempts = waiting.attempts + 1;
    let (last_attempt_at, next_attempt_at) = (Some(ended), None);
    Delivery { state, attempts, last_attempt_at, next_attempt_at, ..waiting }
}

pub(crate) fn herald(
    now: Timestamp,
    webhook: WebhookId,
    position: Option<u64>,
    deliveries: Vec<Delivery>,
) -> LogCommand {
    let tenant = tenant();
    LogCommand::Herald(Box::new(HeraldReport { now, tenant, webhook, position, deliveries }))
}

/// A varied history of what leaves a shard, `count` entries a minute apart: codes are made, settled
/// and accepted, webhooks told, told again and forgotten, users erased.
pub(crate) fn errands(count: u64) -> Vec<Entry> {
    let mut versions = [0; 8];
    // Codes that their users remember: what becomes of their messages changes the users.
    let mut remembered = std::collections::BTreeSet::new();
    (1..=count)
        .map(|index| {
            let (number, now) = (index as u32, at(index as i64 * 60));
            let hook = webhook((index % 3) as u8);
            let place = (index % 8) as usize;
            let key = user(place as u32);
            entry(
                index,
                match index % 17 {
                    3 | 11 => {
                        let before = |back: u32| {
                            let made = number.saturating_sub(back);
                            (message_key(made, at(i64::from(made) * 60)), sent())
                        };
                        for made in (1..6).map(|back| number.saturating_sub(back)) {
                            if remembered.contains(&made) {
                                versions[(made % 8) as usize] = index;
                            }
                        }
                        settle(now, (1..6).map(before).collect())
                    }
                    5 => herald(now, hook, Some(index), vec![waiting(index, now, 0)]),
                    6 => {
                        let one = waiting(index - 1, at((index as i64 - 1) * 60), 0);
                        let one = ended(one, DeliveryState::Delivered, now);
                        herald(now, webhook(((index - 1) % 3) as u8), None, vec![one])
                    }
                    7 => {
                        let (tenant, webhook) = (tenant(), webhook(((index - 2) % 3) as u8));
                        // Every other one is not known.
                        let sequence = index - 2 - index % 2;
                        LogCommand::Redeliver { tenant, webhook, sequence, now }
                    }
                    13 => retain(now, 30),
                    15 if index % 5 == 0 => {
                        LogCommand::ForgetWebhook { tenant: tenant(), webhook: hook }
                    }
                    rest => {
                        let version = versions[place];
                        versions[place] = index;
                        let events = match (version, rest) {
                            (0, _) => {
                                remembered.insert(number);
                                vec![created(number), phone(1), issued(1, number, now)]
                            }
                            (_, 16) => {
                                versions[place] = 0;
                                vec![UserEvent::Erased]
                            }
                            (_, 2) => vec![UserEvent::CodeSpent {
                                factor: FactorId::from_bytes([1; 16]),
                                delivery: delivery_id(number),
                                lane: lane(1),
                            }],
                            _ => {
                                if index % 4 == 1 {
                                    remembered.insert(number);
                                }
                                vec![issued((index % 4) as u8, number, now)]
                            }
                        };
                        propose(proposal(&key, version, now, events))
                    }
                },
            )
        })
        .collect()
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
