//! Does for the couriers what a tenant's own row must decide, wherever that row is led.

use std::sync::{Arc, OnceLock, Weak};

use countersign_actors::carrier::Steward;
use countersign_actors::gateway::{Caller, Gateway};
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::tenant::TenantCommand;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Asks through the node's own gateway, once there is one: the couriers start before it.
#[derive(Default)]
pub(crate) struct GatewaySteward {
    // Weak, since the gateway holds the service that holds this.
    gateway: OnceLock<Weak<dyn Gateway>>,
}

impl GatewaySteward {
    /// From now on there is a gateway.
    pub(crate) fn through(&self, gateway: &Arc<dyn Gateway>) {
        // Only the first one is taken; there is only one.
        let _ = self.gateway.set(Arc::downgrade(gateway));
    }
}

impl Steward for GatewaySteward {
    fn disable_webhook(&self, tenant: TenantId, webhook: WebhookId) -> BoxFuture<'_, ()> {
        async move {
            let Some(gateway) = self.gateway.get().and_then(Weak::upgrade) else { return };
            let caller = Caller {
                tenant: tenant.clone(),
                key: None,
                request_id: format!("disable {webhook}"),
                address: None,
                idempotency: None,
            };
            let command = TenantCommand::DisableWebhook { id: webhook };
            if let Err(error) = gateway.change_tenant(caller, tenant, command).await {
                tracing::warn!(%webhook, %error, "a failing webhook could not be disabled yet");
            }
        }
        .boxed()
    }
}
