//! What an administrator does for somebody who is stuck.

use super::alert;
use super::case::{Case, Verdict, refuse, verdict};
use crate::audit::{AuditEntry, FACTORS_RESET};
use crate::event::UserEvent;
use crate::reply::Reply;

/// Everything that could stand in for a second factor ends in one commit.
pub(super) fn reset(case: &Case<'_>, reason: Option<&str>) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    let mut entry = AuditEntry::success(FACTORS_RESET)
        .detail("factorsRemoved", case.state.factors.len())
        .detail("devicesRevoked", case.state.devices.len());
    entry.reason = reason.map(str::to_owned);
    let mut verdict = verdict(Reply::Done, vec![UserEvent::Reset], entry);
    verdict.audit.extend(alert::reset_burst(case));
    verdict
}

pub(super) fn unlock(case: &Case<'_>) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    let entry = AuditEntry::success("mfa.user.unlocked")
        .detail("failedAttempts", case.state.lockout.failed_attempts);
    verdict(Reply::Done, vec![UserEvent::Unlocked], entry)
}
