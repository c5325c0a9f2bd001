//! How an operation can go wrong.

use thiserror::Error;

/// Why an operation is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Failure {
    /// No answer within the deadline, from no address: what was asked for may or may not have
    /// happened.
    #[error("{operation}: no answer: {reason}")]
    Unanswered {
        /// What was asked for.
        operation: &'static str,
        /// What the last attempt met.
        reason: String,
    },
    /// The server protects itself: nothing happened.
    #[error("{operation}: turned away: {code}")]
    TurnedAway {
        /// What was asked for.
        operation: &'static str,
        /// The problem's code.
        code: String,
    },
    /// The server answered what it must not answer.
    #[error("{operation} for {subject}: {found} (request {request_id})")]
    Wrong {
        /// What was asked for.
        operation: &'static str,
        /// The user.
        subject: String,
        /// What came, and what should have come.
        found: String,
        /// The server's id of the request, to find it in its log.
        request_id: String,
    },
}

impl Failure {
    /// What errors are counted under; `None` for a wrong answer, which is none of them.
    pub(super) fn label(&self) -> Option<&str> {
        match self {
            Self::Unanswered { .. } => Some("unanswered"),
            Self::TurnedAway { code, .. } => Some(code),
            Self::Wrong { .. } => None,
        }
    }
}
