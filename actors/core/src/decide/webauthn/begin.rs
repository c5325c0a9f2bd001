//! Beginning a ceremony: our own challenge, kept with its purpose, and what the browser is told.

use super::super::case::{Case, Verdict, refuse};
use crate::audit::AuditEntry;
use crate::challenge::ChallengeKind;
use crate::context::Context;
use crate::decision::Decision;
use crate::event::UserEvent;
use crate::factor::webauthn::WebAuthnFactor;
use crate::factor::webauthn::ceremony::{
    CEREMONIES_OUTSIDE, CEREMONY_LIFETIME_MS, Ceremony, CeremonyPurpose,
};
use crate::factor::webauthn::options::{
    Attestation, CreationOptions, Descriptor, RegistrationWish, RequestOptions, ResidentKey,
    UserVerification,
};
use crate::factor::webauthn::registration::algorithms;
use crate::factor::{Factor, FactorType};
use crate::ids::{ChallengeId, FactorId};
use crate::reply::{Refusal, Reply};
use crate::settings::Settings;
use crate::system::FEATURE_WEBAUTHN;
use crate::time::Timestamp;

/// The verification that is asked for beside a password, unless somebody wishes for more: having the
/// key is the factor. Browsers refuse keys without a PIN, or make people set one, where more is asked.
const SECOND_FACTOR_VERIFICATION: UserVerification = UserVerification::Discouraged;
/// What the browser is told of the time: as long as the ceremony is kept.
const TIMEOUT_MS: u32 = CEREMONY_LIFETIME_MS as u32;

pub(in crate::decide) fn begin_registration(
    case: &Case<'_>,
    wish: &RegistrationWish,
    context: &mut Context<'_>,
) -> Verdict {
    let allowed = case
        .may_enroll(FactorType::WebAuthn)
        .and_then(|()| context.understood(FEATURE_WEBAUTHN))
        .and_then(|()| reachable(&case.around.tenant.settings));
    if let Err(refusal) = allowed {
        return refuse(refusal);
    }
    let mut events = case.created(context);
    let after = case.after(&events, context.now);
    let Some(handle) = after.pseudonym else { return refuse(Refusal::UserNotFound) };
    let tenant = case.around.tenant;
    let factor_id = FactorId::random(context.entropy);
    // Without an attestation browsers may blank out the model, and none would be on the list.
    let models = !tenant.webauthn.allowed_aaguids.is_empty();
    let usual = if models { Attestation::Direct } else { Attestation::None };
    let attestation = wish.attestation.unwrap_or(usual);
    let user_verification =
        tenant.webauthn.user_verification(wish.user_verification, SECOND_FACTOR_VERIFICATION);
    let purpose = CeremonyPurpose::Register(factor_id);
    let ceremony = ceremony(purpose, user_verification, Some(attestation), &[], context);
    let profile = &case.state.profile;
    let user_name = profile.email.as_deref().unwrap_or(case.key.user.as_str());
    let display_name = profile.display_name.as_deref().unwrap_or(user_name);
    let registered = case.state.factors.iter().filter_map(|factor| factor.kind.webauthn());
    let registered = registered.filter(|credential| credential.rp_id == tenant.settings.rp_id);
    let options = CreationOptions {
        factor_id,
        rp_id: tenant.settings.rp_id.clone(),
        rp_name: tenant.settings.rp_name.clone(),
        user_handle: handle.as_bytes().to_vec(),
        user_name: user_name.to_owned(),
        user_display_name: display_name.to_owned(),
        challenge: ceremony.challenge.to_vec(),
        algorithms: algorithms(attestation),
        timeout_ms: TIMEOUT_MS,
        exclude: registered.map(descriptor).collect(),
        attestation,
        user_verification,
        // The user is known before a key is asked for, so it need not be found without its id, and
        // takes up none of the few places that small keys have.
        resident_key: wish.resident_key.unwrap_or(ResidentKey::Discouraged),
        attachment: wish.attachment,
    };
    events.push(UserEvent::CeremonyBegun(Box::new(ceremony)));
    let entry = AuditEntry::success("mfa.enrollment.started")
        .factor(factor_id)
        .detail("factorType", FactorType::WebAuthn.as_str());
    Decision { reply: Reply::CreationOptions(Box::new(options)), events, audit: vec![entry] }
}

