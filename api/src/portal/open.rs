//! Opening a link. Looking at one opens nothing: links are mailed, and what reads mail before its
//! receiver does looks at them. The page that is shown has a form, and sending that opens; then the
//! browser gets its pass and goes on, so that the link is in no address that is told to anybody.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use countersign_actors::gateway::{Caller, Idempotency, Question};
use countersign_core::command::{Command, Query};
use countersign_core::portal::{PortalCommand, PortalRefusal, PortalReply, secret_hash};
use countersign_core::reply::{Refusal, Reply};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

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
use crate::request::origin;
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
    /// Fresh with each page: a form whose answer was lost can be sent again.
    once: String,
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
    match ask(&api, &link, caller(&link, &request), Question::Tell(query)).await? {
        PortalReply::Waiting => {}
        _ => return Err(unexpected()),
    }
    let texts = texts::wanted(&headers);
    let mut once = [0; 16];
    api.entropy.fill(&mut once);
    let page = OpenPage {
        frame: texts.frame(),
        t: texts,
        brand: tenant.settings.rp_name.clone(),
        at_once: led_by_application(&tenant.settings.origins, &headers),
        once: BASE64URL_NOPAD.encode(&once),
    };
    Ok(html(StatusCode::OK, &page))
}

/// Whether the tenant's application led here, or a page of our own: so says the browser. A page of
/// somebody else could lead here as well, with a link of a session of its own, and the person would
/// be in a stranger's account without having pressed anything; and what comes out of a mail program,
/// a scanner with a browser's engine among it, has no page of the application before it. A page may
/// hide where it is (Referrer Policy section 3.1), and cannot say that it is elsewhere.
fn led_by_application(origins: &[String], headers: &HeaderMap) -> bool {
    // W3C Fetch Metadata section 2.4. A neighbour within the domain (`same-site`) is somebody else.
    if headers.get(FETCH_SITE).is_some_and(|site| site == "same-origin") {
        return true;
    }
    let before = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let origin = before.and_then(origin::web).map(|url| url.origin().ascii_serialization());
    origin.is_some_and(|origin| origins.contains(&origin))
}

/// What makes a form of one page that is sent again one with the first: whoever sends it has the link
/// and the page that it showed.
fn idempotency(link: &Pass, body: &[u8]) -> Option<Idempotency> {
    let (_, once) = form_urlencoded::parse(body).find(|(name, _)| name == "once")?;
    let mut hash = Sha256::new();
    hash.update(b"the opening of a link\0");
    hash.update(link.secret());
    hash.update(once.as_bytes());
    let key: [u8; 32] = hash.finalize().into();
    (!once.is_empty()).then_some(Idempotency { key, request: key })
}

pub(super) async fn open(
    State(api): State<ApiState>,
    Path(link): Path<String>,
    Extension(request): Extension<RequestId>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Bytes,
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
    let caller = Caller {
        address: from.map(|Extension(ClientAddress(address))| address),
        idempotency: idempotency(&link, &body),
        ..caller(&link, &request)
    };
    let PortalReply::Opened { session, .. } = ask(&api, &link, caller, question).await? else {
        return Err(unexpected());
    };
    let pass = Pass::new(link.portal(), link.tenant().clone(), session);
    let mut response = onwards;
    response.headers_mut().insert(header::SET_COOKIE, give(&pass, &origin));
    Ok(response)
}

fn caller(link: &Pass, request: &RequestId) -> Caller {
    Caller {
        tenant: link.tenant().clone(),
        key: None,
        request_id: request.as_str().to_owned(),
        address: None,
        idempotency: None,
    }
}

/// Asks about the link's session.
async fn ask(
    api: &ApiState,
    link: &Pass,
    caller: Caller,
    question: Question,
) -> Result<PortalReply, Trouble> {
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
