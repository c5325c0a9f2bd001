//! Enrolling, confirming, ordering, removing, resetting; devices; and whose is whose.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::challenge::{
    CHALLENGE_LIFETIME_MS, CHALLENGES_KEPT, CHALLENGES_OPEN, ChallengeStatus, Purpose,
};
use countersign_core::command::{Command, Proof, Query, RememberDevice};
use countersign_core::event::UserEvent;
use countersign_core::evolve::evolve_all;
use countersign_core::factor::FactorType;
use countersign_core::factor::totp::Parameters;
use countersign_core::policy::{GracePeriod, GraceUnit, Requirement};
use countersign_core::reply::{Acr, Amr, Reason, Refusal, Reply, Verified};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_core::user::FACTORS_MAX;
use story::{App, Story};

#[test]
fn a_pending_enrollment_counts_for_nothing() {
    let mut story = Story::new();
    story.begin(Parameters::default());
    assert!(story.factors().is_empty());
    let answer = story.login();
    assert_eq!((answer.mfa_required, answer.reason), (false, Reason::NotEnrolled));
    let Reply::Status(status) = story.tell(&Query::Status) else { panic!() };
    assert!(!status.enabled && status.factor_count == 0);
}

#[test]
fn a_pending_enrollment_is_replaced_by_the_next_and_ends_after_ten_minutes() {
    let mut story = Story::new();
    let first = story.begin(Parameters::default());
    let second = story.begin(Parameters::default());
    let confirm = |code: Secret| Command::ConfirmTotp { code, name: None, challenge: None };
    let step = first.parameters.step_at(story.now);
    let refusal = story.refusal(&confirm(first.parameters.code(&first.secret, step)));
    assert_eq!(refusal, Refusal::EnrollmentReplaced);
    story.wait_s(600);
    let step = second.parameters.step_at(story.now);
    let refusal = story.refusal(&confirm(second.parameters.code(&second.secret, step)));
    assert_eq!(refusal, Refusal::EnrollmentExpired);
    let mut other = Story::new();
    other.ask(&Command::PutProfile(Default::default()));
    let refusal = other.refusal(&confirm(story::secret("123456")));
    assert_eq!(refusal, Refusal::NoPendingEnrollment);
}

#[test]
fn the_first_factor_is_primary_and_another_takes_its_place() {
    let mut story = Story::new();
    let first = story.enroll();
    let second = story.enroll();
    let third = story.enroll();
    assert_eq!(story.factors()[0].id, first.id);
    story.ask(&Command::MakePrimary { id: third.id });
    let order: Vec<_> = story.factors().iter().map(|factor| factor.id).collect();
    assert_eq!(order, [third.id, first.id, second.id]);
    story.ask(&Command::RemoveFactor { id: third.id });
    let left = story.factors();
    assert_eq!(left.len(), 2);
    assert!(left[0].primary && left[0].id == first.id && !left[1].primary);
    assert_eq!(story.refusal(&Command::MakePrimary { id: third.id }), Refusal::FactorNotFound);
}

#[test]
fn a_factor_has_the_name_of_its_confirmation_or_else_of_its_beginning() {
    let mut story = Story::new();
    let begin = Command::BeginTotp {
        name: Some("Phone".to_owned()),
        parameters: Parameters::default(),
        account_name: None,
        resume: None,
    };
    let Reply::TotpEnrollment(enrollment) = story.ask(&begin) else { panic!() };
    let code =
        enrollment.parameters.code(&enrollment.secret, enrollment.parameters.step_at(story.now));
    story.ask(&Command::ConfirmTotp { code, name: None, challenge: None });
    assert_eq!(story.factors()[0].name.as_deref(), Some("Phone"));
    let id = story.factors()[0].id;
    story.ask(&Command::RenameFactor { id, name: Some("Old phone".to_owned()) });
    assert_eq!(story.factors()[0].name.as_deref(), Some("Old phone"));
}

