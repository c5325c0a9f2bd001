//! Answering a challenge. Challenge, user and factor are checked together: a challenge is looked up
//! under its user, a factor under the same.

use super::case::{Case, Stop, Verdict, refuse};
use super::guess::{Guess, RECOVERY_CODE};
use super::{messages, recover, webauthn};
use crate::audit::AuditEntry;
use crate::challenge::{Challenge, ChallengeKind, ChallengeOutcome, ChallengeStatus};
use crate::command::{Proof, RememberDevice};
use crate::context::Context;
use crate::decision::{Decision, Worked};
use crate::device::{self, TrustedDevice};
use crate::event::UserEvent;
use crate::factor::message::MessageFactor;
use crate::factor::webauthn::ceremony::CeremonyPurpose;
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::factor::webauthn::response::AssertionResponse;
use crate::factor::{Factor, FactorKind};
use crate::ids::{ChallengeId, DeviceId, FactorId};
use crate::message::Channel;
use crate::reply::{Acr, Amr, Refusal, Reply, Verified};
use crate::secret::Secret;
use crate::time::{DAY_MS, Timestamp};

const FAILED: &str = "mfa.challenge.failed";

pub(super) fn answer(
    case: &Case<'_>,
    id: ChallengeId,
    proof: &Proof,
    remember: Option<&RememberDevice>,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    let Some(challenge) = case.state.challenge(id) else {
        return refuse(Refusal::ChallengeNotFound);
    };
    if let Proof::Assertion { factor, response } = proof {
        return by_assertion(case, challenge, (*factor, response), remember, worked, context);
    }
    let guess = match Guess::open(case, FAILED, context.now) {
        Ok(guess) => guess,
        Err(mut verdict) => {
            for entry in &mut verdict.audit {
                entry.challenge_id = Some(id);
                entry.ip_address = challenge.context.ip_address;
            }
            return *verdict;
        }
    };
    let (guess, over) = match challenge.status(context.now) {
        ChallengeStatus::Pending => (guess.answering(challenge), false),
        ChallengeStatus::Verified => (guess.after(challenge), true),
        ChallengeStatus::Failed | ChallengeStatus::Expired => {
            return refuse(Refusal::ChallengeExpired);
        }
    };
    let accepted = match proof {
        Proof::Code { factor, code } => by_code(case, guess, *factor, code, context),
        Proof::RecoveryCode(code) => {
            by_recovery_code(case, guess, challenge, code, worked, context.now)
        }
        // Answered above: no code, so no guess.
        Proof::Assertion { .. } => Err(Box::new(refuse(Refusal::Unreadable))),
    };
    match accepted {
        Err(stop) => *stop,
        // Of many who submit at once, one wins. What the others bring is read like any code, so
        // that they learn that it is spent and a guess is counted, but it opens nothing and stays
        // unspent.
        Ok(_) if over => refuse(Refusal::ChallengeExpired),
        Ok(accepted) => accept(case, challenge, accepted, remember, context),
    }
}

/// By a security key or passkey. It is no code that somebody could guess at, so it passes no gate: it
/// works while codes are locked, is not counted, and does not open that lock.
fn by_assertion(
    case: &Case<'_>,
    challenge: &Challenge,
    (named, response): (Option<FactorId>, &AssertionResponse),
    remember: Option<&RememberDevice>,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    let purpose = CeremonyPurpose::Answer(challenge.id);
    let shown = match webauthn::shown(case, response, purpose, worked, context.now) {
        Ok(shown) => shown,
        Err(stop) => return *stop,
    };
    let factor = shown.factor.id;
    if named.is_some_and(|named| named != factor) {
        let failure = CeremonyFailure::UnknownCredential;
        return webauthn::refused(case, shown.ceremony, named, failure);
    }
    match challenge.status(context.now) {
        ChallengeStatus::Pending => {}
        ChallengeStatus::Verified | ChallengeStatus::Failed | ChallengeStatus::Expired => {
            return refuse(Refusal::ChallengeExpired);
        }
    }
    let accepted = Accepted {
        factor: Some(factor),
        methods: Amr::of(&shown.factor.kind),
        spends: shown.events(),
        more: Vec::new(),
    };
    accept(case, challenge, accepted, remember, context)
}

/// The proof that was accepted: what it spends, and how it is told of.
struct Accepted {
    factor: Option<FactorId>,
    spends: Vec<UserEvent>,
    methods: Vec<Amr>,
    more: Vec<AuditEntry>,
}

