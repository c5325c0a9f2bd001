//! `/v1/cluster`.

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::NodeRemoval;

use crate::problem::{Code, Problem};
use crate::request::{As, At, Cluster as MayCluster, Empty, NodePath, Payload, ShardPath};
use crate::state::ApiState;
use crate::wire::NoContent;
use crate::wire::cluster::{Cluster, ShardTimeSet, TransferredLeadership};

/// See the cluster
///
/// As the node that answers sees it, without asking others.
#[utoipa::path(
    get, path = "/v1/cluster", operation_id = "getCluster", tag = "Cluster",
    responses((status = 200, description = "The cluster", body = Cluster))
)]
pub(crate) async fn read(State(api): State<ApiState>, _: As<MayCluster>) -> Json<Cluster> {
    Json(api.gateway.health().into())
}

/// Remove a node
///
/// For ever: its number is never given again, and it must be wiped to join anew. Refused while the
/// others could not make a quorum without it.
#[utoipa::path(
    delete, path = "/v1/cluster/nodes/{nodeId}", operation_id = "removeNode", tag = "Cluster",
    params(NodePath), responses((status = 204, description = "The node is no part of the cluster"))
)]
pub(crate) async fn remove_node(
    State(api): State<ApiState>,
    who: As<MayCluster>,
    At(NodePath { node }): At<NodePath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    match api.gateway.remove_node(who.writing(body.idempotency), node).await? {
        NodeRemoval::Removed => Ok(NoContent),
        NodeRemoval::Unknown => Err(Problem::no_such_node()),
        NodeRemoval::Refused(reason) => Err(Problem::new(Code::Conflict, reason)),
    }
}

/// Make a node hand over its leaderships
///
/// To the other nodes, in order and without a failed request; the node leads nothing for a while.
/// For before it is stopped or moved.
#[utoipa::path(
    post, path = "/v1/cluster/nodes/{nodeId}/transfer-leadership",
    operation_id = "transferLeadership", tag = "Cluster", params(NodePath),
    responses((status = 200, description = "What became of its shards", body = TransferredLeadership))
)]
pub(crate) async fn transfer_leadership(
    State(api): State<ApiState>,
    who: As<MayCluster>,
    At(NodePath { node }): At<NodePath>,
    body: Payload<Empty>,
) -> Result<Json<TransferredLeadership>, Problem> {
    if !api.gateway.health().nodes.iter().any(|known| known.id == node) {
        return Err(Problem::no_such_node());
    }
    let handed_over = api.gateway.hand_over(who.writing(body.idempotency), node).await?;
    Ok(Json(handed_over.into()))
}

/// Set the time of a shard right
///
/// Lifetimes are counted by a time of each shard's own, which never goes back. Where clocks that were
/// ahead gave it (`timeAheadMs` of `GET /v1/cluster`), it stays ahead until this sets it right.
/// Nothing is reopened by it: what is open in the shard and lives for minutes (challenges, sent codes,
/// enrollments, sessions of the hosted pages) ends, and whoever is in the middle of a login begins
/// again; locks and trusted devices keep the time that they have left.
#[utoipa::path(
    post, path = "/v1/cluster/shards/{shardId}/set-time",
    operation_id = "setShardTime", tag = "Cluster", params(ShardPath),
    responses((status = 200, description = "By how much it was set back", body = ShardTimeSet))
)]
pub(crate) async fn set_time(
    State(api): State<ApiState>,
    who: As<MayCluster>,
    At(ShardPath { shard }): At<ShardPath>,
    body: Payload<Empty>,
) -> Result<Json<ShardTimeSet>, Problem> {
    let set = api.gateway.set_time(who.writing(body.idempotency), shard).await?;
    let set_back_ms = set.ok_or_else(Problem::no_such_shard)?;
    Ok(Json(ShardTimeSet { set_back_ms }))
}
