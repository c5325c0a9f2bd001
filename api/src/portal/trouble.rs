//! What a page says when there is no page: in words for whoever sees it, never with what went wrong
//! inside.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use countersign_core::portal::PortalRefusal;
use countersign_core::reply::Refusal;

use super::address::{ReturnAddress, first_page, public_origin, session_in};
use super::finish::to;
use super::texts::{self, Message, Texts};
use super::visitor::take;
use crate::pages::Frame;
use crate::pages::answer::html;
use crate::problem::{Code, Problem};
use crate::state::ApiState;

/// Why there is no page.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// The session is not there, not alive, or not for this.
    Refused(PortalRefusal),
    /// The browser holds no session.
    NoSession,
    /// The person has to be verified before this page of the session.
    VerifyFirst(String),
    /// A form that no page of this session sent.
    Forged,
    /// A form that cannot be read.
    Garbled,
    /// There is no such page.
    NoSuchPage,
    /// The service has failed, or cannot answer.
    Problem(Box<Problem>),
}

impl From<PortalRefusal> for Trouble {
    fn from(refusal: PortalRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Problem::from(refusal).into()
    }
}

/// A bare status with the trouble beside it, for the layer that knows the browser's language. What
/// was the service's own fault goes to the log, as from anywhere.
impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A page that says something and leads somewhere.
#[derive(Template)]
#[template(path = "portal/message.html")]
struct Page {
    frame: Frame,
    brand: &'static str,
    message: Message,
    link: Option<(String, String)>,
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(
                PortalRefusal::Used | PortalRefusal::Expired(_) | PortalRefusal::Over(_),
            ) => StatusCode::GONE,
            Self::Refused(PortalRefusal::Unknown) | Self::NoSession | Self::NoSuchPage => {
                StatusCode::NOT_FOUND
            }
            Self::Refused(_) | Self::Forged => StatusCode::FORBIDDEN,
            Self::VerifyFirst(_) => StatusCode::SEE_OTHER,
            Self::Garbled => StatusCode::BAD_REQUEST,
            Self::Problem(problem) => problem.code.status(),
        }
    }

    fn message(&self, texts: &Texts) -> Message {
        match self {
            Self::Refused(PortalRefusal::Unknown) => texts.unknown,
            Self::NoSession => texts.no_session,
            Self::Refused(PortalRefusal::Used) => texts.used,
            Self::Refused(PortalRefusal::Expired(_)) => texts.expired,
            Self::Refused(PortalRefusal::Over(_)) => texts.over,
            Self::Refused(PortalRefusal::NothingToProve) => texts.nothing_to_prove,
            Self::Refused(PortalRefusal::NotPermitted | PortalRefusal::VerificationNeeded)
            | Self::VerifyFirst(_) => texts.not_permitted,
            Self::Forged => texts.forged,
            Self::Garbled => texts.garbled,
            Self::NoSuchPage => texts.no_such_page,
            Self::Problem(problem) if problem.code == Code::Internal => texts.fault,
            Self::Problem(problem) if problem.retry_after_seconds.is_some() => texts.busy,
            Self::Problem(_) => texts.not_possible,
        }
    }

    /// Where it leads on: to the application, if the session told which one that is; else to the
    /// session, if there is one.
    fn link(&self, texts: &Texts, path: &str) -> Option<(String, String)> {
        match self {
            Self::Refused(PortalRefusal::Expired(back) | PortalRefusal::Over(back)) => {
                let back = ReturnAddress::parse(back).ok()?;
                Some((back.origin(), (texts.back_to)(back.host())))
            }
            Self::Refused(PortalRefusal::Unknown | PortalRefusal::Used) | Self::NoSession => None,
            Self::Refused(_)
            | Self::VerifyFirst(_)
            | Self::Forged
            | Self::Garbled
            | Self::NoSuchPage
            | Self::Problem(_) => {
                session_in(path).map(|id| (first_page(id), texts.continue_.to_owned()))
            }
        }
    }
}

/// Writes troubles out.
pub(super) async fn show(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let Some(trouble) = response.extensions_mut().remove::<Trouble>() else {
        return response;
    };
    page(&api, &headers, &path, trouble)
}

/// A page that says what a problem outside of the pages means for whoever sees it.
pub(crate) fn page_for(
    api: &ApiState,
    headers: &HeaderMap,
    path: &str,
    problem: Problem,
) -> Response {
    let retry_after = problem.retry_after_seconds;
    let mut response = page(api, headers, path, problem.into());
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn page(api: &ApiState, headers: &HeaderMap, path: &str, trouble: Trouble) -> Response {
    if let Trouble::VerifyFirst(next) = &trouble {
        let first = session_in(path).map(first_page).unwrap_or_default();
        return to(&format!("{first}/verify?next={next}"));
    }
    if let Trouble::Problem(problem) = &trouble
        && let Some(fault) = &problem.fault
    {
        tracing::warn!(%fault, code = problem.code.as_str(), "a page could not be shown");
    }
    let texts = texts::wanted(headers);
    let page = Page {
        frame: texts.frame(),
        brand: texts.brand,
        message: trouble.message(texts),
        link: trouble.link(texts, path),
    };
    let mut response = html(trouble.status(), &page);
    let over = matches!(trouble, Trouble::Refused(PortalRefusal::Over(_)));
    if over && let (Some(origin), Some(id)) = (public_origin(api, headers), session_in(path)) {
        response.headers_mut().insert(header::SET_COOKIE, take(&origin, id));
    }
    response
}
