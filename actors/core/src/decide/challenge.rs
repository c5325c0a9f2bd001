//! Whether a login needs a second factor, and the challenge if it does.

use super::case::{Case, Stop, Verdict, refuse};
use super::room::{Opener, evicted_for};
use crate::audit::AuditEntry;
use crate::challenge::{
    CHALLENGE_LIFETIME_MS, CHALLENGES_OPEN, Challenge, ChallengeKind, ChallengeOutcome, Purpose,
};
use crate::context::Context;
use crate::decision::Decision;
use crate::device;
use crate::event::UserEvent;
use crate::ids::DeviceId;
use crate::policy::Requirement;
use crate::query;
use crate::reply::{Acr, Amr, ChallengeAnswer, Reason, Refusal, Reply};
use crate::risk::{self, LoginContext, Trigger};
use crate::secret::Secret;
use crate::time::Timestamp;

/// What the policy asks for, before a trusted device is looked at.
enum Demand {
    Nothing(Reason),
    Grace(Timestamp),
    Proof(Reason),
    Enrollment,
}

pub(super) fn create(
    case: &Case<'_>,
    purpose: Purpose,
    login: &LoginContext,
    device_token: Option<&Secret>,
    context: &mut Context<'_>,
) -> Verdict {
    let triggers = risk::triggers(
        case.policy(),
        &case.state.history,
        case.state.password_changed_at,
        login,
        case.around.failures_from_address,
        context.now,
    );
    let mut events = case.created(context);
    let demand = match demand(case, &triggers, context.now) {
        Demand::Proof(reason) => match trusted(case, purpose, device_token, &triggers, context.now)
        {
            None => Demand::Proof(reason),
            Some(id) => {
                events.push(UserEvent::DeviceUsed { id });
                Demand::Nothing(Reason::TrustedDevice)
            }
        },
        other => other,
    };
    let kind = match demand {
        Demand::Nothing(_) | Demand::Grace(_) => None,
        Demand::Proof(_) => Some(ChallengeKind::Proof),
        Demand::Enrollment => Some(ChallengeKind::EnrollmentRequired),
    };
    if kind.is_some() {
        match make_room(case, login, context.now) {
            Ok(ended) => events.extend(ended),
            Err(refusal) => return *refusal,
        }
    }
    let challenge = kind.map(|kind| open(case, purpose, kind, login, &triggers, context));
    let fired = query::trigger_names(&triggers);
    // Triggers decide under RISK_BASED alone; elsewhere they are recorded, not shown.
    let shown = if case.rule.requirement == Requirement::RiskBased { triggers } else { Vec::new() };
    events.extend(challenge.clone().map(UserEvent::ChallengeOpened));

    let reply = answer(case, &demand, shown, challenge.as_ref(), context);
    let mut entry = AuditEntry::success("mfa.challenge.created")
        .because(reply.reason.as_str())
        .detail("required", reply.mfa_required)
        .from_address(login.ip_address);
    entry.challenge_id = challenge.map(|challenge| challenge.id);
    if !fired.is_empty() {
        entry = entry.detail("triggers", fired);
    }
    Decision { reply: Reply::Challenge(reply), events, audit: vec![entry] }
}

fn demand(case: &Case<'_>, triggers: &[Trigger], now: Timestamp) -> Demand {
    let usable = case.usable().next().is_some();
    match (case.rule.requirement, usable) {
        (Requirement::Disabled, _) => Demand::Nothing(Reason::PolicyDisabled),
        (Requirement::Optional, false) => Demand::Nothing(Reason::NotEnrolled),
        (Requirement::Optional, true) => Demand::Proof(Reason::UserEnrolled),
        (Requirement::Required, true) => Demand::Proof(Reason::PolicyRequired),
        (Requirement::Required, false) => {
            match query::grace_ends_at(case.state, case.policy(), &case.rule, now) {
                Some(ends_at) => Demand::Grace(ends_at),
                None => Demand::Enrollment,
            }
        }
        (Requirement::RiskBased, _) if triggers.is_empty() => Demand::Nothing(Reason::LowRisk),
        (Requirement::RiskBased, true) => Demand::Proof(Reason::Risk),
        (Requirement::RiskBased, false) => Demand::Enrollment,
    }
}

