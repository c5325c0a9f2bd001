//! How events change a user. Total: an event never fails, whatever the state, and the same events
//! give the same state on the leader that decided and on every replica that applies.

use crate::challenge::{CHALLENGE_KEPT_MS, CHALLENGES_KEPT, Challenge, ChallengeOutcome};
use crate::device::TRUSTED_DEVICES_KEPT;
use crate::event::{IssuedCode, UserEvent};
use crate::factor::message::SentCode;
use crate::factor::webauthn::ceremony::{
    CEREMONIES_OF_A_CHALLENGE, CEREMONIES_OUTSIDE, CEREMONY_LIFETIME_MS, Ceremony, CeremonyPurpose,
};
use crate::factor::{Factor, FactorKind};
use crate::ids::{ChallengeId, DeliveryId, DeviceId, FactorId};
use crate::policy::LockoutPolicy;
use crate::portal;
use crate::risk::LoginContext;
use crate::time::{DAY_MS, Timestamp};
use crate::user::{
    ENROLLMENT_LIFETIME_MS, SPENT_SECRET_KEPT_MS, SPENT_SECRETS_KEPT, SpentSecret, UserState,
};

/// Applies all events of one commit, at the time that the commit was stamped with.
pub fn evolve_all(state: &mut UserState, events: &[UserEvent], at: Timestamp) {
    for event in events {
        evolve(state, event, at);
    }
    if state.exists() {
        state.updated_at = at;
        forget_what_is_over(state, at);
    }
}

