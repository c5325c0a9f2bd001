//! Who knocks: the browser's names, and whether it stands at the right door.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::Harbour;
use super::pages;
use super::service::Browser;
use super::visits::Visit;

/// By what a browser is known.
const VISIT: &str = "harbour_visit";
/// By what it is remembered: the service's device token.
const DEVICE: &str = "harbour_device";
/// For how long browsers keep that, in seconds. The service knows how long it holds.
const DEVICE_KEPT: u32 = 400 * 24 * 60 * 60;

/// A browser with what it brings.
pub(super) struct Visitor {
    /// By what it is known.
    pub(super) name: Option<String>,
    /// What is known of it.
    pub(super) visit: Visit,
    /// What the service is told about it.
    pub(super) browser: Browser,
}

impl FromRequestParts<Arc<Harbour>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        harbour: &Arc<Harbour>,
    ) -> Result<Self, Infallible> {
        let name = cookie(&parts.headers, VISIT);
        let visit = name.as_deref().and_then(|name| harbour.visits.of(name));
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let browser = Browser {
            ip_address: peer.map(|ConnectInfo(peer)| peer.ip().to_string()),
            user_agent: text(&parts.headers, header::USER_AGENT),
            device_token: cookie(&parts.headers, DEVICE),
        };
        Ok(Self {
            name: name.filter(|_| visit.is_some()),
            visit: visit.unwrap_or_default(),
            browser,
        })
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
    pairs.find(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// Tells the browser by what it is known from here on. An application behind TLS, as every real one
/// is, names both cookies `__Host-…` and adds `Secure`.
pub(super) fn known_by(mut response: Response, name: &str) -> Response {
    set(&mut response, &format!("{VISIT}={name}; Path=/; HttpOnly; SameSite=Lax"));
    response
}

/// Tells the browser by what it is remembered.
pub(super) fn remembered_by(mut response: Response, token: &str) -> Response {
    let kept = format!("{DEVICE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={DEVICE_KEPT}");
    set(&mut response, &kept);
    response
}

fn set(response: &mut Response, cookie: &str) {
    // What the service gives fits into a cookie; what did not would only not be remembered.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Cookies and passkeys belong to one name, so whoever comes by another (`127.0.0.1`) is led to it.
/// Forms are taken from these pages alone.
pub(super) async fn at_home(
    State(harbour): State<Arc<Harbour>>,
    request: Request,
    next: Next,
) -> Response {
    let own = harbour.url.as_str();
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if own.strip_prefix("http://") != Some(host.as_str()) {
        if !safe {
            return pages::lost(StatusCode::MISDIRECTED_REQUEST);
        }
        let rest = request.uri().path_and_query().map_or("/", |rest| rest.as_str());
        return Redirect::temporary(&format!("{own}{rest}")).into_response();
    }
    let origin = text(headers, header::ORIGIN);
    if !safe && origin.is_some_and(|origin| origin != own) {
        return pages::lost(StatusCode::FORBIDDEN);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; harbour_visit=x; b=2"));
        assert_eq!(cookie(&headers, VISIT).as_deref(), Some("x"));
        assert_eq!(cookie(&headers, DEVICE), None);
        assert_eq!(cookie(&headers, "visit"), None);
    }
}
