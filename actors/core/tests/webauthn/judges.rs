//! The judges alone, which must not rest on whoever looked the ceremony up.

use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::factor::webauthn::options::{Attestation, UserVerification};
use countersign_core::factor::webauthn::{assertion, registration};
use countersign_core::testing::authenticator::Authenticator;

use crate::person::{ORIGIN, enroll, options, registration as begin, story};

#[test]
fn the_judge_of_registrations_compares_the_challenge_itself() {
    let mut story = story();
    let begun = begin(&mut story);
    let response = Authenticator::usb(1).create(&begun, ORIGIN);
    let mut expected = registration::Expected {
        challenge: begun.challenge.as_slice().try_into().unwrap(),
        rp_id: "example.com".to_owned(),
        origins: vec![ORIGIN.to_owned()],
        user_verification: UserVerification::Preferred,
        attestation: Attestation::None,
    };
    assert!(registration::judge(&expected, &response).is_ok());
    expected.challenge[31] ^= 1;
    let refused = registration::judge(&expected, &response);
    assert_eq!(refused, Err(CeremonyFailure::UnknownChallenge));
}

#[test]
fn the_judge_of_assertions_compares_challenge_and_credential_itself() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let asked = options(&mut story, None);
    let response = key.get(&asked, ORIGIN).unwrap();
    let expected = assertion::Expected {
        challenge: asked.challenge.as_slice().try_into().unwrap(),
        rp_id: "example.com".to_owned(),
        origins: vec![ORIGIN.to_owned()],
        user_verification: UserVerification::Preferred,
        user_handle: story.state.pseudonym.unwrap().as_bytes().to_vec(),
        factor: id,
        credential: story.state.factor(id).unwrap().kind.webauthn().unwrap().clone(),
        counter_then: 0,
    };
    assert!(assertion::judge(&expected, &response).is_ok());
    let mut other = expected.clone();
    other.challenge[0] ^= 1;
    let refused = assertion::judge(&other, &response);
    assert_eq!(refused, Err(CeremonyFailure::UnknownChallenge));
    let mut other = expected;
    other.credential.credential_id[0] ^= 1;
    let refused = assertion::judge(&other, &response);
    assert_eq!(refused, Err(CeremonyFailure::UnknownCredential));
}
