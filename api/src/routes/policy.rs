//! `/v1/mfa/policy`.

use axum::Json;
use axum::extract::State;
use countersign_core::tenant::TenantReply;

use crate::problem::Problem;
use crate::request::{As, Payload, Policy};
use crate::state::ApiState;
use crate::wire::policy::{PolicyBody, UpdatePolicy};

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
