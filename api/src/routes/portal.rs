//! `/v1/portal`.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use countersign_actors::gateway::{Question, Target};
use countersign_core::portal::PortalReply;
use countersign_core::reply::{Refusal, Reply};

use crate::error::ApiError;
use crate::portal::{Pass, public_origin};
use crate::problem::Problem;
use crate::request::{As, Mfa, Payload};
use crate::state::ApiState;
use crate::wire::portal::{
    CreatePortalSession, FetchPortalResult, PortalResult, PortalSession, absent,
};
use crate::wire::{Answer, Created};

/// Send a user to the hosted pages
///
/// To enroll, to answer a challenge, or to look after factors, recovery codes and devices. The link
/// can be opened once, within ten minutes. In the end the browser comes to `returnUrl` with a code in
/// the parameter `countersign_result` (or `code`, if `resultParameter` says so), for which
/// `fetchPortalResult` says what came of it.
#[utoipa::path(
    post, path = "/v1/portal/sessions", operation_id = "createPortalSession", tag = "Hosted pages",
    request_body = CreatePortalSession,
    responses((status = 201, description = "The link", body = PortalSession))
)]
pub(crate) async fn create(
    State(api): State<ApiState>,
    who: As<Mfa>,
    headers: HeaderMap,
    body: Payload<CreatePortalSession>,
) -> Result<Created<PortalSession>, Problem> {
    let origin = public_origin(&api, &headers).ok_or_else(|| {
        Problem::invalid_request(
            "where browsers reach the hosted pages is not known: the operator sets `public_url` \
             (`COUNTERSIGN_PUBLIC_URL`) on every node; without it links lead to localhost alone, and \
             only for requests that name it as their host",
        )
    })?;
    let (user, command) = body.value.command()?;
    let caller = who.writing(body.idempotency);
    match api.gateway.ask(caller, Target::User(user), Question::Do(command)).await? {
        Reply::Refused(refusal) => Err(refusal.into()),
        Reply::Portal(reply) => match *reply {
            PortalReply::Created { id, link, expires_at } => {
                let url = Pass::new(id, who.tenant.clone(), link).link(&origin);
                Ok(Created(PortalSession { url: url.into(), expires_at: expires_at.into() }))
            }
            _ => Err(unexpected()),
        },
        _ => Err(unexpected()),
    }
}

fn unexpected() -> Problem {
    ApiError::UnexpectedReply { operation: "the making of a link to the hosted pages" }.into()
}

/// Fetch what a user did on the hosted pages
///
/// With the code that the browser brought back: once, within five minutes. Tokens are made now,
/// and are in no address and no browser. Compare `userId` with the user that you sent, and keep a
/// `state` in `returnUrl`, so that nobody's code is taken for another's.
#[utoipa::path(
    post, path = "/v1/portal/results", operation_id = "fetchPortalResult", tag = "Hosted pages",
    request_body = FetchPortalResult,
    responses((status = 200, description = "What came of it", body = PortalResult))
)]
pub(crate) async fn fetch(
    State(api): State<ApiState>,
    who: As<Mfa>,
    body: Payload<FetchPortalResult>,
) -> Result<Json<PortalResult>, Problem> {
    let (code, command) = body.value.command()?;
    let caller = who.writing(body.idempotency);
    match api.gateway.ask(caller, code.target(), Question::Do(command)).await? {
        // Nobody of this tenant has such a session.
        Reply::Refused(Refusal::ChallengeNotFound) => Err(absent()),
        reply => PortalResult::read(reply, &api).map(Json),
    }
}
