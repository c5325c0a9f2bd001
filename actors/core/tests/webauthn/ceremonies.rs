//! A ceremony's challenge: our own, one use, five minutes, bound to user and purpose.

use countersign_core::command::Command;
use countersign_core::factor::webauthn::ceremony::{
    CEREMONIES_OF_A_CHALLENGE, CEREMONIES_OUTSIDE, CEREMONY_LIFETIME_MS,
};
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::testing::authenticator::{Authenticator, Twist};

use crate::person::{
    ORIGIN, answer, assert as show, confirm, enroll, failure, options, registration, story,
    story_of,
};

#[test]
fn a_right_answer_that_comes_again_is_refused() {
    let mut story = story();
    let mut phone = Authenticator::platform(1);
    enroll(&mut story, &mut phone);
    let options = options(&mut story, None);
    let response = phone.get(&options, ORIGIN).unwrap();
    assert!(matches!(story.ask(&show(response.clone())), Reply::Asserted { .. }));
    let replayed = failure(story.refusal(&show(response)));
    assert_eq!(replayed, CeremonyFailure::UnknownChallenge);
    assert!(story.events.is_empty() && story.audit.is_empty(), "a flood of them costs nothing");
}

#[test]
fn a_wrong_answer_ends_the_ceremony_as_well() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let options = options(&mut story, None);
    let mut wrong = key.get(&options, ORIGIN).unwrap();
    *wrong.signature.last_mut().unwrap() ^= 1;
    assert_eq!(failure(story.refusal(&show(wrong))), CeremonyFailure::Signature);
    let right = key.get(&options, ORIGIN).unwrap();
    assert_eq!(failure(story.refusal(&show(right))), CeremonyFailure::UnknownChallenge);
}

#[test]
fn a_registration_is_confirmed_once() {
    let mut story = story();
    let options = registration(&mut story);
    let response = Authenticator::platform(1).create(&options, ORIGIN);
    assert!(matches!(story.ask(&confirm(response.clone())), Reply::Factor { .. }));
    assert_eq!(story.refusal(&confirm(response)), Refusal::NoPendingEnrollment);
    assert_eq!(story.state.factors.len(), 1);
}

#[test]
fn a_new_registration_replaces_the_one_before() {
    let mut story = story();
    let mut phone = Authenticator::platform(1);
    let first = registration(&mut story);
    let second = registration(&mut story);
    let late = phone.create(&first, ORIGIN);
    assert_eq!(failure(story.refusal(&confirm(late))), CeremonyFailure::UnknownChallenge);
    let right = phone.create(&second, ORIGIN);
    assert!(matches!(story.ask(&confirm(right)), Reply::Factor { .. }));
}

#[test]
fn five_minutes_are_the_end() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let asked = options(&mut story, None);
    story.wait_ms(CEREMONY_LIFETIME_MS - 1);
    let response = key.get(&asked, ORIGIN).unwrap();
    assert!(matches!(story.ask(&show(response)), Reply::Asserted { .. }));
    let asked = options(&mut story, None);
    story.wait_ms(CEREMONY_LIFETIME_MS);
    let response = key.get(&asked, ORIGIN).unwrap();
    assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::UnknownChallenge);
    let begun = registration(&mut story);
    story.wait_ms(CEREMONY_LIFETIME_MS);
    let response = Authenticator::usb(2).create(&begun, ORIGIN);
    assert_eq!(story.refusal(&confirm(response)), Refusal::EnrollmentExpired);
}

#[test]
fn a_challenge_of_one_user_is_worth_nothing_for_another() {
    let mut ann = story_of("ann");
    let mut bob = story_of("bob");
    let mut key = Authenticator::usb(1);
    enroll(&mut ann, &mut key);
    enroll(&mut bob, &mut Authenticator::usb(2));
    // Bob's challenge, signed by Ann's key, told of Ann.
    let mut asked = options(&mut bob, None);
    asked.allow = options(&mut ann, None).allow;
    let response = key.get(&asked, ORIGIN).unwrap();
    assert_eq!(failure(ann.refusal(&show(response))), CeremonyFailure::UnknownChallenge);
}

#[test]
fn a_ceremony_is_worth_nothing_for_another_purpose() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let first = story.challenge();
    let second = story.challenge();
    // For one challenge, shown to another.
    let asked = options(&mut story, Some(first));
    let response = key.get(&asked, ORIGIN).unwrap();
    let refused = failure(story.refusal(&answer(second, id, response)));
    assert_eq!(refused, CeremonyFailure::WrongPurpose);
    // Outside a challenge, shown to one.
    let asked = options(&mut story, None);
    let response = key.get(&asked, ORIGIN).unwrap();
    let refused = failure(story.refusal(&answer(second, id, response)));
    assert_eq!(refused, CeremonyFailure::WrongPurpose);
    // For a challenge, shown outside one.
    let asked = options(&mut story, Some(first));
    let response = key.get(&asked, ORIGIN).unwrap();
    assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::WrongPurpose);
    // For a registration, shown as an assertion.
    let begun = registration(&mut story);
    let mut asked = options(&mut story, None);
    asked.challenge = begun.challenge;
    let response = key.get(&asked, ORIGIN).unwrap();
    assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::WrongPurpose);
    // And the other way round.
    let asked = options(&mut story, None);
    let mut begun = registration(&mut story);
    begun.challenge = asked.challenge;
    let response = Authenticator::usb(3).create(&begun, ORIGIN);
    let refused = failure(story.refusal(&confirm(response)));
    assert_eq!(refused, CeremonyFailure::WrongPurpose);
}

#[test]
fn ceremonies_outside_a_challenge_are_bounded_and_none_ends_another() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let asked: Vec<_> = (0..CEREMONIES_OUTSIDE).map(|_| options(&mut story, None)).collect();
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    assert!(matches!(story.refusal(&begin), Refusal::TooManyOpen { .. }));
    assert_eq!(story.state.ceremonies.len(), CEREMONIES_OUTSIDE);
    let oldest = key.get(&asked[0], ORIGIN).unwrap();
    assert!(matches!(story.ask(&show(oldest)), Reply::Asserted { .. }));
    story.wait_ms(2 * CEREMONY_LIFETIME_MS);
    story.ask(&Command::Unlock);
    assert!(story.state.ceremonies.is_empty());
}

#[test]
fn ceremonies_of_one_challenge_end_none_of_another() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let own = story.challenge();
    let asked = options(&mut story, Some(own));
    for _ in 0..20 {
        let stranger = story.challenge();
        for _ in 0..5 {
            options(&mut story, Some(stranger));
        }
    }
    let kept = 20 * CEREMONIES_OF_A_CHALLENGE + 1;
    assert_eq!(story.state.ceremonies.len(), kept);
    let response = key.get(&asked, ORIGIN).unwrap();
    assert!(matches!(story.ask(&answer(own, id, response)), Reply::Verified(_)));
}

#[test]
fn a_reset_ends_ceremonies() {
    let mut story = story();
    let options = registration(&mut story);
    let response = Authenticator::usb(1).create_with(&options, ORIGIN, &Twist::default());
    story.ask(&Command::Reset { reason: None });
    assert_eq!(story.refusal(&confirm(response)), Refusal::NoPendingEnrollment);
    assert!(story.state.factors.is_empty());
}
