//! A node that is about to stop tells everybody who keeps a connection to it, so that the next
//! request goes elsewhere instead of into a connection that is being closed.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::state::ApiState;

/// Has the connection closed after the answer (RFC 9112 section 9.6) while the node is shutting
/// down. HTTP/2 has no such header (RFC 9113 section 8.2.2); its connections are told otherwise.
pub(crate) async fn announce(
    State(api): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let can_be_told = request.version() <= Version::HTTP_11;
    let mut response = next.run(request).await;
    // Asked when the answer is ready: it may have begun meanwhile.
    if can_be_told && api.gateway.stopping() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
