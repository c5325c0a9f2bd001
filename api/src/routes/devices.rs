//! `/v1/users/{userId}/mfa/devices`.

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::Target;
use countersign_core::command::{Command, Query};
use countersign_core::reply::DeviceView;

use crate::problem::Problem;
use crate::request::{As, At, DevicePath, Empty, Listing, Mfa, PageParams, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::device::TrustedDevice;
use crate::wire::{List, NoContent};

/// List a user's trusted devices
///
/// The oldest first; at most twenty.
#[utoipa::path(
    get, path = "/v1/users/{userId}/mfa/devices", operation_id = "listTrustedDevices",
    tag = "Trusted devices", params(UserPath, PageParams),
    responses((status = 200, description = "The devices", body = List<TrustedDevice>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    listing: Listing<()>,
) -> Result<Json<List<TrustedDevice>>, Problem> {
    let devices: Vec<DeviceView> = api.query(who.reading(), user.target(), Query::Devices).await?;
    let rows = devices.into_iter().map(|it| ((it.created_at, it.id.to_string()), it));
    List::page_of(rows, &listing).map(Json)
}

/// Revoke a trusted device
#[utoipa::path(
    delete, path = "/v1/users/{userId}/mfa/devices/{deviceId}",
    operation_id = "revokeTrustedDevice", tag = "Trusted devices", params(DevicePath),
    responses((status = 204, description = "The device is trusted no more"))
)]
pub(crate) async fn revoke(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(path): At<DevicePath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    let command = Command::RevokeDevice { id: path.device };
    api.command(who.writing(body.idempotency), Target::User(path.user), command).await
}

/// Revoke all trusted devices of a user
#[utoipa::path(
    delete, path = "/v1/users/{userId}/mfa/devices", operation_id = "revokeTrustedDevices",
    tag = "Trusted devices", params(UserPath),
    responses((status = 204, description = "No device is trusted any more"))
)]
pub(crate) async fn revoke_all(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    api.command(who.writing(body.idempotency), user.target(), Command::RevokeDevices).await
}
