//! What a tenant demands of keys.

use countersign_core::command::Command;
use countersign_core::context::{Context, Surroundings};
use countersign_core::decide::decide;
use countersign_core::factor::FactorType;
use countersign_core::factor::webauthn::Aaguid;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::factor::webauthn::options::{
    Attestation, RegistrationWish, ResidentKey, UserVerification,
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
        clock: story.now,
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

#[test]
fn a_key_of_another_relying_party_is_never_offered_and_does_not_count() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let asked = options(&mut story, None);
    assert!(story.factors()[0].usable);
    story.tenant.settings.rp_id = "login.example.com".to_owned();
    assert_eq!(story.login().reason, Reason::NotEnrolled, "it does not count");
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    assert_eq!(story.refusal(&begin), Refusal::FactorNotFound, "it is not offered");
    let response = key.get(&asked, ORIGIN).unwrap();
    let refused = story.refusal(&show(response));
    let Refusal::AuthenticatorNotAllowed(said) = refused else { panic!("{refused:?}") };
    assert!(said.contains("example.com") && said.contains("registered anew"), "{said}");
    let view = story.factors().remove(0);
    assert_eq!((view.id, view.usable), (id, false));
    assert_eq!(view.webauthn.unwrap().rp_id, "example.com");
    assert!(registration(&mut story).exclude.is_empty(), "its key may be registered anew");
    // One of the new relying party counts beside it.
    enroll(&mut story, &mut Authenticator::usb(2));
    let offered = story.login().challenge.unwrap().factors;
    assert_eq!(offered.len(), 1);
    assert_eq!(offered[0].webauthn.as_ref().unwrap().rp_id, "login.example.com");
    // Back again, the first one works as before.
    story.tenant.settings.rp_id = "example.com".to_owned();
    assert_eq!(story.login().challenge.unwrap().factors[0].id, id);
}

#[test]
fn keys_do_not_count_while_no_origin_lets_browsers_use_them() {
    let mut story = story();
    enroll(&mut story, &mut Authenticator::usb(1));
    story.tenant.settings.origins = vec!["https://example.org".to_owned()];
    assert_eq!(story.login().reason, Reason::NotEnrolled);
    assert!(!story.factors()[0].usable);
}

#[test]
fn keys_that_a_change_of_settings_makes_useless_are_counted() {
    use countersign_core::preview::Preview;
    use countersign_core::settings::SettingsPatch;
    use countersign_core::tenant::with_settings;
    let mut story = story();
    for seed in [1, 2] {
        enroll(&mut story, &mut Authenticator::usb(seed));
    }
    story.tenant.settings.rp_id = "www.example.com".to_owned();
    enroll(&mut story, &mut Authenticator::usb(3));
    story.tenant.settings.rp_id = "example.com".to_owned();
    story.enroll();
    let stranded = |rp_id: Option<&str>, origins: Option<&str>| {
        let patch = SettingsPatch {
            rp_id: rp_id.map(str::to_owned),
            origins: origins.map(|origin| vec![origin.to_owned()]),
            ..SettingsPatch::default()
        };
        let next = with_settings(&story.tenant, &patch).unwrap();
        let mut found = Preview::default();
        found.add(&story.tenant, &next, &story.state, story.now);
        found.stranded_keys
    };
    assert_eq!(stranded(Some("login.example.com"), None), 2, "one is useless already");
    assert_eq!(stranded(None, Some("https://example.org")), 2);
    assert_eq!(stranded(Some("example.org"), Some("https://example.org")), 2);
    assert_eq!(stranded(None, Some("https://other.example.com")), 0);
    assert_eq!(stranded(Some("example.com"), None), 0);
}

#[test]
fn a_second_factor_need_be_neither_resident_nor_verified_unless_the_policy_says_so() {
    let mut story = story();
    let asked = registration(&mut story);
    assert_eq!(asked.user_verification, UserVerification::Discouraged);
    assert_eq!(asked.resident_key, ResidentKey::Discouraged);
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let challenge = story.challenge();
    let asked = options(&mut story, Some(challenge));
    assert_eq!(asked.user_verification, UserVerification::Discouraged);
    // Outside a challenge the verification decides what the key is worth.
    assert_eq!(options(&mut story, None).user_verification, UserVerification::Preferred);
    for least in [UserVerification::Preferred, UserVerification::Required] {
        story.tenant.webauthn.user_verification = least;
        assert_eq!(registration(&mut story).user_verification, least);
        assert_eq!(options(&mut story, Some(challenge)).user_verification, least);
    }
}
