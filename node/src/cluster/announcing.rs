//! What a node says of itself when it starts: its addresses may be others than before, and its
//! release a newer one.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_core::system::FEATURE_LEVEL;
use countersign_storage::{Directory, NodeId};
use tokio::time::Instant;

use super::joining::Addresses;
use super::registry;
use crate::gateway::Route;
use crate::network::{Answer, Call, Changed, ClusterChange};

/// Tells the registry where this node is and which version it has, if that is not what it says.
pub(crate) async fn run(route: Route, directory: Arc<Directory>, id: NodeId, own: Addresses) {
    let said = registry::announcement(id, own.api.clone(), own.peer.clone());
    let mut changes = directory.changes();
    loop {
        let system = directory.system();
        let known = system.node(id);
        let same = known.is_some_and(|node| {
            node.api_address == own.api
                && node.peer_address == own.peer
                && node.version == env!("CARGO_PKG_VERSION")
                && node.feature_level == FEATURE_LEVEL
        });
        if same || known.is_some_and(|node| node.removed_at.is_some()) {
            return;
        }
        if known.is_none() {
            // The registry has not arrived here yet.
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        }
        let change = ClusterChange::Announce(said.clone());
        let call = Call::ChangeCluster { change, within_ms: 10_000 };
        let deadline = Instant::now() + Duration::from_secs(10);
        match route.send(ShardId::SYSTEM, call, deadline).await {
            Ok(Answer::Changed(Ok(Changed::Announced))) => return,
            Ok(Answer::Changed(Ok(Changed::Refused(reason)))) => {
                tracing::error!(reason, "the cluster does not take this node's announcement");
                return;
            }
            other => tracing::debug!(?other, "not announced yet"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
