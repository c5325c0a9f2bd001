//! Questions that change nothing, and how state is shown.

use std::collections::BTreeMap;

use crate::challenge::{Challenge, ChallengeKind};
use crate::command::Query;
use crate::context::Surroundings;
use crate::device::TrustedDevice;
use crate::factor::Factor;
use crate::factor::message::MessageFactor;
use crate::ids::{FactorId, UserId, UserKey};
use crate::lockout::Lock;
use crate::message::Channel;
use crate::policy::{Policy, Requirement, Rule};
use crate::portal;
use crate::reply::{
    ChallengeView, DeviceView, FactorView, MessageView, PendingEnrollmentView, Refusal, Reply,
    StatusView, UserView, WebAuthnView,
};
use crate::risk::Trigger;
use crate::tenant::TenantState;
use crate::time::Timestamp;
use crate::user::{Admitted, UserState};

/// Answers `query` from `state`, as of `now`.
pub fn answer(
    key: &UserKey,
    state: &UserState,
    query: &Query,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> Reply {
    if let Query::Portal(id, session) = query {
        return portal::answer(key, state, *id, session, around, now);
    }
    if let Query::PortalLink(id, link) = query {
        return portal::answer_link(state, *id, link, now);
    }
    if let Query::Challenge(id) = query {
        let policy = &around.tenant.policy;
        return match state.challenge(*id) {
            None => Reply::Refused(Refusal::ChallengeNotFound),
            Some(challenge) => {
                let types = policy.rule_for(&state.profile.groups).allowed_factors;
                let admitted = around.tenant.admitted(&types);
                Reply::ChallengeState(challenge_view(key, state, challenge, admitted, now))
            }
        };
    }
    if !state.exists() {
        return Reply::Refused(Refusal::UserNotFound);
    }
    match query {
        Query::Challenge(_) | Query::Portal(..) | Query::PortalLink(..) | Query::User => {
            Reply::User(user_view(&key.user, state, false))
        }
        Query::Factors => {
            let types = around.tenant.policy.rule_for(&state.profile.groups).allowed_factors;
            let admitted = around.tenant.admitted(&types);
            Reply::Factors(factor_views(state, state.factors_in_order(), admitted))
        }
        Query::RecoveryCodes => Reply::RecoveryStatus {
            total: state.recovery.as_ref().map_or(0, |set| set.total),
            remaining: state.recovery_codes_remaining(),
            generated_at: state.recovery.as_ref().map(|set| set.generated_at),
        },
        Query::Devices => Reply::Devices(device_views(state, &around.tenant.policy, now)),
        Query::Status => Reply::Status(status_view(state, around.tenant, now)),
    }
}

/// A user, as shown.
pub fn user_view(id: &UserId, state: &UserState, created: bool) -> UserView {
    UserView {
        id: id.clone(),
        profile: state.profile.clone(),
        created_at: state.created_at,
        updated_at: state.updated_at,
        created,
    }
}

/// A factor, as shown.
pub fn factor_view(factor: &Factor, state: &UserState, admitted: Admitted<'_>) -> FactorView {
    FactorView {
        id: factor.id,
        factor_type: factor.factor_type(),
        name: factor.name.clone(),
        primary: state.primary == Some(factor.id),
        usable: admitted.admits(factor),
        created_at: factor.created_at,
        last_used_at: factor.last_used_at,
        masked_destination: factor.kind.masked_destination(),
        webauthn: factor.kind.webauthn().map(|credential| WebAuthnView {
            aaguid: credential.aaguid,
            backup_eligible: credential.backup_eligible,
            backed_up: credential.backed_up,
            transports: credential.transports.clone(),
            user_verified: credential.user_verified,
            resident: credential.resident,
            sign_count: credential.sign_count,
            rp_id: credential.rp_id.clone(),
        }),
    }
}

/// Factors, as shown.
pub fn factor_views<'a>(
    state: &UserState,
    factors: impl Iterator<Item = &'a Factor>,
    admitted: Admitted<'_>,
) -> Vec<FactorView> {
    factors.map(|factor| factor_view(factor, state, admitted)).collect()
}

