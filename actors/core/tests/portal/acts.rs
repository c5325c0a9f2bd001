//! What a session may do, by what it is for, and what it may not.

use std::collections::BTreeSet;

use countersign_core::challenge::Purpose;
use countersign_core::command::{Command, Proof};
use countersign_core::context::{Context, Surroundings};
use countersign_core::decide::prepare;
use countersign_core::factor::FactorType;
use countersign_core::ids::{DeviceId, FactorId};
use countersign_core::message::Channel;
use countersign_core::policy::Requirement;
use countersign_core::portal::{PortalCommand, PortalPurpose, PortalRefusal, PortalReply};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::system::FEATURE_LEVEL;

use crate::browser::{Browser, ask, code_answer, portal, refused, sent};
use crate::story::{GlassVault, NUMBER, Story, secret};

/// Something of every kind that changes a user, none of which a browser is ever to do.
fn never() -> Vec<Command> {
    vec![
        Command::PutProfile(Default::default()),
        Command::Erase,
        Command::PasswordChanged { changed_at: None },
        Command::ImportTotp {
            secret: secret("12345678901234567890"),
            parameters: Default::default(),
            name: None,
        },
        Command::UseRecoveryCode { code: secret("0000-0000-0000") },
        Command::CreateChallenge {
            purpose: Purpose::Login,
            context: LoginContext::default(),
            device_token: None,
        },
        Command::Reset { reason: None },
        Command::Unlock,
        Command::BeginAssertion { user_verification: None, challenge: None },
    ]
}

/// What managing is about.
fn managing(factor: FactorId) -> Vec<Command> {
    vec![
        Command::RenameFactor { id: factor, name: None },
        Command::MakePrimary { id: factor },
        Command::RemoveFactor { id: factor },
        Command::RevokeDevice { id: DeviceId::from_bytes([1; 16]) },
        Command::RevokeDevices,
    ]
}

/// What enrolling is about.
fn enrolling() -> Vec<Command> {
    vec![
        Command::BeginTotp {
            name: None,
            parameters: Default::default(),
            account_name: None,
            resume: None,
        },
        Command::BeginSms { number: NUMBER.parse().unwrap(), name: None },
        Command::BeginEmail { name: None },
        Command::BeginWebAuthn { wish: Default::default() },
        Command::SendEnrollmentCode { channel: Channel::Sms },
        Command::ConfirmTotp { code: secret("000000"), name: None, challenge: None },
        Command::ConfirmMessage {
            channel: Channel::Sms,
            code: secret("000000"),
            name: None,
            challenge: None,
        },
        Command::GenerateRecoveryCodes,
        Command::RegenerateRecoveryCodes,
    ]
}

fn assert_not_permitted(story: &mut Story, browser: Browser, acts: Vec<Command>) {
    for act in acts {
        assert_eq!(browser.refused(story, act.clone()), PortalRefusal::NotPermitted, "{act:?}");
    }
}

#[test]
fn what_is_the_applications_affair_no_browser_does_whatever_it_was_sent_for() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    for (purpose, challenge) in [
        (PortalPurpose::Enroll, None),
        (PortalPurpose::Manage, None),
        (PortalPurpose::Challenge, Some(challenge)),
    ] {
        let browser = sent(&mut story, purpose, challenge);
        if purpose != PortalPurpose::Challenge {
            browser.verify(&mut story, &app);
        }
        assert_not_permitted(&mut story, browser, never());
        let within = portal(browser.acting(Command::Unlock));
        assert_not_permitted(&mut story, browser, vec![within]);
    }
}

#[test]
fn whoever_was_sent_to_answer_a_challenge_does_nothing_else() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(challenge));
    assert_not_permitted(&mut story, browser, managing(app.id));
    assert_not_permitted(&mut story, browser, enrolling());
    assert_eq!(refused(&mut story, browser.verifying()), PortalRefusal::NotPermitted);
}

#[test]
fn whoever_was_sent_to_enroll_manages_nothing() {
    let mut story = Story::new();
    let app = story.enroll();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    browser.verify(&mut story, &app);
    assert_not_permitted(&mut story, browser, managing(app.id));
}