fn by_code(
    case: &Case<'_>,
    guess: Guess<'_>,
    id: FactorId,
    code: &Secret,
    context: &Context<'_>,
) -> Result<Accepted, Stop> {
    let factor: &Factor =
        case.state.factor(id).ok_or_else(|| Box::new(refuse(Refusal::FactorNotFound)))?;
    if !case.allowed().contains(&factor.factor_type()) {
        return Err(Box::new(refuse(Refusal::FactorNotAllowed(factor.factor_type()))));
    }
    let guess = guess.of_factor(id);
    let sent = |channel: Channel, to: &MessageFactor| {
        let delivery = guess.sent_code(id, to, code, context)?;
        Ok::<_, Stop>(messages::spent(case, id, (channel, to), delivery, context.vault))
    };
    let spends = match &factor.kind {
        FactorKind::Totp(totp) => {
            UserEvent::StepSpent { id, step: guess.totp(id, totp, code, context)? }
        }
        FactorKind::Sms(to) => sent(Channel::Sms, to)?,
        FactorKind::Email(to) => sent(Channel::Email, to)?,
        FactorKind::WebAuthn(_) => {
            let what = "this factor has no codes; answer with an assertion";
            return Err(Box::new(refuse(Refusal::Conflict(what.to_owned()))));
        }
    };
    Ok(Accepted {
        factor: Some(id),
        spends: vec![spends, UserEvent::AttemptSucceeded],
        methods: Amr::of(&factor.kind),
        more: Vec::new(),
    })
}

fn by_recovery_code(
    case: &Case<'_>,
    guess: Guess<'_>,
    challenge: &Challenge,
    code: &Secret,
    worked: Option<Worked>,
    now: Timestamp,
) -> Result<Accepted, Stop> {
    if challenge.kind == ChallengeKind::EnrollmentRequired {
        let what = "this challenge is answered by enrolling a factor, not by a recovery code";
        return Err(Box::new(refuse(Refusal::Conflict(what.to_owned()))));
    }
    let digest = recover::read(case, &guess, (RECOVERY_CODE, code), worked, now)?;
    Ok(Accepted {
        factor: None,
        spends: vec![UserEvent::RecoveryCodeSpent { digest }, UserEvent::AttemptSucceeded],
        methods: vec![Amr::Recovery],
        more: recover::used(case, Some(challenge), now),
    })
}

fn accept(
    case: &Case<'_>,
    challenge: &Challenge,
    accepted: Accepted,
    remember: Option<&RememberDevice>,
    context: &mut Context<'_>,
) -> Verdict {
    let mut events = accepted.spends;
    events
        .push(UserEvent::ChallengeEnded { id: challenge.id, outcome: ChallengeOutcome::Verified });
    events.push(UserEvent::Learned(challenge.context.clone()));
    let mut entry = AuditEntry::success("mfa.challenge.verified")
        .challenge(challenge.id)
        .detail("method", accepted.methods.first().map_or("", |method| method.as_str()))
        .from_address(challenge.context.ip_address);
    entry.factor_id = accepted.factor;
    let mut audit = vec![entry];
    audit.extend(accepted.more);

    let device = remember
        .filter(|_| earns_trust(case))
        .map(|wish| trust(case, wish, challenge.context.user_agent.clone(), context));
    let (device_token, device_token_expires_at) = match device {
        None => (None, None),
        Some((token, device)) => {
            let expires_at = device.expires_at;
            audit.push(
                AuditEntry::success("mfa.device.trusted")
                    .challenge(challenge.id)
                    .detail("deviceId", device.id)
                    .from_address(challenge.context.ip_address),
            );
            events.push(UserEvent::DeviceTrusted(device));
            (Some(token), Some(expires_at))
        }
    };
    let reply = Reply::Verified(Verified {
        user: case.key.user.clone(),
        factor_id: accepted.factor,
        tokens: case.grant(
            Acr::Aal2,
            [vec![Amr::Pwd], accepted.methods, vec![Amr::Mfa]].concat(),
            context,
        ),
        device_token,
        device_token_expires_at,
    });
    Decision { reply, events, audit }
}

/// Whether a right answer makes a browser trusted, if that is wished.
pub(super) const fn earns_trust(case: &Case<'_>) -> bool {
    case.around.tenant.policy.trusted_devices.enabled
}

/// A token is random, 256 bits, kept as a digest, and given only here: after a right answer.
pub(super) fn trust(
    case: &Case<'_>,
    wish: &RememberDevice,
    user_agent: Option<String>,
    context: &mut Context<'_>,
) -> (Secret, TrustedDevice) {
    let token = device::new_token(context.entropy);
    let days = i64::from(case.policy().trusted_devices.duration_days);
    let device = TrustedDevice {
        id: DeviceId::random(context.entropy),
        token_hash: device::token_hash(token.expose_str()),
        name: wish.name.clone(),
        user_agent,
        created_at: context.now,
        last_used_at: None,
        expires_at: context.now.plus_millis(days.saturating_mul(DAY_MS)),
    };
    (token, device)
}
