//! `/v1/audit`.

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::{AuditFilter, AuditHead};
use countersign_core::time::Timestamp;

use crate::problem::Problem;
use crate::request::{As, Audit, AuditParams, Listing, PageParams};
use crate::state::ApiState;
use crate::wire::List;
use crate::wire::audit::{AuditCheckpoint, AuditEvent};

/// List audit events
///
/// The newest first. `type` takes a trailing `*`. One request looks at a bounded number of events: a
/// page may be short, or empty, and still have a `nextCursor`; go on until there is none.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "listAuditEvents", tag = "Audit",
    params(AuditParams, PageParams),
    responses((status = 200, description = "A page of events", body = List<AuditEvent>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    who: As<Audit>,
    listing: Listing<AuditFilter>,
) -> Result<Json<List<AuditEvent>>, Problem> {
    let Listing { limit, cursor, filter } = listing;
    let page = api.gateway.audit(who.tenant, filter, cursor, limit).await?;
    Ok(Json(page.into()))
}

/// Read the signed heads of the audit chains
///
/// One for each shard, of your tenant's events alone. Keep them elsewhere: later they prove that
/// nothing before them was altered. `countersign audit export` takes them with the events.
#[utoipa::path(
    get, path = "/v1/audit/checkpoints", operation_id = "listAuditCheckpoints", tag = "Audit",
    params(PageParams), responses((status = 200, description = "The heads", body = List<AuditCheckpoint>))
)]
pub(crate) async fn checkpoints(
    State(api): State<ApiState>,
    who: As<Audit>,
    listing: Listing<()>,
) -> Result<Json<List<AuditCheckpoint>>, Problem> {
    let heads = api.gateway.audit_heads(who.tenant.clone()).await?;
    // In the order of the shards: a head moves on with every event, its shard stays.
    let place = |head: &AuditHead| (Timestamp::from_millis(head.shard.0.into()), "head".to_owned());
    let rows = heads.into_iter().map(|head| (place(&head), head));
    let page: List<AuditHead> = List::page_of(rows, &listing)?;
    let signed = page.data.iter().map(|head| AuditCheckpoint::sign(head, &who.tenant, &api));
    let data = signed.collect::<Result<Vec<_>, _>>()?;
    Ok(Json(List { data, next_cursor: page.next_cursor }))
}
