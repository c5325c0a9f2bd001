//! A user's situation, and what administrators do about it.

use axum::Json;
use axum::extract::State;
use countersign_core::command::{Command, Query};

use crate::problem::Problem;
use crate::request::{Admin, As, At, Empty, Mfa, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::NoContent;
use crate::wire::status::{MfaStatus, ResetMfa};

/// Read a user's whole situation
#[utoipa::path(
    get, path = "/v1/users/{userId}/mfa/status", operation_id = "getMfaStatus", tag = "Status",
    params(UserPath), responses((status = 200, description = "The situation", body = MfaStatus))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
) -> Result<Json<MfaStatus>, Problem> {
    api.query(who.reading(), user.target(), Query::Status).await.map(Json)
}

/// Reset a user
///
/// Ends factors, recovery codes, trusted devices, pending enrollments and open challenges in one
/// commit.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/reset", operation_id = "resetMfa", tag = "Status",
    params(UserPath), request_body = ResetMfa,
    responses((status = 204, description = "The user starts afresh"))
)]
pub(crate) async fn reset(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(user): At<UserPath>,
    body: Payload<ResetMfa>,
) -> Result<NoContent, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await
}

/// Unlock a user
///
/// Opens the lock after too many wrong codes.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/unlock", operation_id = "unlockMfa", tag = "Status",
    params(UserPath), responses((status = 204, description = "Codes are read again"))
)]
pub(crate) async fn unlock(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    api.command(who.writing(body.idempotency), user.target(), Command::Unlock).await
}
