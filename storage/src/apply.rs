//! What an entry does to a shard's rows.
//!
//! A [`Run`] applies entries one after another and collects their writes into one batch. It reads
//! its own writes first, so several entries of a batch may touch one row, and the outcome depends
//! on the entries alone, never on how they were batched: all replicas arrive at the same rows.
//! It reads no clock and draws no randomness.

use std::collections::{BTreeSet, HashMap};

use countersign_core::audit::AuditEntry;
use countersign_core::event::UserEvent;
use countersign_core::evolve;
use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserKey};
use countersign_core::proposal::{
    ANSWER_KEPT_MS, AnswerKey, Applied, Change, KeptAnswer, LogCommand, Proposal,
};
use countersign_core::system::{self, SystemEvent, SystemState};
use countersign_core::tenant::{self, TenantEvent, TenantState};
use countersign_core::time::Timestamp;
use openraft::EntryPayload;

use crate::audit::{self, Subject};
use crate::continuity;
use crate::database::{Batch, Database, Family};
use crate::error::StorageError;
use crate::failures::Failure;
use crate::keys;
use crate::records::{self, ShardHead, SystemRow, TenantRow, UserRow};
use crate::types::{Entry, StoredMembership};

/// The kinds of rows that the state hash covers; the others follow from these.
pub(crate) const HASHED: [u8; 4] =
    [keys::state::USER, keys::state::TENANT, keys::state::SYSTEM, keys::state::ANSWER];

/// Expired answers that one applied proposal removes at most: more than it can add.
const EXPIRED_AT_ONCE: usize = 4;
/// Users that one purge erases at most, whatever it asks for.
const PURGED_MAX: usize = 256;

/// What the directory in memory must learn once the batch is written.
#[derive(Default)]
pub(crate) struct Learned {
    pub(crate) tenants: Vec<(TenantId, Option<TenantState>)>,
    pub(crate) system: Option<SystemState>,
    pub(crate) failures: Vec<Failure>,
}

/// Entries being applied, until they are written as one batch.
pub(crate) struct Run<'a> {
    database: &'a Database,
    shard: ShardId,
    head: ShardHead,
    /// Rows of the state family that the batch changes; `None` is a deleted one.
    rows: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Rows of the expiry index that the batch adds.
    expiries: BTreeSet<(Timestamp, AnswerKey)>,
    /// Writes of the audit family, in order.
    batch: Batch<'a>,
    learned: Learned,
}

impl<'a> Run<'a> {
    pub(crate) fn new(database: &'a Database, shard: ShardId, head: ShardHead) -> Self {
        Self {
            database,
            shard,
            head,
            rows: HashMap::new(),
            expiries: BTreeSet::new(),
            batch: database.batch(),
            learned: Learned::default(),
        }
    }

    /// Whether the entry reads ranges of rows, and so must begin and end a run.
    pub(crate) const fn stands_alone(entry: &Entry) -> bool {
        matches!(
            entry.payload,
            EntryPayload::Normal(LogCommand::TrimAudit { .. } | LogCommand::PurgeTenant { .. })
        )
    }

