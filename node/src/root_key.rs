//! Replaces lost root keys: the operator stops a node and starts it with a new key and
//! `--replace-root-key`. The change goes through the log like any other, so every node has it, it is
//! in the audit log, and it needs a quorum. Whoever can start a node with its data, its master key
//! and its place in the cluster could read and change everything anyway.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::{Caller, Gateway};
use countersign_core::ids::TenantId;
use countersign_core::secret::Secret;
use countersign_core::tenant::{TenantCommand, TenantReply};
use tokio::time::sleep;

/// Between two attempts: the cluster may have no leader yet.
const AGAIN: Duration = Duration::from_secs(1);

/// Asks until it is done.
pub(crate) async fn replace(gateway: Arc<dyn Gateway>, key: Secret) {
    loop {
        let caller = Caller {
            tenant: TenantId::default_tenant(),
            key: None,
            request_id: "replace-root-key".to_owned(),
            address: None,
            idempotency: None,
        };
        let command = TenantCommand::ReplaceRootKeys { key: key.clone() };
        match gateway.change_tenant(caller, TenantId::default_tenant(), command).await {
            Ok(TenantReply::Done) => {
                tracing::warn!(
                    "COUNTERSIGN_ROOT_KEY is the only root key now; all earlier root keys are revoked. \
                     Leave --replace-root-key out of later starts"
                );
                return;
            }
            Ok(reply) => tracing::error!(?reply, "the root keys are not replaced"),
            Err(error) => tracing::warn!(%error, "the root keys are not replaced yet"),
        }
        sleep(AGAIN).await;
    }
}
