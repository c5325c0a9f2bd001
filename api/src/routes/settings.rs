//! `/v1/settings`.

use axum::Json;
use axum::extract::State;
use countersign_core::tenant::TenantReply;

use crate::problem::Problem;
use crate::request::{As, Payload, Policy};
use crate::state::ApiState;
use crate::wire::settings::{Settings, UpdateSettings};

/// Read the settings
#[utoipa::path(
    get, path = "/v1/settings", operation_id = "getSettings", tag = "Settings",
    responses((status = 200, description = "The settings", body = Settings))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Policy>,
) -> Result<Json<Settings>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    Ok(Json(Settings::of(&tenant.settings, &tenant.alerts, &tenant.templates)))
}

/// Change the settings
///
/// A merge patch: what is left out stays, nothing may be null.
#[utoipa::path(
    patch, path = "/v1/settings", operation_id = "updateSettings", tag = "Settings",
    request_body = UpdateSettings,
    responses((status = 200, description = "The settings as they are now", body = Settings))
)]
pub(crate) async fn update(
    State(api): State<ApiState>,
    who: As<Policy>,
    body: Payload<UpdateSettings>,
) -> Result<Json<Settings>, Problem> {
    let command = body.value.command()?;
    let caller = who.writing(body.idempotency);
    let take = |reply| match reply {
        TenantReply::Settings(settings) => {
            Some(Settings::of(&settings.0, &settings.1, &settings.2))
        }
        _ => None,
    };
    api.change_tenant(caller, who.tenant, command, "updateSettings", take).await.map(Json)
}
