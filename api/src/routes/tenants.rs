//! `/v1/tenants`.

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::Idempotency;
use countersign_core::ids::TenantId;
use countersign_core::tenant::{TenantCommand, TenantReply};
use data_encoding::BASE32_DNSSEC;
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::request::{As, At, Empty, Listing, PageParams, Payload, Root, TenantPath};
use crate::state::ApiState;
use crate::wire::tenant::{ApiKey, CreateTenant, CreatedApiKey, CreatedTenant, Tenant};
use crate::wire::{Created, List, NoContent, SecretText};

/// Make a tenant
///
/// With a first API key of all scopes, shown once.
#[utoipa::path(
    post, path = "/v1/tenants", operation_id = "createTenant", tag = "Tenants",
    request_body = CreateTenant,
    responses((status = 201, description = "The tenant and its first key", body = CreatedTenant))
)]
pub(crate) async fn create(
    State(api): State<ApiState>,
    who: As<Root>,
    body: Payload<CreateTenant>,
) -> Result<Created<CreatedTenant>, Problem> {
    let command = body.value.command()?;
    let id = new_id(&api, &who.tenant, body.idempotency.as_ref())?;
    let caller = who.writing(body.idempotency);
    let take = |reply| match reply {
        TenantReply::Created { id, name, created_at, api_key, secret } => Some(CreatedTenant {
            tenant: Tenant { id: id.to_string(), name, created_at: created_at.into() },
            api_key: CreatedApiKey {
                api_key: ApiKey::from(&api_key),
                key: SecretText::from(secret),
            },
        }),
        _ => None,
    };
    api.change_tenant(caller, id, command, "createTenant", take).await.map(Created)
}

/// List tenants
///
/// The oldest first.
#[utoipa::path(
    get, path = "/v1/tenants", operation_id = "listTenants", tag = "Tenants",
    params(PageParams), responses((status = 200, description = "A page of tenants", body = List<Tenant>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    _: As<Root>,
    listing: Listing<()>,
) -> Result<Json<List<Tenant>>, Problem> {
    let tenants = api.directory.tenants();
    let rows = tenants.iter().map(|it| ((it.created_at, it.id.to_string()), it.as_ref()));
    List::page_of(rows, &listing).map(Json)
}

/// Remove a tenant
///
/// Its keys stop at once; its users are erased in the background.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenantId}", operation_id = "deleteTenant", tag = "Tenants",
    params(TenantPath), responses((status = 204, description = "The tenant is no more"))
)]
pub(crate) async fn delete(
    State(api): State<ApiState>,
    who: As<Root>,
    At(TenantPath { tenant }): At<TenantPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    let caller = who.writing(body.idempotency);
    let take = |reply| matches!(reply, TenantReply::Done).then_some(NoContent);
    api.change_tenant(caller, tenant, TenantCommand::Remove, "deleteTenant", take).await
}

/// The id of a new tenant: random, or, with an idempotency key, drawn from it, so that a repeated
/// request names the tenant that the first one made.
fn new_id(
    api: &ApiState,
    asking: &TenantId,
    idempotency: Option<&Idempotency>,
) -> Result<TenantId, Problem> {
    let mut bytes = [0; 16];
    match idempotency {
        Some(Idempotency { key, .. }) => {
            let mut digest = Sha256::new_with_prefix(b"new-tenant\0");
            digest.update(asking.as_str());
            digest.update([0]);
            digest.update(key);
            bytes.copy_from_slice(&digest.finalize()[..16]);
        }
        None => api.entropy.fill(&mut bytes),
    }
    let text = format!("ten_{}", BASE32_DNSSEC.encode(&bytes));
    text.parse().map_err(|error| Problem::internal(format!("a new tenant's id: {error}")))
}