#[test]
fn the_twenty_first_factor_is_refused() {
    let mut story = Story::new();
    for _ in 0..FACTORS_MAX {
        story.enroll();
    }
    let begin = Command::BeginTotp {
        name: None,
        parameters: Parameters::default(),
        account_name: None,
        resume: None,
    };
    assert_eq!(story.refusal(&begin), Refusal::FactorLimitReached(FACTORS_MAX));
}

#[test]
fn a_factor_or_challenge_of_another_user_is_not_found() {
    let mut ann = Story::of("ann");
    let ann_app = ann.enroll();
    let mut bob = Story::of("bob");
    let bob_app = bob.enroll();
    let of_ann = ann.challenge();
    let of_bob = bob.challenge();
    let code = ann_app.code(ann.now);
    let with_foreign_factor = bob.verify(of_bob, &ann_app, code.clone());
    assert_eq!(with_foreign_factor, Reply::Refused(Refusal::FactorNotFound));
    let code = bob_app.code(bob.now);
    let foreign_challenge = bob.verify(of_ann, &bob_app, code);
    assert_eq!(foreign_challenge, Reply::Refused(Refusal::ChallengeNotFound));
    for command in [
        Command::RemoveFactor { id: ann_app.id },
        Command::RenameFactor { id: ann_app.id, name: None },
        Command::MakePrimary { id: ann_app.id },
    ] {
        assert_eq!(bob.refusal(&command), Refusal::FactorNotFound);
    }
}

#[test]
fn another_users_equal_code_is_fine() {
    let mut ann = Story::of("ann");
    let app = ann.enroll();
    let mut bob = Story::of("bob");
    let import =
        Command::ImportTotp { secret: app.secret.clone(), parameters: app.parameters, name: None };
    let Reply::Factor { factor, .. } = bob.ask(&import) else { panic!() };
    let bobs = App { id: factor.id, ..app.clone() };
    bob.now = ann.now;
    let challenge = ann.challenge();
    ann.verified(challenge, &app);
    let challenge = bob.challenge();
    bob.verified(challenge, &bobs);
}

#[test]
fn a_sealed_secret_opens_for_its_own_user_and_factor_only() {
    let mut ann = Story::of("ann");
    let app = ann.enroll();
    let mut mallory = Story::of("mallory");
    mallory.state = ann.state.clone();
    mallory.now = ann.now;
    let challenge = mallory.challenge();
    let code = app.code(mallory.now);
    let reply = mallory.verify(challenge, &app, code);
    assert_eq!(reply, Reply::Refused(Refusal::Unreadable));
}

#[test]
fn a_challenge_can_be_answered_for_five_minutes_and_once() {
    let mut story = Story::new();
    let app = story.enroll();
    let late = story.challenge();
    story.wait_s(300);
    let code = app.code(story.now);
    assert_eq!(story.verify(late, &app, code), Reply::Refused(Refusal::ChallengeExpired));
    let challenge = story.challenge();
    story.verified(challenge, &app);
    story.wait_s(60);
    let fresh = app.code(story.now);
    let again = story.verify(challenge, &app, fresh);
    assert_eq!(again, Reply::Refused(Refusal::ChallengeExpired));
    let Reply::ChallengeState(view) = story.tell(&Query::Challenge(challenge)) else { panic!() };
    assert_eq!(view.status, ChallengeStatus::Verified);
}

#[test]
fn a_user_has_a_bounded_number_of_challenges() {
    let mut story = Story::new();
    let app = story.enroll();
    for _ in 0..3 {
        for _ in 0..CHALLENGES_OPEN {
            story.challenge();
        }
        // Those that are over make room.
        story.wait_ms(CHALLENGE_LIFETIME_MS);
    }
    let challenge = story.challenge();
    story.verified(challenge, &app);
    assert!(story.state.challenges.len() <= CHALLENGES_KEPT);
}

