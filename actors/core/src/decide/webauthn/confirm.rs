//! Ending a registration with what the browser brought.

use super::super::case::{Case, Verdict, refuse};
use super::super::enroll::{activate, enrollment_challenge, not_enrolled_yet};
use super::{claimed, refused};
use crate::challenge::Challenge;
use crate::context::{Context, Surroundings};
use crate::decision::{Decision, Work, Worked};
use crate::event::UserEvent;
use crate::factor::webauthn::ceremony::{Ceremony, CeremonyPurpose};
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::factor::webauthn::options::Attestation;
use crate::factor::webauthn::registration::Expected;
use crate::factor::webauthn::response::RegistrationResponse;
use crate::factor::webauthn::rules::Unfit;
use crate::factor::{Factor, FactorKind, FactorType};
use crate::ids::{ChallengeId, FactorId};
use crate::reply::{Refusal, Reply};
use crate::time::Timestamp;
use crate::user::UserState;

/// The answer to judge, unless it reaches no ceremony that is open.
pub(in crate::decide) fn prepare(
    state: &UserState,
    response: &RegistrationResponse,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> Option<Work> {
    let ceremony = claimed(state, &response.client_data_json).ok()?;
    if !ceremony.registers() || !ceremony.is_open(now) {
        return None;
    }
    let settings = &around.tenant.settings;
    let expected = Expected {
        challenge: ceremony.challenge,
        rp_id: settings.rp_id.clone(),
        origins: settings.origins.clone(),
        user_verification: ceremony.user_verification,
        attestation: ceremony.attestation.unwrap_or(Attestation::None),
    };
    Some(Work::JudgeRegistration(Box::new((expected, response.clone()))))
}

pub(in crate::decide) fn confirm(
    case: &Case<'_>,
    response: &RegistrationResponse,
    name: &Option<String>,
    challenge: Option<ChallengeId>,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    let (ceremony, id, challenge) = match confirmable(case, response, challenge, context.now) {
        Ok(found) => found,
        Err(refusal) => return refuse(refusal),
    };
    let credential = match worked {
        Some(Worked::Registration(Ok(credential))) => credential,
        Some(Worked::Registration(Err(failure))) => {
            return refused(case, ceremony, Some(id), failure);
        }
        // Not judged: never "good".
        _ => return refuse(Refusal::Unreadable),
    };
    let ended = UserEvent::CeremonyEnded { challenge: ceremony.challenge };
    let rules = &case.around.tenant.webauthn;
    if let Err(unfit) = rules.admit(credential.aaguid, credential.synced()) {
        let what = match unfit {
            Unfit::Model => format!(
                "the policy does not allow authenticators of the model {}",
                credential.aaguid
            ),
            Unfit::Synced => {
                "the policy does not allow passkeys that are kept on several devices; \
                              use a security key"
                    .to_owned()
            }
        };
        let reply = Reply::Refused(Refusal::AuthenticatorNotAllowed(what));
        return Decision { reply, events: vec![ended], audit: Vec::new() };
    }
    let kind = FactorKind::WebAuthn(credential);
    if let Err(refusal) = not_enrolled_yet(case, &kind) {
        return refuse(refusal);
    }
    let factor =
        Factor { id, name: name.clone(), created_at: context.now, last_used_at: None, kind };
    activate(case, factor, Some(ended), challenge, context)
}

/// The ceremony, the factor that it makes, and the challenge that this would answer.
fn confirmable<'a>(
    case: &Case<'a>,
    response: &RegistrationResponse,
    challenge: Option<ChallengeId>,
    now: Timestamp,
) -> Result<(&'a Ceremony, FactorId, Option<&'a Challenge>), Refusal> {
    case.known()?;
    if !case.state.ceremonies.iter().any(Ceremony::registers) {
        return Err(Refusal::NoPendingEnrollment);
    }
    let ceremony =
        claimed(case.state, &response.client_data_json).map_err(Refusal::InvalidAssertion)?;
    let CeremonyPurpose::Register(id) = ceremony.purpose else {
        return Err(Refusal::InvalidAssertion(CeremonyFailure::WrongPurpose));
    };
    if !ceremony.is_open(now) {
        return Err(Refusal::EnrollmentExpired);
    }
    case.may_enroll(FactorType::WebAuthn)?;
    let challenge = challenge.map(|id| enrollment_challenge(case, id, now)).transpose()?;
    Ok((ceremony, id, challenge))
}
