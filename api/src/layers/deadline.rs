//! No request takes longer than its deadline, however slowly its body trickles in.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::state::ApiState;

/// Answers 503 once the deadline has passed. What was asked may still take effect: the caller
/// repeats it with its idempotency key.
pub(crate) async fn enforce(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let after = api.options.request_timeout;
    match tokio::time::timeout(after, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::deadline(after).into_response(),
    }
}
