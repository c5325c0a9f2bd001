//! A name for each request, so that an answer, a log line and a caller's own log can be put
//! together. A caller may bring its own; what could break a log line is replaced.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::BASE32_DNSSEC;

use crate::state::ApiState;

/// The header that carries it, both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters that a caller's own id may have.
const LENGTH_MAX: usize = 128;

/// The id of the request at hand.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id as text: visible ASCII by construction.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Names the request and its answer.
pub(crate) async fn identify(
    State(api): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let brought = request.headers().get(HEADER).filter(|value| is_sane(value)).cloned();
    let id = RequestId(brought.unwrap_or_else(|| fresh(&api)));
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEADER, id.0);
    response
}

fn is_sane(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=LENGTH_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

fn fresh(api: &ApiState) -> HeaderValue {
    let mut random = [0; 16];
    api.entropy.fill(&mut random);
    let text = format!("req_{}", BASE32_DNSSEC.encode(&random));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("req_unnamed"))
}
