//! The net under handlers: a panic costs its own request a 500 and nobody else anything.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// The answer after a panic. What it said may hold anything, so it is not repeated here; the
/// process's panic hook has told it.
pub(crate) fn caught(_: Box<dyn Any + Send>) -> Response {
    Problem::internal("a handler panicked").into_response()
}