#[test]
fn enrolling_at_sign_in_answers_the_challenge_that_asked_for_it() {
    let mut story = Story::requiring(Requirement::Required);
    let answer = story.login();
    assert_eq!(answer.reason, Reason::EnrollmentRequired);
    assert!(answer.mfa_required && answer.enrollment_required && answer.tokens.is_none());
    let challenge = answer.challenge.unwrap();
    assert!(challenge.factors.is_empty() && !challenge.recovery_codes_available);

    let pending = story.begin(Parameters::default());
    let code = pending.parameters.code(&pending.secret, pending.parameters.step_at(story.now));
    let confirm = Command::ConfirmTotp { code, name: None, challenge: Some(challenge.id) };
    let Reply::Factor { tokens: Some(tokens), .. } = story.ask(&confirm) else { panic!() };
    assert_eq!(tokens.acr, Acr::Aal2);
    assert_eq!(tokens.amr, [Amr::Pwd, Amr::Otp, Amr::Mfa]);
    // Nobody has seen this user's browser yet, so the alert is raised under REQUIRED as well.
    let told = ["mfa.factor.enrolled", "mfa.challenge.verified", "mfa.alert.risky_enrollment"];
    assert_eq!(story.audit_types(), told);
    let Reply::ChallengeState(view) = story.tell(&Query::Challenge(challenge.id)) else { panic!() };
    assert_eq!(view.status, ChallengeStatus::Verified);
}

#[test]
fn enrolling_at_sign_in_under_risk_raises_an_alert() {
    let mut story = Story::requiring(Requirement::RiskBased);
    let answer = story.login();
    assert_eq!(answer.reason, Reason::EnrollmentRequired);
    let pending = story.begin(Parameters::default());
    let code = pending.parameters.code(&pending.secret, pending.parameters.step_at(story.now));
    let challenge = answer.challenge.map(|challenge| challenge.id);
    story.ask(&Command::ConfirmTotp { code, name: None, challenge });
    assert!(story.audit_types().contains(&"mfa.alert.risky_enrollment"));
}

#[test]
fn a_recovery_code_does_not_answer_a_call_to_enroll() {
    let mut story = Story::requiring(Requirement::Required);
    let codes = story.recovery_codes();
    let challenge = story.challenge();
    let verify = Command::Verify {
        challenge,
        proof: Proof::RecoveryCode(codes[0].clone()),
        remember_device: None,
    };
    assert!(matches!(story.refusal(&verify), Refusal::Conflict(_)));
    assert_eq!(story.state.recovery_codes_remaining(), 10);
}

#[test]
fn grace_runs_from_the_later_of_creation_and_rule() {
    let mut story = Story::new();
    story.tenant.policy.requirement = Requirement::Required;
    story.tenant.policy.required_since = Some(story.now.plus_millis(-1_000_000));
    story.tenant.policy.grace_period = GracePeriod { value: 7, unit: GraceUnit::Minutes };
    let answer = story.login();
    assert_eq!(answer.reason, Reason::GracePeriod);
    assert_eq!(answer.grace_period_ends_at, Some(story.now.plus_millis(420_000)));
    assert!(answer.enrollment_required && answer.tokens.unwrap().acr == Acr::Aal1);
    // The first login wrote the user, so the grace runs on from there.
    story.wait_s(420);
    assert_eq!(story.login().reason, Reason::EnrollmentRequired);
    story.tenant.policy.required_since = Some(story.now);
    assert_eq!(story.login().reason, Reason::GracePeriod);
}

fn remembered(story: &mut Story, app: &App) -> Verified {
    let challenge = story.challenge();
    let command = Command::Verify {
        challenge,
        proof: Proof::Code { factor: app.id, code: app.code(story.now) },
        remember_device: Some(RememberDevice { name: Some("Laptop".to_owned()) }),
    };
    let Reply::Verified(verified) = story.ask(&command) else { panic!() };
    story.wait_s(60);
    verified
}