#[test]
fn a_session_answers_its_own_challenge_and_no_other_of_the_user() {
    let mut story = Story::new();
    let app = story.enroll();
    let (own, other) = (story.challenge(), story.challenge());
    let code = app.code(story.now);
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(own));
    let send = |challenge| Command::SendChallengeCode { challenge, factor: app.id };
    let show =
        |challenge| Command::BeginAssertion { user_verification: None, challenge: Some(challenge) };
    assert_not_permitted(
        &mut story,
        browser,
        vec![code_answer(other, &app, code.clone()), send(other), show(other)],
    );
    // Nor does one that was sent for something else.
    let manager = sent(&mut story, PortalPurpose::Manage, None);
    assert_not_permitted(&mut story, manager, vec![code_answer(own, &app, code.clone())]);
    let reply = browser.act(&mut story, code_answer(own, &app, code));
    assert!(matches!(reply, Reply::Portal(reply) if matches!(*reply, PortalReply::Ended { .. })));
}

#[test]
fn a_challenge_of_another_user_is_not_answered() {
    let mut story = Story::new();
    story.enroll();
    let mut mallory = Story::of("mallory");
    let app = mallory.enroll();
    let theirs = mallory.challenge();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    let code = app.code(story.now);
    assert_not_permitted(&mut story, browser, vec![code_answer(theirs, &app, code)]);
}

#[test]
fn a_browser_with_the_secret_of_another_session_is_nobody() {
    let mut story = Story::new();
    let app = story.enroll();
    let [one, two] = [(); 2].map(|()| sent(&mut story, PortalPurpose::Manage, None));
    one.verify(&mut story, &app);
    let crossed = Browser { portal: one.portal, session: two.session };
    for command in [
        crossed.acting(Command::RevokeDevices),
        crossed.acting(Command::RemoveFactor { id: app.id }),
        crossed.verifying(),
        crossed.finishing(false),
        PortalCommand::ShowEnrollment { portal: crossed.portal, session: crossed.session },
    ] {
        assert_eq!(refused(&mut story, command), PortalRefusal::Unknown);
    }
    assert_eq!(crossed.view(&story), Err(PortalRefusal::Unknown));
    // Of the two only the one in which the person was verified may.
    let remove = Command::RemoveFactor { id: app.id };
    assert_eq!(two.refused(&mut story, remove.clone()), PortalRefusal::VerificationNeeded);
    assert_eq!(one.act(&mut story, remove), Reply::Done);
}

#[test]
fn a_session_that_ended_does_nothing_more() {
    let mut story = Story::new();
    let app = story.enroll();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    browser.verify(&mut story, &app);
    browser.finish(&mut story, false);
    let refusal = browser.refused(&mut story, Command::RemoveFactor { id: app.id });
    assert!(matches!(refusal, PortalRefusal::Over(_)), "{refusal:?}");
    let refusal = refused(&mut story, browser.finishing(true));
    assert!(matches!(refusal, PortalRefusal::Over(_)), "{refusal:?}");
}

#[test]
fn wrong_codes_within_a_session_are_counted_and_told_as_anywhere() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(challenge));
    let wrong = app.wrong_code(story.now);
    let reply = browser.act(&mut story, code_answer(challenge, &app, wrong));
    assert_eq!(reply, Reply::Refused(Refusal::InvalidCode { attempts_remaining: 4 }));
    assert_eq!(story.state.lockout.failed_attempts, 1);
    assert_eq!(story.audit_types(), ["mfa.challenge.failed"]);
    assert_eq!(story.audit[0].details["portalSession"], browser.portal.to_string());
}

#[test]
fn a_session_whose_act_is_refused_costs_no_slow_computing() {
    let mut story = Story::new();
    let app = story.enroll();
    story.recovery_codes();
    let other = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    let proof = Proof::RecoveryCode(secret("0000-0000-0000"));
    let guess =
        |challenge| Command::Verify { challenge, proof: proof.clone(), remember_device: None };
    let work = |story: &mut Story, act| {
        let around = Surroundings::of(&story.tenant, "kid");
        let mut context = Context {
            now: story.now,
            clock: story.now,
            entropy: &mut story.entropy,
            vault: &GlassVault,
            actor: None,
            feature_level: FEATURE_LEVEL,
        };
        prepare(&story.state, &portal(browser.acting(act)), &around, &mut context).is_some()
    };
    assert!(!work(&mut story, guess(other)), "a challenge that is not the session's");
    assert!(!work(&mut story, Command::RegenerateRecoveryCodes), "nobody was verified");
    let own = browser.begin_verification(&mut story);
    assert!(work(&mut story, guess(own)));
    browser.verify(&mut story, &app);
    assert!(work(&mut story, Command::RegenerateRecoveryCodes));
}

