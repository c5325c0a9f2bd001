//! What was begun with the old password ends with it, and what a removed factor proved with that.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::challenge::{ChallengeStatus, Purpose};
use countersign_core::command::{Command, Proof, Query, RememberDevice};
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::ChallengeId;
use countersign_core::message::Channel;
use countersign_core::policy::Requirement;
use countersign_core::reply::{Reason, Refusal, Reply};
use countersign_core::risk::{LoginContext, Trigger};
use countersign_core::time::Timestamp;
use story::{NUMBER, Story};

fn change(story: &mut Story, changed_at: Option<Timestamp>) {
    assert_eq!(story.ask(&Command::PasswordChanged { changed_at }), Reply::Done);
}

fn status(story: &Story, challenge: ChallengeId) -> ChallengeStatus {
    match story.tell(&Query::Challenge(challenge)) {
        Reply::ChallengeState(view) => view.status,
        other => panic!("no challenge: {other:?}"),
    }
}

fn stranger() -> LoginContext {
    LoginContext { device_id: Some("stranger".to_owned()), ..LoginContext::default() }
}

#[test]
fn a_challenge_of_either_purpose_from_before_the_change_opens_nothing_and_teaches_nothing() {
    for purpose in [Purpose::Login, Purpose::StepUp] {
        let mut story = Story::requiring(Requirement::RiskBased);
        let app = story.enroll();
        let ask = Command::CreateChallenge { purpose, context: stranger(), device_token: None };
        let Reply::Challenge(answer) = story.ask(&ask) else { panic!() };
        let challenge = answer.challenge.unwrap().id;
        change(&mut story, None);
        let ended = story.audit[0].details.get("challengesEnded").map(String::as_str);
        assert_eq!(ended, Some("1"));
        assert_eq!(status(&story, challenge), ChallengeStatus::Failed);
        let code = app.code(story.now);
        let verify = Command::Verify {
            challenge,
            proof: Proof::Code { factor: app.id, code: code.clone() },
            remember_device: Some(RememberDevice::default()),
        };
        assert_eq!(story.refusal(&verify), Refusal::ChallengeExpired);
        let send = Command::SendChallengeCode { challenge, factor: app.id };
        assert!(matches!(story.ask(&send), Reply::Refused(_)));
        // The owner signs in; the stranger's browser is still a new one.
        let own = LoginContext { device_id: Some("own".to_owned()), ..LoginContext::default() };
        let challenge = story.login_from(own, None).challenge.unwrap().id;
        assert!(matches!(story.verify(challenge, &app, code), Reply::Verified(_)));
        assert_eq!(story.login_from(stranger(), None).triggers, [Trigger::NewDevice]);
    }
}

#[test]
fn a_demand_to_enroll_from_before_the_change_cannot_be_met() {
    let mut story = Story::requiring(Requirement::Required);
    let stolen = story.login().challenge.unwrap().id;
    change(&mut story, None);
    let pending = story.begin(Parameters::default());
    let code = pending.parameters.code(&pending.secret, pending.parameters.step_at(story.now));
    let confirm = Command::ConfirmTotp { code, name: None, challenge: Some(stolen) };
    assert_eq!(story.refusal(&confirm), Refusal::ChallengeExpired);
    assert_eq!(story.login().reason, Reason::EnrollmentRequired, "the owner enrolls an own factor");
}

#[test]
fn every_enrollment_from_before_the_change_is_void() {
    let mut story = Story::new();
    let pending = story.begin(Parameters::default());
    story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    story.ask(&Command::BeginWebAuthn { wish: Default::default() });
    assert_eq!((story.state.pending.len(), story.state.ceremonies.len()), (2, 1));
    change(&mut story, None);
    assert!(story.state.pending.is_empty() && story.state.ceremonies.is_empty());
    let code = pending.parameters.code(&pending.secret, pending.parameters.step_at(story.now));
    let app = Command::ConfirmTotp { code, name: None, challenge: None };
    assert_eq!(story.refusal(&app), Refusal::NoPendingEnrollment);
    let (channel, code) = (Channel::Sms, sent.code);
    let phone = Command::ConfirmMessage { channel, code, name: None, challenge: None };
    assert_eq!(story.refusal(&phone), Refusal::NoPendingEnrollment);
}

#[test]
fn what_was_begun_with_the_new_password_survives_a_late_report() {
    let mut story = Story::new();
    let app = story.enroll();
    let before = story.challenge();
    let changed_at = Some(story.now);
    story.wait_s(1);
    let after = story.challenge();
    story.begin(Parameters::default());
    story.wait_s(30);
    change(&mut story, changed_at);
    assert_eq!(status(&story, before), ChallengeStatus::Failed);
    assert_eq!(status(&story, after), ChallengeStatus::Pending);
    assert_eq!(story.state.pending.len(), 1);
    story.verified(after, &app);
}

#[test]
fn a_shard_whose_time_is_ahead_leaves_nothing_open_that_was_begun_before() {
    let mut story = Story::new();
    story.enroll();
    story.ahead_ms = 6 * 3_600_000;
    let challenge = story.challenge();
    story.wait_s(10);
    // Told in real time, a second ago.
    let changed_at = story.now.plus_millis(-story.ahead_ms - 1_000);
    change(&mut story, Some(changed_at));
    assert_eq!(status(&story, challenge), ChallengeStatus::Failed);
}

#[test]
fn unlocking_ends_no_login_in_progress() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    for _ in 0..4 {
        let code = app.wrong_code(story.now);
        story.verify(challenge, &app, code);
    }
    let other = story.challenge();
    let code = app.wrong_code(story.now);
    story.verify(other, &app, code);
    story.ask(&Command::Unlock);
    story.verified(other, &app);
}
