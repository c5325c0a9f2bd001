//! Keys in a login: challenges, locks, other factors.

use countersign_core::alerts::Pressure;
use countersign_core::command::{Command, Proof};
use countersign_core::factor::totp::Parameters;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::lockout::Lock;
use countersign_core::policy::Requirement;
use countersign_core::reply::{Acr, Amr, Reason, Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::testing::authenticator::Authenticator;

use crate::person::{
    ORIGIN, answer, confirm, enroll, failure, options, registration, sign_in, story,
};
use crate::story::{App, secret};

#[test]
fn a_key_answers_a_challenge_and_the_browser_is_remembered() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let verified = sign_in(&mut story, &mut key, id);
    assert_eq!(verified.factor_id, Some(id));
    let amr = vec![Amr::Pwd, Amr::Hwk, Amr::User, Amr::Mfa];
    assert_eq!((verified.tokens.acr, verified.tokens.amr), (Acr::Aal2, amr));
    assert!(verified.device_token.is_some());
    assert_eq!(story.audit_types(), ["mfa.challenge.verified", "mfa.device.trusted"]);
    assert_eq!(story.audit[0].details["method"], "hwk");
}

#[test]
fn a_challenge_is_answered_once_by_whatever_comes_first() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let challenge = story.challenge();
    let (first, second) =
        (options(&mut story, Some(challenge)), options(&mut story, Some(challenge)));
    let response = key.get(&first, ORIGIN).unwrap();
    assert!(matches!(story.ask(&answer(challenge, id, response)), Reply::Verified(_)));
    let response = key.get(&second, ORIGIN).unwrap();
    assert_eq!(story.refusal(&answer(challenge, id, response)), Refusal::ChallengeExpired);
    let begin = Command::BeginAssertion { user_verification: None, challenge: Some(challenge) };
    assert_eq!(story.refusal(&begin), Refusal::ChallengeExpired);
}

#[test]
fn keys_work_while_codes_are_locked_and_open_no_lock() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let app = story.enroll();
    let max = story.tenant.policy.lockout.max_attempts;
    for _ in 0..max {
        let challenge = story.challenge();
        let code = app.wrong_code(story.now);
        story.verify(challenge, &app, code);
    }
    let challenge = story.challenge();
    let code = app.code(story.now);
    let locked = Reply::Refused(Refusal::TooManyAttempts { retry_after_seconds: Some(30) });
    assert_eq!(story.verify(challenge, &app, code), locked);
    sign_in(&mut story, &mut key, id);
    assert_eq!(story.state.lockout.failed_attempts, max, "whoever guesses gets no fresh budget");
    let code = app.code(story.now);
    assert_eq!(story.verify(challenge, &app, code), locked);
}

#[test]
fn registering_a_first_key_opens_no_lock() {
    let mut story = story();
    story.tenant.policy.lockout.hard_limit = 5;
    let begun = story.begin(Parameters::default());
    let (id, secret, parameters) = (begun.factor_id, begun.secret, begun.parameters);
    let app = App { id, secret, parameters };
    for _ in 0..5 {
        let code = app.wrong_code(story.now);
        story.ask(&Command::ConfirmTotp { code, name: None, challenge: None });
    }
    let locked = story.state.lockout.clone();
    assert_eq!(locked.at(story.now), Lock::Hard);
    enroll(&mut story, &mut Authenticator::usb(1));
    assert_eq!(story.state.lockout, locked, "an administrator unlocks, and nobody else");
}

#[test]
fn a_wrong_assertion_is_not_counted_as_a_wrong_code() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let challenge = story.challenge();
    for _ in 0..20 {
        let asked = options(&mut story, Some(challenge));
        let mut response = key.get(&asked, ORIGIN).unwrap();
        *response.signature.last_mut().unwrap() ^= 1;
        let refused = story.refusal(&answer(challenge, id, response));
        assert_eq!(failure(refused), CeremonyFailure::Signature);
        assert_eq!(story.audit[0].event_type, "mfa.challenge.failed");
        assert_eq!(story.audit[0].reason.as_deref(), Some("signature"));
        assert_eq!(story.audit[0].challenge_id, Some(challenge));
    }
    assert_eq!(story.state.lockout.failed_attempts, 0);
    let asked = options(&mut story, Some(challenge));
    let response = key.get(&asked, ORIGIN).unwrap();
    assert!(matches!(story.ask(&answer(challenge, id, response)), Reply::Verified(_)));
}

