//! Opening a link. Looking at one opens nothing: links are mailed, and what reads mail before its
//! receiver does looks at them. The page that is shown has a form, and sending that opens; then the
//! browser gets its pass and goes on, so that the link is in no address that is told to anybody.

use std::net::IpAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use countersign_actors::gateway::{Caller, Question};
use countersign_core::command::{Command, Query};
use countersign_core::portal::{PortalCommand, PortalRefusal, PortalReply, secret_hash};
use countersign_core::reply::{Refusal, Reply};

use super::address::{first_page, public_origin};
use super::filled::{FETCH_SITE, comes_from};
use super::finish::to;
use super::pass::{Pass, target};
use super::texts::{self, Texts};
use super::trouble::Trouble;
use super::visitor::{give, held, unexpected};
use crate::client::ClientAddress;
use crate::layers::request_id::RequestId;
use crate::pages::Frame;
use crate::pages::answer::html;
use crate::problem::Problem;
use crate::state::ApiState;

/// The page that opens the link once its form is sent.
#[derive(Template)]
#[template(path = "portal/open.html")]
struct OpenPage {
    frame: Frame,
    t: &'static Texts,
    brand: String,
    /// Whether the page's script sends the form.
    at_once: bool,
}

pub(super) async fn show(
    State(api): State<ApiState>,
    Path(link): Path<String>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let origin = public_origin(&api, &headers).ok_or(Trouble::NoSuchPage)?;
    let link: Pass = link.parse().map_err(|_| PortalRefusal::Unknown)?;
    // Whoever goes back to the link, or loads it again, is here already.
    if held(&headers, &origin, link.portal()).is_some() {
        return Ok(to(&first_page(link.portal())));
    }
    let tenant = api.directory.tenant(link.tenant()).ok_or(PortalRefusal::Unknown)?;
    let query = Query::PortalLink(link.portal(), secret_hash(link.secret()));
    match ask(&api, &link, &request, None, Question::Tell(query)).await? {
        PortalReply::Waiting => {}
        _ => return Err(unexpected()),
    }
    let texts = texts::wanted(&headers);
    let page = OpenPage {
        frame: texts.frame(),
        t: texts,
        brand: tenant.settings.rp_name.clone(),
        at_once: from_a_page(&headers),
    };
    Ok(html(StatusCode::OK, &page))
}

/// Whether a page led here, as an application does and a link in a web mailer, says the browser (W3C
/// Fetch Metadata section 2.4). What comes out of a mail program, a scanner with a browser's engine
/// among it, comes from no page: there a person has to press the button.
fn from_a_page(headers: &HeaderMap) -> bool {
    headers.get(FETCH_SITE).is_some_and(|site| site != "none")
}

pub(super) async fn open(
    State(api): State<ApiState>,
    Path(link): Path<String>,
    Extension(request): Extension<RequestId>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let origin = public_origin(&api, &headers).ok_or(Trouble::NoSuchPage)?;
    // Else a page of somebody else could open a session of its own in this browser unseen.
    if !comes_from(&origin, &headers) {
        return Err(Trouble::Forged);
    }
    let link: Pass = link.parse().map_err(|_| PortalRefusal::Unknown)?;
    api.directory.tenant(link.tenant()).ok_or(PortalRefusal::Unknown)?;
    let onwards = to(&first_page(link.portal()));
    if held(&headers, &origin, link.portal()).is_some() {
        return Ok(onwards);
    }
    let open = PortalCommand::Open { portal: link.portal(), link: secret_hash(link.secret()) };
    let question = Question::Do(Command::Portal(Box::new(open)));
    let from = from.map(|Extension(ClientAddress(address))| address);
    let PortalReply::Opened { session, .. } = ask(&api, &link, &request, from, question).await?
    else {
        return Err(unexpected());
    };
    let pass = Pass::new(link.portal(), link.tenant().clone(), session);
    let mut response = onwards;
    response.headers_mut().insert(header::SET_COOKIE, give(&pass, &origin));
    Ok(response)
}

/// Asks about the link's session.
async fn ask(
    api: &ApiState,
    link: &Pass,
    request: &RequestId,
    address: Option<IpAddr>,
    question: Question,
) -> Result<PortalReply, Trouble> {
    let caller = Caller {
        tenant: link.tenant().clone(),
        key: None,
        request_id: request.as_str().to_owned(),
        address,
        idempotency: None,
    };
    let reply = api.gateway.ask(caller, target(link.portal()), question).await;
    match reply.map_err(Problem::from)? {
        Reply::Portal(reply) => match *reply {
            PortalReply::Refused(refusal) => Err(refusal.into()),
            reply => Ok(reply),
        },
        Reply::Refused(Refusal::ChallengeNotFound) => Err(PortalRefusal::Unknown.into()),
        Reply::Refused(refusal) => Err(Problem::from(refusal).into()),
        _ => Err(unexpected()),
    }
}
