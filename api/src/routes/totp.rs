//! `/v1/users/{userId}/mfa/totp`.

use axum::Json;
use axum::extract::State;

use crate::problem::Problem;
use crate::request::{As, At, Mfa, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::Created;
use crate::wire::factor::{ConfirmedFactor, Factor};
use crate::wire::totp::{EnrollTotp, ImportTotp, TotpEnrollment, VerifyTotp};

/// Begin the enrollment of an authenticator app
///
/// The answer has the secret and a QR code to show once. The factor counts only once
/// `verifyTotp` has confirmed it, within ten minutes. Beginning anew replaces the secret, unless
/// `resume` names the enrollment that waits: keep its `factorId` in the browser's session.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/totp", operation_id = "enrollTotp", tag = "TOTP",
    params(UserPath), request_body = EnrollTotp,
    responses((status = 201, description = "Waiting for confirmation", body = TotpEnrollment))
)]
pub(crate) async fn enroll(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<EnrollTotp>,
) -> Result<Created<TotpEnrollment>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Created)
}

/// Confirm the enrollment of an authenticator app
///
/// The code that confirms is spent by it. With `challengeId` it also answers a challenge of kind
/// ENROLLMENT_REQUIRED, and the answer has `tokens`. A code that shows what is wrong (the device's
/// clock, an app that ignores `algorithm` or `digits`, an earlier secret) is refused with a code of its
/// own and not counted, up to five times.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/totp/verify", operation_id = "verifyTotp", tag = "TOTP",
    params(UserPath), request_body = VerifyTotp,
    responses((status = 200, description = "The factor is enrolled", body = ConfirmedFactor))
)]
pub(crate) async fn verify(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<VerifyTotp>,
) -> Result<Json<ConfirmedFactor>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}

/// Take over an existing authenticator app
///
/// The factor is ACTIVE at once: the app keeps working with the secret that it has.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/totp/import", operation_id = "importTotp", tag = "TOTP",
    params(UserPath), request_body = ImportTotp,
    responses((status = 201, description = "The factor is enrolled", body = Factor))
)]
pub(crate) async fn import(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<ImportTotp>,
) -> Result<Created<Factor>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Created)
}
