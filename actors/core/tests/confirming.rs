//! Confirming an app's enrollment: what a wrong code shows is told, and gives nobody better odds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::command::Command;
use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::reply::{Refusal, Reply, TotpEnrollment};
use countersign_core::secret::Secret;
use countersign_core::user::ENROLLMENT_LIFETIME_MS;
use story::{App, Story};

fn app(begun: &TotpEnrollment) -> App {
    App { id: begun.factor_id, secret: begun.secret.clone(), parameters: begun.parameters }
}

fn confirm(story: &mut Story, code: Secret) -> Reply {
    story.ask(&Command::ConfirmTotp { code, name: None, challenge: None })
}

fn refused(story: &mut Story, code: Secret) -> Refusal {
    match confirm(story, code) {
        Reply::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn resume(story: &mut Story, begun: &TotpEnrollment, parameters: Parameters) -> TotpEnrollment {
    let resume = Some(begun.factor_id);
    match story.ask(&Command::BeginTotp { name: None, parameters, account_name: None, resume }) {
        Reply::TotpEnrollment(enrollment) => enrollment,
        other => panic!("no enrollment: {other:?}"),
    }
}

#[test]
fn a_clock_that_is_off_is_told_and_neither_accepted_nor_counted() {
    for (steps, words) in [
        (2, "about a minute fast"),
        (3, "about a minute fast"),
        (-2, "about a minute slow"),
        (-4, "about 2 minutes slow"),
        (10, "about 5 minutes fast"),
    ] {
        let mut story = Story::new();
        let begun = story.begin(Parameters::default());
        let code = app(&begun).code_off(story.now, steps);
        let refusal = refused(&mut story, code);
        let seconds_ahead = 30 * i32::try_from(steps).unwrap();
        assert_eq!(refusal, Refusal::AuthenticatorClockOff { seconds_ahead });
        assert!(refusal.to_string().ends_with(words), "{refusal}");
        assert_eq!(story.audit[0].reason.as_deref(), Some("authenticator_clock_off"));
        assert_eq!(story.state.lockout.failed_attempts, 0);
        assert!(story.factors().is_empty());
    }
    let mut story = Story::new();
    let begun = story.begin(Parameters::default());
    for steps in [11, -11] {
        let code = app(&begun).code_off(story.now, steps);
        assert!(matches!(refused(&mut story, code), Refusal::InvalidCode { .. }));
    }
}

#[test]
fn a_code_that_was_told_to_be_early_is_not_good_when_its_time_has_come() {
    let mut story = Story::new();
    let begun = story.begin(Parameters::default());
    let early = app(&begun).code_off(story.now, 3);
    assert!(matches!(
        refused(&mut story, early.clone()),
        Refusal::AuthenticatorClockOff { seconds_ahead: 90 }
    ));
    story.wait_s(90);
    assert_eq!(refused(&mut story, early), Refusal::CodeAlreadyUsed);
    assert_eq!(story.state.lockout.failed_attempts, 0);
    // The one after it is.
    story.wait_s(30);
    let code = app(&begun).code(story.now);
    assert!(matches!(confirm(&mut story, code), Reply::Factor { .. }));
}

#[test]
fn it_is_told_a_few_times_and_then_counted() {
    let mut story = Story::new();
    let begun = story.begin(Parameters::default());
    for steps in 2..7 {
        let code = app(&begun).code_off(story.now, steps);
        assert!(matches!(refused(&mut story, code), Refusal::AuthenticatorClockOff { .. }));
    }
    let code = app(&begun).code_off(story.now, 8);
    assert!(matches!(refused(&mut story, code), Refusal::InvalidCode { .. }));
    assert_eq!(story.state.lockout.failed_attempts, 1);
}

#[test]
fn at_a_login_nothing_is_told_of_a_clock() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let code = app.code_off(story.now, 3);
    let reply = story.verify(challenge, &app, code);
    assert!(matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })));
}

