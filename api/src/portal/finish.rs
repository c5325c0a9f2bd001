//! Leaving: the browser goes back to the application with a code, and its pass ends.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_core::portal::{PortalCommand, PortalReply};
use countersign_core::reply::Reply;
use countersign_core::secret::Secret;
use serde::Deserialize;

use super::address::ReturnAddress;
use super::filled::Filled;
use super::pass::ResultCode;
use super::trouble::Trouble;
use super::visitor::{Visitor, take, unexpected};

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
            PortalReply::Ended { code, return_url } => leave(&visitor, code, &return_url),
            _ => Err(unexpected()),
        },
        _ => Err(unexpected()),
    }
}

/// Sends the browser back with its code.
pub(super) fn leave(
    visitor: &Visitor,
    code: Secret,
    return_url: &str,
) -> Result<Response, Trouble> {
    let back = ReturnAddress::parse(return_url).map_err(|_| unexpected())?;
    let code = ResultCode::new(visitor.pass.portal(), code).text();
    let mut response = to(&back.with_code(&code));
    response.headers_mut().insert(header::SET_COOKIE, take(&visitor.origin));
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