#[test]
fn a_trusted_device_stands_in_until_it_expires_or_is_revoked() {
    let mut story = Story::new();
    let app = story.enroll();
    let token = remembered(&mut story, &app).device_token.unwrap();
    assert!(token.expose_str().starts_with("dvt_") && token.expose().len() == 47);
    let with = |story: &mut Story, token: &Secret| {
        story.login_from(LoginContext::default(), Some(token.clone())).reason
    };
    assert_eq!(with(&mut story, &token), Reason::TrustedDevice);
    assert_eq!(with(&mut story, &story::secret("dvt_guess")), Reason::UserEnrolled);

    let step_up = Command::CreateChallenge {
        purpose: Purpose::StepUp,
        context: LoginContext::default(),
        device_token: Some(token.clone()),
    };
    let Reply::Challenge(answer) = story.ask(&step_up) else { panic!() };
    assert!(answer.mfa_required, "a step-up is never skipped");

    let mut later = Story { state: story.state.clone(), now: story.now, ..Story::new() };
    later.wait_s(30 * 24 * 3_600);
    assert_eq!(with(&mut later, &token), Reason::UserEnrolled);

    for end in [
        Command::RevokeDevice { id: story.state.devices[0].id },
        Command::RevokeDevices,
        Command::PasswordChanged { changed_at: None },
    ] {
        let mut other = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        other.ask(&end);
        assert!(other.state.devices.is_empty(), "after {end:?}");
        assert_eq!(with(&mut other, &token), Reason::UserEnrolled, "after {end:?}");
    }
}

#[test]
fn a_device_token_is_bound_to_its_user() {
    let mut ann = Story::of("ann");
    let app = ann.enroll();
    let token = remembered(&mut ann, &app).device_token.unwrap();
    let mut bob = Story::of("bob");
    bob.enroll();
    assert_eq!(bob.login_from(LoginContext::default(), Some(token)).reason, Reason::UserEnrolled);
    let foreign = Command::RevokeDevice { id: ann.state.devices[0].id };
    assert_eq!(bob.refusal(&foreign), Refusal::DeviceNotFound);
}

#[test]
fn no_device_is_trusted_when_the_policy_forbids_it() {
    let mut story = Story::new();
    let app = story.enroll();
    let token = remembered(&mut story, &app).device_token.unwrap();
    story.tenant.policy.trusted_devices.enabled = false;
    assert_eq!(remembered(&mut story, &app).device_token, None);
    let answer = story.login_from(LoginContext::default(), Some(token));
    assert_eq!(answer.reason, Reason::UserEnrolled);
}

#[test]
fn a_shorter_trust_holds_for_browsers_that_were_trusted_before_and_a_longer_one_does_not() {
    let mut story = Story::new();
    let app = story.enroll();
    let token = remembered(&mut story, &app).device_token.unwrap();
    let reason = |story: &mut Story| {
        let token = Some(token.clone());
        story.login_from(LoginContext::default(), token).reason
    };
    let shown = |story: &Story| match story.tell(&Query::Devices) {
        Reply::Devices(devices) => devices.len(),
        other => panic!("no devices: {other:?}"),
    };
    story.wait_s(2 * 24 * 3_600);
    assert_eq!((reason(&mut story), shown(&story)), (Reason::TrustedDevice, 1));
    story.tenant.policy.trusted_devices.duration_days = 1;
    assert_eq!((reason(&mut story), shown(&story)), (Reason::UserEnrolled, 0));
    story.tenant.policy.trusted_devices.duration_days = 365;
    assert_eq!((reason(&mut story), shown(&story)), (Reason::TrustedDevice, 1));
    story.wait_s(28 * 24 * 3_600);
    assert_eq!((reason(&mut story), shown(&story)), (Reason::UserEnrolled, 0));
}

#[test]
fn a_reset_ends_everything_in_one_commit() {
    let mut story = Story::new();
    let app = story.enroll();
    story.recovery_codes();
    let token = remembered(&mut story, &app).device_token.unwrap();
    story.begin(Parameters::default());
    let challenge = story.challenge();
    story.ask(&Command::Reset { reason: Some("lost phone".to_owned()) });
    assert_eq!(story.audit[0].reason.as_deref(), Some("lost phone"));
    assert!(story.factors().is_empty());
    assert_eq!(story.state.recovery_codes_remaining(), 0);
    assert!(story.state.devices.is_empty() && story.state.pending.is_empty());
    assert_eq!(story.login_from(LoginContext::default(), Some(token)).reason, Reason::NotEnrolled);
    let Reply::ChallengeState(view) = story.tell(&Query::Challenge(challenge)) else { panic!() };
    assert_eq!(view.status, ChallengeStatus::Failed);
}

