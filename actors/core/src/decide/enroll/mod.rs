//! Enrolling a factor: begun, then confirmed by a code. Here is what all kinds share: what may be
//! confirmed, and how a factor becomes ACTIVE. Authenticator apps are in [`totp`], numbers and
//! addresses in `decide/messages`.

mod near_miss;
mod totp;

pub(super) use self::totp::{begin_totp, confirm_totp, import_totp, reopened, secret_purpose};
use super::alert;
use super::case::{Case, Verdict};
use crate::audit::AuditEntry;
use crate::challenge::{Challenge, ChallengeKind, ChallengeOutcome};
use crate::context::Context;
use crate::decision::Decision;
use crate::event::UserEvent;
use crate::factor::{Factor, FactorKind, FactorType, PendingEnrollment};
use crate::ids::ChallengeId;
use crate::query;
use crate::reply::{Acr, Amr, Refusal, Reply};
use crate::time::Timestamp;

/// The enrollment that waits, unless it waited too long or may not be confirmed any more.
pub(super) fn pending<'a>(
    case: &Case<'a>,
    factor_type: FactorType,
    now: Timestamp,
) -> Result<&'a PendingEnrollment, Refusal> {
    case.known()?;
    let pending = case.state.pending(factor_type).ok_or(Refusal::NoPendingEnrollment)?;
    if now >= pending.expires_at {
        return Err(Refusal::EnrollmentExpired);
    }
    case.may_enroll(factor_type)?;
    not_enrolled_yet(case, &pending.kind)?;
    Ok(pending)
}

/// The enrollment to confirm and the challenge that this would answer.
pub(super) fn confirmable<'a>(
    case: &Case<'a>,
    factor_type: FactorType,
    challenge: Option<ChallengeId>,
    now: Timestamp,
) -> Result<(&'a PendingEnrollment, Option<&'a Challenge>), Refusal> {
    let pending = pending(case, factor_type, now)?;
    let challenge = challenge.map(|id| enrollment_challenge(case, id, now)).transpose()?;
    Ok((pending, challenge))
}

pub(super) fn enrollment_challenge<'a>(
    case: &Case<'a>,
    id: ChallengeId,
    now: Timestamp,
) -> Result<&'a Challenge, Refusal> {
    let challenge = case.state.challenge(id).ok_or(Refusal::ChallengeNotFound)?;
    if challenge.kind != ChallengeKind::EnrollmentRequired {
        let what = "this challenge is answered by a proof of a factor, not by an enrollment";
        return Err(Refusal::Conflict(what.to_owned()));
    }
    if !challenge.is_open(now) {
        return Err(Refusal::ChallengeExpired);
    }
    // Decided anew from what holds now: somebody who has enrolled meanwhile proves that factor, or
    // whoever opened the challenge with a stolen password could add one of their own and pass.
    if case.usable().next().is_some() {
        let what = "the user has a factor by now; create a new challenge and prove it";
        return Err(Refusal::Conflict(what.to_owned()));
    }
    Ok(challenge)
}

/// Two factors with one secret would accept each code twice; two with one number, or with the one
/// address that a user has, would be one factor twice.
pub(super) fn not_enrolled_yet(case: &Case<'_>, kind: &FactorKind) -> Result<(), Refusal> {
    let same = |factor: &Factor| match (&factor.kind, kind) {
        (FactorKind::Totp(one), FactorKind::Totp(other)) => one.fingerprint == other.fingerprint,
        (FactorKind::Sms(one), FactorKind::Sms(other)) => one.destination == other.destination,
        (FactorKind::Email(_), FactorKind::Email(_)) => true,
        (FactorKind::WebAuthn(one), FactorKind::WebAuthn(other)) => {
            one.credential_id == other.credential_id
        }
        (
            FactorKind::Totp(_)
            | FactorKind::Sms(_)
            | FactorKind::Email(_)
            | FactorKind::WebAuthn(_),
            _,
        ) => false,
    };
    if case.state.factors.iter().any(same) {
        return Err(Refusal::FactorAlreadyEnrolled);
    }
    Ok(())
}

/// Makes a factor ACTIVE whose code was accepted. `spends` is what that code spends, unless the
/// factor itself says so.
pub(super) fn activate(
    case: &Case<'_>,
    factor: Factor,
    spends: Option<UserEvent>,
    challenge: Option<&Challenge>,
    context: &mut Context<'_>,
) -> Verdict {
    let id = factor.id;
    let mut audit = vec![
        AuditEntry::success("mfa.factor.enrolled")
            .factor(id)
            .because("confirmed")
            .detail("factorType", factor.factor_type().as_str()),
    ];
    let mut events: Vec<UserEvent> = spends.into_iter().collect();
    events.push(UserEvent::FactorActivated(factor.clone()));
    let mut tokens = None;
    if let Some(challenge) = challenge {
        events.push(UserEvent::ChallengeEnded {
            id: challenge.id,
            outcome: ChallengeOutcome::Verified,
        });
        events.push(UserEvent::Learned(challenge.context.clone()));
        let amr = [vec![Amr::Pwd], Amr::of(&factor.kind), vec![Amr::Mfa]].concat();
        tokens = Some(case.grant(Acr::Aal2, amr, context));
        let verified = AuditEntry::success("mfa.challenge.verified")
            .because("enrolled")
            .factor(id)
            .challenge(challenge.id)
            .from_address(challenge.context.ip_address);
        audit.push(verified.clone());
        if !challenge.triggers.is_empty() {
            audit.push(alert::risky_enrollment(verified, &challenge.triggers));
        }
    }
    let after = case.after(&events, context.now);
    let factor = query::factor_view(&factor, &after, case.admitted());
    Decision { reply: Reply::Factor { factor, tokens }, events, audit }
}
