//! Bodies that are refused by their headers alone, before anything of them is read: so a client that
//! waits for `100 Continue` (RFC 9110 section 10.1.1) learns it without sending them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem};
use crate::state::ApiState;

/// Refuses bodies that are too long, or compressed.
pub(crate) async fn refuse(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    match fault(request.headers(), api.options.body_limit) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn fault(headers: &HeaderMap, limit: usize) -> Option<Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    // One of more digits than a number has is too long as well.
    let too_long = length.is_some_and(|text| text.parse::<usize>().map_or(true, |n| n > limit));
    if too_long {
        return Some(Problem::too_large(limit));
    }
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let odd = encodings.filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")).count();
    (odd > 0).then(|| {
        Problem::new(
            Code::UnsupportedMediaType,
            "bodies are taken without compression; send it as it is, without `Content-Encoding`",
        )
    })
}
