//! Forms that were filled in. A page of somebody else can make a browser send one here, cookie and
//! all; so a form counts only if it comes from this origin and carries the session's token, which no
//! other page can read. Any one of the three defences (the token, `Origin` with Fetch Metadata, and
//! the cookie's `SameSite`) would do; browsers have lacked each at some time.

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, HeaderName, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::state::ApiState;

/// The token, in a request of a script.
const TOKEN: HeaderName = HeaderName::from_static("x-portal-token");
/// Where a request comes from, as the browser says (W3C Fetch Metadata section 2.4).
pub(super) const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A form, and who sent it.
pub(super) struct Filled<T> {
    /// Who.
    pub(super) visitor: Visitor,
    /// What.
    pub(super) form: T,
}

/// What every form carries.
#[derive(Deserialize)]
struct Guard {
    /// The session's token.
    token: String,
    /// Fresh with each page, so that the same form sent twice has one answer.
    #[serde(default)]
    once: String,
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Filled<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, api: &ApiState) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let mut visitor = Visitor::from_request_parts(&mut parts, api).await?;
        if !comes_from(&visitor.origin, &parts.headers) {
            return Err(Trouble::Forged);
        }
        let whole = Request::from_parts(parts.clone(), body);
        let body = Bytes::from_request(whole, api).await.map_err(|_| Trouble::Garbled)?;
        let guard: Guard = read(&parts, &body).await?;
        if !is_token(&visitor, &guard.token) {
            return Err(Trouble::Forged);
        }
        let form = read(&parts, &body).await?;
        visitor.once = (!guard.once.is_empty()).then(|| {
            let mut hash = Sha256::new();
            hash.update(visitor.session());
            hash.update(parts.uri.path());
            hash.update([0]);
            hash.update(&body);
            hash.finalize().into()
        });
        Ok(Self { visitor, form })
    }
}

async fn read<T: DeserializeOwned>(
    parts: &axum::http::request::Parts,
    body: &Bytes,
) -> Result<T, Trouble> {
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    let form = Form::<T>::from_request(request, &()).await;
    form.map(|Form(form)| form).map_err(|_| Trouble::Garbled)
}

/// Who a script of ours asks for. It has no form, so the token comes in a header, which no form of
/// another page can send.
pub(super) struct Scripted(pub(super) Visitor);

impl FromRequestParts<ApiState> for Scripted {
    type Rejection = Trouble;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        api: &ApiState,
    ) -> Result<Self, Trouble> {
        let visitor = Visitor::from_request_parts(parts, api).await?;
        let sent = parts.headers.get(TOKEN).and_then(|value| value.to_str().ok());
        let is_ours = sent.is_some_and(|token| is_token(&visitor, token));
        if is_ours && comes_from(&visitor.origin, &parts.headers) {
            Ok(Self(visitor))
        } else {
            Err(Trouble::Forged)
        }
    }
}

/// Whether the browser says that a page of this origin sent it. One that says nothing is an old one;
/// `null` is what it says of a page that hides where it is.
pub(super) fn comes_from(own: &str, headers: &HeaderMap) -> bool {
    let says = |name: HeaderName| headers.get(name).map(|value| value.as_bytes());
    says(header::ORIGIN).is_none_or(|origin| origin == own.as_bytes())
        && says(FETCH_SITE).is_none_or(|site| site == b"same-origin")
}

/// Compared as digests, so that the time taken tells nothing of the token.
fn is_token(visitor: &Visitor, token: &str) -> bool {
    Sha256::digest(token) == Sha256::digest(visitor.token())
}
