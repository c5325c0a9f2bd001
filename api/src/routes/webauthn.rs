//! `/v1/users/{userId}/mfa/webauthn`.

use axum::Json;
use axum::extract::State;

use crate::problem::Problem;
use crate::request::{As, At, Mfa, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::factor::ConfirmedFactor;
use crate::wire::webauthn::{
    AssertionWish, CreationOptions, RegistrationWish, RequestOptions, VerifiedAssertion,
    VerifyAssertion, VerifyWebAuthn,
};

/// Begin the registration of a security key or passkey
///
/// The answer is for `navigator.credentials.create()` in the browser. It is good for five minutes
/// and one answer; beginning again replaces it.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/webauthn/registration-options",
    operation_id = "getWebAuthnRegistrationOptions", tag = "WebAuthn",
    params(UserPath), request_body = RegistrationWish,
    responses((status = 200, description = "What the browser needs", body = CreationOptions))
)]
pub(crate) async fn registration_options(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<RegistrationWish>,
) -> Result<Json<CreationOptions>, Problem> {
    let command = body.value.command();
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}

/// End the registration of a security key or passkey
///
/// With what the browser gave. With `challengeId` it also answers a challenge of kind
/// ENROLLMENT_REQUIRED, and the answer has `tokens`.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/webauthn/verify", operation_id = "verifyWebAuthn",
    tag = "WebAuthn", params(UserPath), request_body = VerifyWebAuthn,
    responses((status = 200, description = "The factor is enrolled", body = ConfirmedFactor))
)]
pub(crate) async fn verify(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<VerifyWebAuthn>,
) -> Result<Json<ConfirmedFactor>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}

/// Begin showing a security key or passkey outside a challenge
///
/// The answer is for `navigator.credentials.get()` in the browser. It is good for five minutes and
/// one answer.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/webauthn/authentication-options",
    operation_id = "getWebAuthnAuthOptions", tag = "WebAuthn",
    params(UserPath), request_body = AssertionWish,
    responses((status = 200, description = "What the browser needs", body = RequestOptions))
)]
pub(crate) async fn authentication_options(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<AssertionWish>,
) -> Result<Json<RequestOptions>, Problem> {
    let command = body.value.command(None);
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}

/// Show a security key or passkey outside a challenge
///
/// A verified person with a key in hand is two factors, so the token's `acr` is then `aal2`.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/webauthn/verify-assertion",
    operation_id = "verifyWebAuthnAssertion", tag = "WebAuthn",
    params(UserPath), request_body = VerifyAssertion,
    responses((status = 200, description = "The answer was good", body = VerifiedAssertion))
)]
pub(crate) async fn verify_assertion(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<VerifyAssertion>,
) -> Result<Json<VerifiedAssertion>, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await.map(Json)
}
