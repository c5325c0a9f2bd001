//! What an entry does to a shard's rows.
//!
//! A [`Run`] applies entries one after another and collects their writes into one batch. It reads
//! its own writes first, so several entries of a batch may touch one row, and the outcome depends
//! on the entries alone, never on how they were batched: all replicas arrive at the same rows.
//! It reads no clock and draws no randomness.

mod answers;
mod messages;
mod retain;
mod set_time;
mod traffic;
mod webhooks;

use std::collections::{BTreeSet, HashMap};

use countersign_core::audit::AuditEntry;
use countersign_core::event::UserEvent;
use countersign_core::evolve;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::proposal::{AnswerKey, Applied, Change, LogCommand, Proposal};
use countersign_core::system::{self, SystemEvent, SystemState};
use countersign_core::tenant::{self, TenantEvent, TenantState};
use countersign_core::time::Timestamp;
use openraft::EntryPayload;

use crate::activity::Tick;
use crate::audit::{self, Chains, Subject};
use crate::continuity;
use crate::database::{Batch, Database, Family};
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::pressure::Sign;
use crate::records::{self, ShardHead, SystemRow, TenantRow, UserRow};
use crate::sabotage;
use crate::state_hash::StateHash;
use crate::store::Shard;
use crate::stored::Stored;
use crate::types::{Entry, StoredMembership};

/// The kinds of rows that the state hash covers, in whichever family; the others follow from these.
pub(crate) const HASHED: [u8; 9] = [
    keys::state::USER,
    keys::state::TENANT,
    keys::state::SYSTEM,
    keys::state::ANSWER,
    outbox::MESSAGE,
    outbox::TRAFFIC,
    outbox::POSITION,
    outbox::DELIVERY,
    outbox::LOOK_AT,
];

/// The state hash is remembered after every so many entries, so that replicas that stand at
/// different ones have some in common.
const HASH_EVERY: u64 = 256;

/// What the memory must learn once the batch is written.
#[derive(Default)]
pub(crate) struct Learned {
    pub(crate) tenants: Vec<(TenantId, Option<TenantState>)>,
    pub(crate) system: Option<SystemState>,
    pub(crate) signs: Vec<Sign>,
    /// Whether a message was put in.
    pub(crate) messages_put: bool,
    /// Whether a delivery was begun anew.
    pub(crate) redelivered: bool,
    /// Whether the shard's time was set back.
    pub(crate) time_set: bool,
    pub(crate) hashes: Vec<(u64, StateHash)>,
}

