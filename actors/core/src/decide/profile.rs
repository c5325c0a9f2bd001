//! What the application tells about a user, and the user's end.

use super::case::{Case, Verdict, refuse, verdict};
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::event::UserEvent;
use crate::query;
use crate::reply::Reply;
use crate::time::Timestamp;
use crate::user::Profile;

pub(super) fn put(case: &Case<'_>, profile: &Profile, context: &mut Context<'_>) -> Verdict {
    let mut events = case.created(context);
    let created = !events.is_empty();
    events.push(UserEvent::ProfileSet(profile.clone()));
    let after = case.after(&events, context.now);
    let entry = AuditEntry::success(if created { "mfa.user.created" } else { "mfa.user.updated" });
    verdict(Reply::User(query::user_view(&case.key.user, &after, created)), events, entry)
}

pub(super) fn erase(case: &Case<'_>) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    verdict(Reply::Done, vec![UserEvent::Erased], AuditEntry::success("mfa.user.erased"))
}

/// Trusted devices end in the same commit (OWASP: a changed password ends remembered sessions).
pub(super) fn password_changed(
    case: &Case<'_>,
    changed_at: Option<Timestamp>,
    context: &mut Context<'_>,
) -> Verdict {
    let mut events = case.created(context);
    // A time in the future would make every later verification look older than the change.
    let changed_at = changed_at.map_or(context.now, |at| at.min(context.now));
    events.push(UserEvent::PasswordChanged { changed_at });
    let entry = AuditEntry::success("mfa.user.password_changed")
        .detail("devicesRevoked", case.state.devices.len());
    verdict(Reply::Done, events, entry)
}
