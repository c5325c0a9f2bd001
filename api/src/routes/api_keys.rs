//! `/v1/api-keys`.

use axum::Json;
use axum::extract::State;
use countersign_core::tenant::{TenantCommand, TenantReply};

use crate::problem::Problem;
use crate::request::{As, At, Empty, KeyPath, Keys, Listing, PageParams, Payload};
use crate::state::ApiState;
use crate::wire::tenant::{ApiKey, CreateApiKey, CreatedApiKey};
use crate::wire::{Created, List, NoContent, SecretText};

/// Make an API key
///
/// The key is shown once and kept as a digest. It can have no scope that the asking key lacks. A root
/// key makes further root keys with `root`.
#[utoipa::path(
    post, path = "/v1/api-keys", operation_id = "createApiKey", tag = "API keys",
    request_body = CreateApiKey,
    responses((status = 201, description = "The key", body = CreatedApiKey))
)]
pub(crate) async fn create(
    State(api): State<ApiState>,
    who: As<Keys>,
    body: Payload<CreateApiKey>,
) -> Result<Created<CreatedApiKey>, Problem> {
    let command = body.value.command(&who.scopes, who.root, api.clock.now())?;
    let caller = who.writing(body.idempotency);
    let take = |reply| match reply {
        TenantReply::ApiKeyCreated { api_key, secret } => {
            Some(CreatedApiKey { api_key: ApiKey::from(&api_key), key: SecretText::from(secret) })
        }
        _ => None,
    };
    api.change_tenant(caller, who.tenant, command, "createApiKey", take).await.map(Created)
}

/// List API keys
///
/// The oldest first, without the keys themselves.
#[utoipa::path(
    get, path = "/v1/api-keys", operation_id = "listApiKeys", tag = "API keys",
    params(PageParams), responses((status = 200, description = "A page of keys", body = List<ApiKey>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    who: As<Keys>,
    listing: Listing<()>,
) -> Result<Json<List<ApiKey>>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    let rows = tenant.api_keys.iter().map(|key| ((key.created_at, key.id.to_string()), key));
    List::page_of(rows, &listing).map(Json)
}

/// Revoke an API key
///
/// A key that may do more than the asking one is not revoked by it, and the last root key by none.
#[utoipa::path(
    delete, path = "/v1/api-keys/{keyId}", operation_id = "revokeApiKey", tag = "API keys",
    params(KeyPath), responses((status = 204, description = "The key opens nothing any more"))
)]
pub(crate) async fn revoke(
    State(api): State<ApiState>,
    who: As<Keys>,
    At(KeyPath { key }): At<KeyPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    let command = TenantCommand::RevokeApiKey { id: key };
    let caller = who.writing(body.idempotency);
    let take = |reply| matches!(reply, TenantReply::Done).then_some(NoContent);
    api.change_tenant(caller, who.tenant, command, "revokeApiKey", take).await
}
