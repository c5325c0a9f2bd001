//! What a session may do. All that is not listed here, it may not.
//!
//! Whoever holds a session has shown the application a password and nothing else. So the session is
//! bound to what it is for, and whatever weakens the account (or strengthens it in favour of
//! whoever is at the keyboard) needs a second factor that was proven within the session lately. A
//! user who has none may enroll the first: there is nothing to prove yet.

use crate::challenge::{Challenge, ChallengeKind};
use crate::command::Command;
use crate::ids::ChallengeId;
use crate::portal::{PortalPurpose, PortalRefusal, PortalSession};
use crate::tenant::TenantState;
use crate::time::Timestamp;
use crate::user::UserState;

/// Refuses what the session may not do.
pub(super) fn permits(
    state: &UserState,
    tenant: &TenantState,
    session: &PortalSession,
    act: &Command,
    now: Timestamp,
) -> Result<(), PortalRefusal> {
    match act {
        Command::BeginTotp { .. }
        | Command::BeginSms { .. }
        | Command::BeginEmail { .. }
        | Command::BeginWebAuthn { .. }
        | Command::SendEnrollmentCode { .. } => may_enroll(state, tenant, session, None, now),
        Command::ConfirmTotp { challenge, .. }
        | Command::ConfirmMessage { challenge, .. }
        | Command::ConfirmWebAuthn { challenge, .. } => {
            may_enroll(state, tenant, session, *challenge, now)
        }
        Command::Verify { challenge, .. } | Command::SendChallengeCode { challenge, .. } => {
            answers(session, *challenge)
        }
        Command::BeginAssertion { challenge: Some(challenge), .. } => answers(session, *challenge),
        Command::GenerateRecoveryCodes | Command::RegenerateRecoveryCodes => {
            demand(enrolls(state, session))?;
            fresh(session, now)
        }
        Command::RenameFactor { .. }
        | Command::RemoveFactor { .. }
        | Command::MakePrimary { .. }
        | Command::RevokeDevice { .. }
        | Command::RevokeDevices => {
            demand(session.purpose == PortalPurpose::Manage)?;
            fresh(session, now)
        }
        Command::PutProfile(_)
        | Command::Erase
        | Command::PasswordChanged { .. }
        | Command::ImportTotp { .. }
        | Command::UseRecoveryCode { .. }
        | Command::CreateChallenge { .. }
        | Command::Reset { .. }
        | Command::Unlock
        | Command::BeginAssertion { challenge: None, .. }
        | Command::Assert { .. }
        | Command::Portal(_) => Err(PortalRefusal::NotPermitted),
    }
}

fn demand(holds: bool) -> Result<(), PortalRefusal> {
    if holds { Ok(()) } else { Err(PortalRefusal::NotPermitted) }
}

fn fresh(session: &PortalSession, now: Timestamp) -> Result<(), PortalRefusal> {
    if session.is_fresh(now) { Ok(()) } else { Err(PortalRefusal::VerificationNeeded) }
}

/// The application's challenge, or the session's own, and no other of the user.
fn answers(session: &PortalSession, challenge: ChallengeId) -> Result<(), PortalRefusal> {
    let asked = session.purpose == PortalPurpose::Challenge && session.challenge == Some(challenge);
    demand(asked || session.verification == Some(challenge))
}

/// Whether factors can be added: it is for that, or for a challenge that is answered by it.
pub(super) fn enrolls(state: &UserState, session: &PortalSession) -> bool {
    let by_enrolling = |challenge: &Challenge| challenge.kind == ChallengeKind::EnrollmentRequired;
    match session.purpose {
        PortalPurpose::Enroll | PortalPurpose::Manage => true,
        PortalPurpose::Challenge => {
            session.challenge.and_then(|id| state.challenge(id)).is_some_and(by_enrolling)
        }
    }
}

/// Refuses adding a factor, if it would answer this challenge or none.
pub(super) fn may_enroll(
    state: &UserState,
    tenant: &TenantState,
    session: &PortalSession,
    challenge: Option<ChallengeId>,
    now: Timestamp,
) -> Result<(), PortalRefusal> {
    demand(enrolls(state, session))?;
    demand(challenge.is_none() || challenge == session.challenge)?;
    if is_guarded(state, tenant, session, now) {
        return Err(PortalRefusal::VerificationNeeded);
    }
    Ok(())
}

/// Whether adding a factor needs a verification first: there is something that could be proven, and
/// it was not, or not lately. A challenge that asks for an enrollment was opened because there is no
/// usable factor; it is answered whether or not recovery codes are left.
pub(super) fn is_guarded(
    state: &UserState,
    tenant: &TenantState,
    session: &PortalSession,
    now: Timestamp,
) -> bool {
    if session.is_fresh(now) {
        return false;
    }
    let asked = session.challenge.and_then(|id| state.challenge(id)).is_some_and(|challenge| {
        challenge.kind == ChallengeKind::EnrollmentRequired && challenge.is_open(now)
    });
    if asked { has_usable(state, tenant) } else { is_provable(state, tenant) }
}

/// Whether the user has a factor that can be proven.
pub(super) fn has_usable(state: &UserState, tenant: &TenantState) -> bool {
    let rule = tenant.policy.rule_for(&state.profile.groups);
    state.usable(tenant.admitted(&rule.allowed_factors)).next().is_some()
}

/// Whether there is anything by which the person could be verified.
pub(super) fn is_provable(state: &UserState, tenant: &TenantState) -> bool {
    has_usable(state, tenant) || state.recovery_codes_remaining() > 0
}
