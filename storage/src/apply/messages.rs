//! Messages that wait: put in by the commit that made their code, taken out by what became of them
//! or with their user.

use std::collections::BTreeSet;

use countersign_core::audit::AuditEntry;
use countersign_core::event::{IssuedCode, UserEvent};
use countersign_core::evolve;
use countersign_core::factor::message::SendOutcome;
use countersign_core::ids::UserKey;
use countersign_core::outbox::{MessageOutcome, OutboxKey, OutboxRow, Settlement};
use countersign_core::proposal::Applied;
use countersign_core::time::{HOUR_MS, Timestamp};

use super::Run;
use crate::audit::Subject;
use crate::database::Family;
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::records::{self, UserRow};

/// How long after its code died a message that nobody settled still waits for that.
const UNSETTLED_KEPT_MS: i64 = HOUR_MS;

/// The type of an entry that tells that a message left.
const SENT: &str = "mfa.code.sent";
/// The type of an entry that tells that a message never will.
pub(super) const FAILED: &str = "mfa.delivery.failed";
/// The reason of a message whose code died first.
const EXPIRED: &str = "expired";

impl Run<'_> {
    /// What a user's events change beside the user's own row.
    pub(super) fn beside(
        &mut self,
        at: Timestamp,
        key: &UserKey,
        events: &[UserEvent],
    ) -> Result<(), StorageError> {
        for event in events {
            match event {
                UserEvent::CodeIssued(issued) => {
                    self.put_message(key, issued, at)?;
                    for lane in issued.lane.keys() {
                        self.count(&key.tenant, &lane, at, |counts| counts.sent(at))?;
                    }
                }
                UserEvent::CodeSpent { lane, .. } => {
                    for lane in lane.keys() {
                        self.count(&key.tenant, &lane, at, |counts| counts.verified(at))?;
                    }
                }
                UserEvent::FloodNoted { key: lane } => {
                    self.count(&key.tenant, lane, at, |counts| counts.noted(at))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts in the message of a code that was made at `at`. It lives as long as was decided, by the
    /// shard's own clock, as its code does.
    fn put_message(
        &mut self,
        user: &UserKey,
        issued: &IssuedCode,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let lifetime = issued.code.expires_at.millis_since(issued.code.sent_at);
        let row = OutboxRow {
            user: user.clone(),
            factor: issued.factor,
            channel: issued.channel,
            delivery: issued.code.delivery,
            issued_at: at,
            expires_at: at.plus_millis(lifetime),
            message: issued.message.clone(),
        };
        let name = row.key();
        let row_key = outbox::message(self.shard, &name);
        let old = self.row(&row_key)?;
        self.replace(row_key, old.as_deref(), Some(records::encode("message", &row)?));
        let by_owner = outbox::message_by_owner(self.shard, &user.tenant, &user.user, &name);
        self.rows.insert(by_owner, Some(Vec::new()));
        self.learned.messages_put = true;
        Ok(())
    }

    /// Removes all messages of a user: what is erased is not sent.
    pub(super) fn forget_messages_of(&mut self, user: &UserKey) -> Result<(), StorageError> {
        let prefix = outbox::messages_of(self.shard, &user.tenant, &user.user);
        let mut owned = BTreeSet::new();
        for row in self.database.walk(Family::Outbox, &prefix, &keys::after(&prefix))? {
            let (row_key, _) = row.map_err(StorageError::database("look for a user's messages"))?;
            owned.extend(outbox::parse_message(&row_key));
        }
        // Those that this very batch puts in.
        let fresh = self.rows.keys().filter(|row_key| row_key.starts_with(&prefix));
        owned.extend(fresh.filter_map(|row_key| outbox::parse_message(row_key)));
        for name in owned {
            self.take_message(&name)?;
        }
        Ok(())
    }

    /// Records what became of messages. One that is settled already stays as it is.
    pub(super) fn settle(
        &mut self,
        index: u64,
        settlement: &Settlement,
    ) -> Result<Applied, StorageError> {
        let at = settlement.now.max(self.head.last_now);
        for (name, outcome, attempts) in &settlement.outcomes {
            let Some(message) = self.take_message(name)? else { continue };
            let entry = match outcome {
                MessageOutcome::Sent { .. } => AuditEntry::success(SENT),
                MessageOutcome::Failed { reason } => AuditEntry::failure(FAILED, reason),
                MessageOutcome::Superseded => continue,
            };
            if let Some(outcome) = outcome.of_the_code() {
                self.settle_code(index, at, &message, outcome)?;
            }
            self.tell(at, &message, entry.detail("attempts", attempts))?;
            self.head.last_now = at;
        }
        Ok(Applied::Noted)
    }

    /// Keeps with a code what became of its message: whoever waits for it is to know. The row gets a
    /// new version, so whoever decides on the one before decides again.
    pub(super) fn settle_code(
        &mut self,
        index: u64,
        at: Timestamp,
        message: &OutboxRow,
        outcome: SendOutcome,
    ) -> Result<(), StorageError> {
        let row_key = keys::user(self.shard, &message.user);
        let old = self.row(&row_key)?;
        let Some(row) = self.decoded::<UserRow>("user", old.as_deref())? else { return Ok(()) };
        let (factor, delivery) = (message.factor, message.delivery);
        let remembers = row.state.messages().any(|(id, _, to)| {
            id == factor && to.codes.iter().any(|code| code.delivery == delivery)
        });
        if !remembers {
            return Ok(());
        }
        let mut state = row.state;
        evolve::evolve_all(&mut state, &[UserEvent::CodeSettled { factor, delivery, outcome }], at);
        let new = records::encode("user", &UserRow { version: index, state })?;
        self.replace(row_key, old.as_deref(), Some(new));
        Ok(())
    }

    /// Removes messages that nobody settled for long after their codes died, up to `limit`, as failed.
    /// Says whether there are more.
    pub(super) fn forget_unsettled(
        &mut self,
        clock: Timestamp,
        limit: usize,
    ) -> Result<bool, StorageError> {
        let at = self.head.last_now;
        let unsettled = self.unsettled(clock, limit)?;
        for name in &unsettled {
            if let Some(message) = self.take_message(name)? {
                self.tell(at, &message, AuditEntry::failure(FAILED, EXPIRED))?;
            }
        }
        Ok(unsettled.len() == limit)
    }

    /// Messages that nobody settled for long after their codes died, up to `limit`.
    pub(super) fn unsettled(
        &self,
        clock: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxKey>, StorageError> {
        let from = keys::single(self.shard, outbox::MESSAGE);
        let died_before = clock.plus_millis(-UNSETTLED_KEPT_MS);
        let to = outbox::messages_from(self.shard, died_before);
        let mut names = Vec::new();
        for row in self.database.walk(Family::Outbox, &from, &to)?.take(limit) {
            let (row_key, _) = row.map_err(StorageError::database("look for old messages"))?;
            names.extend(outbox::parse_message(&row_key));
        }
        Ok(names)
    }

    /// Removes the rows of a message.
    pub(super) fn take_message(
        &mut self,
        name: &OutboxKey,
    ) -> Result<Option<OutboxRow>, StorageError> {
        let row_key = outbox::message(self.shard, name);
        let old = self.row(&row_key)?;
        let Some(message) = self.decoded::<OutboxRow>("message", old.as_deref())? else {
            return Ok(None);
        };
        self.replace(row_key, old.as_deref(), None);
        let UserKey { tenant, user } = &message.user;
        let by_owner = outbox::message_by_owner(self.shard, tenant, user, name);
        self.rows.insert(by_owner, None);
        Ok(Some(message))
    }

    /// Tells what became of a message, under its user's pseudonym.
    pub(super) fn tell(
        &mut self,
        at: Timestamp,
        message: &OutboxRow,
        entry: AuditEntry,
    ) -> Result<(), StorageError> {
        let row = self.row(&keys::user(self.shard, &message.user))?;
        let row: Option<UserRow> = self.decoded("user", row.as_deref())?;
        let secret = row.and_then(|row| row.state.pseudonym);
        let UserKey { tenant, user } = &message.user;
        let user = secret.is_some().then_some(user);
        let subject = Subject { secret, user, ..self.subject(at, tenant) };
        let entry = entry
            .factor(message.factor)
            .detail("channel", message.channel.as_str())
            .detail("deliveryId", message.delivery);
        self.note(&subject, &entry)
    }
}
