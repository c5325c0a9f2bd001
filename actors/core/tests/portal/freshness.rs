//! What weakens an account needs a second factor, proven within the session lately.

use countersign_core::command::{Command, Proof, RememberDevice};
use countersign_core::factor::FactorType;
use countersign_core::ids::DeviceId;
use countersign_core::portal::{FRESH_MS, PortalPurpose, PortalRefusal, PortalReply};
use countersign_core::reply::{Refusal, Reply};

use crate::browser::{Browser, code_answer, refused, sent};
use crate::story::{App, NUMBER, Story, secret};

fn delicate(app: &App) -> Vec<Command> {
    vec![
        Command::RenameFactor { id: app.id, name: Some("x".to_owned()) },
        Command::MakePrimary { id: app.id },
        Command::RemoveFactor { id: app.id },
        Command::GenerateRecoveryCodes,
        Command::RegenerateRecoveryCodes,
        Command::RevokeDevice { id: DeviceId::from_bytes([1; 16]) },
        Command::RevokeDevices,
        Command::BeginTotp {
            name: None,
            parameters: Default::default(),
            account_name: None,
            resume: None,
        },
        Command::BeginSms { number: NUMBER.parse().unwrap(), name: None },
        Command::BeginWebAuthn { wish: Default::default() },
        Command::ConfirmTotp { code: secret("000000"), name: None, challenge: None },
    ]
}

fn assert_guarded(story: &mut Story, browser: Browser, app: &App) {
    for act in delicate(app) {
        let refusal = browser.refused(story, act.clone());
        assert_eq!(refusal, PortalRefusal::VerificationNeeded, "{act:?}");
    }
}

#[test]
fn nothing_delicate_is_done_before_the_person_is_verified() {
    let mut story = Story::new();
    let app = story.enroll();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    assert!(browser.view(&story).unwrap().guarded);
    assert_guarded(&mut story, browser, &app);
    browser.verify(&mut story, &app);
    assert!(!browser.view(&story).unwrap().guarded);
    assert_eq!(browser.act(&mut story, Command::RemoveFactor { id: app.id }), Reply::Done);
}

#[test]
fn a_verification_counts_for_ten_minutes_and_in_its_own_session_alone() {
    let mut story = Story::new();
    let app = story.enroll();
    let [browser, other] = [(); 2].map(|()| sent(&mut story, PortalPurpose::Manage, None));
    let challenge = browser.begin_verification(&mut story);
    let code = app.code(story.now);
    browser.act(&mut story, code_answer(challenge, &app, code));
    assert_guarded(&mut story, other, &app);
    story.wait_ms(FRESH_MS - 1);
    assert!(matches!(browser.act(&mut story, Command::RevokeDevices), Reply::Done));
    story.wait_ms(1);
    assert_guarded(&mut story, browser, &app);
    browser.verify(&mut story, &app);
    assert!(matches!(browser.act(&mut story, Command::RevokeDevices), Reply::Done));
}

#[test]
fn a_login_that_was_answered_before_verifies_no_session() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    story.verified(challenge, &app);
    story.wait_s(60);
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    assert_guarded(&mut story, browser, &app);
}

#[test]
fn the_first_factor_may_be_enrolled_without_and_verifies_whoever_enrolled_it() {
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    assert_eq!(
        browser.refused(&mut story, Command::GenerateRecoveryCodes),
        PortalRefusal::VerificationNeeded
    );
    browser.enroll(&mut story, None);
    let reply = browser.act(&mut story, Command::GenerateRecoveryCodes);
    assert!(matches!(reply, Reply::RecoveryCodes(_)), "{reply:?}");
}

#[test]
fn an_enrollment_that_another_overtook_is_not_confirmed_without_a_verification() {
    // Somebody who has the password begins an enrollment and waits; meanwhile the user enrolls.
    let mut story = Story::new();
    let mallory = sent(&mut story, PortalPurpose::Enroll, None);
    let begin = Command::BeginSms { number: NUMBER.parse().unwrap(), name: None };
    mallory.act(&mut story, begin);
    let channel = countersign_core::message::Channel::Sms;
    let code = match mallory.act(&mut story, Command::SendEnrollmentCode { channel }) {
        Reply::CodeSent(sent) => story.arrived(sent).code,
        other => panic!("not sent: {other:?}"),
    };
    let user = sent(&mut story, PortalPurpose::Enroll, None);
    user.enroll(&mut story, None);
    let confirm = Command::ConfirmMessage { channel, code, name: None, challenge: None };
    assert_eq!(mallory.refused(&mut story, confirm), PortalRefusal::VerificationNeeded);
    assert_eq!(story.state.factors.len(), 1);
}

#[test]
fn an_additional_factor_verifies_nobody() {
    let mut story = Story::new();
    let app = story.enroll();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    browser.verify(&mut story, &app);
    let verified_at = story.state.portal[0].verified_at;
    browser.enroll(&mut story, None);
    assert_eq!(story.state.portal[0].verified_at, verified_at);
}