/// Applies one event.
fn evolve(state: &mut UserState, event: &UserEvent, at: Timestamp) {
    match event {
        UserEvent::Created { pseudonym } => {
            *state =
                UserState { pseudonym: Some(*pseudonym), created_at: at, ..UserState::default() }
        }
        UserEvent::ProfileSet(profile) => state.profile = profile.clone(),
        UserEvent::Erased => *state = UserState::default(),
        UserEvent::PasswordChanged { changed_at } => change_password(state, *changed_at),
        UserEvent::EnrollmentBegun(pending) => {
            state.pending.retain(|other| other.factor_type() != pending.factor_type());
            state.pending.push(pending.clone());
        }
        UserEvent::FactorActivated(factor) => {
            activate(state, factor);
            state.verified_from = None;
        }
        UserEvent::FactorRenamed { id, name } => {
            with_factor(state, *id, |factor| factor.name.clone_from(name));
        }
        UserEvent::FactorRemoved { id } => remove_factor(state, *id, at),
        UserEvent::PrimarySet { id } => {
            if state.factor(*id).is_some() {
                state.primary = Some(*id);
            }
        }
        UserEvent::StepSpent { id, step } => spend_step(state, *id, *step, at),
        UserEvent::RecoverySetMade(set) => {
            state.recovery = Some(set.clone());
            if let Some(made) = &mut state.recovery {
                made.generated_at = at;
            }
        }
        UserEvent::RecoveryCodeSpent { digest } => {
            state.recovery_uses.push(at);
            if let Some(set) = &mut state.recovery {
                set.unused.retain(|unused| unused != digest);
                set.used.push(*digest);
            }
        }
        UserEvent::ChallengeOpened(challenge) => open_challenge(state, challenge, at),
        UserEvent::ChallengeEnded { id, outcome } => end_challenge(state, *id, *outcome),
        UserEvent::AttemptFailed { policy, challenge, enrollment } => {
            fail(state, policy, *challenge, at);
            let of = state.pending.iter_mut().find(|pending| Some(pending.id) == *enrollment);
            if let Some(pending) = of {
                pending.wrong = pending.wrong.saturating_add(1);
            }
        }
        UserEvent::RefusalNoted => state.lockout.refusal_noted = true,
        UserEvent::AttemptSucceeded => {
            forget_failures(state);
            state.verified_from = None;
        }
        // The last of what a verified login leaves: whatever came before knew no address.
        UserEvent::Learned(context) => {
            state.history.learn(context, at);
            state.verified_from = context.ip_address;
        }
        UserEvent::DeviceTrusted(device) => {
            state.devices.push(device.clone());
            drop_oldest_device(state);
        }
        UserEvent::DeviceUsed { id } => {
            if let Some(device) = state.devices.iter_mut().find(|device| device.id == *id) {
                device.last_used_at = Some(at);
            }
        }
        UserEvent::DeviceRevoked { id } => revoke_device(state, *id),
        UserEvent::DevicesRevoked => state.devices.clear(),
        UserEvent::Reset => reset(state, at),
        UserEvent::Unlocked => forget_failures(state),
        UserEvent::EnrollmentEnded { id } => state.pending.retain(|pending| pending.id != *id),
        UserEvent::OtherCodeTold { id, step } => {
            if let Some(pending) = state.pending.iter_mut().find(|pending| pending.id == *id) {
                pending.told = pending.told.saturating_add(1);
                pending.told_steps.extend(*step);
            }
        }
        UserEvent::CodeIssued(issued) => issue(state, issued, at),
        UserEvent::CodeMissed { factor } => {
            if let Some(code) = state.message_mut(*factor).and_then(|to| to.codes.last_mut()) {
                code.wrong = code.wrong.saturating_add(1);
            }
        }
        UserEvent::CodeSpent { factor, delivery, .. } => spend_code(state, *factor, *delivery, at),
        UserEvent::SendRefused => state.sends.refusal_noted = true,
        // Counted beside the user, see `crate::sending`.
        UserEvent::FloodNoted { .. } => {}
        UserEvent::CeremonyBegun(ceremony) => begin_ceremony(state, ceremony, at),
        UserEvent::CeremonyEnded { challenge } => {
            state.ceremonies.retain(|ceremony| ceremony.challenge != *challenge);
        }
        UserEvent::CredentialUsed { id, sign_count, backed_up } => {
            with_factor(state, *id, |factor| {
                if let FactorKind::WebAuthn(credential) = &mut factor.kind {
                    credential.sign_count = credential.sign_count.max(*sign_count);
                    credential.backed_up = *backed_up;
                    factor.last_used_at = Some(at);
                }
            });
        }
        UserEvent::Portal(event) => portal::evolve(state, event, at),
        UserEvent::CodeSettled { factor, delivery, outcome } => {
            if let Some(to) = state.message_mut(*factor) {
                to.settle(*delivery, outcome);
            }
        }
    }
}

/// Everything that was begun up to the change may have been begun with the old password, by whoever
/// the change is meant to shut out: it ends as in a reset. What was begun after it goes on.
fn change_password(state: &mut UserState, changed_at: Timestamp) {
    // A report that comes late must not undo a newer one.
    state.password_changed_at = state.password_changed_at.max(Some(changed_at));
    state.devices.clear();
    state.pending.retain(|pending| pending.created_at > changed_at);
    state.ceremonies.retain(|ceremony| ceremony.created_at > changed_at);
    let old = |challenge: &Challenge| challenge.created_at <= changed_at;
    let challenges = &state.challenges;
    let about_old = |id: ChallengeId| challenges.iter().any(|one| one.id == id && old(one));
    state.portal.retain(|session| {
        session.created_at > changed_at && !session.challenge.is_some_and(about_old)
    });
    fail_open_challenges(state, old);
}

fn fail_open_challenges(state: &mut UserState, which: impl Fn(&Challenge) -> bool) {
    for challenge in &mut state.challenges {
        if challenge.outcome == ChallengeOutcome::Pending && which(challenge) {
            challenge.outcome = ChallengeOutcome::Failed;
            challenge.context = LoginContext::default();
        }
    }
}

