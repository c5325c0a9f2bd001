//! `/v1/cluster`.

use axum::Json;
use axum::extract::State;

use crate::request::{As, Cluster as MayCluster};
use crate::state::ApiState;
use crate::wire::cluster::Cluster;

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
