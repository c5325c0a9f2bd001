//! `/v1/webhooks`.

use axum::Json;
use axum::extract::State;
use countersign_core::tenant::{TenantCommand, TenantReply};

use crate::problem::Problem;
use crate::request::{
    Admin, As, At, DeliveryPath, Empty, Listing, PageParams, Payload, WebhookPath,
};
use crate::state::ApiState;
use crate::wire::webhook::{
    CreateWebhook, RotateWebhookSecret, UpdateWebhook, Webhook, WebhookDelivery, WebhookWithSecret,
};
use crate::wire::{Accepted, Created, List, NoContent, SecretText};

fn webhook(reply: TenantReply) -> Option<Webhook> {
    match reply {
        TenantReply::Webhook(webhook) => Some(webhook.as_ref().into()),
        _ => None,
    }
}

fn with_secret(reply: TenantReply) -> Option<WebhookWithSecret> {
    match reply {
        TenantReply::WebhookSecret { webhook, secret } => Some(WebhookWithSecret {
            webhook: webhook.as_ref().into(),
            secret: SecretText::from(secret),
        }),
        _ => None,
    }
}

/// Tell events to an endpoint
///
/// Deliveries follow Standard Webhooks: signed with the secret that is shown here once, at least
/// once with the same `webhook-id`, in order for each user, retried for 24 hours.
#[utoipa::path(
    post, path = "/v1/webhooks", operation_id = "createWebhook", tag = "Webhooks",
    request_body = CreateWebhook,
    responses((status = 201, description = "The webhook", body = WebhookWithSecret))
)]
pub(crate) async fn create(
    State(api): State<ApiState>,
    who: As<Admin>,
    body: Payload<CreateWebhook>,
) -> Result<Created<WebhookWithSecret>, Problem> {
    let command = body.value.command(&api.options.webhooks)?;
    let caller = who.writing(body.idempotency);
    let made = api.change_tenant(caller, who.tenant, command, "createWebhook", with_secret);
    made.await.map(Created)
}

/// List webhooks
///
/// The oldest first.
#[utoipa::path(
    get, path = "/v1/webhooks", operation_id = "listWebhooks", tag = "Webhooks",
    params(PageParams),
    responses((status = 200, description = "A page of webhooks", body = List<Webhook>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    who: As<Admin>,
    listing: Listing<()>,
) -> Result<Json<List<Webhook>>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    let rows = tenant.webhooks.iter();
    let rows = rows.map(|one| ((one.created_at, one.id.to_string()), Webhook::from(one)));
    List::page_of(rows, &listing).map(Json)
}

/// Read a webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{webhookId}", operation_id = "getWebhook", tag = "Webhooks",
    params(WebhookPath),
    responses((status = 200, description = "The webhook", body = Webhook))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(path): At<WebhookPath>,
) -> Result<Json<Webhook>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    let found = tenant.webhooks.iter().find(|one| one.id == path.webhook);
    found.map(|one| Json(one.into())).ok_or_else(WebhookPath::absent)
}

/// Change a webhook
///
/// What is left out stays.
#[utoipa::path(
    patch, path = "/v1/webhooks/{webhookId}", operation_id = "updateWebhook", tag = "Webhooks",
    params(WebhookPath), request_body = UpdateWebhook,
    responses((status = 200, description = "The webhook as it is now", body = Webhook))
)]
pub(crate) async fn update(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(path): At<WebhookPath>,
    body: Payload<UpdateWebhook>,
) -> Result<Json<Webhook>, Problem> {
    let command = body.value.command(path.webhook, &api.options.webhooks)?;
    let caller = who.writing(body.idempotency);
    api.change_tenant(caller, who.tenant, command, "updateWebhook", webhook).await.map(Json)
}

/// Remove a webhook
#[utoipa::path(
    delete, path = "/v1/webhooks/{webhookId}", operation_id = "deleteWebhook", tag = "Webhooks",
    params(WebhookPath), responses((status = 204, description = "Gone"))
)]
pub(crate) async fn delete(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(path): At<WebhookPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    let command = TenantCommand::RemoveWebhook { id: path.webhook };
    let caller = who.writing(body.idempotency);
    let take = |reply| matches!(reply, TenantReply::Done).then_some(NoContent);
    api.change_tenant(caller, who.tenant, command, "deleteWebhook", take).await
}

/// Sign with a new secret
///
/// The old one signs as well until the overlap ends; then events carry two signatures.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhookId}/rotate-secret", operation_id = "rotateWebhookSecret",
    tag = "Webhooks", params(WebhookPath), request_body = RotateWebhookSecret,
    responses((status = 200, description = "The new secret", body = WebhookWithSecret))
)]
pub(crate) async fn rotate_secret(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(path): At<WebhookPath>,
    body: Payload<RotateWebhookSecret>,
) -> Result<Json<WebhookWithSecret>, Problem> {
    let command = body.value.command(path.webhook)?;
    let caller = who.writing(body.idempotency);
    let rotated =
        api.change_tenant(caller, who.tenant, command, "rotateWebhookSecret", with_secret);
    rotated.await.map(Json)
}

/// List a webhook's deliveries
///
/// Those of the newest events first. Ended ones are kept for three days.
#[utoipa::path(
    get, path = "/v1/webhooks/{webhookId}/deliveries", operation_id = "listWebhookDeliveries",
    tag = "Webhooks", params(WebhookPath, PageParams),
    responses((status = 200, description = "A page of deliveries", body = List<WebhookDelivery>))
)]
pub(crate) async fn deliveries(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(path): At<WebhookPath>,
    listing: Listing<()>,
) -> Result<Json<List<WebhookDelivery>>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    if !tenant.webhooks.iter().any(|one| one.id == path.webhook) {
        return Err(WebhookPath::absent());
    }
    let Listing { limit, cursor, .. } = listing;
    let page = api.gateway.webhook_deliveries(who.tenant, path.webhook, cursor, limit).await?;
    Ok(Json(page.into()))
}

/// Deliver an event again
///
/// Whatever became of it, it is tried anew, for 24 hours, with the same `webhook-id`.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
    operation_id = "redeliverWebhookEvent", tag = "Webhooks", params(DeliveryPath),
    request_body = Empty, responses((status = 202, description = "It will be tried", body = Empty))
)]
pub(crate) async fn redeliver(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(path): At<DeliveryPath>,
    body: Payload<Empty>,
) -> Result<Accepted<Empty>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    let exists = tenant.webhooks.iter().any(|one| one.id == path.webhook);
    let caller = who.writing(body.idempotency);
    match exists && api.gateway.redeliver(caller, path.webhook, path.delivery).await? {
        true => Ok(Accepted(Empty {})),
        false => Err(DeliveryPath::absent()),
    }
}
