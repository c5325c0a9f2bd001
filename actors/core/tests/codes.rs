//! Codes are accepted at most once, whatever they are written like and however time runs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::command::{Command, Proof};
use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::reply::{Refusal, Reply};
use story::{App, Story, secret};

#[test]
fn a_person_enrolls_an_app_and_logs_in_with_it() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let verified = story.verified(challenge, &app);
    assert_eq!(verified.factor_id, Some(app.id));
    assert_eq!(story.audit_types(), ["mfa.challenge.verified"]);
    assert!(verified.device_token.is_none());
}

#[test]
fn the_code_that_confirmed_an_enrollment_is_spent_by_it() {
    let mut story = Story::new();
    let enrollment = story.begin(Parameters::default());
    let app = App {
        id: enrollment.factor_id,
        secret: enrollment.secret,
        parameters: enrollment.parameters,
    };
    let code = app.code(story.now);
    story.ask(&Command::ConfirmTotp { code: code.clone(), name: None, challenge: None });
    let challenge = story.challenge();
    assert_eq!(story.verify(challenge, &app, code), Reply::Refused(Refusal::CodeAlreadyUsed));
}

#[test]
fn a_used_code_is_refused_however_it_is_written_and_in_every_drift_step() {
    let mut story = Story::new();
    let app = story.enroll();
    let code = app.code(story.now);
    let challenge = story.challenge();
    story.verified(challenge, &app);
    let text = code.expose_str().to_owned();
    for spelling in [
        text.clone(),
        format!(" {text}"),
        format!("{} {}", &text[..3], &text[3..]),
        format!("{}-{}\n", &text[..3], &text[3..]),
        format!("\u{a0}{text}\u{2003}"),
    ] {
        for wait in [0, 29, 30] {
            let mut later = Story { state: story.state.clone(), ..Story::new() };
            later.now = story.now.plus_millis(wait * 1_000);
            let challenge = later.challenge();
            let reply = later.verify(challenge, &app, secret(&spelling));
            assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed), "{spelling:?} +{wait}");
            assert!(later.audit_types().contains(&"mfa.alert.possible_relay"));
            assert_eq!(later.state.lockout.failed_attempts, 0, "a spent code is not a wrong one");
        }
    }
}

#[test]
fn the_spent_code_sent_again_to_its_challenge_is_known_again_and_told_as_a_possible_relay() {
    let mut story = Story::new();
    let app = story.enroll();
    let codes = story.recovery_codes();
    let challenge = story.challenge();
    let code = app.code(story.now);
    story.verified(challenge, &app);
    assert_eq!(story.verify(challenge, &app, code), Reply::Refused(Refusal::CodeAlreadyUsed));
    assert_eq!(story.audit_types(), ["mfa.challenge.failed", "mfa.alert.possible_relay"]);
    assert_eq!(story.audit[1].challenge_id, Some(challenge));
    assert!(story.events.is_empty());

    let with = |challenge, code: &str| Command::Verify {
        challenge,
        proof: Proof::RecoveryCode(secret(code)),
        remember_device: None,
    };
    let other = story.challenge();
    let first = codes[0].expose_str();
    assert!(matches!(story.ask(&with(other, first)), Reply::Verified(_)));
    assert_eq!(story.refusal(&with(other, first)), Refusal::CodeAlreadyUsed);
    assert!(story.audit_types().contains(&"mfa.alert.possible_relay"));
}

#[test]
fn a_fresh_code_for_a_challenge_that_was_answered_opens_nothing_and_stays_unspent() {
    let mut story = Story::new();
    let app = story.enroll();
    let codes = story.recovery_codes();
    let challenge = story.challenge();
    story.verified(challenge, &app);
    story.wait_s(30);
    let fresh = app.code(story.now);
    let reply = story.verify(challenge, &app, fresh.clone());
    assert_eq!(reply, Reply::Refused(Refusal::ChallengeExpired));
    let proof = Proof::RecoveryCode(codes[0].clone());
    let recover = Command::Verify { challenge, proof, remember_device: None };
    assert_eq!(story.refusal(&recover), Refusal::ChallengeExpired);
    assert!(story.events.is_empty() && story.audit.is_empty());
    assert_eq!(story.state.recovery_codes_remaining(), 10);
    let next = story.challenge();
    assert!(matches!(story.verify(next, &app, fresh), Reply::Verified(_)));
}

#[test]
fn a_step_before_the_last_accepted_one_is_spent_whatever_the_skew() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let ahead = app.code_off(story.now, 1);
    assert!(matches!(story.verify(challenge, &app, ahead), Reply::Verified(_)));
    for off in [-1, 0, 1] {
        let challenge = story.challenge();
        let code = app.code_off(story.now, off);
        let reply = story.verify(challenge, &app, code);
        assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed), "step {off}");
    }
}

