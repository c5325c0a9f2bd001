//! Decisions about a tenant's webhooks.

use super::decide::Verdict;
use super::{TenantCommand, TenantState};
use crate::context::Context;
use crate::reply::Refusal;

/// Decides a command about a webhook.
pub(super) fn change(
    _tenant: &TenantState,
    _command: &TenantCommand,
    _context: &mut Context<'_>,
) -> Result<Verdict, Refusal> {
    Err(Refusal::NotFound("webhook".to_owned()))
}