/// Entries being applied, until they are written as one batch.
pub(crate) struct Run<'a> {
    database: &'a Database,
    shard: ShardId,
    head: ShardHead,
    /// How far the time of what is being applied is ahead of its leader's clock, in milliseconds.
    ahead_ms: i64,
    /// Rows of the state and the outbox that the batch changes; `None` is a deleted one.
    rows: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Rows of the expiry index that the batch adds.
    expiries: BTreeSet<(Timestamp, AnswerKey)>,
    /// Writes of the audit family, in order.
    batch: Batch<'a>,
    /// The audit chains that the batch changes.
    chains: Chains,
    learned: Learned,
    /// What is counted over time.
    ticks: Vec<Tick>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(database: &'a Database, shard: ShardId, head: ShardHead) -> Self {
        Self {
            database,
            shard,
            ahead_ms: head.ahead_ms,
            head,
            rows: HashMap::new(),
            expiries: BTreeSet::new(),
            batch: database.batch(),
            chains: Chains::default(),
            learned: Learned::default(),
            ticks: Vec::new(),
        }
    }

    /// Whether the entry reads ranges of rows, and so must begin and end a run.
    pub(crate) const fn stands_alone(entry: &Entry) -> bool {
        matches!(
            entry.payload,
            EntryPayload::Normal(
                LogCommand::Retain { .. }
                    | LogCommand::PurgeTenant { .. }
                    | LogCommand::ForgetWebhook { .. }
                    | LogCommand::SetTime(_)
            )
        )
    }

    /// Applies one entry.
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<Applied, StorageError> {
        let applied = self.apply_payload(entry)?;
        if entry.log_id.index.is_multiple_of(HASH_EVERY) {
            self.learned.hashes.push((entry.log_id.index, self.head.state_hash));
        }
        Ok(applied)
    }

    fn apply_payload(&mut self, entry: &Entry) -> Result<Applied, StorageError> {
        let index = entry.log_id.index;
        self.head.last_applied = Some(entry.log_id);
        match &entry.payload {
            EntryPayload::Blank => Ok(Applied::Nothing),
            EntryPayload::Membership(membership) => {
                self.head.membership =
                    StoredMembership::new(Some(entry.log_id), membership.clone());
                Ok(Applied::Nothing)
            }
            EntryPayload::Normal(LogCommand::Propose(proposal)) => self.propose(index, proposal),
            EntryPayload::Normal(LogCommand::TrimAudit { .. }) => {
                // Told by the leader's clock alone, which may be years ahead: of an earlier release.
                Ok(Applied::Maintained { more: false })
            }
            EntryPayload::Normal(LogCommand::PurgeTenant { tenant, limit }) => {
                self.purge(tenant, *limit)
            }
            EntryPayload::Normal(LogCommand::Retain { now, audit_days }) => {
                self.retain(*now, *audit_days)
            }
            EntryPayload::Normal(LogCommand::Settle(settlement)) => self.settle(index, settlement),
            EntryPayload::Normal(LogCommand::Herald(report)) => self.herald(report),
            EntryPayload::Normal(LogCommand::Redeliver { tenant, webhook, sequence, now }) => {
                self.redeliver(tenant, *webhook, *sequence, *now)
            }
            EntryPayload::Normal(LogCommand::ForgetWebhook { tenant, webhook }) => {
                self.forget_webhook(tenant, *webhook)
            }
            EntryPayload::Normal(LogCommand::SetTime(setting)) => self.set_time(index, setting),
        }
    }

    /// Writes everything as one batch, the shard's `number`th.
    pub(crate) fn write(
        self,
        number: u64,
        counting: &Shard,
    ) -> Result<(ShardHead, Learned), StorageError> {
        let Self { shard, head, rows, mut batch, chains, learned, ticks, .. } = self;
        for (key, value) in &rows {
            match value {
                Some(value) => batch.put(keys::family(key), key, value)?,
                None => batch.delete(keys::family(key), key)?,
            }
        }
        chains.write(&mut batch, shard)?;
        let key = keys::single(shard, keys::state::HEAD);
        batch.put(Family::State, &key, &records::encode("head", &head)?)?;
        continuity::number(&mut batch, shard, number)?;
        counting.count(&mut batch, ticks, &head.audit)?;
        fail::fail_point!("storage::apply_before_write");
        batch.write()?;
        fail::fail_point!("storage::apply_after_write");
        Ok((head, learned))
    }

    fn propose(&mut self, index: u64, proposal: &Proposal) -> Result<Applied, StorageError> {
        // A clock that is behind must not reopen what has ended.
        let at = proposal.now.max(self.head.last_now);
        // A proposal that is older than the last one says nothing about how far the shard is ahead now.
        self.ahead_ms = match at == proposal.now {
            true => at.millis_since(proposal.clock).max(0),
            false => self.head.ahead_ms,
        };
        let kept = match &proposal.answer {
            Some(answer) => self.kept(&answer.key)?,
            None => None,
        };
        if kept.as_ref().is_some_and(|kept| kept.expires_at > at) {
            return Ok(Applied::Repeated);
        }
        let (conflict, owner) = match &proposal.change {
            Change::User { key, events } => {
                let conflict = self.user(index, at, proposal, key, events)?;
                let erased = events.contains(&UserEvent::Erased);
                // What the erasing itself is answered is nobody's: it outlives the user.
                (conflict, (!erased).then(|| keys::owner(&key.tenant, Some(&key.user))))
            }
            Change::Tenant { id, events } => {
                let conflict = self.tenant(index, at, proposal, id, events)?;
                let removed = events.contains(&TenantEvent::Removed);
                (conflict, (!removed).then(|| keys::owner(id, None)))
            }
            Change::System { events } => (self.system(index, at, proposal, events)?, None),
        };
        if let Some(version) = conflict {
            return Ok(Applied::Conflict { version });
        }
        self.head.last_now = at;
        self.head.ahead_ms = self.ahead_ms;
        if let Some(expired) = kept {
            self.forget(expired.expires_at, &expired.key)?;
        }
        self.keep(proposal, owner, at)?;
        self.sweep(index, at)?;
        Ok(Applied::Done { version: index, at })
    }

    /// Changes a user, or answers the version that the row has instead of the expected one.
    fn user(
        &mut self,
        index: u64,
        at: Timestamp,
        proposal: &Proposal,
        key: &UserKey,
        events: &[UserEvent],
    ) -> Result<Option<u64>, StorageError> {
        let row_key = keys::user(self.shard, key);
        let old = self.row(&row_key)?;
        let row: UserRow = self.decoded("user", old.as_deref())?.unwrap_or_default();
        if row.version != proposal.expected_version && !sabotage::skips_version_check() {
            return Ok(Some(row.version));
        }
        let events = &sabotage::remembered(events)[..];
        let before = row.state.pseudonym;
        let mut state = row.state;
        evolve::evolve_all(&mut state, events, at);
        let after = state.pseudonym;
        let new = match after {
            Some(_) => Some(records::encode("user", &UserRow { version: index, state })?),
            None => None,
        };
        self.replace(row_key, old.as_deref(), new);
        let by_hash = keys::user_by_hash(self.shard, key);
        match (old.is_some(), after.is_some()) {
            (false, true) => {
                self.rows.insert(by_hash, Some(Vec::new()));
                self.head.users += 1;
            }
            (true, false) => {
                self.rows.insert(by_hash, None);
                self.head.users = self.head.users.saturating_sub(1);
            }
            _ => {}
        }
        let erased = events.iter().any(|event| matches!(event, UserEvent::Erased));
        if let Some(secret) = before.filter(|_| erased || after != before) {
            audit::erase_annexes(&mut self.batch, self.shard, secret)?;
        }
        if erased {
            self.forget_answers_of(&keys::owner(&key.tenant, Some(&key.user)))?;
            self.forget_messages_of(key)?;
        }
        if after.is_some() {
            self.beside(at, key, events)?;
        }
        let subject = Subject {
            shard: self.shard,
            at,
            tenant: &key.tenant,
            secret: after.or(before),
            user: after.map(|_| &key.user),
        };
        for entry in &proposal.audit {
            self.note(&subject, entry)?;
        }
        Ok(None)
    }

    /// As [`Self::user`], of a tenant.
    fn tenant(
        &mut self,
        index: u64,
        at: Timestamp,
        proposal: &Proposal,
        id: &TenantId,
        events: &[TenantEvent],
    ) -> Result<Option<u64>, StorageError> {
        let row_key = keys::tenant(self.shard, id);
        let old = self.row(&row_key)?;
        let row: Option<TenantRow> = self.decoded("tenant", old.as_deref())?;
        let version = row.as_ref().map_or(0, |row| row.version);
        if version != proposal.expected_version {
            return Ok(Some(version));
        }
        let mut state = row.map(|row| row.state);
        for event in events {
            tenant::evolve(&mut state, id, event, at);
        }
        let new = match &state {
            Some(state) => {
                let row = TenantRow { version: index, state: state.clone() };
                Some(records::encode("tenant", &row)?)
            }
            None => None,
        };
        self.replace(row_key, old.as_deref(), new);
        self.learned.tenants.push((id.clone(), state));
        if events.contains(&TenantEvent::Removed) {
            self.forget_answers_of(&keys::owner(id, None))?;
        }
        let subject = self.subject(at, id);
        for entry in &proposal.audit {
            self.note(&subject, entry)?;
        }
        Ok(None)
    }

    /// As [`Self::user`], of the cluster's own row.
    fn system(
        &mut self,
        index: u64,
        at: Timestamp,
        proposal: &Proposal,
        events: &[SystemEvent],
    ) -> Result<Option<u64>, StorageError> {
        let row_key = keys::single(self.shard, keys::state::SYSTEM);
        let old = self.row(&row_key)?;
        let mut row: SystemRow = self.decoded("system state", old.as_deref())?.unwrap_or_default();
        if row.version != proposal.expected_version {
            return Ok(Some(row.version));
        }
        row.version = index;
        for event in events {
            system::evolve(&mut row.state, event, at);
        }
        let new = records::encode("system state", &row)?;
        self.replace(row_key, old.as_deref(), Some(new));
        self.learned.system = Some(row.state);
        // The cluster's own affairs are told to whoever runs it.
        let tenant = TenantId::default_tenant();
        let subject = self.subject(at, &tenant);
        for entry in &proposal.audit {
            self.note(&subject, entry)?;
        }
        Ok(None)
    }

    const fn subject<'s>(&self, at: Timestamp, tenant: &'s TenantId) -> Subject<'s> {
        Subject { shard: self.shard, at, tenant, secret: None, user: None }
    }

    /// Adds an audit row, and takes note of it if it is counted over many users or over time.
    fn note(&mut self, subject: &Subject<'_>, entry: &AuditEntry) -> Result<(), StorageError> {
        let chain = self.chains.of(self.database, self.shard, subject.tenant)?;
        let row = audit::append(&mut self.batch, &mut self.head.audit, chain, subject, entry)?;
        let sign = Sign::of(&row, self.ahead_ms, || Ok::<_, StorageError>(entry.ip_address))?;
        self.learned.signs.extend(sign);
        self.ticks.extend(Tick::of(&row));
        Ok(())
    }

    /// A row as the run has left it so far.
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        if let Some(row) = self.rows.get(key) {
            return Ok(row.clone());
        }
        Ok(self.database.get(keys::family(key), key)?.map(|bytes| bytes.to_vec()))
    }

    fn decoded<T: Stored>(
        &self,
        what: &'static str,
        bytes: Option<&[u8]>,
    ) -> Result<Option<T>, StorageError> {
        bytes.map(|bytes| records::decode(what, self.shard, bytes)).transpose()
    }

    /// Puts a hashed row in the place of the old one.
    fn replace(&mut self, key: Vec<u8>, old: Option<&[u8]>, new: Option<Vec<u8>>) {
        if let Some(old) = old {
            self.head.state_hash.subtract(&key, old);
        }
        if let Some(new) = &new {
            self.head.state_hash.add(&key, new);
        }
        self.rows.insert(key, new);
    }
}
