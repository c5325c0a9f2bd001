//! How deliveries to webhooks stand, as the leaders report it.
//!
//! Reports may come late and twice: what one says of an attempt of before a redelivery, or of less
//! than is known, changes nothing.

use std::cmp::Ordering;

use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::outbox::HeraldReport;
use countersign_core::proposal::Applied;
use countersign_core::time::{DAY_MS, Timestamp};
use countersign_core::webhook::{DELIVERY_KEPT_MS, Delivery, DeliveryState};

use super::Run;
use crate::database::Family;
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::records;

/// Deliveries of a webhook that is gone that one entry removes.
const FORGOTTEN_AT_ONCE: usize = 1_000;

impl Run<'_> {
    /// Takes in a report.
    pub(super) fn herald(&mut self, report: &HeraldReport) -> Result<Applied, StorageError> {
        let HeraldReport { now, tenant, webhook, position, deliveries } = report;
        let at = (*now).max(self.head.last_now);
        for delivery in deliveries {
            let row_key = outbox::delivery(self.shard, tenant, *webhook, delivery.sequence);
            let old = self.row(&row_key)?;
            match self.decoded::<Delivery>("delivery", old.as_deref())? {
                Some(known) if !supersedes(delivery, &known) => continue,
                Some(_) => {}
                None => self.look_at(at.plus_millis(DELIVERY_KEPT_MS), &row_key)?,
            }
            self.replace(row_key, old.as_deref(), Some(records::encode("delivery", delivery)?));
        }
        if let Some(position) = position {
            let row_key = outbox::position(self.shard, tenant, *webhook);
            let old = self.row(&row_key)?;
            let known: Option<u64> = self.decoded("webhook position", old.as_deref())?;
            if known.is_none_or(|known| known < *position) {
                let new = records::encode("webhook position", position)?;
                self.replace(row_key, old.as_deref(), Some(new));
            }
        }
        Ok(Applied::Noted)
    }

    /// Begins a delivery anew.
    pub(super) fn redeliver(
        &mut self,
        tenant: &TenantId,
        webhook: WebhookId,
        sequence: u64,
        now: Timestamp,
    ) -> Result<Applied, StorageError> {
        let row_key = outbox::delivery(self.shard, tenant, webhook, sequence);
        let old = self.row(&row_key)?;
        let Some(known) = self.decoded::<Delivery>("delivery", old.as_deref())? else {
            return Ok(Applied::Unknown);
        };
        let again = Delivery {
            state: DeliveryState::Pending,
            attempts: 0,
            // Later than before in any case: it tells the new attempts from the old ones.
            since: now.max(self.head.last_now).max(known.since.plus_millis(1)),
            next_attempt_at: Some(now),
            ..known
        };
        self.replace(row_key, old.as_deref(), Some(records::encode("delivery", &again)?));
        self.learned.redelivered = true;
        Ok(Applied::Noted)
    }

    /// Removes what is known of deliveries to an endpoint, a bounded part of it. The position goes
    /// last: until then the endpoint is listed.
    pub(super) fn forget_webhook(
        &mut self,
        tenant: &TenantId,
        webhook: WebhookId,
    ) -> Result<Applied, StorageError> {
        let deliveries = outbox::deliveries(self.shard, tenant, webhook);
        let gone = self.remove_all(&deliveries, FORGOTTEN_AT_ONCE)?;
        let more = gone == FORGOTTEN_AT_ONCE;
        if !more {
            self.remove_all(&outbox::position(self.shard, tenant, webhook), 1)?;
        }
        Ok(Applied::Maintained { more })
    }

    /// Removes hashed rows of the outbox that begin with `prefix`, up to `limit`, and says how many.
    /// Reads the database, so none of them may be waiting in the batch.
    pub(super) fn remove_all(
        &mut self,
        prefix: &[u8],
        limit: usize,
    ) -> Result<usize, StorageError> {
        let mut removed = 0;
        let walk = self.database.walk(Family::Outbox, prefix, &keys::after(prefix))?;
        for row in walk.take(limit) {
            let (row_key, old) =
                row.map_err(StorageError::database("remove rows of the outbox"))?;
            self.replace(row_key.into_vec(), Some(&old), None);
            removed += 1;
        }
        Ok(removed)
    }

    /// Whether a delivery has ended and was kept for long enough at `clock`; if not, when to look
    /// again.
    pub(super) fn delivery_is_over(
        &self,
        bytes: &[u8],
        clock: Timestamp,
    ) -> Result<Result<(), Timestamp>, StorageError> {
        let delivery: Delivery = records::decode("delivery", self.shard, bytes)?;
        if delivery.state == DeliveryState::Pending {
            return Ok(Err(clock.plus_millis(DAY_MS)));
        }
        let ended_at = delivery.last_attempt_at.unwrap_or(delivery.since);
        let over_at = ended_at.plus_millis(DELIVERY_KEPT_MS);
        Ok(match over_at <= clock {
            true => Ok(()),
            // Told by a leader's clock, which may have been wrong: never taken at its word for long.
            false => Err(over_at.min(clock.plus_millis(DELIVERY_KEPT_MS))),
        })
    }
}

/// Whether a report of a delivery says more than is known. What was delivered stays so until a
/// redelivery begins it anew, and attempts of before that tell nothing of it.
fn supersedes(reported: &Delivery, known: &Delivery) -> bool {
    let rank = |delivery: &Delivery| match delivery.state {
        DeliveryState::Pending => 0,
        DeliveryState::Dead => 1,
        DeliveryState::Delivered => 2,
    };
    match reported.since.cmp(&known.since) {
        Ordering::Less => false,
        Ordering::Equal => (rank(reported), reported.attempts) >= (rank(known), known.attempts),
        Ordering::Greater => known.state == DeliveryState::Pending,
    }
}
