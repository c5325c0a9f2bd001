//! `/v1/users/{userId}/mfa/email`.

use axum::Json;
use axum::extract::State;
use countersign_core::command::Command;
use countersign_core::message::Channel;

use crate::problem::Problem;
use crate::request::{As, At, Empty, Mfa, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::factor::ConfirmedFactor;
use crate::wire::message::{CodeSent, EnrollEmail, MessageEnrollment, VerifySentCode};
use crate::wire::{Accepted, Created};

/// Begin the enrollment of the user's verified email address
///
/// Nothing is sent yet: `sendEmailCode` does that. The factor counts only once `verifyEmail` has
/// confirmed it, within ten minutes, and falls out when the address changes or is not verified any
/// more.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/email", operation_id = "enrollEmail", tag = "SMS and email",
    params(UserPath), request_body = EnrollEmail,
    responses((status = 201, description = "Waiting for confirmation", body = MessageEnrollment))
)]
pub(crate) async fn enroll(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<EnrollEmail>,
) -> Result<Created<MessageEnrollment>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Created)
}

/// Send a code to the address that waits for confirmation
///
/// A new code voids the one before. The code is valid for five minutes and in no answer.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/email/send", operation_id = "sendEmailCode",
    tag = "SMS and email", params(UserPath), request_body = Empty,
    responses((status = 202, description = "On its way", body = CodeSent))
)]
pub(crate) async fn send(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<Accepted<CodeSent>, Problem> {
    let command = Command::SendEnrollmentCode { channel: Channel::Email };
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Accepted)
}

/// Confirm the enrollment of an email address
///
/// With `challengeId` it also answers a challenge of kind ENROLLMENT_REQUIRED, and the answer has
/// `tokens`.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/email/verify", operation_id = "verifyEmail",
    tag = "SMS and email", params(UserPath), request_body = VerifySentCode,
    responses((status = 200, description = "The factor is enrolled", body = ConfirmedFactor))
)]
pub(crate) async fn verify(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<VerifySentCode>,
) -> Result<Json<ConfirmedFactor>, Problem> {
    let command = body.value.command(Channel::Email)?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}
