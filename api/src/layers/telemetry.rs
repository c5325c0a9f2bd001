//! What is told of a request: a span around all that happens for it, one log line when it is
//! answered, a counter and a histogram.
//!
//! The route is told as its pattern: ids, query strings, headers and bodies may be personal or
//! secret, and never leave a request this way.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::request_id::RequestId;
use crate::problem::Code;

/// Watches the request.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known_method(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |matched| matched.as_str().to_owned());
    let id = request.extensions().get::<RequestId>().cloned();
    let request_id = id.as_ref().map_or("", RequestId::as_str);
    let span = tracing::info_span!("request", method, route, request_id);

    let response = next.run(request).instrument(span.clone()).await;

    let latency = started.elapsed();
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().map(|code| code.as_str());
    let latency_ms = latency.as_secs_f64() * 1_000.0;
    span.in_scope(|| tracing::info!(status, code, latency_ms, "answered"));
    metrics::counter!(
        "countersign_http_requests_total",
        "route" => route.clone(), "method" => method, "status" => status.to_string()
    )
    .increment(1);
    metrics::histogram!(
        "countersign_http_request_duration_seconds", "route" => route, "method" => method
    )
    .record(latency.as_secs_f64());
    response
}

/// A caller may invent methods without end; a metric's labels must not follow.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}
