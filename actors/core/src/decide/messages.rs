//! Codes that are sent: enrolling a number or an address, sending, confirming.

use super::case::{Case, Verdict, refuse};
use crate::command::Command;
use crate::context::Context;
use crate::reply::Refusal;

/// Decides a command about a factor that codes are sent to.
pub(super) fn decide(_case: &Case<'_>, _command: &Command, _context: &mut Context<'_>) -> Verdict {
    refuse(Refusal::NoPendingEnrollment)
}
