//! Decisions about a tenant.

use super::{TenantCommand, TenantEvent, TenantReply, TenantState};
use crate::context::Context;
use crate::decision::Decision;
use crate::ids::TenantId;
use crate::reply::Refusal;

/// Decides `command` on `state`, `None` for a tenant that does not exist.
pub fn decide(
    _id: &TenantId,
    _state: Option<&TenantState>,
    _command: &TenantCommand,
    _context: &mut Context<'_>,
) -> Decision<TenantReply, TenantEvent> {
    Decision::reply(TenantReply::Refused(Refusal::NotFound("tenant".to_owned())))
}
