//! Showing a key: section 7.2.

use countersign_core::command::Command;
use countersign_core::factor::webauthn::Algorithm;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::factor::webauthn::options::UserVerification;
use countersign_core::reply::{Acr, Amr, Refusal, Reply};
use countersign_core::testing::authenticator::{Authenticator, BE, BS, Twist, UP, UV};

use crate::person::{
    ORIGIN, answer, assert as show, enroll, failure, options, refused_assertion,
    refused_assertion_of, story, story_of,
};

#[test]
fn a_verified_person_with_a_synced_passkey_is_two_factors() {
    let mut story = story();
    let mut phone = Authenticator::platform(1);
    let id = enroll(&mut story, &mut phone);
    let options = options(&mut story, None);
    assert_eq!(options.rp_id, "example.com");
    assert_eq!(options.allow[0].transports, ["internal", "hybrid"]);
    let response = phone.get(&options, ORIGIN).unwrap();
    let Reply::Asserted { factor_id, user_verified, tokens } = story.ask(&show(response)) else {
        panic!()
    };
    assert_eq!((factor_id, user_verified), (id, true));
    assert_eq!((tokens.acr, tokens.amr), (Acr::Aal2, vec![Amr::Swk, Amr::User, Amr::Mfa]));
    assert_eq!(story.audit_types(), ["mfa.assertion.verified"]);
    assert_eq!(story.state.factor(id).unwrap().last_used_at, Some(story.now));
}

#[test]
fn a_key_that_was_only_touched_is_one_factor() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let options = options(&mut story, None);
    let response = key.get(&options, ORIGIN).unwrap();
    let Reply::Asserted { user_verified, tokens, .. } = story.ask(&show(response)) else {
        panic!()
    };
    assert!(!user_verified);
    assert_eq!((tokens.acr, tokens.amr), (Acr::Aal1, vec![Amr::Hwk, Amr::User]));
}

#[test]
fn another_challenge_is_refused() {
    let twist = Twist { challenge: Some(vec![9; 32]), ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::UnknownChallenge);
}

#[test]
fn another_type_of_client_data_is_refused() {
    let twist = Twist { kind: Some("webauthn.create"), ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::ClientDataType);
}

#[test]
fn an_origin_that_is_not_listed_is_refused() {
    for origin in ["https://evil.example", "http://login.example.com", "https://login.example.com/"]
    {
        let twist = Twist { origin: Some(origin.to_owned()), ..Twist::default() };
        assert_eq!(refused_assertion(&twist), CeremonyFailure::Origin, "{origin}");
    }
}

#[test]
fn a_frame_of_another_origin_is_refused() {
    let twist = Twist { cross_origin: true, ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::CrossOrigin);
}

#[test]
fn another_relying_party_is_refused() {
    let twist = Twist { rp_id: Some("evil.example"), ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::RpIdHash);
}

#[test]
fn a_key_that_nobody_touched_is_refused() {
    let twist = Twist { flip: UP, ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::UserPresence);
}

#[test]
fn a_person_who_had_to_be_verified_and_was_not_is_refused() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let user_verification = Some(UserVerification::Required);
    let begin = Command::BeginAssertion { user_verification, challenge: None };
    let Reply::RequestOptions(options) = story.ask(&begin) else { panic!() };
    assert_eq!(options.user_verification, UserVerification::Required);
    let response = key.get(&options, ORIGIN).unwrap();
    assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::UserVerification);
}

#[test]
fn flags_that_contradict_the_registered_credential_are_refused() {
    let twist = Twist { flip: BS, ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::BackupFlags);
}

#[test]
fn a_key_that_is_on_several_devices_now_and_was_not_is_told_apart() {
    for (mut key, flip) in [(Authenticator::usb(1), BE), (Authenticator::platform(1), BE | BS)] {
        let mut story = story();
        let id = enroll(&mut story, &mut key);
        let challenge = story.challenge();
        let asked = options(&mut story, Some(challenge));
        let twist = Twist { flip, ..Twist::default() };
        let response = key.get_with(&asked, ORIGIN, &twist).unwrap();
        let refused = failure(story.refusal(&answer(challenge, id, response)));
        assert_eq!(refused, CeremonyFailure::BackupEligibility);
        let told = story.audit[0].reason.as_deref();
        assert_eq!(told, Some("backup_eligibility_changed"));
        assert_eq!(story.audit_types(), ["mfa.challenge.failed"], "it is no copy");
    }
}

