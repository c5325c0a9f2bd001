//! Events and how their deliveries stand, as the herald reads them.

use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Delivery;
use tokio::sync::watch;

use super::Rows;
use crate::audit::{self, AuditRow};
use crate::database::{Family, Walk};
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::records;

impl Rows {
    /// A tenant's audit rows of this shard after a place in its chain, oldest first, at most `limit`.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn events(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StorageError> {
        audit::tail(&self.store.database, self.shard.id, tenant, after, limit)
    }

    /// One audit row of this shard; `None` if it is not the tenant's or not there any more.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn event(
        &self,
        tenant: &TenantId,
        sequence: u64,
    ) -> Result<Option<AuditRow>, StorageError> {
        audit::one(&self.store.database, self.shard.id, tenant, sequence)
    }

    /// The place of the tenant's last audit row of this shard that is older than `at`; 0 if there is
    /// none.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn events_before(&self, tenant: &TenantId, at: Timestamp) -> Result<u64, StorageError> {
        audit::last_before(&self.store.database, self.shard.id, tenant, at)
    }

    /// Up to which place of the chain an endpoint's deliveries have been recorded; `None` before the
    /// first record.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn webhook_position(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
    ) -> Result<Option<u64>, StorageError> {
        self.row("webhook position", &outbox::position(self.shard.id, tenant, webhook))
    }

    /// An endpoint's recorded deliveries after a place in the chain, oldest first, at most `limit`.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn deliveries(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StorageError> {
        let all = outbox::deliveries(self.shard.id, tenant, webhook);
        let from = match after.map(|sequence| sequence.checked_add(1)) {
            Some(Some(first)) => outbox::delivery(self.shard.id, tenant, webhook, first),
            Some(None) => return Ok(Vec::new()),
            None => all.clone(),
        };
        let walk = self.store.database.walk(Family::Outbox, &from, &keys::after(&all))?;
        self.read_deliveries(walk, limit)
    }

    /// As [`Self::deliveries`], before a place in the chain and newest first.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn deliveries_page(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StorageError> {
        let all = outbox::deliveries(self.shard.id, tenant, webhook);
        let to = match before {
            Some(sequence) => outbox::delivery(self.shard.id, tenant, webhook, sequence),
            None => keys::after(&all),
        };
        let walk = self.store.database.walk_back(Family::Outbox, &all, &to)?;
        self.read_deliveries(walk, limit)
    }

    /// One of them.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn delivery(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        sequence: u64,
    ) -> Result<Option<Delivery>, StorageError> {
        self.row("delivery", &outbox::delivery(self.shard.id, tenant, webhook, sequence))
    }

    /// Endpoints of which this shard has records, of all tenants, gone ones included. One seek each,
    /// however many records there are.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn webhooks(&self) -> Result<Vec<(TenantId, WebhookId)>, StorageError> {
        let mut found = std::collections::BTreeSet::new();
        for kind in [outbox::POSITION, outbox::DELIVERY] {
            let all = keys::single(self.shard.id, kind);
            let (mut from, to) = (all.clone(), keys::after(&all));
            while let Some(row) = self.store.database.walk(Family::Outbox, &from, &to)?.next() {
                let (key, _) = row.map_err(StorageError::database("list webhooks"))?;
                let Some((tenant, webhook)) = outbox::endpoint(&key) else {
                    from = [&key[..], &[0]].concat();
                    continue;
                };
                let mut of = outbox::endpoints_of(self.shard.id, kind, &tenant);
                of.extend_from_slice(webhook.as_bytes());
                from = keys::after(&of);
                found.insert((tenant, webhook));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Changes whenever a delivery was begun anew, once that can be read.
    pub fn redelivered(&self) -> watch::Receiver<u64> {
        self.shard.redelivered.subscribe()
    }

    fn read_deliveries(&self, walk: Walk<'_>, limit: usize) -> Result<Vec<Delivery>, StorageError> {
        let mut deliveries = Vec::new();
        for row in walk.take(limit) {
            let (_, bytes) = row.map_err(StorageError::database("list deliveries"))?;
            deliveries.push(records::decode("delivery", self.shard.id, &bytes)?);
        }
        Ok(deliveries)
    }
}
