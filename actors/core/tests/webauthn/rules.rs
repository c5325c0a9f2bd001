//! What a tenant demands of keys.

use countersign_core::command::Command;
use countersign_core::context::{Context, Surroundings};
use countersign_core::decide::decide;
use countersign_core::factor::FactorType;
use countersign_core::factor::webauthn::Aaguid;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::factor::webauthn::options::{
    Attestation, RegistrationWish, UserVerification,
};
use countersign_core::reply::{Reason, Refusal, Reply};
use countersign_core::system::FEATURE_WEBAUTHN;
use countersign_core::testing::authenticator::Authenticator;

use crate::person::{
    ORIGIN, assert as show, confirm, enroll, failure, options, registration, story,
};
use crate::story::GlassVault;

#[test]
fn the_least_verification_holds_whatever_the_caller_wishes_for() {
    let mut story = story();
    story.tenant.webauthn.user_verification = UserVerification::Required;
    let wish = countersign_core::factor::webauthn::options::RegistrationWish {
        user_verification: Some(UserVerification::Discouraged),
        ..Default::default()
    };
    let asked = crate::person::registration_with(&mut story, wish);
    assert_eq!(asked.user_verification, UserVerification::Required);
    let response = Authenticator::usb(1).create(&asked, ORIGIN);
    let refused = failure(story.refusal(&confirm(response)));
    assert_eq!(refused, CeremonyFailure::UserVerification);
    let mut phone = Authenticator::platform(1);
    enroll(&mut story, &mut phone);
    let begin = Command::BeginAssertion {
        user_verification: Some(UserVerification::Discouraged),
        challenge: None,
    };
    let Reply::RequestOptions(asked) = story.ask(&begin) else { panic!() };
    assert_eq!(asked.user_verification, UserVerification::Required);
}

#[test]
fn a_model_that_is_not_listed_can_neither_be_registered_nor_used() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let asked = options(&mut story, None);
    story.tenant.webauthn.allowed_aaguids = [Aaguid([8; 16])].into();
    let response = key.get(&asked, ORIGIN).unwrap();
    let refused = story.refusal(&show(response));
    assert!(matches!(refused, Refusal::AuthenticatorNotAllowed(_)), "{refused:?}");
    assert_eq!(story.login().reason, Reason::NotEnrolled, "it does not count");
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    assert_eq!(story.refusal(&begin), Refusal::FactorNotFound);
    let begun = registration(&mut story);
    let response = Authenticator::usb(2).create(&begun, ORIGIN);
    let refused = story.refusal(&confirm(response));
    let Refusal::AuthenticatorNotAllowed(detail) = refused else { panic!("{refused:?}") };
    assert!(detail.contains("07070707-0707-0707-0707-070707070707"), "{detail}");
    enroll(&mut story, &mut Authenticator::platform(3));
    assert_eq!(story.login().challenge.unwrap().factors.len(), 1);
}

#[test]
fn where_models_are_listed_browsers_are_asked_to_tell_the_model() {
    let mut story = story();
    assert_eq!(registration(&mut story).attestation, Attestation::None);
    story.tenant.webauthn.allowed_aaguids = [Aaguid([7; 16])].into();
    let begun = registration(&mut story);
    assert_eq!(begun.attestation, Attestation::Direct);
    let response = Authenticator::usb(1).create(&begun, ORIGIN);
    assert!(matches!(story.ask(&confirm(response)), Reply::Factor { .. }));
    // Whoever says otherwise is listened to.
    let wish = RegistrationWish { attestation: Some(Attestation::None), ..Default::default() };
    let begun = crate::person::registration_with(&mut story, wish);
    assert_eq!(begun.attestation, Attestation::None);
}

#[test]
fn where_synced_passkeys_are_not_allowed_a_key_that_stays_in_its_hardware_is() {
    let mut story = story();
    story.tenant.webauthn.synced_passkeys = false;
    let begun = registration(&mut story);
    let response = Authenticator::platform(1).create(&begun, ORIGIN);
    let refused = story.refusal(&confirm(response));
    assert!(matches!(refused, Refusal::AuthenticatorNotAllowed(_)), "{refused:?}");
    assert!(story.state.ceremonies.is_empty(), "its ceremony is over");
    enroll(&mut story, &mut Authenticator::usb(2));
}

#[test]
fn keys_are_refused_where_the_policy_does_not_list_them() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let asked = options(&mut story, None);
    story.allow(&[FactorType::Totp]);
    let not_allowed = Refusal::FactorNotAllowed(FactorType::WebAuthn);
    let wish = Default::default();
    assert_eq!(story.refusal(&Command::BeginWebAuthn { wish }), not_allowed);
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    assert_eq!(story.refusal(&begin), not_allowed);
    let response = key.get(&asked, ORIGIN).unwrap();
    assert_eq!(story.refusal(&show(response)), not_allowed);
}

#[test]
fn what_was_begun_before_the_policy_changed_is_judged_by_what_holds_at_the_end() {
    let mut story = story();
    let begun = registration(&mut story);
    let response = Authenticator::usb(1).create(&begun, ORIGIN);
    story.allow(&[FactorType::Totp]);
    let not_allowed = Refusal::FactorNotAllowed(FactorType::WebAuthn);
    assert_eq!(story.refusal(&confirm(response)), not_allowed);
    assert!(story.state.factors.is_empty());
}

#[test]
fn nothing_is_begun_before_every_node_understands_it() {
    let mut story = story();
    enroll(&mut story, &mut Authenticator::usb(1));
    let around = Surroundings::of(&story.tenant, "kid");
    let mut context = Context {
        now: story.now,
        entropy: &mut story.entropy,
        vault: &GlassVault,
        actor: None,
        feature_level: FEATURE_WEBAUTHN - 1,
    };
    for command in [
        Command::BeginWebAuthn { wish: Default::default() },
        Command::BeginAssertion { user_verification: None, challenge: None },
    ] {
        let decision = decide(&story.key, &story.state, &command, None, &around, &mut context);
        assert!(matches!(decision.reply, Reply::Refused(Refusal::Conflict(_))), "{command:?}");
        assert!(decision.events.is_empty());
    }
}

#[test]
fn a_relying_party_that_no_browser_would_accept_is_told_of_at_once() {
    let mut story = story();
    enroll(&mut story, &mut Authenticator::usb(1));
    let register = Command::BeginWebAuthn { wish: Default::default() };
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    for (rp_id, fits) in [
        ("example.com", true),
        ("login.example.com", true),
        ("ample.com", false),
        ("other.example", false),
        ("com.example.login", false),
    ] {
        story.tenant.settings.rp_id = rp_id.to_owned();
        for command in [&register, &begin] {
            let conflict = matches!(story.ask(command), Reply::Refused(Refusal::Conflict(_)));
            assert_eq!(conflict, !fits, "{rp_id}");
        }
    }
    story.tenant.settings.rp_id = "localhost".to_owned();
    story.tenant.settings.origins = vec!["http://localhost:8080".to_owned()];
    assert!(matches!(story.ask(&register), Reply::CreationOptions(_)));
}

#[test]
fn an_aaguid_is_read_and_written_in_one_way() {
    let text = "ee882879-721c-4913-9775-3dfcce97072a";
    let aaguid: Aaguid = text.parse().unwrap();
    assert_eq!(aaguid.to_string(), text);
    assert_eq!(text.to_uppercase().parse(), Ok(aaguid));
    for wrong in
        ["", "ee882879721c491397753dfcce97072a", "ee882879-721c-4913-9775-3dfcce97072", "x"]
    {
        assert!(wrong.parse::<Aaguid>().is_err(), "{wrong}");
    }
}
