//! Setting a shard's time back: the one entry after which the shard's time is earlier than before.
//!
//! It rewrites every row of the shard that holds a moment later than the new time, in one batch, so
//! that no replica is ever seen with half of it. What that means for a user is the core's to say, see
//! [`countersign_core::set_time`].

use countersign_core::audit::AuditEntry;
use countersign_core::factor::message::SendOutcome;
use countersign_core::ids::TenantId;
use countersign_core::proposal::{Applied, TimeSetting};
use countersign_core::sending::TrafficCounts;
use countersign_core::set_time::SetBack;
use countersign_core::webhook::Delivery;

use super::Run;
use super::messages::FAILED;
use crate::database::Family;
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::records::{self, UserRow};

/// The type of the entry that tells of it.
const TIME_SET: &str = "mfa.cluster.time_set";
/// The reason of a message that was not sent because of it.
const REASON: &str = "shard_time_set";

impl Run<'_> {
    /// Sets the shard's time.
    pub(super) fn set_time(
        &mut self,
        index: u64,
        setting: &TimeSetting,
    ) -> Result<Applied, StorageError> {
        let from = setting.from.max(self.head.last_now);
        if from <= setting.to {
            // Time that is behind needs no setting: it follows the leader's clock by itself.
            return Ok(Applied::Noted);
        }
        let time = SetBack { from, to: setting.to };
        // While the time is still the old one: what has expired by it is gone.
        self.forget_expired(from, usize::MAX)?;
        self.set_back_users(index, time)?;
        self.set_back_outbox(index, time)?;
        self.head.last_now = time.to;
        self.head.ahead_ms = 0;
        self.ahead_ms = 0;
        self.head.time_set_at = index;
        self.head.age_clock = self.head.age_clock.min(time.to);
        // Answers that are kept from now on may expire earlier than the one removed last.
        self.head.answers_forgotten = Default::default();
        self.learned.time_set = true;
        let tenant = TenantId::default_tenant();
        let subject = self.subject(time.to, &tenant);
        let mut entry = AuditEntry::success(TIME_SET)
            .detail("shard", self.shard)
            .detail("setBackMs", time.from.millis_since(time.to));
        entry.actor = setting.by;
        self.note(&subject, &entry)?;
        Ok(Applied::Done { version: index, at: time.to })
    }

    fn set_back_users(&mut self, index: u64, time: SetBack) -> Result<(), StorageError> {
        let prefix = keys::single(self.shard, keys::state::USER);
        let walk = self.database.walk(Family::State, &prefix, &keys::after(&prefix))?;
        for row in walk {
            let (row_key, old) = row.map_err(StorageError::database("list users"))?;
            let row: UserRow = records::decode("user", self.shard, &old)?;
            let mut state = row.state.clone();
            state.set_back(time);
            if state != row.state {
                let new = records::encode("user", &UserRow { version: index, state })?;
                self.replace(row_key.into_vec(), Some(&old), Some(new));
            }
        }
        Ok(())
    }

    /// Messages on their way carry codes that have ended. Counts and deliveries do not wait for a time
    /// that was wrong.
    fn set_back_outbox(&mut self, index: u64, time: SetBack) -> Result<(), StorageError> {
        let messages = keys::single(self.shard, outbox::MESSAGE);
        let mut waiting = Vec::new();
        for row in self.database.walk(Family::Outbox, &messages, &keys::after(&messages))? {
            let (row_key, _) = row.map_err(StorageError::database("list messages"))?;
            waiting.extend(outbox::parse_message(&row_key));
        }
        for name in waiting {
            if let Some(message) = self.take_message(&name)? {
                let outcome = SendOutcome::Failed { reason: REASON.to_owned() };
                self.settle_code(index, time.to, &message, outcome)?;
                self.tell(time.to, &message, AuditEntry::failure(FAILED, REASON))?;
            }
        }
        for kind in [outbox::TRAFFIC, outbox::DELIVERY] {
            let prefix = keys::single(self.shard, kind);
            for row in self.database.walk(Family::Outbox, &prefix, &keys::after(&prefix))? {
                let (row_key, old) = row.map_err(StorageError::database("list the outbox"))?;
                let new = match kind {
                    outbox::TRAFFIC => {
                        let mut counts: TrafficCounts =
                            records::decode("traffic", self.shard, &old)?;
                        counts.set_back(time.to);
                        records::encode("traffic", &counts)?
                    }
                    _ => {
                        let mut delivery: Delivery = records::decode("delivery", self.shard, &old)?;
                        delivery.next_attempt_at =
                            delivery.next_attempt_at.map(|at| at.min(time.to));
                        records::encode("delivery", &delivery)?
                    }
                };
                if *new != *old {
                    self.replace(row_key.into_vec(), Some(&old), Some(new));
                }
            }
        }
        Ok(())
    }
}
