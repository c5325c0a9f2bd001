//! Removing what is past its time, and what belonged to a removed tenant: the entries that read
//! ranges of rows, and so stand alone in their batch.

use countersign_core::audit::AuditEntry;
use countersign_core::ids::{TenantId, UserKey};
use countersign_core::proposal::{Applied, RETAIN_EVERY_MS};
use countersign_core::time::{DAY_MS, Timestamp};

use super::Run;
use crate::audit::{self, Subject};
use crate::database::Family;
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::records::{self, UserRow};

/// How far one entry moves the clock by which rows grow old: a cluster that was down catches up,
/// and a leader whose clock is wrong is seen before much is lost.
const AGE_STEP_MS: i64 = 2 * RETAIN_EVERY_MS;
/// Expired answers that one entry removes at most.
const ANSWERS_AT_ONCE: usize = 1_000;
/// Messages that nobody settled, and rows of the outbox that may be past their time, of each of
/// which one entry looks at no more.
const OUTBOX_AT_ONCE: usize = 1_000;
/// Users that one purge erases at most, whatever it asks for.
const PURGED_MAX: usize = 256;

impl Run<'_> {
    /// Removes old audit rows, expired answers, and what is over in the outbox.
    pub(super) fn retain(
        &mut self,
        now: Timestamp,
        audit_days: u32,
    ) -> Result<Applied, StorageError> {
        let begun = self.head.age_clock > Timestamp::EPOCH;
        let clock = if begun { self.head.age_clock } else { self.head.last_now };
        if clock <= Timestamp::EPOCH {
            // Nothing was ever decided here.
            return Ok(Applied::Maintained { more: false });
        }
        // The clock moves on only when all is done that was due by it, so that working off what
        // has piled up does not carry it away.
        let clock = match self.is_due(clock, audit_days)? {
            true => clock,
            false => clock.max(now.min(clock.plus_millis(AGE_STEP_MS))),
        };
        self.head.age_clock = clock;
        self.head.last_now = self.head.last_now.max(clock);
        let forgotten = self.forget_expired(self.head.last_now, ANSWERS_AT_ONCE)?;
        let mut more = forgotten == ANSWERS_AT_ONCE;
        if let Some(before) = oldest_kept(clock, audit_days) {
            more |=
                audit::trim(self.database, &mut self.batch, self.shard, &mut self.chains, before)?;
        }
        // After the trim, for it adds to the chain.
        more |= self.forget_unsettled(clock, OUTBOX_AT_ONCE)?;
        more |= self.look(clock, OUTBOX_AT_ONCE)?;
        Ok(Applied::Maintained { more })
    }

    /// Says when to look whether the row of the key `of` is past its time.
    pub(super) fn look_at(&mut self, time: Timestamp, of: &[u8]) -> Result<(), StorageError> {
        let row_key = outbox::look_at(self.shard, time, of);
        let old = self.row(&row_key)?;
        self.replace(row_key, old.as_deref(), Some(Vec::new()));
        Ok(())
    }

    /// Looks at the rows that are due, up to `limit`: those that are past their time go, the others
    /// are looked at again. Says whether there are more.
    fn look(&mut self, clock: Timestamp, limit: usize) -> Result<bool, StorageError> {
        let due = self.due(clock, limit)?;
        for look in &due {
            self.replace(look.clone(), Some(&[]), None);
            let Some(row_key) = outbox::looked_at(look) else { continue };
            // What is gone already went with its tenant or its endpoint.
            let Some(row) = self.row(&row_key)? else { continue };
            let over = match row_key.get(2) {
                Some(&outbox::TRAFFIC) => self.traffic_is_over(&row, clock)?,
                _ => self.delivery_is_over(&row, clock)?,
            };
            match over {
                Ok(()) => self.replace(row_key, Some(&row), None),
                Err(again) => self.look_at(again, &row_key)?,
            }
        }
        Ok(due.len() == limit)
    }

    /// Up to `limit` rows that say what to look at by `clock`.
    fn due(&self, clock: Timestamp, limit: usize) -> Result<Vec<Vec<u8>>, StorageError> {
        let (from, to) = outbox::looks_before(self.shard, clock.plus_millis(1));
        let walk = self.database.walk(Family::Outbox, &from, &to)?;
        walk.take(limit)
            .map(|row| row.map(|(look, _)| look.into_vec()))
            .collect::<Result<_, _>>()
            .map_err(StorageError::database("look for what is over"))
    }

    /// Whether anything should be gone by `clock` and is not.
    fn is_due(&self, clock: Timestamp, audit_days: u32) -> Result<bool, StorageError> {
        if !self.expired(clock, 1)?.is_empty() {
            return Ok(true);
        }
        if !self.unsettled(clock, 1)?.is_empty() || !self.due(clock, 1)?.is_empty() {
            return Ok(true);
        }
        let oldest = audit::oldest(self.database, self.shard)?;
        let before = oldest_kept(clock, audit_days);
        Ok(oldest.zip(before).is_some_and(|(oldest, before)| oldest < before))
    }

    /// Erases up to `limit` users of a tenant, with what waits for them, and removes what is counted
    /// of it and of its endpoints. Says whether there are more.
    pub(super) fn purge(&mut self, id: &TenantId, limit: u32) -> Result<Applied, StorageError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(PURGED_MAX);
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
                self.forget_answers_of(&keys::owner(id, Some(&key.user)))?;
                self.forget_messages_of(&key)?;
            }
            self.head.users = self.head.users.saturating_sub(1);
            let secret = state.state.pseudonym;
            if let Some(secret) = secret {
                audit::erase_annexes(&mut self.batch, self.shard, secret)?;
            }
            let subject = Subject { secret, ..self.subject(at, id) };
            let entry = AuditEntry::success(audit::USER_ERASED).because("tenant_removed");
            self.note(&subject, &entry)?;
        }
        let outbox = [
            outbox::traffic_of(self.shard, id),
            outbox::endpoints_of(self.shard, outbox::DELIVERY, id),
            outbox::endpoints_of(self.shard, outbox::POSITION, id),
        ];
        for prefix in outbox {
            more |= self.remove_all(&prefix, OUTBOX_AT_ONCE)? == OUTBOX_AT_ONCE;
        }
        Ok(Applied::Maintained { more })
    }
}

/// The oldest time of an audit row that is kept; `None` if all are.
fn oldest_kept(clock: Timestamp, audit_days: u32) -> Option<Timestamp> {
    let kept_ms = i64::from(audit_days).saturating_mul(DAY_MS);
    (kept_ms > 0).then(|| clock.plus_millis(kept_ms.saturating_neg()))
}