#[test]
fn two_ceremonies_side_by_side_are_judged_by_the_counter_at_their_beginning() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let tabs = [(); 2].map(|()| {
        let challenge = story.challenge();
        (challenge, options(&mut story, Some(challenge)))
    });
    // The first is signed first and arrives last.
    let [first, second] = [0, 1].map(|tab: usize| key.get(&tabs[tab].1, ORIGIN).unwrap());
    let reply = story.ask(&answer(tabs[1].0, id, second));
    assert!(matches!(reply, Reply::Verified(_)), "{reply:?}");
    let highest = story.state.factor(id).unwrap().kind.webauthn().unwrap().sign_count;
    let reply = story.ask(&answer(tabs[0].0, id, first));
    assert!(matches!(reply, Reply::Verified(_)), "{reply:?}");
    let after = story.state.factor(id).unwrap().kind.webauthn().unwrap().sign_count;
    assert_eq!(after, highest, "what was seen once stays seen");
}

#[test]
fn two_answers_with_one_counter_are_of_two_keys() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let tabs = [(); 2].map(|()| {
        let challenge = story.challenge();
        (challenge, options(&mut story, Some(challenge)))
    });
    let before = key.counter;
    let one = key.get(&tabs[0].1, ORIGIN).unwrap();
    key.counter = before;
    let other = key.get(&tabs[1].1, ORIGIN).unwrap();
    assert!(matches!(story.ask(&answer(tabs[0].0, id, one)), Reply::Verified(_)));
    let refused = failure(story.refusal(&answer(tabs[1].0, id, other)));
    assert_eq!(refused, CeremonyFailure::Counter);
    assert!(story.audit_types().contains(&"mfa.alert.counter_lowered"));
}

#[test]
fn a_passkey_that_leaves_or_joins_the_cloud_is_good_and_shown_so() {
    let mut story = story();
    let mut phone = Authenticator::platform(1);
    let id = enroll(&mut story, &mut phone);
    let options = options(&mut story, None);
    phone.flags ^= BS;
    let response = phone.get(&options, ORIGIN).unwrap();
    assert!(matches!(story.ask(&show(response)), Reply::Asserted { .. }));
    assert!(!story.state.factor(id).unwrap().kind.webauthn().unwrap().backed_up);
}

#[test]
fn a_wrong_signature_is_refused_by_every_algorithm() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let mut key = Authenticator::usb(1);
        key.algorithm = algorithm;
        let mut refused = |alter: fn(&mut Vec<u8>)| {
            refused_assertion_of(&mut key, &Twist::default(), |one| alter(&mut one.signature))
        };
        let wrong = CeremonyFailure::Signature;
        assert_eq!(refused(|signature| *signature.last_mut().unwrap() ^= 1), wrong);
        assert_eq!(refused(Vec::clear), wrong);
        assert_eq!(refused(|signature| signature.push(0)), wrong);
        assert_eq!(refused(|signature| *signature = vec![0; 64]), wrong);
    }
}

#[test]
fn a_signature_of_something_else_is_refused() {
    let mut key = Authenticator::usb(1);
    // Verified, says the data; but that was not signed.
    let refused = refused_assertion_of(&mut key, &Twist::default(), |one| {
        one.authenticator_data[32] |= UV;
    });
    assert_eq!(refused, CeremonyFailure::Signature);
}

#[test]
fn a_counter_that_did_not_rise_is_refused_and_told() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    key.counter = Some(10);
    let id = enroll(&mut story, &mut key);
    for counter in [10, 9, 0] {
        let options = options(&mut story, None);
        let twist = Twist { counter: Some(counter), ..Twist::default() };
        let response = key.get_with(&options, ORIGIN, &twist).unwrap();
        assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::Counter);
        assert_eq!(story.audit_types(), ["mfa.assertion.failed", "mfa.alert.counter_lowered"]);
        assert_eq!(story.audit[1].factor_id, Some(id));
        assert_eq!(story.state.factor(id).unwrap().kind.webauthn().unwrap().sign_count, 10);
    }
    let options = options(&mut story, None);
    let twist = Twist { counter: Some(11), ..Twist::default() };
    let response = key.get_with(&options, ORIGIN, &twist).unwrap();
    assert!(matches!(story.ask(&show(response)), Reply::Asserted { .. }));
    assert_eq!(story.state.factor(id).unwrap().kind.webauthn().unwrap().sign_count, 11);
}

