//! Decisions about a user: one file a group of commands, one dispatcher.
//!
//! [`decide`] is total and pure. Whatever it answers, the caller must put its events and audit
//! entries into the log first and release the reply after they are applied: the attempt is counted
//! before its outcome is known to anybody.

mod alert;
mod case;
mod challenge;
mod devices;
mod enroll;
mod factors;
mod guess;
mod messages;
pub(crate) mod portal;
mod profile;
mod recover;
mod reset;
mod room;
mod verify;
mod webauthn;

use self::case::{Case, Verdict};
use crate::command::{Command, Proof};
use crate::context::{Context, Surroundings};
use crate::decision::{Decision, Work, Worked};
use crate::event::UserEvent;
use crate::ids::UserKey;
use crate::reply::Reply;
use crate::user::UserState;

/// The slow computing that `command` needs before [`decide`] can judge it, if any. What is refused
/// without it (a locked user, an ended challenge) costs none.
pub fn prepare(
    state: &UserState,
    command: &Command,
    around: &Surroundings<'_>,
    context: &mut Context<'_>,
) -> Option<Work> {
    match command {
        Command::GenerateRecoveryCodes if state.recovery_codes_remaining() > 0 => None,
        Command::GenerateRecoveryCodes | Command::RegenerateRecoveryCodes => {
            recover::prepare_set(state, around, context)
        }
        Command::UseRecoveryCode { code } => recover::prepare_code(state, code, context.now),
        Command::ConfirmWebAuthn { response, .. } => {
            webauthn::prepare_registration(state, response, around, context.now)
        }
        Command::Assert { response }
        | Command::Verify { proof: Proof::Assertion { response, .. }, .. } => {
            webauthn::prepare_assertion(state, response, around, context.now)
        }
        Command::Verify { challenge, proof: Proof::RecoveryCode(code), .. } => {
            let reads = state.challenge(*challenge)?.reads_answers(context.now);
            reads.then(|| recover::prepare_code(state, code, context.now)).flatten()
        }
        Command::Portal(command) => {
            let act = portal::act_to_prepare(state, command, around, context.now)?;
            prepare(state, act, around, context)
        }
        _ => None,
    }
}

/// Decides `command` on `state`. `worked` is the outcome of what [`prepare`] asked for on this very
/// state and command.
pub fn decide(
    key: &UserKey,
    state: &UserState,
    command: &Command,
    worked: Option<Worked>,
    around: &Surroundings<'_>,
    context: &mut Context<'_>,
) -> Decision<Reply, UserEvent> {
    let actor = context.actor;
    let mut verdict = judge(&Case::new(key, state, around), command, worked, context);
    for entry in &mut verdict.audit {
        entry.actor = actor;
    }
    verdict
}

fn judge(
    case: &Case<'_>,
    command: &Command,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    match command {
        Command::PutProfile(profile) => profile::put(case, profile, context),
        Command::Erase => profile::erase(case),
        Command::PasswordChanged { changed_at } => {
            profile::password_changed(case, *changed_at, context)
        }
        Command::BeginTotp { name, parameters, account_name, resume } => {
            let account_name = account_name.as_deref();
            enroll::begin_totp(case, name, *parameters, account_name, *resume, context)
        }
        Command::ConfirmTotp { code, name, challenge } => {
            enroll::confirm_totp(case, code, name, *challenge, context)
        }
        Command::ImportTotp { secret, parameters, name } => {
            enroll::import_totp(case, secret, *parameters, name, context)
        }
        Command::RenameFactor { id, name } => factors::rename(case, *id, name, context),
        Command::RemoveFactor { id } => factors::remove(case, *id),
        Command::MakePrimary { id } => factors::make_primary(case, *id, context),
        Command::GenerateRecoveryCodes => recover::generate(case, worked, context),
        Command::RegenerateRecoveryCodes => recover::regenerate(case, worked, context),
        Command::UseRecoveryCode { code } => recover::use_code(case, code, worked, context),
        Command::CreateChallenge { purpose, context: login, device_token } => {
            challenge::create(case, *purpose, login, device_token.as_ref(), context)
        }
        Command::Verify { challenge, proof, remember_device } => {
            verify::answer(case, *challenge, proof, remember_device.as_ref(), worked, context)
        }
        Command::RevokeDevice { id } => devices::revoke(case, *id),
        Command::RevokeDevices => devices::revoke_all(case),
        Command::Reset { reason } => reset::reset(case, reason.as_deref()),
        Command::Unlock => reset::unlock(case),
        Command::BeginSms { number, name } => messages::begin_sms(case, number, name, context),
        Command::BeginEmail { name } => messages::begin_email(case, name, context),
        Command::SendEnrollmentCode { channel } => {
            messages::send_to_enrollment(case, *channel, context)
        }
        Command::SendChallengeCode { challenge, factor } => {
            messages::send_to_factor(case, *challenge, *factor, context)
        }
        Command::ConfirmMessage { channel, code, name, challenge } => {
            messages::confirm(case, *channel, code, name, *challenge, context)
        }
        Command::BeginWebAuthn { wish } => webauthn::begin_registration(case, wish, context),
        Command::ConfirmWebAuthn { response, name, challenge } => {
            webauthn::confirm(case, response, name, *challenge, worked, context)
        }
        Command::BeginAssertion { user_verification, challenge } => {
            webauthn::begin_assertion(case, *user_verification, *challenge, context)
        }
        Command::Assert { response } => webauthn::assert(case, response, worked, context),
        Command::Portal(command) => portal::judge(case, command, worked, context),
    }
}
