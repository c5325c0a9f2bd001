//! What waits to leave a shard, behind the port that the couriers know.

use countersign_actors::gateway::AuditRow;
use countersign_actors::ports::{Outbox, ReplicaError};
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::outbox::{OutboxKey, OutboxRow};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Delivery;
use tokio::sync::watch;

use crate::listing::audit_row;
use crate::replica::ShardReplica;

impl Outbox for ShardReplica {
    fn messages(
        &self,
        after: Option<OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, ReplicaError> {
        self.rows().messages(after, limit).map_err(|error| self.store(&error))
    }

    fn message(&self, key: &OutboxKey) -> Result<Option<OutboxRow>, ReplicaError> {
        self.rows().message(key).map_err(|error| self.store(&error))
    }

    fn messages_put(&self) -> watch::Receiver<u64> {
        self.rows().messages_put()
    }

    fn applied(&self) -> watch::Receiver<u64> {
        self.rows().applied()
    }

    fn events(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, ReplicaError> {
        let events = self.rows().events(tenant, after, limit);
        let events = events.map_err(|error| self.store(&error))?;
        Ok(events.into_iter().map(audit_row).collect())
    }

    fn event(&self, tenant: &TenantId, sequence: u64) -> Result<Option<AuditRow>, ReplicaError> {
        let event = self.rows().event(tenant, sequence).map_err(|error| self.store(&error))?;
        Ok(event.map(audit_row))
    }

    fn events_before(&self, tenant: &TenantId, at: Timestamp) -> Result<u64, ReplicaError> {
        self.rows().events_before(tenant, at).map_err(|error| self.store(&error))
    }

    fn webhook_position(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
    ) -> Result<Option<u64>, ReplicaError> {
        self.rows().webhook_position(tenant, webhook).map_err(|error| self.store(&error))
    }

    fn deliveries(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReplicaError> {
        self.rows().deliveries(tenant, webhook, after, limit).map_err(|error| self.store(&error))
    }

    fn delivery(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        sequence: u64,
    ) -> Result<Option<Delivery>, ReplicaError> {
        self.rows().delivery(tenant, webhook, sequence).map_err(|error| self.store(&error))
    }

    fn webhooks(&self) -> Result<Vec<(TenantId, WebhookId)>, ReplicaError> {
        self.rows().webhooks().map_err(|error| self.store(&error))
    }

    fn redelivered(&self) -> watch::Receiver<u64> {
        self.rows().redelivered()
    }
}
