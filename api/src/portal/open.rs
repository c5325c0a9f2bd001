//! Opening a link: the browser gets its pass and goes on, so that the link is in no history and in
//! no address that is told to anybody.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_actors::gateway::{Caller, Question};
use countersign_core::command::Command;
use countersign_core::portal::{PortalCommand, PortalRefusal, PortalReply, secret_hash};
use countersign_core::reply::{Refusal, Reply};

use super::address::public_origin;
use super::pass::{Pass, target};
use super::trouble::Trouble;
use super::visitor::{give, held, unexpected};
use crate::layers::request_id::RequestId;
use crate::problem::Problem;
use crate::state::ApiState;

/// Who fetches a page before anybody asked for it says so.
const PURPOSES: [&str; 2] = ["sec-purpose", "purpose"];

pub(super) async fn open(
    State(api): State<ApiState>,
    Path(link): Path<String>,
    Extension(request): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let origin = public_origin(&api, &headers).ok_or(Trouble::NoSuchPage)?;
    let link: Pass = link.parse().map_err(|_| PortalRefusal::Unknown)?;
    // A preview must not use the link up.
    let early = PURPOSES.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    if method == Method::HEAD || early.clone().any(|purpose| purpose.contains("prefetch")) {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    if api.directory.tenant(link.tenant()).is_none() {
        return Err(PortalRefusal::Unknown.into());
    }
    // Whoever goes back to the link, or loads it again, is here already.
    let own = held(&headers, &origin).filter(|pass| pass.portal() == link.portal());
    let open = PortalCommand::Open { portal: link.portal(), link: secret_hash(link.secret()) };
    let caller = Caller {
        tenant: link.tenant().clone(),
        key: None,
        request_id: request.as_str().to_owned(),
        idempotency: None,
    };
    let question = Question::Do(Command::Portal(Box::new(open)));
    let reply = api.gateway.ask(caller, target(link.portal()), question).await;
    let pass = match reply.map_err(Problem::from)? {
        Reply::Portal(reply) => match *reply {
            PortalReply::Opened { session, .. } => {
                Pass::new(link.portal(), link.tenant().clone(), session)
            }
            PortalReply::Refused(PortalRefusal::Used) if own.is_some() => {
                return Ok(onwards());
            }
            PortalReply::Refused(refusal) => return Err(refusal.into()),
            _ => return Err(unexpected()),
        },
        Reply::Refused(Refusal::ChallengeNotFound) => {
            return Err(PortalRefusal::Unknown.into());
        }
        Reply::Refused(refusal) => return Err(Problem::from(refusal).into()),
        _ => return Err(unexpected()),
    };
    let mut response = onwards();
    response.headers_mut().insert(header::SET_COOKIE, give(&pass, &origin));
    Ok(response)
}

fn onwards() -> Response {
    super::finish::to("/portal")
}
