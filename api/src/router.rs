//! The whole route table.

use axum::Router;

use crate::state::ApiState;

/// Everything that the service answers over HTTP.
pub fn router(state: ApiState) -> Router {
    Router::new().with_state(state)
}
