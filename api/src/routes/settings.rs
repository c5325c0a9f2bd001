//! `/v1/settings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::PolicyPreview;
use countersign_core::tenant::{TenantCommand, TenantReply, TenantState, with_settings};

use crate::problem::{Code, FieldError, Problem};
use crate::request::{As, Payload, Policy, origin};
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
/// A merge patch: what is left out stays, nothing may be null. A change of `rpId` or `origins` that
/// makes security keys or passkeys useless is refused with 409 and their number, unless `force` is
/// true. They are counted from what the answering node has applied, for a few seconds at most; of very
/// many users the number is the least that there are.
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
    let (patch, force) = body.value.patch()?;
    let tenant = api.tenant(&who.tenant)?;
    let next = with_settings(&tenant, &patch)?;
    let touched = patch.rp_id.is_some() || patch.origins.is_some();
    let suffix = || origin::public_suffix(&next.settings).filter(|_| touched);
    // Origins may come before the relying party, which is told by what becomes of its keys.
    let misfit = || origin::fits_no_origin(&next.settings).filter(|_| patch.rp_id.is_some());
    if let Some(detail) = suffix().or_else(misfit) {
        return Err(Problem::validation(vec![FieldError::new("/rpId", detail)]));
    }
    if !force {
        keeps_keys(&api, tenant, next).await?;
    }
    let command = TenantCommand::PatchSettings(Box::new(patch));
    let caller = who.writing(body.idempotency);
    let take = |reply| match reply {
        TenantReply::Settings(settings) => {
            Some(Settings::of(&settings.0, &settings.1, &settings.2))
        }
        _ => None,
    };
    api.change_tenant(caller, who.tenant, command, "updateSettings", take).await.map(Json)
}

/// Refuses settings under which keys that people have could not be used any more.
async fn keeps_keys(
    api: &ApiState,
    current: Arc<TenantState>,
    next: TenantState,
) -> Result<(), Problem> {
    let (before, after) = (current.settings.relying_party(), next.settings.relying_party());
    if before.is_none() || before == after {
        return Ok(());
    }
    let why = match after {
        Some(rp_id) => format!("they cannot be used for the `rpId` {rp_id}"),
        None => {
            "the `rpId` would be neither the host of any of the `origins` nor a domain above it"
                .to_owned()
        }
    };
    let PolicyPreview { found, complete, .. } = api.gateway.preview(current, next).await?;
    let keys = match (found.stranded_keys, complete) {
        (0, true) => return Ok(()),
        (0, false) => {
            "not all users could be looked at in time; security keys and passkeys of the \
                       others may become useless"
                .to_owned()
        }
        (1, true) => "1 security key or passkey becomes useless".to_owned(),
        (keys, true) => format!("{keys} security keys and passkeys become useless"),
        (keys, false) => format!("at least {keys} security keys and passkeys become useless"),
    };
    let detail = format!("{keys}: {why}; send `\"force\": true` to change it all the same");
    Err(Problem::new(Code::Conflict, detail))
}
