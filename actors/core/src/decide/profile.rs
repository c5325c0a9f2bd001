//! What the application tells about a user, and the user's end.

use super::case::{Case, Verdict, refuse, verdict};
use super::factors;
use crate::audit::AuditEntry;
use crate::context::Context;
use crate::decision::Decision;
use crate::event::UserEvent;
use crate::factor::{Factor, FactorType};
use crate::query;
use crate::reply::Reply;
use crate::time::Timestamp;
use crate::user::{Profile, UserState};

pub(super) fn put(case: &Case<'_>, profile: &Profile, context: &mut Context<'_>) -> Verdict {
    let mut events = case.created(context);
    let created = !events.is_empty();
    events.push(UserEvent::ProfileSet(profile.clone()));
    let entry = AuditEntry::success(if created { "mfa.user.created" } else { "mfa.user.updated" });
    let mut audit = vec![entry];
    if let Some(why) = email_lost(case, profile) {
        end_email(case, why, &mut events, &mut audit);
    }
    let after = case.after(&events, context.now);
    let reply = Reply::User(query::user_view(&case.key.user, &after, created));
    Decision { reply, events, audit }
}

/// Why codes must not go any more to the address that the profile had, if so. Addresses are
/// compared byte for byte: whether two that differ in case are one mailbox only their host knows
/// (RFC 5321 section 2.4).
fn email_lost(case: &Case<'_>, profile: &Profile) -> Option<&'static str> {
    if profile.email != case.state.profile.email {
        Some("email_changed")
    } else if !profile.email_verified {
        Some("email_unverified")
    } else {
        None
    }
}

/// The factor and the enrollment of the old address end in the commit that ends the address:
/// whoever reads mail there now is not known to be the user.
fn end_email(case: &Case<'_>, why: &str, events: &mut Vec<UserEvent>, audit: &mut Vec<AuditEntry>) {
    if let Some(pending) = case.state.pending(FactorType::Email) {
        events.push(UserEvent::EnrollmentEnded { id: pending.id });
    }
    let of_email = |factor: &&Factor| factor.factor_type() == FactorType::Email;
    for factor in case.state.factors.iter().filter(of_email) {
        events.push(UserEvent::FactorRemoved { id: factor.id });
        audit.push(factors::removed_entry(factor).because(why));
    }
}

pub(super) fn erase(case: &Case<'_>) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    verdict(Reply::Done, vec![UserEvent::Erased], AuditEntry::success("mfa.user.erased"))
}

/// Trusted devices, and everything that was begun before, end in the same commit (OWASP: a changed
/// password ends remembered sessions).
pub(super) fn password_changed(
    case: &Case<'_>,
    changed_at: Option<Timestamp>,
    context: &mut Context<'_>,
) -> Verdict {
    let mut events = case.created(context);
    // The application tells real time, and what was begun carries the shard's, which may be ahead. A
    // time in the future would make every later verification look older than the change.
    let ahead_ms = context.now.millis_since(context.clock).max(0);
    let changed_at = changed_at.map_or(context.now, |at| at.plus_millis(ahead_ms).min(context.now));
    events.push(UserEvent::PasswordChanged { changed_at });
    let after = case.after(&events, context.now);
    let open = |state: &UserState| {
        state.challenges.iter().filter(|challenge| challenge.is_open(context.now)).count()
    };
    let entry = AuditEntry::success("mfa.user.password_changed")
        .detail("devicesRevoked", case.state.devices.len())
        .detail("challengesEnded", open(case.state).saturating_sub(open(&after)));
    verdict(Reply::Done, events, entry)
}