#[test]
fn codes_two_steps_away_are_wrong() {
    let mut story = Story::new();
    let app = story.enroll();
    for off in [-2, 2] {
        let challenge = story.challenge();
        let code = app.code_off(story.now, off);
        let reply = story.verify(challenge, &app, code);
        assert!(matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })), "step {off}");
    }
}

#[test]
fn every_algorithm_length_and_period_works_from_enrollment_to_login() {
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        for digits in [6, 8] {
            for period_seconds in [15, 30, 120] {
                let mut story = Story::new();
                let parameters = Parameters { algorithm, digits, period_seconds };
                let enrollment = story.begin(parameters);
                let app = App { id: enrollment.factor_id, secret: enrollment.secret, parameters };
                let code = app.code(story.now);
                assert_eq!(code.expose().len(), usize::from(digits));
                story.ask(&Command::ConfirmTotp { code, name: None, challenge: None });
                story.wait_s(i64::from(period_seconds));
                let challenge = story.challenge();
                story.verified(challenge, &app);
            }
        }
    }
}

#[test]
fn the_uri_shows_who_and_what_and_holds_every_parameter() {
    let mut story = Story::of("auth0|42");
    story.tenant.settings.issuer = "Acme & Söhne".to_owned();
    let parameters = Parameters { algorithm: Algorithm::Sha256, digits: 8, period_seconds: 60 };
    let enrollment = story.begin(parameters);
    let uri = enrollment.uri.expose_str();
    let key = data_encoding::BASE32_NOPAD.encode(enrollment.secret.expose());
    assert!(uri.starts_with("otpauth://totp/Acme%20%26%20S%C3%B6hne:auth0%7C42?"), "{uri}");
    for part in [format!("secret={key}"), "digits=8".into(), "period=60".into()] {
        assert!(uri.contains(&part), "{part} is missing in {uri}");
    }
    assert!(uri.contains("algorithm=SHA256") && uri.contains("issuer=Acme%20%26%20S%C3%B6hne"));
}

#[test]
fn a_secret_that_comes_back_keeps_its_spent_steps() {
    let mut story = Story::new();
    let app = story.enroll();
    let code = app.code(story.now);
    let challenge = story.challenge();
    story.verified(challenge, &app);
    for farewell in [Command::RemoveFactor { id: app.id }, Command::Reset { reason: None }] {
        let mut again = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        again.ask(&farewell);
        let import = Command::ImportTotp {
            secret: app.secret.clone(),
            parameters: app.parameters,
            name: None,
        };
        let Reply::Factor { factor, .. } = again.ask(&import) else { panic!("not imported") };
        let back = App { id: factor.id, ..app.clone() };
        let challenge = again.challenge();
        let reply = again.verify(challenge, &back, code.clone());
        assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed), "after {farewell:?}");
    }
}

#[test]
fn one_secret_cannot_be_two_factors() {
    let mut story = Story::new();
    let app = story.enroll();
    let import =
        Command::ImportTotp { secret: app.secret.clone(), parameters: app.parameters, name: None };
    assert_eq!(story.refusal(&import), Refusal::FactorAlreadyEnrolled);

    // Nor by confirming what was imported meanwhile.
    let pending = story.begin(Parameters::default());
    let import = Command::ImportTotp {
        secret: pending.secret.clone(),
        parameters: pending.parameters,
        name: None,
    };
    assert!(matches!(story.ask(&import), Reply::Factor { .. }));
    let code = pending.parameters.code(&pending.secret, pending.parameters.step_at(story.now));
    let confirm = Command::ConfirmTotp { code, name: None, challenge: None };
    assert_eq!(story.refusal(&confirm), Refusal::FactorAlreadyEnrolled);
}

#[test]
fn a_recovery_code_works_once_in_any_spelling() {
    let mut story = Story::new();
    story.enroll();
    let codes = story.recovery_codes();
    assert_eq!(codes.len(), 10);
    let typed = codes[0].expose_str().to_lowercase().replace('-', " ").replace('1', "l");
    let challenge = story.challenge();
    let answer = |challenge, code: &str| Command::Verify {
        challenge,
        proof: Proof::RecoveryCode(secret(code)),
        remember_device: None,
    };
    let Reply::Verified(verified) = story.ask(&answer(challenge, &typed)) else {
        panic!("refused")
    };
    assert_eq!(verified.factor_id, None);
    assert_eq!(story.audit_types(), ["mfa.challenge.verified", "mfa.recovery_code.used"]);
    assert_eq!(story.state.recovery_codes_remaining(), 9);

    let challenge = story.challenge();
    let again = story.refusal(&answer(challenge, codes[0].expose_str()));
    assert_eq!(again, Refusal::CodeAlreadyUsed);
    let outside = story.refusal(&Command::UseRecoveryCode { code: codes[0].clone() });
    assert_eq!(outside, Refusal::CodeAlreadyUsed);
}

