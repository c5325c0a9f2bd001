//! `/v1/mfa/challenges`.

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::Target;
use countersign_core::command::Query;

use crate::problem::Problem;
use crate::request::{As, At, ChallengePath, Mfa, Payload};
use crate::state::ApiState;
use crate::wire::Accepted;
use crate::wire::challenge::{
    Challenge, ChallengeAnswer, CreateChallenge, Verification, VerifyChallenge,
};
use crate::wire::message::{CodeSent, SendChallengeCode};
use crate::wire::webauthn::{AssertionWish, RequestOptions};

/// Ask whether a login needs a second factor
///
/// Called by the application's server once it has checked the password. If a factor is needed,
/// `challenge` names it and lives five minutes; if not, `tokens` is there.
#[utoipa::path(
    post, path = "/v1/mfa/challenges", operation_id = "createChallenge", tag = "Login",
    request_body = CreateChallenge,
    responses((status = 200, description = "What the login needs", body = ChallengeAnswer))
)]
pub(crate) async fn create(
    State(api): State<ApiState>,
    who: As<Mfa>,
    body: Payload<CreateChallenge>,
) -> Result<Json<ChallengeAnswer>, Problem> {
    let (user, command) = body.value.command()?;
    api.command(who.writing(body.idempotency), Target::User(user), command).await.map(Json)
}

/// Read a challenge
#[utoipa::path(
    get, path = "/v1/mfa/challenges/{challengeId}", operation_id = "getChallenge", tag = "Login",
    params(ChallengePath),
    responses((status = 200, description = "How the challenge stands", body = Challenge))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(ChallengePath { challenge }): At<ChallengePath>,
) -> Result<Json<Challenge>, Problem> {
    let query = Query::Challenge(challenge);
    api.query(who.reading(), Target::Challenge(challenge), query).await.map(Json)
}

/// Send a code for a challenge
///
/// To one of its factors of type SMS or EMAIL. A new code voids the one before.
#[utoipa::path(
    post, path = "/v1/mfa/challenges/{challengeId}/send", operation_id = "sendChallengeCode",
    tag = "Login", params(ChallengePath), request_body = SendChallengeCode,
    responses((status = 202, description = "On its way", body = CodeSent))
)]
pub(crate) async fn send(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(ChallengePath { challenge }): At<ChallengePath>,
    body: Payload<SendChallengeCode>,
) -> Result<Accepted<CodeSent>, Problem> {
    let command = body.value.command(challenge)?;
    let target = Target::Challenge(challenge);
    api.command(who.writing(body.idempotency), target, command).await.map(Accepted)
}

/// Begin answering a challenge with a security key or passkey
///
/// The answer is for `navigator.credentials.get()` in the browser. It is good for five minutes and
/// one answer, and for this challenge alone.
#[utoipa::path(
    post, path = "/v1/mfa/challenges/{challengeId}/webauthn-options",
    operation_id = "getChallengeWebAuthnOptions", tag = "Login", params(ChallengePath),
    request_body = AssertionWish,
    responses((status = 200, description = "What the browser needs", body = RequestOptions))
)]
pub(crate) async fn webauthn_options(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(ChallengePath { challenge }): At<ChallengePath>,
    body: Payload<AssertionWish>,
) -> Result<Json<RequestOptions>, Problem> {
    let command = body.value.command(Some(challenge));
    let target = Target::Challenge(challenge);
    api.command(who.writing(body.idempotency), target, command).await.map(Json)
}

/// Answer a challenge
///
/// With `factorId` and `code`, with `assertion`, or with `recoveryCode`. A challenge is answered once.
#[utoipa::path(
    post, path = "/v1/mfa/challenges/verify", operation_id = "verifyChallenge", tag = "Login",
    request_body = VerifyChallenge,
    responses((status = 200, description = "The answer was right", body = Verification))
)]
pub(crate) async fn verify(
    State(api): State<ApiState>,
    who: As<Mfa>,
    body: Payload<VerifyChallenge>,
) -> Result<Json<Verification>, Problem> {
    let (challenge, command) = body.value.command()?;
    let target = Target::Challenge(challenge);
    api.command(who.writing(body.idempotency), target, command).await.map(Json)
}
