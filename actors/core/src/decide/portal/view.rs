//! What the pages show. Here and not beside the session, since it tells what may be done, which is
//! known where it is decided.

use std::collections::BTreeMap;

use super::super::messages;
use super::permit;
use crate::context::Surroundings;
use crate::email::EmailAddress;
use crate::factor::{Factor, FactorKind, FactorType, PendingEnrollment};
use crate::ids::{ChallengeId, FactorId, UserKey};
use crate::lockout::Lock;
use crate::message::{Channel, mask};
use crate::policy::{Requirement, Rule};
use crate::portal::{CodeView, PendingView, PortalSession, PortalView};
use crate::query;
use crate::time::Timestamp;
use crate::user::{FACTORS_MAX, UserState};

/// A session, as its browser sees it.
pub(crate) fn view(
    key: &UserKey,
    state: &UserState,
    session: &PortalSession,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> PortalView {
    let tenant = around.tenant;
    let rule = tenant.policy.rule_for(&state.profile.groups);
    let admitted = tenant.admitted(&rule.allowed_factors);
    let challenge = |id: Option<ChallengeId>| {
        let challenge = state.challenge(id?)?;
        Some(query::challenge_view(key, state, challenge, admitted, now))
    };
    let lock = state.lockout.at(now);
    let trusted = &tenant.policy.trusted_devices;
    PortalView {
        id: session.id,
        purpose: session.purpose,
        expires_at: session.expires_at,
        fresh_until: session.fresh_until().filter(|until| now < *until),
        provable: permit::is_provable(state, tenant),
        guarded: permit::is_guarded(state, tenant, session, now),
        account: state.profile.email.as_deref().map(|email| mask(Channel::Email, email)),
        challenge: challenge(session.challenge),
        verification: challenge(session.verification),
        provable_by: query::factor_views(state, state.usable(admitted), admitted),
        factors: query::factor_views(state, state.factors_in_order(), admitted),
        keys: keys(state),
        offered: offered(state, &rule, around),
        pending: pending(state, session, now).map(shown),
        codes: codes(state, session, around, now),
        enrolled: session.enrolled,
        answered: session.answered.is_some(),
        recovery_codes_total: state.recovery.as_ref().map_or(0, |set| set.total),
        recovery_codes_remaining: state.recovery_codes_remaining(),
        devices: query::device_views(state, &tenant.policy, now),
        trust_days: trusted.enabled.then_some(trusted.duration_days),
        locked_until: match lock {
            Lock::Until(until) => Some(until),
            Lock::Open | Lock::Hard => None,
        },
        locked_hard: lock == Lock::Hard,
    }
}

fn keys(state: &UserState) -> Vec<(Vec<u8>, FactorId)> {
    let key =
        |factor: &Factor| factor.kind.webauthn().map(|it| (it.credential_id.clone(), factor.id));
    state.factors.iter().filter_map(key).collect()
}

/// What may be enrolled, and could be confirmed.
fn offered(state: &UserState, rule: &Rule, around: &Surroundings<'_>) -> Vec<FactorType> {
    if rule.requirement == Requirement::Disabled || state.factors.len() >= FACTORS_MAX {
        return Vec::new();
    }
    let profile = &state.profile;
    let has_email = state.factors.iter().any(|one| one.factor_type() == FactorType::Email);
    let possible = |factor_type: &FactorType| match factor_type {
        FactorType::Totp | FactorType::WebAuthn => true,
        FactorType::Sms => around.channels.can(Channel::Sms),
        FactorType::Email => {
            around.channels.can(Channel::Email)
                && profile.email_verified
                && profile.email.as_deref().is_some_and(is_mailable)
                && !has_email
        }
    };
    let allowed = FactorType::ALL.into_iter().filter(|one| rule.allowed_factors.contains(one));
    allowed.filter(possible).collect()
}

fn is_mailable(email: &str) -> bool {
    email.parse::<EmailAddress>().is_ok_and(|address| address.is_ascii())
}

/// The last of the enrollments that this session began that still waits.
fn pending<'a>(
    state: &'a UserState,
    session: &PortalSession,
    now: Timestamp,
) -> Option<&'a PendingEnrollment> {
    let waits =
        |id: &FactorId| state.pending.iter().find(|one| one.id == *id && now < one.expires_at);
    session.enrolling.iter().rev().find_map(waits)
}

fn shown(pending: &PendingEnrollment) -> PendingView {
    PendingView {
        id: pending.id,
        factor_type: pending.factor_type(),
        masked_destination: pending.kind.masked_destination(),
        expires_at: pending.expires_at,
    }
}

fn codes(
    state: &UserState,
    session: &PortalSession,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> BTreeMap<FactorId, CodeView> {
    let factors = state.factors.iter().map(|factor| (factor.id, &factor.kind));
    let waiting = pending(state, session, now).map(|pending| (pending.id, &pending.kind));
    let sends = &around.tenant.policy.sends;
    let code = |(id, kind): (FactorId, &FactorKind)| {
        let (_, to) = kind.message()?;
        let next_at = messages::next_at(state, sends, id, now);
        let live = to.latest().filter(|code| code.is_live(now));
        Some((
            id,
            CodeView {
                live_until: live.map(|code| code.expires_at),
                next_at,
                outcome: live.map(|code| code.outcome.clone()),
            },
        ))
    };
    factors.chain(waiting).filter_map(code).collect()
}
