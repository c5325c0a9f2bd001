//! `/v1/users/{userId}/mfa/recovery-codes`.

use axum::Json;
use axum::extract::State;
use countersign_core::command::{Command, Query};

use crate::problem::Problem;
use crate::request::{As, At, Empty, Mfa, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::Created;
use crate::wire::recovery::{
    RecoveryCodeUsed, RecoveryCodes, RecoveryCodesStatus, UseRecoveryCode,
};

/// Count a user's recovery codes
#[utoipa::path(
    get, path = "/v1/users/{userId}/mfa/recovery-codes", operation_id = "getRecoveryCodes",
    tag = "Recovery codes", params(UserPath),
    responses((status = 200, description = "How many there are", body = RecoveryCodesStatus))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
) -> Result<Json<RecoveryCodesStatus>, Problem> {
    api.query(who.reading(), user.target(), Query::RecoveryCodes).await.map(Json)
}

/// Make recovery codes
///
/// Shown once. Refused while unused ones remain.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/recovery-codes", operation_id = "createRecoveryCodes",
    tag = "Recovery codes", params(UserPath),
    responses((status = 201, description = "The codes", body = RecoveryCodes))
)]
pub(crate) async fn create(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<Created<RecoveryCodes>, Problem> {
    let caller = who.writing(body.idempotency);
    api.command(caller, user.target(), Command::GenerateRecoveryCodes).await.map(Created)
}

/// Replace recovery codes
///
/// Shown once. The old ones stop working in the same commit.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/recovery-codes/regenerate",
    operation_id = "regenerateRecoveryCodes", tag = "Recovery codes", params(UserPath),
    responses((status = 201, description = "The codes", body = RecoveryCodes))
)]
pub(crate) async fn regenerate(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<Created<RecoveryCodes>, Problem> {
    let caller = who.writing(body.idempotency);
    api.command(caller, user.target(), Command::RegenerateRecoveryCodes).await.map(Created)
}

/// Spend a recovery code
///
/// Outside a challenge. Wrong codes count like any other.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/recovery-codes/use", operation_id = "useRecoveryCode",
    tag = "Recovery codes", params(UserPath), request_body = UseRecoveryCode,
    responses((status = 200, description = "The code was right", body = RecoveryCodeUsed))
)]
pub(crate) async fn spend(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<UseRecoveryCode>,
) -> Result<Json<RecoveryCodeUsed>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}
