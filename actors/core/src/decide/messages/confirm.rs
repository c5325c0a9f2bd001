//! Confirming an enrollment with the code that was sent.

use super::super::case::{Case, Verdict, refuse};
use super::super::enroll::{activate, confirmable};
use super::super::guess::Guess;
use crate::context::Context;
use crate::factor::{Factor, FactorKind};
use crate::ids::{ChallengeId, DeliveryId};
use crate::message::Channel;
use crate::reply::Refusal;
use crate::secret::Secret;

pub(in crate::decide) fn confirm(
    case: &Case<'_>,
    channel: Channel,
    code: &Secret,
    name: &Option<String>,
    challenge: Option<ChallengeId>,
    context: &mut Context<'_>,
) -> Verdict {
    let guess = match Guess::open(case, "mfa.enrollment.failed", context.now) {
        Ok(guess) => guess,
        Err(stop) => return *stop,
    };
    let factor_type = channel.factor_type();
    let (pending, challenge) = match confirmable(case, factor_type, challenge, context.now) {
        Ok(found) => found,
        Err(refusal) => return refuse(refusal),
    };
    let Some((channel, to)) = pending.kind.message() else {
        return refuse(Refusal::NoPendingEnrollment);
    };
    let mut guess = guess.of_factor(pending.id);
    if let Some(challenge) = challenge {
        guess = guess.answering(challenge);
    }
    let delivery = match guess.sent_code(pending.id, to, code, context) {
        Ok(delivery) => delivery,
        Err(stop) => return *stop,
    };
    let factor = Factor {
        id: pending.id,
        name: name.clone().or_else(|| pending.name.clone()),
        created_at: context.now,
        last_used_at: None,
        kind: without(&pending.kind, delivery),
    };
    let spent = super::spent(case, pending.id, (channel, to), delivery, context.vault);
    activate(case, factor, Some(spent), challenge, context)
}

/// The confirming code is spent: it cannot open the first login as well.
fn without(kind: &FactorKind, delivery: DeliveryId) -> FactorKind {
    let mut kind = kind.clone();
    if let Some(to) = kind.message_mut() {
        to.spend(delivery);
    }
    kind
}