#[test]
fn a_factor_that_was_named_must_be_the_one_that_is_shown() {
    let mut story = story();
    let (mut first, mut second) = (Authenticator::usb(1), Authenticator::usb(2));
    let first_id = enroll(&mut story, &mut first);
    enroll(&mut story, &mut second);
    let challenge = story.challenge();
    let asked = options(&mut story, Some(challenge));
    let response = second.get(&asked, ORIGIN).unwrap();
    let refused = failure(story.refusal(&answer(challenge, first_id, response)));
    assert_eq!(refused, CeremonyFailure::UnknownCredential);
}

#[test]
fn where_none_was_named_any_of_the_persons_keys_will_do() {
    let mut story = story();
    let (mut first, mut second) = (Authenticator::usb(1), Authenticator::usb(2));
    enroll(&mut story, &mut first);
    let second_id = enroll(&mut story, &mut second);
    let challenge = story.challenge();
    let asked = options(&mut story, Some(challenge));
    let response = Box::new(second.get(&asked, ORIGIN).unwrap());
    let proof = Proof::Assertion { factor: None, response };
    let command = Command::Verify { challenge, proof, remember_device: None };
    let Reply::Verified(verified) = story.ask(&command) else { panic!() };
    assert_eq!(verified.factor_id, Some(second_id));
}

#[test]
fn a_code_for_a_key_is_refused_and_not_counted() {
    let mut story = story();
    let id = enroll(&mut story, &mut Authenticator::usb(1));
    let challenge = story.challenge();
    let proof = Proof::Code { factor: id, code: secret("123456") };
    let refused = story.refusal(&Command::Verify { challenge, proof, remember_device: None });
    assert!(matches!(refused, Refusal::Conflict(_)), "{refused:?}");
    assert_eq!(story.state.lockout.failed_attempts, 0);
}

#[test]
fn a_first_key_at_sign_in_answers_the_challenge_that_asked_for_it() {
    let mut story = story();
    story.tenant.policy.requirement = Requirement::Required;
    story.tenant.policy.required_since = Some(story.now);
    let answer = story.login();
    assert_eq!(answer.reason, Reason::EnrollmentRequired);
    let challenge = answer.challenge.unwrap().id;
    let begin = Command::BeginAssertion { user_verification: None, challenge: Some(challenge) };
    assert!(matches!(story.refusal(&begin), Refusal::Conflict(_)));
    let begun = registration(&mut story);
    let response = Authenticator::platform(1).create(&begun, ORIGIN);
    let Command::ConfirmWebAuthn { response, name, .. } = confirm(response) else { panic!() };
    let command = Command::ConfirmWebAuthn { response, name, challenge: Some(challenge) };
    let Reply::Factor { tokens: Some(tokens), .. } = story.ask(&command) else { panic!() };
    assert_eq!(tokens.amr, [Amr::Pwd, Amr::Swk, Amr::User, Amr::Mfa]);
    assert_eq!(tokens.acr, Acr::Aal2);
    let types = story.audit_types();
    assert!(types.contains(&"mfa.challenge.verified"), "{types:?}");
}

#[test]
fn under_disabled_there_is_nothing_to_register_or_show() {
    let mut story = story();
    enroll(&mut story, &mut Authenticator::usb(1));
    story.tenant.policy.requirement = Requirement::Disabled;
    let wish = Default::default();
    assert_eq!(story.refusal(&Command::BeginWebAuthn { wish }), Refusal::MfaDisabled);
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    assert_eq!(story.refusal(&begin), Refusal::MfaDisabled);
}

#[test]
fn wrong_assertions_count_against_their_address_and_are_told_of() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    story.pressure = Pressure { other_users_failing: 9, ..Pressure::default() };
    let context =
        LoginContext { ip_address: "198.51.100.7".parse().ok(), ..LoginContext::default() };
    let challenge = story.login_from(context, None).challenge.unwrap().id;
    let asked = options(&mut story, Some(challenge));
    let mut response = key.get(&asked, ORIGIN).unwrap();
    response.signature.clear();
    let refused = failure(story.refusal(&answer(challenge, id, response)));
    assert_eq!(refused, CeremonyFailure::Signature);
    assert!(story.audit[0].is_failed_verification(), "{:?}", story.audit[0]);
    assert_eq!(story.audit[0].ip_address, "198.51.100.7".parse().ok());
    assert_eq!(story.audit_types(), ["mfa.challenge.failed", "mfa.alert.address_failures"]);
    assert!(!story.audit[1].is_failed_verification());
}