/// A challenge, as shown.
pub fn challenge_view(
    key: &UserKey,
    state: &UserState,
    challenge: &Challenge,
    admitted: Admitted<'_>,
    now: Timestamp,
) -> ChallengeView {
    let by_proof = challenge.kind == ChallengeKind::Proof;
    ChallengeView {
        id: challenge.id,
        user: key.user.clone(),
        purpose: challenge.purpose,
        kind: challenge.kind,
        status: challenge.status(now),
        expires_at: challenge.expires_at,
        recovery_codes_available: by_proof && state.recovery_codes_remaining() > 0,
        factors: if by_proof {
            factor_views(state, state.usable(admitted), admitted)
        } else {
            Vec::new()
        },
        attempts_remaining: challenge.attempts_remaining(),
        last_message: last_message(state, |_, sent_at| sent_at >= challenge.created_at),
    }
}

/// The message that was asked for last, of those that `which` takes by factor and time.
fn last_message(
    state: &UserState,
    which: impl Fn(FactorId, Timestamp) -> bool,
) -> Option<MessageView> {
    let message = |(factor_id, channel, to): (FactorId, Channel, &MessageFactor)| {
        let code = to.latest().filter(|code| which(factor_id, code.sent_at))?;
        let (requested_at, outcome) = (code.sent_at, code.outcome.clone());
        Some(MessageView { factor_id, channel, requested_at, outcome })
    };
    state.messages().filter_map(message).max_by_key(|message| message.requested_at)
}

fn pending_enrollments(state: &UserState, now: Timestamp) -> Vec<PendingEnrollmentView> {
    let waiting = state.pending.iter().filter(|pending| now < pending.expires_at);
    waiting
        .map(|pending| PendingEnrollmentView {
            factor_id: pending.id,
            factor_type: pending.factor_type(),
            masked_destination: pending.kind.masked_destination(),
            expires_at: pending.expires_at,
            last_message: last_message(state, |factor, _| factor == pending.id),
        })
        .collect()
}

/// Triggers as the contract names them, separated by commas.
pub fn trigger_names(triggers: &[Trigger]) -> String {
    triggers.iter().map(|trigger| trigger.as_str()).collect::<Vec<_>>().join(",")
}

/// When a user's grace ends: `None` if none runs. It runs from the later of the user's creation
/// and the moment the rule became REQUIRED.
pub fn grace_ends_at(
    state: &UserState,
    policy: &Policy,
    rule: &Rule,
    now: Timestamp,
) -> Option<Timestamp> {
    let created_at = if state.exists() { state.created_at } else { now };
    let since = rule.required_since.map_or(created_at, |since| since.max(created_at));
    let ends_at = since.plus_millis(policy.grace_period.millis());
    (rule.requirement == Requirement::Required && now < ends_at).then_some(ends_at)
}

/// Trusted devices, as shown.
pub(crate) fn device_views(state: &UserState, policy: &Policy, now: Timestamp) -> Vec<DeviceView> {
    let days = policy.trusted_devices.duration_days;
    let until = |device: &TrustedDevice| device.trusted_until(days);
    let current = state.devices.iter().filter(|device| now < until(device));
    current
        .map(|device| DeviceView {
            id: device.id,
            name: device.name.clone(),
            user_agent: device.user_agent.clone(),
            created_at: device.created_at,
            last_used_at: device.last_used_at,
            expires_at: until(device),
        })
        .collect()
}

fn status_view(state: &UserState, tenant: &TenantState, now: Timestamp) -> StatusView {
    let policy = &tenant.policy;
    let rule = policy.rule_for(&state.profile.groups);
    let mut factors = BTreeMap::new();
    for factor in &state.factors {
        *factors.entry(factor.factor_type()).or_insert(0) += 1;
    }
    let usable = state.usable(tenant.admitted(&rule.allowed_factors)).next().is_some();
    let lock = state.lockout.at(now);
    StatusView {
        enabled: !state.factors.is_empty(),
        factor_count: u32::try_from(state.factors.len()).unwrap_or(u32::MAX),
        factors,
        primary_factor_id: state.primary,
        recovery_codes_remaining: state.recovery_codes_remaining(),
        trusted_device_count: u32::try_from(device_views(state, policy, now).len())
            .unwrap_or(u32::MAX),
        requirement: rule.requirement,
        grace_period_ends_at: if usable { None } else { grace_ends_at(state, policy, &rule, now) },
        locked_until: match lock {
            Lock::Until(until) => Some(until),
            Lock::Open | Lock::Hard => None,
        },
        locked_hard: lock == Lock::Hard,
        failed_attempts: state.lockout.failed_attempts,
        pending_enrollments: pending_enrollments(state, now),
    }
}
