//! Bodies of requests and answers.

use std::fmt;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};

/// A body that is sent.
pub(super) type Sent = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// More bytes than its kind may have.
    Oversized,
    /// It broke off, or was given up.
    Broken(String),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversized => f.write_str("the message is too large"),
            Self::Broken(reason) => write!(f, "the message broke off: {reason}"),
        }
    }
}

impl std::error::Error for BodyError {}

/// A body that is there already.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Sent {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A whole body, if it has at most `limit` bytes.
///
/// # Errors
/// If it has more, or breaks off.
pub(super) async fn collect(body: Incoming, limit: usize) -> Result<Vec<u8>, BodyError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::Oversized),
        Err(error) => Err(BodyError::Broken(error.to_string())),
    }
}