pub(in crate::decide) fn begin_assertion(
    case: &Case<'_>,
    wish: Option<UserVerification>,
    challenge: Option<ChallengeId>,
    context: &mut Context<'_>,
) -> Verdict {
    if let Err(refusal) = showable(case, challenge, context) {
        return refuse(refusal);
    }
    let usable: Vec<&Factor> = case.usable().collect();
    let credentials = usable.iter().filter_map(|factor| factor.kind.webauthn());
    let allow: Vec<Descriptor> = credentials.map(descriptor).collect();
    if allow.is_empty() {
        return refuse(Refusal::FactorNotFound);
    }
    let tenant = case.around.tenant;
    let (purpose, usual) = match challenge {
        Some(challenge) => (CeremonyPurpose::Answer(challenge), SECOND_FACTOR_VERIFICATION),
        // Alone a key is two factors only if the person was verified.
        None => (CeremonyPurpose::Authenticate, UserVerification::Preferred),
    };
    let user_verification = tenant.webauthn.user_verification(wish, usual);
    let ceremony = ceremony(purpose, user_verification, None, &usable, context);
    let options = RequestOptions {
        rp_id: tenant.settings.rp_id.clone(),
        challenge: ceremony.challenge.to_vec(),
        timeout_ms: TIMEOUT_MS,
        allow,
        user_verification,
    };
    // A ceremony that nobody answers tells nothing: no entry in the audit log.
    Decision {
        reply: Reply::RequestOptions(Box::new(options)),
        events: vec![UserEvent::CeremonyBegun(Box::new(ceremony))],
        audit: Vec::new(),
    }
}

/// Refuses what could not be answered.
fn showable(
    case: &Case<'_>,
    challenge: Option<ChallengeId>,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    if let Some(id) = challenge {
        let challenge = case.state.challenge(id).ok_or(Refusal::ChallengeNotFound)?;
        if challenge.kind == ChallengeKind::EnrollmentRequired {
            let what = "this challenge is answered by enrolling a factor, not by a proof of one";
            return Err(Refusal::Conflict(what.to_owned()));
        }
        if !challenge.is_open(context.now) {
            return Err(Refusal::ChallengeExpired);
        }
    }
    case.known()?;
    case.enabled()?;
    if challenge.is_none() {
        room_outside(case, context.now)?;
    }
    if !case.allowed().contains(&FactorType::WebAuthn) {
        return Err(Refusal::FactorNotAllowed(FactorType::WebAuthn));
    }
    context.understood(FEATURE_WEBAUTHN)?;
    reachable(&case.around.tenant.settings)
}

/// Outside a challenge nobody tells where a ceremony comes from, so one more would end somebody's: it
/// has to wait.
fn room_outside(case: &Case<'_>, now: Timestamp) -> Result<(), Refusal> {
    let outside =
        |one: &&Ceremony| one.purpose == CeremonyPurpose::Authenticate && one.is_open(now);
    let open = || case.state.ceremonies.iter().filter(outside);
    if open().count() < CEREMONIES_OUTSIDE {
        return Ok(());
    }
    let first = open().map(|one| one.expires_at).min().unwrap_or(now);
    Err(Refusal::TooManyOpen {
        what: format!("{CEREMONIES_OUTSIDE} ceremonies"),
        retry_after_seconds: now.seconds_until(first),
    })
}

/// Refuses what every browser would. Better told here than by a browser's terse error.
fn reachable(settings: &Settings) -> Result<(), Refusal> {
    if settings.relying_party().is_some() {
        return Ok(());
    }
    let what = format!(
        "the settings' `rpId` {} is neither the host of any of their `origins` nor a domain above \
         it, so no browser would use a key for it",
        settings.rp_id
    );
    Err(Refusal::Conflict(what))
}

fn ceremony(
    purpose: CeremonyPurpose,
    user_verification: UserVerification,
    attestation: Option<Attestation>,
    usable: &[&Factor],
    context: &mut Context<'_>,
) -> Ceremony {
    let counter = |factor: &&Factor| {
        let credential = factor.kind.webauthn()?;
        (credential.sign_count > 0).then_some((factor.id, credential.sign_count))
    };
    Ceremony {
        challenge: context.entropy.bytes(),
        purpose,
        user_verification,
        attestation,
        created_at: context.now,
        expires_at: context.now.plus_millis(CEREMONY_LIFETIME_MS),
        counters: usable.iter().filter_map(counter).collect(),
    }
}

fn descriptor(credential: &WebAuthnFactor) -> Descriptor {
    Descriptor { id: credential.credential_id.clone(), transports: credential.transports.clone() }
}
