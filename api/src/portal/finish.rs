//! Leaving: the browser goes back to the application with a code, and its pass ends.
//!
//! It leaves by a page of ours, and never by a redirect that answers a form: browsers hold the whole
//! chain of such redirects against `form-action` (CSP Level 3 section 6.4.1), and where the application
//! leads on (to `www.`, an identity provider, `com.acme.app:/cb`) nobody can name here.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_core::portal::{PortalCommand, PortalReply, ResultParameter};
use countersign_core::reply::Reply;
use countersign_core::secret::Secret;
use serde::Deserialize;

use super::address::ReturnAddress;
use super::filled::Filled;
use super::pass::ResultCode;
use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::{Visitor, take, unexpected};
use crate::pages::Frame;
use crate::pages::answer::html;

/// What leaving is about.
#[derive(Deserialize)]
pub(super) struct Leaving {
    /// There if what was to be done is given up.
    #[serde(default)]
    cancel: String,
}

pub(super) async fn finish(Filled { visitor, form }: Filled<Leaving>) -> Result<Response, Trouble> {
    let cancelled = !form.cancel.is_empty();
    let (portal, session) = (visitor.pass.portal(), visitor.session());
    let wish = PortalCommand::Finish { portal, session, cancelled };
    match visitor.wish("finish", wish).await? {
        Reply::Portal(reply) => match *reply {
            PortalReply::Ended { code, return_url, result_parameter } => {
                leave(&visitor, code, &return_url, result_parameter)
            }
            _ => Err(unexpected()),
        },
        _ => Err(unexpected()),
    }
}

/// The page that goes on to the application by itself, with a link for where it does not.
#[derive(Template)]
#[template(path = "portal/leaving.html")]
struct LeavingPage {
    frame: Frame,
    t: &'static Texts,
    brand: String,
    address: String,
    button: String,
}

/// Sends the browser back with its code.
pub(super) fn leave(
    visitor: &Visitor,
    code: Secret,
    return_url: &str,
    result_parameter: ResultParameter,
) -> Result<Response, Trouble> {
    let back = ReturnAddress::parse(return_url).map_err(|_| unexpected())?;
    let session = visitor.pass.portal();
    let code = ResultCode::new(session, code).text();
    let page = LeavingPage {
        frame: visitor.texts.frame(),
        t: visitor.texts,
        brand: visitor.tenant()?.settings.rp_name.clone(),
        address: back.with_code(result_parameter, &code),
        button: (visitor.texts.back_to)(back.host()),
    };
    let mut response = html(StatusCode::OK, &page);
    response.headers_mut().insert(header::SET_COOKIE, take(&visitor.origin, session));
    Ok(response)
}

/// Another page, to be asked for with GET.
pub(super) fn to(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/portal"));
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