/// The trusted device that stands in for a proof. Never for a step-up, never while the address is
/// suspicious or the password has just changed.
fn trusted(
    case: &Case<'_>,
    purpose: Purpose,
    token: Option<&Secret>,
    triggers: &[Trigger],
    now: Timestamp,
) -> Option<DeviceId> {
    let barred = purpose == Purpose::StepUp
        || !case.policy().trusted_devices.enabled
        || triggers.contains(&Trigger::SuspiciousIp)
        || triggers.contains(&Trigger::PasswordChanged);
    if barred {
        return None;
    }
    // A digest of 256 random bits may be compared in any way: nothing is learnt from its timing.
    let digest = device::token_hash(token?.expose_str());
    let device = case.state.devices.iter().find(|one| one.token_hash == digest)?;
    let days = case.policy().trusted_devices.duration_days;
    (now < device.trusted_until(days)).then_some(device.id)
}

/// Makes room for one more challenge, or says why there is none.
fn make_room(
    case: &Case<'_>,
    login: &LoginContext,
    now: Timestamp,
) -> Result<Option<UserEvent>, Stop> {
    let opener = |context| Opener::of(context, &case.state.history, now);
    // Each session on the pages has one at most, and there is a bound on sessions.
    let of_session = |id| case.state.portal.iter().any(|one| one.verification == Some(id));
    let open: Vec<&Challenge> = case
        .state
        .challenges
        .iter()
        .filter(|challenge| challenge.is_open(now) && !of_session(challenge.id))
        .collect();
    if open.len() < CHALLENGES_OPEN {
        return Ok(None);
    }
    let openers: Vec<_> =
        open.iter().map(|challenge| (challenge.id, opener(&challenge.context))).collect();
    if let Some(id) = evicted_for(&openers, opener(login)) {
        return Ok(Some(UserEvent::ChallengeEnded { id, outcome: ChallengeOutcome::Failed }));
    }
    let first = open.iter().map(|challenge| challenge.expires_at).min().unwrap_or(now);
    let mut verdict = refuse(Refusal::TooManyOpen {
        what: format!("{CHALLENGES_OPEN} challenges"),
        retry_after_seconds: now.seconds_until(first),
    });
    let entry = AuditEntry::failure("mfa.challenge.refused", "too_many_open");
    verdict.audit.push(entry.from_address(login.ip_address));
    Err(Box::new(verdict))
}

pub(super) fn open(
    case: &Case<'_>,
    purpose: Purpose,
    kind: ChallengeKind,
    login: &LoginContext,
    triggers: &[Trigger],
    context: &mut Context<'_>,
) -> Challenge {
    Challenge {
        id: context.vault.challenge_id(case.key.hash(), context.entropy.bytes()),
        purpose,
        kind,
        created_at: context.now,
        expires_at: context.now.plus_millis(CHALLENGE_LIFETIME_MS),
        wrong: 0,
        outcome: ChallengeOutcome::Pending,
        context: login.clone(),
        triggers: triggers.to_vec(),
    }
}

fn answer(
    case: &Case<'_>,
    demand: &Demand,
    triggers: Vec<Trigger>,
    challenge: Option<&Challenge>,
    context: &mut Context<'_>,
) -> ChallengeAnswer {
    let (reason, grace_period_ends_at) = match demand {
        Demand::Nothing(reason) | Demand::Proof(reason) => (*reason, None),
        Demand::Grace(ends_at) => (Reason::GracePeriod, Some(*ends_at)),
        Demand::Enrollment => (Reason::EnrollmentRequired, None),
    };
    let now = context.now;
    ChallengeAnswer {
        mfa_required: challenge.is_some(),
        reason,
        triggers,
        challenge: challenge
            .map(|one| query::challenge_view(case.key, case.state, one, case.admitted(), now)),
        enrollment_required: matches!(demand, Demand::Grace(_) | Demand::Enrollment),
        grace_period_ends_at,
        tokens: challenge.is_none().then(|| case.grant(Acr::Aal1, vec![Amr::Pwd], context)),
    }
}