/// The code lives as long as was decided, by the shard's own clock.
fn issue(state: &mut UserState, issued: &IssuedCode, at: Timestamp) {
    if let Some(to) = state.message_mut(issued.factor) {
        let lifetime = issued.code.expires_at.millis_since(issued.code.sent_at);
        let expires_at = at.plus_millis(lifetime);
        to.issue(SentCode { sent_at: at, expires_at, ..issued.code.clone() });
        state.sends.made(issued.factor, at);
    }
}

/// One registration at a time: a new one replaces the one before. Those of one challenge make room
/// for each other alone. The lifetime runs by the shard's own clock.
fn begin_ceremony(state: &mut UserState, ceremony: &Ceremony, at: Timestamp) {
    if ceremony.registers() {
        state.ceremonies.retain(|other| !other.registers());
    }
    let kept = match ceremony.purpose {
        CeremonyPurpose::Answer(_) => CEREMONIES_OF_A_CHALLENGE,
        CeremonyPurpose::Register(_) | CeremonyPurpose::Authenticate => CEREMONIES_OUTSIDE,
    };
    let alike = |other: &Ceremony| other.purpose == ceremony.purpose;
    while state.ceremonies.iter().filter(|other| alike(other)).count() >= kept {
        let oldest = state.ceremonies.iter().position(alike).unwrap_or(0);
        state.ceremonies.remove(oldest);
    }
    let lifetime = ceremony.expires_at.millis_since(ceremony.created_at);
    let expires_at = at.plus_millis(lifetime);
    state.ceremonies.push(Ceremony { created_at: at, expires_at, ..ceremony.clone() });
}

fn spend_code(state: &mut UserState, factor: FactorId, delivery: DeliveryId, at: Timestamp) {
    if let Some(to) = state.message_mut(factor) {
        to.spend(delivery);
    }
    with_factor(state, factor, |factor| factor.last_used_at = Some(at));
}

fn with_factor(state: &mut UserState, id: FactorId, change: impl FnOnce(&mut Factor)) {
    if let Some(factor) = state.factors.iter_mut().find(|factor| factor.id == id) {
        change(factor);
    }
}

fn forget_failures(state: &mut UserState) {
    state.lockout.clear();
    for pending in &mut state.pending {
        pending.wrong = 0;
    }
}

/// A fresh secret proves nothing about what was there before, so of the wrong codes only those go
/// that were meant for this very enrollment: whoever guesses at something else gets no fresh budget.
fn activate(state: &mut UserState, factor: &Factor) {
    let confirmed = state.pending.iter().find(|pending| pending.id == factor.id);
    let wrong = confirmed.map_or(0, |pending| pending.wrong);
    state.lockout.forgive(wrong);
    state.pending.retain(|pending| pending.id != factor.id);
    state.factors.retain(|other| other.id != factor.id);
    state.factors.push(factor.clone());
    state.primary = state.primary.or(Some(factor.id));
}

/// The oldest of the remaining factors becomes primary if the removed one was.
fn remove_factor(state: &mut UserState, id: FactorId, at: Timestamp) {
    let Some(position) = state.factors.iter().position(|factor| factor.id == id) else { return };
    let removed = state.factors.remove(position);
    remember_spent_steps(state, &removed, at);
    if state.primary == Some(id) {
        state.primary = state.factors.first().map(|factor| factor.id);
    }
    portal::forget_proofs_of(state, id);
}

/// Keeps the last accepted step of a secret that goes, so that it stays spent if the secret comes
/// back.
fn remember_spent_steps(state: &mut UserState, factor: &Factor, at: Timestamp) {
    let Some(totp) = factor.kind.totp() else { return };
    if let Some(last_step) = totp.last_step {
        state.spent_secrets.push(SpentSecret { fingerprint: totp.fingerprint, last_step, at });
    }
}

