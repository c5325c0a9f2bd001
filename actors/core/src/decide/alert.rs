//! Entries that tell of something odd: which threshold was reached, as a stable word, and a
//! sentence for a person.
//!
//! The sentence goes into the audit chain, which keeps for ever what it holds. So it must name
//! nobody: no user, no address, no destination.

use super::case::Case;
use crate::alerts::{
    ADDRESS_FAILURES, BRUTE_FORCE, COUNTER_LOWERED, POSSIBLE_RELAY, RECOVERY_CODES, RESET_BURST,
    RISKY_ENROLLMENT,
};
use crate::audit::AuditEntry;
use crate::challenge::Challenge;
use crate::query;
use crate::risk::Trigger;
use crate::time::{DAY_MS, Timestamp};
use crate::user::UserState;

/// Turns an entry about what happened into an alert about it.
fn alert(about: AuditEntry, event_type: &str, reason: &str, summary: &str) -> AuditEntry {
    AuditEntry { event_type: event_type.to_owned(), ..about }
        .because(reason)
        .detail("summary", summary)
}

/// A spent code that came again.
pub(super) fn possible_relay(about: AuditEntry, both_known: bool) -> AuditEntry {
    let summary = if both_known {
        "A code that was accepted before came again from another address: somebody may be relaying \
         codes."
    } else {
        "A code that was accepted before came again, and it is not known whether from the same \
         address: somebody may be relaying codes."
    };
    alert(about, POSSIBLE_RELAY, "code_already_used", summary)
}

/// A signature counter that did not rise (W3C WebAuthn Level 3 section 6.1.1).
pub(super) fn counter_lowered(about: AuditEntry) -> AuditEntry {
    let summary = "An authenticator answered with a signature counter that was not higher than the \
                   last one: there may be a copy of it.";
    alert(about, COUNTER_LOWERED, "counter", summary)
}

/// Wrong codes of one user, if `after` the last of them there are so many that it is told. The hard
/// limit always is.
pub(super) fn brute_force(
    case: &Case<'_>,
    after: &UserState,
    about: &AuditEntry,
) -> Option<AuditEntry> {
    let failed = after.lockout.failed_attempts;
    let (reason, consequence) = if after.lockout.hard {
        ("hard_limit", "codes are refused until an administrator unlocks.")
    } else if failed == case.around.tenant.alerts.brute_force_attempts {
        ("many_attempts", "somebody may be guessing.")
    } else {
        return None;
    };
    let summary = format!("{failed} wrong codes in a row were entered for one user: {consequence}");
    let about = about.clone().detail("failedAttempts", failed);
    Some(alert(about, BRUTE_FORCE, reason, &summary))
}

/// Wrong codes for many users from one address, if this one makes them too many.
pub(super) fn address_failures(case: &Case<'_>, about: &AuditEntry) -> Option<AuditEntry> {
    let pressure = &case.around.pressure;
    let users = pressure.other_users_failing.saturating_add(1);
    let told = about.ip_address.is_none() || pressure.address_told;
    if told || !reached(case.around.tenant.alerts.address_users, users) {
        return None;
    }
    let summary = format!(
        "One address entered wrong codes or showed wrong keys for {users} users within ten minutes: \
         somebody may be trying stolen passwords."
    );
    Some(alert(about.clone(), ADDRESS_FAILURES, "many_users", &summary).detail("users", users))
}

/// A recovery code that was used, if it makes too many within a day. Those after it are not told
/// again.
pub(super) fn recovery_codes(
    case: &Case<'_>,
    challenge: Option<&Challenge>,
    now: Timestamp,
) -> Option<AuditEntry> {
    let recent = case.state.recovery_uses.iter().filter(|at| now.millis_since(**at) < DAY_MS);
    let uses = u32::try_from(recent.count()).unwrap_or(u32::MAX).saturating_add(1);
    if uses != case.around.tenant.alerts.recovery_codes_per_day {
        return None;
    }
    let summary = format!(
        "One user used {uses} recovery codes within a day: the authenticator may be lost, or the \
         codes stolen."
    );
    let mut about = AuditEntry::success(RECOVERY_CODES)
        .from_address(challenge.and_then(|challenge| challenge.context.ip_address));
    about.challenge_id = challenge.map(|challenge| challenge.id);
    Some(alert(about, RECOVERY_CODES, "many_recovery_codes", &summary).detail("used", uses))
}

/// A reset, if it makes too many with one API key.
pub(super) fn reset_burst(case: &Case<'_>) -> Option<AuditEntry> {
    let pressure = &case.around.pressure;
    let resets = pressure.resets.saturating_add(1);
    if pressure.resets_told || !reached(case.around.tenant.alerts.resets_per_hour, resets) {
        return None;
    }
    let summary = format!(
        "One API key reset the factors of {resets} users within an hour: the key may be stolen."
    );
    let about = AuditEntry::success(RESET_BURST);
    Some(alert(about, RESET_BURST, "many_resets", &summary).detail("resets", resets))
}

/// A login with signs of risk that was answered by enrolling.
pub(super) fn risky_enrollment(verified: AuditEntry, triggers: &[Trigger]) -> AuditEntry {
    let triggers = query::trigger_names(triggers);
    let summary = format!(
        "A login with signs of risk ({triggers}) was answered by enrolling a first factor: whoever \
         has the password may not be its user."
    );
    alert(verified, RISKY_ENROLLMENT, "enrolled", &summary).detail("triggers", triggers)
}

/// Whether a count has reached its threshold; zero switches an alert off.
const fn reached(threshold: u32, count: u32) -> bool {
    threshold > 0 && count >= threshold
}
