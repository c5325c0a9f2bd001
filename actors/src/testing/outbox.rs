//! What waits to leave, as a replica in memory shows it to couriers and heralds.

use std::ops::Bound;

use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::outbox::{OutboxKey, OutboxRow};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Delivery;
use tokio::sync::watch;

use super::MemoryReplica;
use crate::gateway::AuditRow;
use crate::ports::{Outbox, ReplicaError};

/// Everything after `place`; everything if there is none.
fn after<T>(place: Option<T>) -> (Bound<T>, Bound<T>) {
    (place.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

impl Outbox for MemoryReplica {
    fn messages(
        &self,
        place: Option<OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, ReplicaError> {
        self.with_waiting(|waiting| {
            let rows = waiting.messages.range(after(place)).take(limit);
            rows.map(|(_, row)| row.clone()).collect()
        })
    }

    fn message(&self, key: &OutboxKey) -> Result<Option<OutboxRow>, ReplicaError> {
        self.with_waiting(|waiting| waiting.messages.get(key).cloned())
    }

    fn messages_put(&self) -> watch::Receiver<u64> {
        self.messages_put.subscribe()
    }

    fn applied(&self) -> watch::Receiver<u64> {
        self.applied_index.subscribe()
    }

    fn events(
        &self,
        tenant: &TenantId,
        place: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, ReplicaError> {
        self.events_are_read();
        self.with_waiting(|waiting| {
            let later = waiting.chain.iter().skip(usize::try_from(place).unwrap_or(usize::MAX));
            let own = later.filter(|(owner, _)| owner == tenant).take(limit);
            own.map(|(_, row)| row.clone()).collect()
        })
    }

    fn event(&self, tenant: &TenantId, sequence: u64) -> Result<Option<AuditRow>, ReplicaError> {
        let before = sequence.saturating_sub(1);
        let rows = self.events(tenant, before, 1)?;
        Ok(rows.into_iter().find(|row| row.sequence == sequence))
    }

    fn events_before(&self, tenant: &TenantId, at: Timestamp) -> Result<u64, ReplicaError> {
        self.with_waiting(|waiting| {
            let mut own = waiting.chain.iter().rev().filter(|(owner, _)| owner == tenant);
            own.find(|(_, row)| row.at < at).map_or(0, |(_, row)| row.sequence)
        })
    }

    fn webhook_position(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
    ) -> Result<Option<u64>, ReplicaError> {
        self.with_waiting(|waiting| waiting.positions.get(&(tenant.clone(), webhook)).copied())
    }

    fn deliveries(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        place: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReplicaError> {
        self.with_waiting(|waiting| {
            let Some(known) = waiting.deliveries.get(&(tenant.clone(), webhook)) else {
                return Vec::new();
            };
            known.range(after(place)).take(limit).map(|(_, delivery)| delivery.clone()).collect()
        })
    }

    fn delivery(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        sequence: u64,
    ) -> Result<Option<Delivery>, ReplicaError> {
        self.with_waiting(|waiting| {
            waiting.deliveries.get(&(tenant.clone(), webhook))?.get(&sequence).cloned()
        })
    }

    fn webhooks(&self) -> Result<Vec<(TenantId, WebhookId)>, ReplicaError> {
        self.with_waiting(|waiting| waiting.webhooks().into_iter().collect())
    }

    fn redelivered(&self) -> watch::Receiver<u64> {
        self.redelivered.subscribe()
    }
}
