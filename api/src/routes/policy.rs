//! `/v1/mfa/policy`.

use axum::Json;
use axum::extract::State;
use countersign_core::tenant::{TenantReply, with_policy};

use crate::problem::Problem;
use crate::request::{As, Payload, Policy};
use crate::state::ApiState;
use crate::wire::policy::{PolicyBody, UpdatePolicy};
use crate::wire::preview::PreviewBody;

/// Read the policy
#[utoipa::path(
    get, path = "/v1/mfa/policy", operation_id = "getPolicy", tag = "Policy",
    responses((status = 200, description = "The policy", body = PolicyBody))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Policy>,
) -> Result<Json<PolicyBody>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    Ok(Json(PolicyBody::of(&tenant.policy, &tenant.guards, &tenant.webauthn)))
}

/// Change the policy
///
/// A merge patch: what is left out stays, lists are replaced whole, nothing may be null. With
/// `version` it takes effect only if that is still the current one.
#[utoipa::path(
    patch, path = "/v1/mfa/policy", operation_id = "updatePolicy", tag = "Policy",
    request_body = UpdatePolicy,
    responses((status = 200, description = "The policy as it is now", body = PolicyBody))
)]
pub(crate) async fn update(
    State(api): State<ApiState>,
    who: As<Policy>,
    body: Payload<UpdatePolicy>,
) -> Result<Json<PolicyBody>, Problem> {
    let command = body.value.command()?;
    let caller = who.writing(body.idempotency);
    let take = |reply| match reply {
        TenantReply::Policy(policy) => Some(PolicyBody::of(&policy.0, &policy.1, &policy.2)),
        _ => None,
    };
    api.change_tenant(caller, who.tenant, command, "updatePolicy", take).await.map(Json)
}

/// See whom a change of the policy would affect
///
/// Nothing is changed. The body is that of the change, and it is refused as the change would be.
/// Every user is looked at, for a few seconds at most: of very many users a fair share is.
#[utoipa::path(
    post, path = "/v1/mfa/policy/preview", operation_id = "previewPolicy", tag = "Policy",
    request_body = UpdatePolicy,
    responses((status = 200, description = "Whom it would affect", body = PreviewBody))
)]
pub(crate) async fn preview(
    State(api): State<ApiState>,
    who: As<Policy>,
    body: Payload<UpdatePolicy>,
) -> Result<Json<PreviewBody>, Problem> {
    let patch = body.value.patch()?;
    let tenant = api.tenant(&who.tenant)?;
    let next = with_policy(&tenant, &patch, api.clock.now())?;
    let preview = api.gateway.preview(tenant, next).await?;
    Ok(Json(preview.into()))
}