#[test]
fn an_enrollment_at_sign_in_answers_its_challenge_and_keeps_its_tokens_from_the_browser() {
    for purpose in [PortalPurpose::Enroll, PortalPurpose::Challenge] {
        let mut story = Story::requiring(Requirement::Required);
        story.tenant.policy.grace_period.value = 0;
        let challenge = story.challenge();
        let browser = sent(&mut story, purpose, Some(challenge));
        let app = browser.enroll(&mut story, Some(challenge));
        assert!(browser.view(&story).unwrap().answered);
        let code = browser.finish(&mut story, false);
        let outcome = crate::browser::fetch(&mut story, browser.portal, &code);
        assert_eq!(outcome.factor, Some(app.id));
        assert!(outcome.tokens.is_some(), "{purpose:?}");
    }
}

#[test]
fn an_enrollment_answers_no_challenge_but_its_sessions() {
    let mut story = Story::requiring(Requirement::Required);
    story.tenant.policy.grace_period.value = 0;
    let challenge = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let app = browser.begin(&mut story);
    let code = app.code(story.now);
    let confirm = Command::ConfirmTotp { code, name: None, challenge: Some(challenge) };
    assert_not_permitted(&mut story, browser, vec![confirm]);
}

#[test]
fn the_secret_of_an_app_is_shown_again_to_the_session_that_began_and_to_no_other() {
    let mut story = Story::new();
    let [one, two] = [(); 2].map(|()| sent(&mut story, PortalPurpose::Enroll, None));
    let app = one.begin(&mut story);
    let show =
        |it: Browser| PortalCommand::ShowEnrollment { portal: it.portal, session: it.session };
    match ask(&mut story, show(one)) {
        PortalReply::Enrollment(again) => assert_eq!(again.secret, app.secret),
        other => panic!("{other:?}"),
    }
    let refusal = story.refusal(&portal(show(two)));
    assert_eq!(refusal, Refusal::NoPendingEnrollment);
    assert_eq!(two.view(&story).unwrap().pending, None);
    story.wait_s(600);
    assert_eq!(story.refusal(&portal(show(one))), Refusal::NoPendingEnrollment);
}

#[test]
fn what_is_offered_is_what_could_be_confirmed() {
    let mut story = Story::new();
    story.ask(&Command::PutProfile(Default::default()));
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let offered = |story: &Story| -> BTreeSet<FactorType> {
        browser.view(story).unwrap().offered.into_iter().collect()
    };
    // The view of a story can send nothing, and this user has no address anyway.
    assert_eq!(offered(&story), [FactorType::Totp, FactorType::WebAuthn].into());
    story.allow(&[FactorType::WebAuthn, FactorType::Sms]);
    assert_eq!(offered(&story), [FactorType::WebAuthn].into());
    story.tenant.policy.requirement = Requirement::Disabled;
    assert_eq!(offered(&story), [].into());
}

#[test]
fn another_way_and_back_shows_the_same_secret_to_the_session_that_began_it_alone() {
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let begin = || Command::BeginTotp {
        name: None,
        parameters: Default::default(),
        account_name: None,
        resume: None,
    };
    let secret = |story: &mut Story, browser: Browser| match browser.act(story, begin()) {
        Reply::TotpEnrollment(enrollment) => enrollment.secret,
        other => panic!("no enrollment: {other:?}"),
    };
    let first = secret(&mut story, browser);
    browser.act(&mut story, Command::BeginSms { number: NUMBER.parse().unwrap(), name: None });
    assert_eq!(secret(&mut story, browser), first);
    let other = sent(&mut story, PortalPurpose::Enroll, None);
    let second = secret(&mut story, other);
    assert_ne!(second, first, "another browser sees nobody's secret");
    assert_ne!(secret(&mut story, browser), first, "which was replaced");
}
