//! Showing a security key or passkey.

use super::super::case::{Case, Stop, Verdict, refuse};
use super::{claimed, refused, unheard};
use crate::audit::AuditEntry;
use crate::context::{Context, Surroundings};
use crate::decision::{Decision, Work, Worked};
use crate::event::UserEvent;
use crate::factor::webauthn::assertion::{Asserted, Expected};
use crate::factor::webauthn::ceremony::{Ceremony, CeremonyPurpose};
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::factor::webauthn::response::AssertionResponse;
use crate::factor::{Factor, FactorType};
use crate::reply::{Acr, Amr, Refusal, Reply};
use crate::risk::LoginContext;
use crate::time::Timestamp;
use crate::user::UserState;

/// The answer to judge, unless it reaches no open ceremony or names no credential of the user.
pub(in crate::decide) fn prepare(
    state: &UserState,
    response: &AssertionResponse,
    around: &Surroundings<'_>,
    now: Timestamp,
) -> Option<Work> {
    let ceremony = claimed(state, &response.client_data_json).ok()?;
    if ceremony.registers() || !ceremony.is_open(now) {
        return None;
    }
    let factor = named(state, response)?;
    let settings = &around.tenant.settings;
    let expected = Expected {
        challenge: ceremony.challenge,
        rp_id: settings.rp_id.clone(),
        origins: settings.origins.clone(),
        user_verification: ceremony.user_verification,
        user_handle: state.pseudonym?.as_bytes().to_vec(),
        factor: factor.id,
        credential: factor.kind.webauthn()?.clone(),
        counter_then: ceremony.counter_of(factor.id),
    };
    Some(Work::JudgeAssertion(Box::new((expected, response.clone()))))
}

/// The user's own credential that the answer is of. Another user's is never looked at.
fn named<'a>(state: &'a UserState, response: &AssertionResponse) -> Option<&'a Factor> {
    state.factors.iter().find(|factor| {
        factor.kind.webauthn().is_some_and(|one| one.credential_id == response.raw_id)
    })
}

/// A credential that was shown and found good.
pub(in crate::decide) struct Shown<'a> {
    /// It.
    pub(in crate::decide) factor: &'a Factor,
    /// The ceremony, which is over.
    pub(in crate::decide) ceremony: &'a Ceremony,
    /// What was proven.
    pub(in crate::decide) asserted: Asserted,
}

impl Shown<'_> {
    /// What it changes.
    pub(in crate::decide) fn events(&self) -> Vec<UserEvent> {
        let Asserted { sign_count, backed_up, .. } = self.asserted;
        vec![
            UserEvent::CeremonyEnded { challenge: self.ceremony.challenge },
            UserEvent::CredentialUsed { id: self.factor.id, sign_count, backed_up },
        ]
    }
}

/// Reads an answer that is meant for `purpose`.
pub(in crate::decide) fn shown<'a>(
    case: &Case<'a>,
    response: &AssertionResponse,
    purpose: CeremonyPurpose,
    worked: Option<Worked>,
    now: Timestamp,
) -> Result<Shown<'a>, Stop> {
    let ceremony = claimed(case.state, &response.client_data_json).map_err(unheard)?;
    if !ceremony.is_open(now) {
        return Err(unheard(CeremonyFailure::UnknownChallenge));
    }
    let named = named(case.state, response);
    let wrong = |failure| {
        let factor = named.map(|factor| factor.id);
        Err(Box::new(refused(case, ceremony, factor, failure)))
    };
    if ceremony.purpose != purpose {
        return wrong(CeremonyFailure::WrongPurpose);
    }
    let Some(factor) = named else { return wrong(CeremonyFailure::UnknownCredential) };
    if !case.allowed().contains(&FactorType::WebAuthn) {
        return Err(Box::new(refuse(Refusal::FactorNotAllowed(FactorType::WebAuthn))));
    }
    let rp_id = &case.around.tenant.settings.rp_id;
    if let Some(stranded) = factor.kind.webauthn().filter(|credential| credential.rp_id != *rp_id) {
        let what = format!(
            "this authenticator was registered for the `rpId` {}, and the settings have {rp_id} by \
             now; it must be registered anew",
            stranded.rp_id
        );
        return Err(Box::new(refuse(Refusal::AuthenticatorNotAllowed(what))));
    }
    if !case.admitted().admits(factor) {
        let what = "the policy does not allow this authenticator any more";
        return Err(Box::new(refuse(Refusal::AuthenticatorNotAllowed(what.to_owned()))));
    }
    match worked {
        Some(Worked::Assertion(Ok(asserted))) if asserted.factor == factor.id => {
            Ok(Shown { factor, ceremony, asserted })
        }
        Some(Worked::Assertion(Err(failure))) => wrong(failure),
        // Not judged: never "good".
        _ => Err(Box::new(refuse(Refusal::Unreadable))),
    }
}

/// Outside a challenge. A verified person with a key in hand is two factors; without, one.
pub(in crate::decide) fn assert(
    case: &Case<'_>,
    response: &AssertionResponse,
    worked: Option<Worked>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = case.known() {
        return refuse(refusal);
    }
    let purpose = CeremonyPurpose::Authenticate;
    let shown = match shown(case, response, purpose, worked, context.now) {
        Ok(shown) => shown,
        Err(stop) => return *stop,
    };
    let user_verified = shown.asserted.user_verified;
    let mut amr = Amr::of(&shown.factor.kind);
    if user_verified {
        amr.push(Amr::Mfa);
    }
    let acr = if user_verified { Acr::Aal2 } else { Acr::Aal1 };
    let mut events = shown.events();
    events.push(UserEvent::Learned(LoginContext::default()));
    let entry = AuditEntry::success("mfa.assertion.verified")
        .factor(shown.factor.id)
        .detail("userVerified", user_verified);
    let reply = Reply::Asserted {
        factor_id: shown.factor.id,
        user_verified,
        tokens: case.grant(acr, amr, context),
    };
    Decision { reply, events, audit: vec![entry] }
}