#[test]
fn a_recovery_code_verifies_as_a_factor_does_and_once() {
    let mut story = Story::new();
    let app = story.enroll();
    let codes = story.recovery_codes();
    let [first, second] = [(); 2].map(|()| sent(&mut story, PortalPurpose::Manage, None));
    let answer = |challenge| Command::Verify {
        challenge,
        proof: Proof::RecoveryCode(codes[0].clone()),
        remember_device: None,
    };
    let challenge = first.begin_verification(&mut story);
    let reply = first.act(&mut story, answer(challenge));
    assert_eq!(reply, Reply::from(PortalReply::Verified));
    let challenge = second.begin_verification(&mut story);
    let reply = second.act(&mut story, answer(challenge));
    assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
    assert_guarded(&mut story, second, &app);
}

#[test]
fn recovery_codes_guard_an_account_whose_factors_do_not_count_any_more() {
    let mut story = Story::new();
    story.enroll();
    story.recovery_codes();
    story.allow(&[FactorType::WebAuthn]);
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let begin = || Command::BeginWebAuthn { wish: Default::default() };
    assert_eq!(browser.refused(&mut story, begin()), PortalRefusal::VerificationNeeded);
    // Without any, nobody could be verified.
    let mut story = Story::new();
    story.enroll();
    story.allow(&[FactorType::WebAuthn]);
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    assert!(matches!(browser.act(&mut story, begin()), Reply::CreationOptions(_)));
    assert_eq!(story.state.portal[0].verified_at, None);
}

#[test]
fn a_page_that_is_loaded_again_gives_no_fresh_guesses() {
    let mut story = Story::new();
    let app = story.enroll();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    let challenge = browser.begin_verification(&mut story);
    let wrong = app.wrong_code(story.now);
    browser.act(&mut story, code_answer(challenge, &app, wrong));
    assert_eq!(browser.begin_verification(&mut story), challenge);
    let view = browser.view(&story).unwrap();
    assert_eq!(view.verification.unwrap().attempts_remaining, 4);
}

#[test]
fn verifying_within_a_session_trusts_no_browser_and_gives_no_token() {
    let mut story = Story::new();
    let app = story.enroll();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    let challenge = browser.begin_verification(&mut story);
    let code = app.code(story.now);
    let answer = Command::Verify {
        challenge,
        proof: Proof::Code { factor: app.id, code },
        remember_device: Some(RememberDevice::default()),
    };
    let reply = browser.act(&mut story, answer);
    assert_eq!(reply, Reply::from(PortalReply::Verified));
    assert!(story.state.devices.is_empty());
    let code = browser.finish(&mut story, false);
    let outcome = crate::browser::fetch(&mut story, browser.portal, &code);
    assert_eq!((outcome.tokens, outcome.device_token), (None, None));
}

#[test]
fn whoever_has_nothing_to_prove_is_told_so() {
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    assert_eq!(refused(&mut story, browser.verifying()), PortalRefusal::NothingToProve);
    // A factor that the policy does not allow any more proves nothing either.
    browser.enroll(&mut story, None);
    story.allow(&[FactorType::WebAuthn]);
    let later = sent(&mut story, PortalPurpose::Manage, None);
    assert_eq!(refused(&mut story, later.verifying()), PortalRefusal::NothingToProve);
}

#[test]
fn a_verification_ends_with_the_factor_that_gave_it() {
    // A stolen telephone verified a session; then its owner removes it from elsewhere.
    let mut story = Story::new();
    let stolen = story.enroll();
    let kept = story.enroll();
    let thief = sent(&mut story, PortalPurpose::Manage, None);
    thief.verify(&mut story, &stolen);
    let owner = sent(&mut story, PortalPurpose::Manage, None);
    owner.verify(&mut story, &kept);
    assert_eq!(owner.act(&mut story, Command::RemoveFactor { id: stolen.id }), Reply::Done);
    assert_guarded(&mut story, thief, &kept);
    assert_eq!(owner.act(&mut story, Command::RevokeDevices), Reply::Done);
}

#[test]
fn a_changed_address_ends_what_a_code_sent_to_the_old_one_verified() {
    let mut story = Story::new();
    let app = story.enroll();
    let mailbox = story.enroll_email();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    let challenge = browser.begin_verification(&mut story);
    let code =
        match browser.act(&mut story, Command::SendChallengeCode { challenge, factor: mailbox }) {
            Reply::CodeSent(sent) => story.arrived(sent).code,
            other => panic!("not sent: {other:?}"),
        };
    let proof = Proof::Code { factor: mailbox, code };
    browser.act(&mut story, Command::Verify { challenge, proof, remember_device: None });
    assert!(!browser.view(&story).unwrap().guarded);
    let mut profile = story.state.profile.clone();
    profile.email = Some("new@example.com".to_owned());
    story.ask(&Command::PutProfile(profile));
    assert_guarded(&mut story, browser, &app);
}
