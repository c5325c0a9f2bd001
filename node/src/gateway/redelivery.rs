//! A webhook's delivery that is asked for again: put into the log by whoever leads the shard of its
//! event. The herald of that shard then takes it up.

#[cfg(test)]
mod tests;

use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::{DeliveryId, ShardId, TenantId, WebhookId};
use countersign_core::proposal::{Applied, LogCommand};
use tokio::time::{Instant, timeout_at};

use super::here::Here;
use crate::replica::ShardReplica;

/// Names a delivery of a tenant's webhook.
pub(super) struct Redelivery {
    /// Whose.
    pub(super) tenant: TenantId,
    /// To which endpoint.
    pub(super) webhook: WebhookId,
    /// Which.
    pub(super) delivery: DeliveryId,
}

/// The shard and the place of the event that a delivery to this webhook is of. `None` if it is
/// another webhook's, a message's, or nobody's.
pub(super) fn place(
    webhook: WebhookId,
    delivery: DeliveryId,
    shards: u16,
) -> Option<(ShardId, u64)> {
    let (shard, sequence) = delivery.event_place();
    let named = DeliveryId::of_event(webhook, shard, sequence) == delivery;
    (named && shard.0 < shards).then_some((shard, sequence))
}

impl Here {
    /// Has a delivery tried anew; `false` if there is none of that name.
    pub(super) async fn redeliver(
        &self,
        asked: Redelivery,
        within: Duration,
    ) -> Result<bool, GatewayError> {
        let Redelivery { tenant, webhook, delivery } = asked;
        let Some((shard, sequence)) = place(webhook, delivery, self.book.shards()) else {
            return Ok(false);
        };
        let deadline = Instant::now() + within;
        self.writable()?;
        self.taken_on(shard, deadline).await?;
        let replica = self.replica(shard)?.into_port();
        let written = async {
            // What is read now is all that was answered before, so that "there is none" is true.
            replica.barrier().await?;
            let rows = self.store.rows(shard);
            let known = rows
                .delivery(&tenant, webhook, sequence)
                .map_err(|error| GatewayError::Internal(error.to_string()))?;
            // Before every node understands this entry, there are no deliveries.
            if known.is_none() {
                return Ok(false);
            }
            let now = self.registry.clock.now();
            let again = LogCommand::Redeliver { tenant, webhook, sequence, now };
            Ok(replica.propose(again).await? != Applied::Unknown)
        };
        timeout_at(deadline, written).await.unwrap_or_else(|_| {
            Err(GatewayError::Unavailable(format!("shard {shard} did not take it in time")))
        })
    }

    /// This node's replica of a shard that it leads.
    fn replica(&self, shard: ShardId) -> Result<ShardReplica, GatewayError> {
        let elsewhere = || GatewayError::NotLeading { leader: None };
        let group = self.groups.get(&shard).ok_or_else(elsewhere)?;
        let fence = group.as_leader().map_err(|_| elsewhere())?.to_committed_leader_id();
        Ok(ShardReplica::new(shard, group.clone(), self.store.rows(shard), fence))
    }
}
