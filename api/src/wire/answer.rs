//! From a reply of the core to an answer of the API.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_core::reply::Reply;
use serde::Serialize;

use crate::error::ApiError;
use crate::problem::Problem;
use crate::state::ApiState;

/// An answer that a reply of the right kind gives.
pub(crate) trait Answer: Sized {
    /// Which operation's answer it is, for the log.
    const OPERATION: &'static str;

    /// Takes what the reply holds; `None` if it is of another kind.
    fn from_reply(reply: Reply, api: &ApiState) -> Option<Result<Self, ApiError>>;

    /// The answer, or why there is none.
    fn read(reply: Reply, api: &ApiState) -> Result<Self, Problem> {
        if let Reply::Refused(refusal) = reply {
            return Err(refusal.into());
        }
        let unexpected = ApiError::UnexpectedReply { operation: Self::OPERATION };
        Ok(Self::from_reply(reply, api).ok_or(unexpected)??)
    }
}

/// 201 with a body.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

/// 202 with a body: it will be done.
#[derive(Debug)]
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

/// 204: done, and nothing to say.
#[derive(Debug)]
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Answer for NoContent {
    const OPERATION: &'static str = "a command without an answer";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        matches!(reply, Reply::Done).then_some(Ok(Self))
    }
}
