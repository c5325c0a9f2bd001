//! Writes problems out: the one place where a failure gets its body, its headers and, if it was
//! the service's own, its line in the log.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::request_id::RequestId;
use crate::problem::{Code, Problem};

/// The media type of RFC 9457 section 3.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Writes out the problem that an answer carries, if it does.
pub(crate) async fn write_out(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    log(&problem);
    let body = problem.body(id.as_ref().map_or("", RequestId::as_str));
    // A body of strings and numbers always serialises.
    *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
    if let Some(seconds) = problem.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    let challenge = problem.challenge.and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response.extensions_mut().insert::<Code>(problem.code);
    response
}

fn log(problem: &Problem) {
    let Some(fault) = &problem.fault else { return };
    if problem.code.status() == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(%fault, code = problem.code.as_str(), "a request met a fault");
    } else {
        tracing::warn!(%fault, code = problem.code.as_str(), "a request could not be served");
    }
}