#[test]
fn an_app_that_ignores_the_parameters_is_told_and_not_counted() {
    let usual = Parameters::default();
    for asked in [
        Parameters { algorithm: Algorithm::Sha256, ..usual },
        Parameters { algorithm: Algorithm::Sha512, digits: 8, period_seconds: 60 },
        Parameters { digits: 8, ..usual },
        Parameters { period_seconds: 60, ..usual },
    ] {
        let mut story = Story::new();
        let begun = story.begin(asked);
        let code = App { parameters: usual, ..app(&begun) }.code(story.now);
        let refusal = refused(&mut story, code);
        assert_eq!(refusal, Refusal::AuthenticatorIgnoredParameters, "{asked:?}");
        assert_eq!(story.state.lockout.failed_attempts, 0);
        let code = app(&begun).code(story.now);
        assert!(matches!(confirm(&mut story, code), Reply::Factor { .. }), "{asked:?}");
    }
    // Some ignore the algorithm alone.
    let mut story = Story::new();
    let asked = Parameters { algorithm: Algorithm::Sha256, digits: 8, period_seconds: 30 };
    let begun = story.begin(asked);
    let half = Parameters { algorithm: Algorithm::Sha1, ..asked };
    let code = App { parameters: half, ..app(&begun) }.code(story.now);
    assert_eq!(refused(&mut story, code), Refusal::AuthenticatorIgnoredParameters);
}

#[test]
fn whoever_began_an_enrollment_gets_the_same_secret_again_and_nobody_else() {
    let mut story = Story::new();
    let first = story.begin(Parameters::default());
    story.wait_s(60);
    let again = resume(&mut story, &first, Parameters::default());
    assert_eq!((again.factor_id, &again.secret), (first.factor_id, &first.secret));
    assert_eq!(again.expires_at, first.expires_at, "it lives no longer for that");
    assert_eq!(story.audit[0].reason.as_deref(), Some("resumed"));
    let code = app(&first).code(story.now);
    assert!(matches!(confirm(&mut story, code), Reply::Factor { .. }));

    let mut story = Story::new();
    let first = story.begin(Parameters::default());
    let stranger = story.begin(Parameters::default());
    assert_ne!(stranger.secret, first.secret, "who does not name it has not begun it");
    let again = resume(&mut story, &first, Parameters::default());
    assert!(again.secret != first.secret && again.secret != stranger.secret, "it was replaced");
    let other = Parameters { digits: 8, ..Parameters::default() };
    let changed = resume(&mut story, &again, other);
    assert_ne!(changed.secret, again.secret);
    story.wait_ms(ENROLLMENT_LIFETIME_MS);
    let late = resume(&mut story, &changed, other);
    assert_ne!(late.secret, changed.secret);
}

#[test]
fn a_code_of_a_secret_that_was_replaced_is_told_apart_and_not_counted() {
    let mut story = Story::new();
    let old = story.begin(Parameters::default());
    let older = Parameters { digits: 8, ..Parameters::default() };
    let second = story.begin(older);
    let new = story.begin(Parameters::default());
    for replaced in [&old, &second] {
        for _ in 0..10 {
            let code = app(replaced).code(story.now);
            assert_eq!(refused(&mut story, code), Refusal::EnrollmentReplaced);
        }
    }
    assert_eq!(story.audit[0].reason.as_deref(), Some("enrollment_replaced"));
    assert_eq!(story.state.lockout.failed_attempts, 0);
    let wrong = app(&new).wrong_code(story.now);
    assert!(matches!(refused(&mut story, wrong), Refusal::InvalidCode { .. }));
    let code = app(&new).code(story.now);
    assert!(matches!(confirm(&mut story, code), Reply::Factor { .. }));
    assert_eq!(story.factors().len(), 1);
}

#[test]
fn secrets_that_were_replaced_are_bounded() {
    let mut story = Story::new();
    let first = story.begin(Parameters::default());
    for _ in 0..20 {
        story.begin(Parameters::default());
    }
    assert_eq!(story.state.pending[0].replaced.len(), 4);
    let code = app(&first).code(story.now);
    assert!(matches!(refused(&mut story, code), Refusal::InvalidCode { .. }));
}
