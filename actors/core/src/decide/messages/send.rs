//! Making a code and its message.

use super::super::case::{Case, Verdict, refuse, verdict};
use super::super::enroll::pending;
use super::super::guess::Guess;
use super::limits::{self, Errand};
use super::{code_digest, lane};
use crate::challenge::{Challenge, ChallengeKind};
use crate::codec;
use crate::context::Context;
use crate::event::{IssuedCode, UserEvent};
use crate::factor::FactorKind;
use crate::factor::message::{self, SendOutcome, SentCode};
use crate::ids::{ChallengeId, DeliveryId, FactorId};
use crate::message::{CODE_LIFETIME_MS, Channel, CodeMessage, CodePurpose, mask, seal_context};
use crate::reply::{CodeSent, Refusal, Reply};
use crate::secret::Secret;
use crate::sending::Lane;
use crate::time::Timestamp;

/// Sends a code that confirms the pending enrollment.
pub(in crate::decide) fn send_to_enrollment(
    case: &Case<'_>,
    channel: Channel,
    context: &mut Context<'_>,
) -> Verdict {
    let pending = match pending(case, channel.factor_type(), context.now) {
        Ok(pending) => pending,
        Err(refusal) => return refuse(refusal),
    };
    send(case, pending.id, &pending.kind, None, context)
}

/// Sends a code that answers a challenge.
pub(in crate::decide) fn send_to_factor(
    case: &Case<'_>,
    challenge: ChallengeId,
    factor: FactorId,
    context: &mut Context<'_>,
) -> Verdict {
    match answerable(case, challenge, factor, context.now) {
        Ok((challenge, kind)) => send(case, factor, kind, Some(challenge), context),
        Err(refusal) => refuse(refusal),
    }
}

/// The challenge, if it waits for a proof, and what codes of the factor are sent to.
fn answerable<'a>(
    case: &Case<'a>,
    challenge: ChallengeId,
    factor: FactorId,
    now: Timestamp,
) -> Result<(&'a Challenge, &'a FactorKind), Refusal> {
    let challenge = case.state.challenge(challenge).ok_or(Refusal::ChallengeNotFound)?;
    if !challenge.is_open(now) {
        return Err(Refusal::ChallengeExpired);
    }
    if challenge.kind != ChallengeKind::Proof {
        let what = "this challenge is answered by enrolling a factor: send a code to that instead";
        return Err(Refusal::Conflict(what.to_owned()));
    }
    let factor = case.state.factor(factor).ok_or(Refusal::FactorNotFound)?;
    if factor.kind.message().is_none() {
        let what = format!(
            "this factor is of type {}: no codes are sent to it",
            factor.factor_type().as_str()
        );
        return Err(Refusal::Conflict(what));
    }
    case.enabled()?;
    if !case.allowed().contains(&factor.factor_type()) {
        return Err(Refusal::FactorNotAllowed(factor.factor_type()));
    }
    Ok((challenge, &factor.kind))
}

fn send(
    case: &Case<'_>,
    factor: FactorId,
    kind: &FactorKind,
    challenge: Option<&Challenge>,
    context: &mut Context<'_>,
) -> Verdict {
    let Some((channel, to)) = kind.message() else {
        return refuse(Refusal::NoPendingEnrollment);
    };
    if !case.around.channels.can(channel) {
        return refuse(Refusal::DeliveryNotConfigured(channel));
    }
    let errand = Errand { channel, factor: Some(factor), challenge };
    // Whoever may not guess needs no code, and gets none to guess at.
    if let Err(mut locked) = Guess::open(case, limits::REFUSED, context.now) {
        locked.audit = locked.audit.into_iter().map(|entry| errand.concerning(entry)).collect();
        return *locked;
    }
    let lane = lane(case, channel, &to.destination, context.vault);
    let within = limits::destination(case, &errand, &to.destination)
        .and_then(|()| limits::check(case, &errand, factor, &lane, context.now));
    if let Err(stop) = within {
        return *stop;
    }

    let purpose = if challenge.is_some() { CodePurpose::Challenge } else { CodePurpose::Enroll };
    let message = CodeMessage {
        channel,
        destination: to.destination.clone(),
        code: message::generate(context.entropy),
        purpose,
        expires_at: context.now.plus_millis(CODE_LIFETIME_MS),
    };
    let Some(issued) = issue(case, factor, &message, lane, context) else {
        return refuse(Refusal::Unreadable);
    };
    let entry = errand
        .requested()
        .detail("purpose", purpose.as_str())
        .detail("deliveryId", issued.code.delivery);
    let events = vec![UserEvent::CodeIssued(Box::new(issued))];
    let after = case.after(&events, context.now);
    let reply = Reply::CodeSent(CodeSent {
        factor_id: factor,
        masked_destination: mask(channel, &to.destination),
        expires_at: message.expires_at,
        resend_available_at: limits::next_at(&after, &case.policy().sends, factor, context.now),
    });
    verdict(reply, events, entry)
}

/// What is kept of a code, and its message under seal; `None` if that cannot be encoded.
fn issue(
    case: &Case<'_>,
    factor: FactorId,
    message: &CodeMessage,
    lane: Lane,
    context: &mut Context<'_>,
) -> Option<IssuedCode> {
    let delivery = DeliveryId::random(context.entropy);
    let plain = Secret::new(codec::encode(message).ok()?);
    let nonce = context.entropy.bytes();
    Some(IssuedCode {
        factor,
        channel: message.channel,
        code: SentCode {
            delivery,
            digest: code_digest(case, factor, delivery, &message.code, context.vault),
            sent_at: context.now,
            expires_at: message.expires_at,
            wrong: 0,
            spent: false,
            outcome: SendOutcome::Pending,
        },
        message: context.vault.seal(&seal_context(case.key, delivery), nonce, plain.expose()),
        lane,
    })
}
