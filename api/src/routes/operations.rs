//! What operators and verifiers of tokens read, without a key.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::ApiState;
use crate::token::Jwk;
use crate::wire::cluster::{NodeStatus, missing};

/// The Prometheus text format's media type.
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// The keys that verify access tokens (RFC 7517 section 5).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JwkSet {
    /// The newest first.
    keys: Vec<Jwk>,
}

/// Read the keys that verify access tokens
///
/// Retired keys stay for a day, until the last token that they signed has expired.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "getJwks", tag = "Tokens", security(()),
    responses((status = 200, description = "The keys", body = JwkSet))
)]
pub(crate) async fn jwks(State(api): State<ApiState>) -> Result<Response, Problem> {
    // A verifier keeps what it reads for a while: better none than a set without the newest key.
    api.gateway.current().await?;
    let keys = api.tokens.public_keys(api.clock.now());
    let cache = HeaderValue::from_static("public, max-age=300");
    Ok(([(header::CACHE_CONTROL, cache)], Json(JwkSet { keys })).into_response())
}

/// Whether the process is up
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "Operations", security(()),
    responses((status = 200, description = "It is", body = NodeStatus))
)]
pub(crate) async fn healthz() -> Json<NodeStatus> {
    Json(NodeStatus { status: "UP" })
}

/// Whether the node can serve
///
/// It can while every shard has a leader (or has lacked one for at most three seconds, as in an
/// election), the node has caught up, is in touch with the cluster and its clock is right,
/// and it is not shutting down; otherwise `detail` names what is missing.
#[utoipa::path(
    get, path = "/readyz", operation_id = "getReadiness", tag = "Operations", security(()),
    responses((status = 200, description = "It can", body = NodeStatus))
)]
pub(crate) async fn readyz(State(api): State<ApiState>) -> Result<Json<NodeStatus>, Problem> {
    let missing = missing(&api.gateway.health());
    if missing.is_empty() {
        Ok(Json(NodeStatus { status: "READY" }))
    } else {
        Err(Problem::not_ready(&missing))
    }
}

/// Read the node's metrics
///
/// In the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getMetrics", tag = "Operations", security(()),
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"))
)]
pub(crate) async fn metrics(State(api): State<ApiState>) -> Result<Response, Problem> {
    let render = api.options.metrics.as_ref().ok_or_else(Problem::no_such_address)?;
    Ok(([(header::CONTENT_TYPE, PROMETHEUS)], render()).into_response())
}