#[test]
fn regenerating_ends_the_old_codes_and_generating_waits_until_they_are_used() {
    let mut story = Story::new();
    let old = story.recovery_codes();
    assert_eq!(story.refusal(&Command::GenerateRecoveryCodes), Refusal::RecoveryCodesExist);
    let Reply::RecoveryCodes(new) = story.ask(&Command::RegenerateRecoveryCodes) else {
        panic!("no codes")
    };
    let refused = story.refusal(&Command::UseRecoveryCode { code: old[3].clone() });
    assert!(matches!(refused, Refusal::InvalidCode { .. }));
    let used = story.ask(&Command::UseRecoveryCode { code: new[3].clone() });
    assert_eq!(used, Reply::RecoveryCodeUsed { remaining: 9 });
}

#[test]
fn a_hash_made_with_another_salt_proves_nothing_and_counts_nothing() {
    use countersign_core::context::{Context, Surroundings};
    use countersign_core::decide::decide;
    use countersign_core::decision::Worked;
    let mut story = Story::new();
    let codes = story.recovery_codes();
    let unused = story.state.recovery.as_ref().unwrap().unused[0];
    let around = Surroundings::of(&story.tenant, "kid");
    let mut context = Context {
        now: story.now,
        entropy: &mut story.entropy,
        vault: &story::GlassVault,
        actor: None,
        feature_level: countersign_core::system::FEATURE_LEVEL,
    };
    for worked in [Some(Worked::Code { salt: [0; 16], digest: unused }), Some(Worked::Failed), None]
    {
        let command = Command::UseRecoveryCode { code: codes[0].clone() };
        let decision = decide(&story.key, &story.state, &command, worked, &around, &mut context);
        assert_eq!(decision.reply, Reply::Refused(Refusal::Unreadable));
        assert!(decision.events.is_empty());
    }
}

fn imported(story: &mut Story, app: &App) -> Option<App> {
    let import =
        Command::ImportTotp { secret: app.secret.clone(), parameters: app.parameters, name: None };
    match story.ask(&import) {
        Reply::Factor { factor, .. } => Some(App { id: factor.id, ..app.clone() }),
        _ => None,
    }
}

#[test]
fn an_older_enrollment_does_not_revive_a_code_that_was_spent_meanwhile() {
    let mut story = Story::new();
    let pending = story.begin(Parameters::default());
    let app = App { id: pending.factor_id, secret: pending.secret, parameters: pending.parameters };
    let twin = imported(&mut story, &app).unwrap();
    let code = app.code(story.now);
    let challenge = story.challenge();
    assert!(matches!(story.verify(challenge, &twin, code.clone()), Reply::Verified(_)));
    story.ask(&Command::RemoveFactor { id: twin.id });
    let confirm = Command::ConfirmTotp { code, name: None, challenge: None };
    assert_eq!(story.refusal(&confirm), Refusal::CodeAlreadyUsed);
}

#[test]
fn bytes_that_are_the_same_hmac_key_are_the_same_authenticator() {
    let mut story = Story::new();
    let app = story.enroll();
    let mut padded = app.secret.expose().to_vec();
    padded.push(0);
    let alias = App { secret: countersign_core::secret::Secret::new(padded), ..app.clone() };
    assert_eq!(alias.code(story.now), app.code(story.now));
    assert!(imported(&mut story, &alias).is_none(), "one code would be worth two logins");
}

#[test]
fn another_period_of_a_removed_secret_is_not_spent_for_ever() {
    let mut story = Story::new();
    let mut app = App {
        id: countersign_core::ids::FactorId::from_bytes([1; 16]),
        secret: countersign_core::secret::Secret::new(vec![3; 20]),
        parameters: Parameters { period_seconds: 15, ..Parameters::default() },
    };
    let quick = imported(&mut story, &app).unwrap();
    let challenge = story.challenge();
    story.verified(challenge, &quick);
    story.ask(&Command::RemoveFactor { id: quick.id });
    app.parameters.period_seconds = 30;
    let slow = imported(&mut story, &app).unwrap();
    let challenge = story.challenge();
    story.verified(challenge, &slow);
}
