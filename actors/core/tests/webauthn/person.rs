//! Somebody with a security key before a browser.

use countersign_core::command::{Command, Proof, RememberDevice};
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::factor::webauthn::options::{
    CreationOptions, RegistrationWish, RequestOptions,
};
use countersign_core::factor::webauthn::response::{AssertionResponse, RegistrationResponse};
use countersign_core::ids::{ChallengeId, FactorId};
use countersign_core::reply::{Refusal, Reply, Verified};
use countersign_core::testing::authenticator::{Authenticator, Twist};

use crate::story::Story;

pub(crate) const ORIGIN: &str = "https://login.example.com";

/// A user of a tenant whose relying party is `example.com`.
pub(crate) fn story_of(user: &str) -> Story {
    let mut story = Story::of(user);
    story.tenant.settings.rp_id = "example.com".to_owned();
    story.tenant.settings.rp_name = "Acme".to_owned();
    story.tenant.settings.origins = vec!["https://www.example.com".to_owned(), ORIGIN.to_owned()];
    story
}

pub(crate) fn story() -> Story {
    story_of("user_1")
}

pub(crate) fn registration(story: &mut Story) -> CreationOptions {
    registration_with(story, RegistrationWish::default())
}

pub(crate) fn registration_with(story: &mut Story, wish: RegistrationWish) -> CreationOptions {
    match story.ask(&Command::BeginWebAuthn { wish }) {
        Reply::CreationOptions(options) => *options,
        other => panic!("no options: {other:?}"),
    }
}

pub(crate) fn confirm(response: RegistrationResponse) -> Command {
    Command::ConfirmWebAuthn { response: Box::new(response), name: None, challenge: None }
}

/// Registers the key.
pub(crate) fn enroll(story: &mut Story, key: &mut Authenticator) -> FactorId {
    let options = registration(story);
    let response = key.create(&options, ORIGIN);
    match story.ask(&confirm(response)) {
        Reply::Factor { factor, .. } => factor.id,
        other => panic!("not enrolled: {other:?}"),
    }
}

pub(crate) fn options(story: &mut Story, challenge: Option<ChallengeId>) -> RequestOptions {
    match story.ask(&Command::BeginAssertion { user_verification: None, challenge }) {
        Reply::RequestOptions(options) => *options,
        other => panic!("no options: {other:?}"),
    }
}

pub(crate) fn assert(response: AssertionResponse) -> Command {
    Command::Assert { response: Box::new(response) }
}

pub(crate) fn answer(
    challenge: ChallengeId,
    factor: FactorId,
    response: AssertionResponse,
) -> Command {
    Command::Verify {
        challenge,
        proof: Proof::Assertion { factor: Some(factor), response: Box::new(response) },
        remember_device: None,
    }
}

/// Signs in with the key.
pub(crate) fn sign_in(story: &mut Story, key: &mut Authenticator, factor: FactorId) -> Verified {
    let challenge = story.challenge();
    let options = options(story, Some(challenge));
    let response = key.get(&options, ORIGIN).unwrap();
    let command = Command::Verify {
        challenge,
        proof: Proof::Assertion { factor: Some(factor), response: Box::new(response) },
        remember_device: Some(RememberDevice::default()),
    };
    match story.ask(&command) {
        Reply::Verified(verified) => verified,
        other => panic!("not verified: {other:?}"),
    }
}

/// What is refused of a registration in which this is wrong; nothing is enrolled.
pub(crate) fn refused_registration(twist: &Twist) -> CeremonyFailure {
    refused_registration_of(&mut Authenticator::platform(1), twist, |_| {})
}

pub(crate) fn refused_registration_of(
    key: &mut Authenticator,
    twist: &Twist,
    alter: impl FnOnce(&mut RegistrationResponse),
) -> CeremonyFailure {
    let mut story = story();
    let options = registration(&mut story);
    let mut response = key.create_with(&options, ORIGIN, twist);
    alter(&mut response);
    let failure = failure(story.refusal(&confirm(response)));
    assert!(story.state.factors.is_empty());
    failure
}

/// What is refused of an assertion in which this is wrong.
pub(crate) fn refused_assertion(twist: &Twist) -> CeremonyFailure {
    refused_assertion_of(&mut Authenticator::usb(1), twist, |_| {})
}

pub(crate) fn refused_assertion_of(
    key: &mut Authenticator,
    twist: &Twist,
    alter: impl FnOnce(&mut AssertionResponse),
) -> CeremonyFailure {
    let mut story = story();
    enroll(&mut story, key);
    let options = options(&mut story, None);
    let mut response = key.get_with(&options, ORIGIN, twist).unwrap();
    alter(&mut response);
    failure(story.refusal(&assert(response)))
}

pub(crate) fn failure(refusal: Refusal) -> CeremonyFailure {
    match refusal {
        Refusal::InvalidAssertion(failure) => failure,
        other => panic!("refused for another reason: {other:?}"),
    }
}