#[test]
fn an_erased_user_was_never_seen() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    story.ask(&Command::Erase);
    assert!(!story.state.exists());
    for query in [Query::User, Query::Factors, Query::Status, Query::Devices] {
        assert_eq!(story.tell(&query), Reply::Refused(Refusal::UserNotFound));
    }
    let code = app.code(story.now);
    let reply = story.verify(challenge, &app, code);
    assert_eq!(reply, Reply::Refused(Refusal::ChallengeNotFound));
    assert_eq!(story.refusal(&Command::Erase), Refusal::UserNotFound);
}

#[test]
fn what_the_policy_no_longer_allows_is_neither_offered_nor_accepted() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    story.allow(&[FactorType::WebAuthn]);
    let code = app.code(story.now);
    let reply = story.verify(challenge, &app, code);
    assert_eq!(reply, Reply::Refused(Refusal::FactorNotAllowed(FactorType::Totp)));
    assert_eq!(story.login().reason, Reason::NotEnrolled);
    let begin = Command::BeginTotp {
        name: None,
        parameters: Parameters::default(),
        account_name: None,
        resume: None,
    };
    assert_eq!(story.refusal(&begin), Refusal::FactorNotAllowed(FactorType::Totp));
    story.tenant.policy.requirement = Requirement::Disabled;
    assert_eq!(story.refusal(&begin), Refusal::MfaDisabled);
    assert_eq!(story.refusal(&Command::GenerateRecoveryCodes), Refusal::MfaDisabled);
}

#[test]
fn every_decision_names_the_key_that_asked() {
    let mut story = Story::new();
    story.begin(Parameters::default());
    assert!(story.audit.iter().all(|entry| entry.actor == Some(story::ACTOR)));
}

#[test]
fn a_late_event_never_lowers_the_highest_spent_step() {
    let mut story = Story::new();
    let app = story.enroll();
    let spent = |step| UserEvent::StepSpent { id: app.id, step };
    let now = story.now;
    evolve_all(&mut story.state, &[spent(90_000_000), spent(5)], now);
    let totp = story.state.factors[0].kind.totp().unwrap();
    assert_eq!(totp.last_step, Some(90_000_000));
}

#[test]
fn a_device_that_outlived_a_password_change_is_not_trusted() {
    let mut story = Story::new();
    let app = story.enroll();
    let token = remembered(&mut story, &app).device_token;
    // As if revoking had been forgotten: the trigger bars it all the same.
    story.state.password_changed_at = Some(story.now);
    let answer = story.login_from(LoginContext::default(), token);
    assert_eq!(answer.reason, Reason::UserEnrolled);
}

#[test]
fn a_call_to_enroll_is_void_once_the_user_has_a_factor() {
    let mut story = Story::requiring(Requirement::Required);
    let stolen = story.login().challenge.unwrap().id;
    story.enroll();
    let pending = story.begin(Parameters::default());
    let code = pending.parameters.code(&pending.secret, pending.parameters.step_at(story.now));
    let confirm = Command::ConfirmTotp { code, name: None, challenge: Some(stolen) };
    assert!(matches!(story.refusal(&confirm), Refusal::Conflict(_)));
    assert_eq!(story.factors().len(), 1, "nothing was half done");
}

#[test]
fn a_late_report_of_a_password_change_undoes_no_newer_one() {
    let mut story = Story::new();
    story.ask(&Command::PasswordChanged { changed_at: None });
    let newest = story.state.password_changed_at;
    let late = Some(story.now.plus_millis(-60_000));
    story.ask(&Command::PasswordChanged { changed_at: late });
    assert_eq!(story.state.password_changed_at, newest);
}
