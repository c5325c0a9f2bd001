//! Forgetting browsers. An id is looked up under its user, never by itself.

use super::case::{Case, Verdict, refuse, verdict};
use crate::audit::AuditEntry;
use crate::event::UserEvent;
use crate::ids::DeviceId;
use crate::reply::{Refusal, Reply};

pub(super) fn revoke(case: &Case<'_>, id: DeviceId) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    if !case.state.devices.iter().any(|device| device.id == id) {
        return refuse(Refusal::DeviceNotFound);
    }
    let entry = AuditEntry::success("mfa.device.revoked").detail("deviceId", id);
    verdict(Reply::Done, vec![UserEvent::DeviceRevoked { id }], entry)
}

pub(super) fn revoke_all(case: &Case<'_>) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    let entry = AuditEntry::success("mfa.device.all_revoked")
        .detail("devicesRevoked", case.state.devices.len());
    verdict(Reply::Done, vec![UserEvent::DevicesRevoked], entry)
}