    /// Applies one entry.
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<Applied, StorageError> {
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
            EntryPayload::Normal(LogCommand::TrimAudit { before }) => {
                let more = audit::trim(self.database, &mut self.batch, self.shard, *before)?;
                Ok(Applied::Maintained { more })
            }
            EntryPayload::Normal(LogCommand::PurgeTenant { tenant, limit }) => {
                let limit = usize::try_from(*limit).unwrap_or(usize::MAX).min(PURGED_MAX);
                let more = self.purge(index, tenant, limit)?;
                Ok(Applied::Maintained { more })
            }
        }
    }

    /// Writes everything as one batch, the shard's `number`th.
    pub(crate) fn write(self, number: u64) -> Result<(ShardHead, Learned), StorageError> {
        let Self { shard, head, rows, mut batch, learned, .. } = self;
        for (key, value) in &rows {
            match value {
                Some(value) => batch.put(Family::State, key, value)?,
                None => batch.delete(Family::State, key)?,
            }
        }
        let key = keys::single(shard, keys::state::HEAD);
        batch.put(Family::State, &key, &records::encode("head", &head)?)?;
        continuity::number(&mut batch, shard, number)?;
        fail::fail_point!("storage::apply_before_write");
        batch.write()?;
        fail::fail_point!("storage::apply_after_write");
        Ok((head, learned))
    }

    fn propose(&mut self, index: u64, proposal: &Proposal) -> Result<Applied, StorageError> {
        // A clock that is behind must not reopen what has ended.
        let at = proposal.now.max(self.head.last_now);
        if let Some(answer) = &proposal.answer
            && let Some(kept) = self.kept(&answer.key)?
            && kept.expires_at > at
        {
            return Ok(Applied::Repeated);
        }
        let conflict = match &proposal.change {
            Change::User { key, events } => self.user(index, at, proposal, key, events)?,
            Change::Tenant { id, events } => self.tenant(index, at, proposal, id, events)?,
            Change::System { events } => self.system(index, at, proposal, events)?,
        };
        if let Some(version) = conflict {
            return Ok(Applied::Conflict { version });
        }
        self.head.last_now = at;
        if let Some(answer) = &proposal.answer {
            self.keep(answer, at)?;
        }
        self.forget_expired(at)?;
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
        if row.version != proposal.expected_version {
            return Ok(Some(row.version));
        }
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
        let subject = Subject {
            shard: self.shard,
            log_index: index,
            at,
            tenant: Some(&key.tenant),
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
        let subject = self.subject(index, at, Some(id));
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
        let subject = self.subject(index, at, None);
        for entry in &proposal.audit {
            self.note(&subject, entry)?;
        }
        Ok(None)
    }

    const fn subject<'s>(
        &self,
        log_index: u64,
        at: Timestamp,
        tenant: Option<&'s TenantId>,
    ) -> Subject<'s> {
        Subject { shard: self.shard, log_index, at, tenant, secret: None, user: None }
    }

    /// Adds an audit row, and counts it if it tells of a wrong proof.
    fn note(&mut self, subject: &Subject<'_>, entry: &AuditEntry) -> Result<(), StorageError> {
        audit::append(&mut self.batch, &mut self.head.audit, subject, entry)?;
        if let Some(tenant) = subject.tenant {
            self.learned.failures.extend(audit::failure_in(tenant, entry, subject.at));
        }
        Ok(())
    }

    /// Erases up to `limit` users of a tenant. Says whether there are more.
    fn purge(&mut self, index: u64, id: &TenantId, limit: usize) -> Result<bool, StorageError> {
        let prefix = keys::users(self.shard, id);
        let at = self.head.last_now;
        let mut more = false;
        let walk = self.database.walk(Family::State, &prefix, &keys::after(&prefix))?;
        for (count, row) in walk.enumerate() {
            if count == limit {
                more = true;
                break;
            }
            let (row_key, old) = row.map_err(StorageError::database("list users"))?;
            let state: UserRow = records::decode("user", self.shard, &old)?;
            self.replace(row_key.to_vec(), Some(&old), None);
            if let Some(user) = keys::user_id(&row_key, &prefix) {
                let key = UserKey::new(id.clone(), user);
                self.rows.insert(keys::user_by_hash(self.shard, &key), None);
            }
            self.head.users = self.head.users.saturating_sub(1);
            let secret: Option<Pseudonym> = state.state.pseudonym;
            if let Some(secret) = secret {
                audit::erase_annexes(&mut self.batch, self.shard, secret)?;
            }
            let subject = Subject { secret, ..self.subject(index, at, Some(id)) };
            let entry = AuditEntry::success("mfa.user.erased").because("tenant_removed");
            self.note(&subject, &entry)?;
        }
        Ok(more)
    }

    fn kept(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StorageError> {
        let bytes = self.row(&keys::answer(self.shard, key))?;
        self.decoded("kept answer", bytes.as_deref())
    }

    /// Keeps an answer, in the place of an expired one under the same key.
    fn keep(&mut self, answer: &KeptAnswer, at: Timestamp) -> Result<(), StorageError> {
        let row_key = keys::answer(self.shard, &answer.key);
        let old = self.row(&row_key)?;
        if let Some(expired) = self.decoded::<KeptAnswer>("kept answer", old.as_deref())? {
            self.drop_expiry(expired.expires_at, expired.key);
        }
        // Nothing is kept for longer than it may be, however far ahead the leader's clock was.
        let expires_at = answer.expires_at.min(at.plus_millis(ANSWER_KEPT_MS));
        let kept = KeptAnswer { expires_at, ..answer.clone() };
        self.replace(row_key, old.as_deref(), Some(records::encode("kept answer", &kept)?));
        let index_key = keys::answer_expiry(self.shard, expires_at, &answer.key);
        self.rows.insert(index_key, Some(Vec::new()));
        self.expiries.insert((expires_at, answer.key));
        Ok(())
    }

    /// Removes the few answers that expired first.
    fn forget_expired(&mut self, at: Timestamp) -> Result<(), StorageError> {
        for (expires_at, key) in self.expired(at)? {
            let row_key = keys::answer(self.shard, &key);
            let old = self.row(&row_key)?;
            self.replace(row_key, old.as_deref(), None);
            self.drop_expiry(expires_at, key);
            self.head.answers_forgotten = (expires_at, key);
        }
        Ok(())
    }

    fn expired(&self, at: Timestamp) -> Result<Vec<(Timestamp, AnswerKey)>, StorageError> {
        // Begins behind the last one removed: what lies before it are only traces of deletions.
        let (time, key) = self.head.answers_forgotten;
        let from = keys::answer_expiry(self.shard, time, &key);
        let to = keys::answer_expiry(self.shard, at.plus_millis(1), &[0; 32]);
        let mut expired: BTreeSet<(Timestamp, AnswerKey)> = self
            .expiries
            .iter()
            .take_while(|(expires_at, _)| *expires_at <= at)
            .take(EXPIRED_AT_ONCE)
            .copied()
            .collect();
        let mut found = 0;
        if from < to {
            for row in self.database.walk(Family::State, &from, &to)? {
                let (row_key, _) = row.map_err(StorageError::database("look for old answers"))?;
                if self.rows.get(row_key.as_ref()).is_some_and(Option::is_none) {
                    continue;
                }
                expired.extend(keys::parse_answer_expiry(&row_key));
                found += 1;
                if found == EXPIRED_AT_ONCE {
                    break;
                }
            }
        }
        Ok(expired.into_iter().take(EXPIRED_AT_ONCE).collect())
    }

    fn drop_expiry(&mut self, expires_at: Timestamp, key: AnswerKey) {
        self.expiries.remove(&(expires_at, key));
        self.rows.insert(keys::answer_expiry(self.shard, expires_at, &key), None);
    }

    /// A row as the run has left it so far.
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        if let Some(row) = self.rows.get(key) {
            return Ok(row.clone());
        }
        Ok(self.database.get(Family::State, key)?.map(|bytes| bytes.to_vec()))
    }

    fn decoded<T: serde::de::DeserializeOwned>(
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