/// Never lowers the highest spent step.
fn spend_step(state: &mut UserState, id: FactorId, step: u64, at: Timestamp) {
    with_factor(state, id, |factor| {
        if let FactorKind::Totp(totp) = &mut factor.kind {
            totp.last_step = totp.last_step.max(Some(step));
            factor.last_used_at = Some(at);
        }
    });
}

/// The decision has made room among the open ones; here those that are over go.
fn open_challenge(state: &mut UserState, challenge: &Challenge, at: Timestamp) {
    state.challenges.push(challenge.clone());
    while state.challenges.len() > CHALLENGES_KEPT {
        let over = |one: &Challenge| !one.is_open(at);
        let position = state.challenges.iter().position(over).unwrap_or(0);
        state.challenges.remove(position);
    }
}

fn end_challenge(state: &mut UserState, id: ChallengeId, outcome: ChallengeOutcome) {
    if let Some(challenge) = state.challenges.iter_mut().find(|challenge| challenge.id == id) {
        challenge.outcome = outcome;
        // What it told was learnt from, or is of no use.
        challenge.context = LoginContext::default();
    }
}

fn fail(
    state: &mut UserState,
    policy: &LockoutPolicy,
    challenge: Option<ChallengeId>,
    at: Timestamp,
) {
    state.lockout.record_failure(policy, at);
    let answered = state.challenges.iter_mut().find(|one| Some(one.id) == challenge);
    if let Some(challenge) = answered {
        challenge.wrong = challenge.wrong.saturating_add(1);
        if challenge.attempts_remaining() == 0 {
            challenge.outcome = ChallengeOutcome::Failed;
            challenge.context = LoginContext::default();
        }
    }
}

fn drop_oldest_device(state: &mut UserState) {
    while state.devices.len() > TRUSTED_DEVICES_KEPT {
        let oldest = (0..state.devices.len())
            .min_by_key(|&index| {
                let device = &state.devices[index];
                device.last_used_at.unwrap_or(device.created_at)
            })
            .unwrap_or(0);
        state.devices.remove(oldest);
    }
}

fn revoke_device(state: &mut UserState, id: DeviceId) {
    state.devices.retain(|device| device.id != id);
}

fn reset(state: &mut UserState, at: Timestamp) {
    for factor in std::mem::take(&mut state.factors) {
        remember_spent_steps(state, &factor, at);
    }
    state.primary = None;
    state.pending.clear();
    state.ceremonies.clear();
    state.portal.clear();
    state.recovery = None;
    state.devices.clear();
    state.lockout.clear();
    fail_open_challenges(state, |_| true);
}

/// Keeps the row small: challenges whose outcome nobody asks for any more, enrollments that
/// expired an enrollment's lifetime ago, devices past their time, and old memories go.
fn forget_what_is_over(state: &mut UserState, at: Timestamp) {
    state.challenges.retain(|one| at.millis_since(one.created_at) < CHALLENGE_KEPT_MS);
    state.pending.retain(|one| at.millis_since(one.expires_at) < ENROLLMENT_LIFETIME_MS);
    state.devices.retain(|device| at < device.expires_at);
    state.spent_secrets.retain(|spent| at.millis_since(spent.at) < SPENT_SECRET_KEPT_MS);
    let over = state.spent_secrets.len().saturating_sub(SPENT_SECRETS_KEPT);
    state.spent_secrets.drain(..over);
    state.history.forget(at);
    state.sends.forget(at);
    state.recovery_uses.retain(|used| at.millis_since(*used) < DAY_MS);
    // An expired one is kept for a while, to say that it is too late and not that there was none.
    let challenges = &state.challenges;
    let is_gone = |id: ChallengeId| !challenges.iter().any(|challenge| challenge.id == id);
    state.ceremonies.retain(|one| {
        let gone = matches!(one.purpose, CeremonyPurpose::Answer(id) if is_gone(id));
        !gone && at.millis_since(one.expires_at) < CEREMONY_LIFETIME_MS
    });
    portal::forget_what_is_over(state, at);
}