#[test]
fn a_wrong_signature_with_a_low_counter_raises_no_alert() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    key.counter = Some(10);
    enroll(&mut story, &mut key);
    let options = options(&mut story, None);
    let twist = Twist { counter: Some(1), ..Twist::default() };
    let mut response = key.get_with(&options, ORIGIN, &twist).unwrap();
    *response.signature.last_mut().unwrap() ^= 1;
    assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::Signature);
    assert_eq!(story.audit_types(), ["mfa.assertion.failed"]);
}

#[test]
fn an_authenticator_without_a_counter_stays_good() {
    let mut story = story();
    let mut phone = Authenticator::platform(1);
    enroll(&mut story, &mut phone);
    for _ in 0..3 {
        let options = options(&mut story, None);
        let response = phone.get(&options, ORIGIN).unwrap();
        assert!(matches!(story.ask(&show(response)), Reply::Asserted { .. }));
    }
}

#[test]
fn an_id_that_is_not_the_raw_id_is_refused() {
    let mut key = Authenticator::usb(1);
    let refused = refused_assertion_of(&mut key, &Twist::default(), |one| {
        one.id = "AQID".to_owned();
    });
    assert_eq!(refused, CeremonyFailure::IdMismatch);
    let refused = refused_assertion_of(&mut key, &Twist::default(), |one| {
        one.credential_type = "password".to_owned();
    });
    assert_eq!(refused, CeremonyFailure::CredentialType);
    let refused = refused_assertion_of(&mut key, &Twist::default(), |one| {
        one.raw_id = vec![1, 2, 3];
        one.id = "AQID".to_owned();
    });
    assert_eq!(refused, CeremonyFailure::UnknownCredential);
}

#[test]
fn another_users_credential_is_refused_even_if_its_answer_is_right() {
    let mut ann = story_of("ann");
    let mut bob = story_of("bob");
    let (mut hers, mut his) = (Authenticator::platform(1), Authenticator::platform(2));
    enroll(&mut ann, &mut hers);
    enroll(&mut bob, &mut his);
    let options = options(&mut ann, None);
    assert!(his.get(&options, ORIGIN).is_none(), "it is not asked for");
    let response = his.show(0, &options, ORIGIN, &Twist::default());
    assert_eq!(failure(ann.refusal(&show(response))), CeremonyFailure::UnknownCredential);
}

#[test]
fn an_answer_for_another_user_is_refused() {
    let twist = Twist { user_handle: Some(vec![1; 16]), ..Twist::default() };
    assert_eq!(refused_assertion(&twist), CeremonyFailure::UserHandle);
}

#[test]
fn a_removed_key_is_refused() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    let id = enroll(&mut story, &mut key);
    let options = options(&mut story, None);
    let response = key.get(&options, ORIGIN).unwrap();
    story.ask(&Command::RemoveFactor { id });
    assert_eq!(failure(story.refusal(&show(response))), CeremonyFailure::UnknownCredential);
    let begin = Command::BeginAssertion { user_verification: None, challenge: None };
    assert_eq!(story.refusal(&begin), Refusal::FactorNotFound);
}

#[test]
fn data_that_cannot_be_read_is_refused_and_never_a_panic() {
    let mut key = Authenticator::usb(1);
    for length in 0..37 {
        let refused = refused_assertion_of(&mut key, &Twist::default(), |one| {
            one.authenticator_data.truncate(length);
        });
        assert_eq!(refused, CeremonyFailure::AuthenticatorData, "{length}");
    }
    let trailing = Twist { trailing: vec![0xa0], ..Twist::default() };
    assert_eq!(refused_assertion(&trailing), CeremonyFailure::AuthenticatorData);
}

#[test]
fn extensions_that_come_unasked_are_read_over() {
    let mut story = story();
    let mut key = Authenticator::usb(1);
    enroll(&mut story, &mut key);
    let options = options(&mut story, None);
    let twist = Twist { flip: 1 << 7, trailing: vec![0xa0], ..Twist::default() };
    let response = key.get_with(&options, ORIGIN, &twist).unwrap();
    assert!(matches!(story.ask(&show(response)), Reply::Asserted { .. }));
}
