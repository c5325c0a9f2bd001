//! `/v1/users/{userId}/mfa/sms`.

use axum::Json;
use axum::extract::State;
use countersign_core::command::Command;
use countersign_core::message::Channel;

use crate::problem::Problem;
use crate::request::{As, At, Empty, Mfa, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::factor::ConfirmedFactor;
use crate::wire::message::{CodeSent, EnrollSms, MessageEnrollment, VerifySentCode};
use crate::wire::{Accepted, Created};

/// Begin the enrollment of a telephone number
///
/// Nothing is sent yet: `sendSmsCode` does that. The factor counts only once `verifySms` has
/// confirmed it, within ten minutes.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/sms", operation_id = "enrollSms", tag = "SMS and email",
    params(UserPath), request_body = EnrollSms,
    responses((status = 201, description = "Waiting for confirmation", body = MessageEnrollment))
)]
pub(crate) async fn enroll(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<EnrollSms>,
) -> Result<Created<MessageEnrollment>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Created)
}

/// Send a code to the number that waits for confirmation
///
/// A new code voids the one before. The code is valid for five minutes and in no answer.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/sms/send", operation_id = "sendSmsCode",
    tag = "SMS and email", params(UserPath), request_body = Empty,
    responses((status = 202, description = "On its way", body = CodeSent))
)]
pub(crate) async fn send(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<Accepted<CodeSent>, Problem> {
    let command = Command::SendEnrollmentCode { channel: Channel::Sms };
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Accepted)
}

/// Confirm the enrollment of a telephone number
///
/// With `challengeId` it also answers a challenge of kind ENROLLMENT_REQUIRED, and the answer has
/// `tokens`.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/sms/verify", operation_id = "verifySms",
    tag = "SMS and email", params(UserPath), request_body = VerifySentCode,
    responses((status = 200, description = "The factor is enrolled", body = ConfirmedFactor))
)]
pub(crate) async fn verify(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<VerifySentCode>,
) -> Result<Json<ConfirmedFactor>, Problem> {
    let command = body.value.command(Channel::Sms)?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}
