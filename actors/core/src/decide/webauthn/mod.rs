//! Security keys and passkeys: [`begin`] makes a ceremony, [`confirm`] ends a registration, [`show`]
//! an authentication.
//!
//! A ceremony is looked up under its user by the challenge that the answer claims, and is over with
//! the first answer that reaches it, right or wrong. Nothing here passes the gate of
//! [`super::guess`]: no answer can be guessed, so none is counted, and a person whose codes are locked
//! by somebody who guesses at them still gets in.

mod begin;
mod confirm;
mod show;

pub(super) use self::begin::{begin_assertion, begin_registration};
pub(super) use self::confirm::{confirm, prepare as prepare_registration};
pub(super) use self::show::{assert, prepare as prepare_assertion, shown};
use super::alert;
use super::case::{Case, Stop, Verdict, refuse};
use crate::audit::{ASSERTION_FAILED, AuditEntry, CHALLENGE_FAILED};
use crate::decision::Decision;
use crate::event::UserEvent;
use crate::factor::webauthn::ceremony::{Ceremony, CeremonyPurpose};
use crate::factor::webauthn::client_data::claimed_challenge;
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::ids::FactorId;
use crate::reply::{Refusal, Reply};
use crate::user::UserState;

/// The ceremony that an answer says it is to, whatever that one was for and however old it is.
fn claimed<'a>(state: &'a UserState, client_data: &[u8]) -> Result<&'a Ceremony, CeremonyFailure> {
    let challenge = claimed_challenge(client_data)?;
    state
        .ceremonies
        .iter()
        .find(|ceremony| ceremony.challenge == challenge)
        .ok_or(CeremonyFailure::UnknownChallenge)
}

/// A refusal of an answer that reached no ceremony: it leaves no trace, so that a flood is cheap.
fn unheard(failure: CeremonyFailure) -> Stop {
    Box::new(refuse(Refusal::InvalidAssertion(failure)))
}

/// A refusal of an answer to this ceremony, which is over by that.
pub(super) fn refused(
    case: &Case<'_>,
    ceremony: &Ceremony,
    factor: Option<FactorId>,
    failure: CeremonyFailure,
) -> Verdict {
    let event_type = match ceremony.purpose {
        CeremonyPurpose::Register(_) => "mfa.enrollment.failed",
        CeremonyPurpose::Authenticate => ASSERTION_FAILED,
        CeremonyPurpose::Answer(_) => CHALLENGE_FAILED,
    };
    let mut entry = AuditEntry::failure(event_type, failure.as_str());
    entry.factor_id = factor;
    if let CeremonyPurpose::Answer(challenge) = ceremony.purpose {
        entry.challenge_id = Some(challenge);
        entry.ip_address = case.state.challenge(challenge).and_then(|one| one.context.ip_address);
    }
    let copied = failure == CeremonyFailure::Counter;
    let alerts = [
        copied.then(|| alert::counter_lowered(entry.clone())),
        alert::address_failures(case, &entry),
    ];
    Decision {
        reply: Reply::Refused(Refusal::InvalidAssertion(failure)),
        events: vec![UserEvent::CeremonyEnded { challenge: ceremony.challenge }],
        audit: [entry].into_iter().chain(alerts.into_iter().flatten()).collect(),
    }
}
