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

/// How keyboards, messages and password managers write digits and dashes.
fn spellings(text: &str) -> Vec<String> {
    let in_script = |zero: u32| {
        let digit = |c: char| c.to_digit(10).and_then(|value| char::from_u32(zero + value));
        text.chars().map(|c| digit(c).unwrap_or(c)).collect::<String>()
    };
    let mut all: Vec<String> =
        [0x660, 0x6f0, 0x966, 0xff10, 0x1d7ce].into_iter().map(in_script).collect();
    for unseen in ["\u{200b}", "\u{2060}", "\u{feff}", "\u{200e}", "\u{ad}", "\u{61c}"] {
        all.push(format!("{}{unseen}{}{unseen}", &text[..2], &text[2..]));
    }
    for (begin, end) in
        [("\u{202a}", "\u{202c}"), ("\u{202e}", "\u{202c}"), ("\u{2067}", "\u{2069}")]
    {
        all.push(format!("{begin}{text}{end}"));
    }
    for dash in ['\u{2010}', '\u{2011}', '\u{2014}', '\u{2212}', '－', 'ー', '\u{a0}', '\u{202f}']
    {
        all.push(match text.contains('-') {
            true => text.replace('-', &dash.to_string()),
            false => format!("{}{dash}{}", &text[..3], &text[3..]),
        });
    }
    all
}

#[test]
fn a_right_code_is_right_in_every_script_and_with_what_nobody_sees() {
    let mut story = Story::new();
    let app = story.enroll();
    let codes = story.recovery_codes();
    story.wait_s(60);
    for spelling in spellings(app.code(story.now).expose_str()) {
        let mut person = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        let challenge = person.challenge();
        let reply = person.verify(challenge, &app, secret(&spelling));
        assert!(matches!(reply, Reply::Verified(_)), "{spelling:?}: {reply:?}");
        // The same code in other digits is the same code.
        let again = person.challenge();
        let reply = person.verify(again, &app, app.code(person.now));
        assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed), "{spelling:?}");
    }
    for spelling in spellings(codes[0].expose_str()) {
        let mut person = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        let reply = person.ask(&Command::UseRecoveryCode { code: secret(&spelling) });
        assert!(matches!(reply, Reply::RecoveryCodeUsed { .. }), "{spelling:?}: {reply:?}");
    }
    story.begin_sms("+14155552672");
    let sent = story.send_enrollment(countersign_core::message::Channel::Sms);
    for spelling in spellings(sent.code.expose_str()) {
        let mut person = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        let reply = person.confirm(sent.message.channel, &secret(&spelling));
        assert!(matches!(reply, Reply::Factor { .. }), "{spelling:?}: {reply:?}");
    }
}

#[test]
fn the_spent_code_sent_again_to_its_challenge_is_known_again_and_no_relay() {
    let mut story = Story::new();
    let app = story.enroll();
    let codes = story.recovery_codes();
    let challenge = story.challenge();
    let code = app.code(story.now);
    story.verified(challenge, &app);
    assert_eq!(story.verify(challenge, &app, code), Reply::Refused(Refusal::CodeAlreadyUsed));
    assert_eq!(story.audit_types(), ["mfa.challenge.failed"]);
    assert_eq!(story.audit[0].challenge_id, Some(challenge));
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
    assert_eq!(story.audit_types(), ["mfa.challenge.failed"]);
    // For another login it may be one.
    let other = story.challenge();
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
        clock: story.now,
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

fn label(enrollment: &countersign_core::reply::TotpEnrollment) -> String {
    let uri = enrollment.uri.expose_str();
    let path = uri.strip_prefix("otpauth://totp/").unwrap().split('?').next().unwrap();
    path.replace("%20", " ").replace("%28", "(").replace("%29", ")").replace("%40", "@")
}

#[test]
fn no_two_apps_of_a_user_have_one_label() {
    let mut story = Story::new();
    story.ask(&Command::PutProfile(countersign_core::user::Profile {
        email: Some("ann@acme.example".to_owned()),
        ..Default::default()
    }));
    let begin = |story: &mut Story, name: Option<&str>| {
        let name = name.map(str::to_owned);
        let parameters = Parameters::default();
        match story.ask(&Command::BeginTotp { name, parameters, account_name: None, resume: None })
        {
            Reply::TotpEnrollment(enrollment) => enrollment,
            other => panic!("no enrollment: {other:?}"),
        }
    };
    let confirm = |story: &mut Story, enrollment: &countersign_core::reply::TotpEnrollment| {
        let step = enrollment.parameters.step_at(story.now);
        let code = enrollment.parameters.code(&enrollment.secret, step);
        let reply = story.ask(&Command::ConfirmTotp { code, name: None, challenge: None });
        assert!(matches!(reply, Reply::Factor { .. }));
        story.wait_s(60);
    };
    let first = begin(&mut story, Some("Phone"));
    assert_eq!(label(&first), "Countersign:ann@acme.example");
    assert_eq!(label(&begin(&mut story, None)), label(&first), "nothing else is enrolled yet");
    let first = begin(&mut story, Some("Phone"));
    confirm(&mut story, &first);
    let mut seen = vec![label(&first)];
    for (name, expected) in [
        (Some("Tablet"), "Countersign:ann@acme.example (Tablet)"),
        (Some("Tablet"), "Countersign:ann@acme.example (2)"),
        (None, "Countersign:ann@acme.example (3)"),
        (None, "Countersign:ann@acme.example (4)"),
    ] {
        let next = begin(&mut story, name);
        assert_eq!(label(&next), expected);
        assert!(!seen.contains(&label(&next)));
        seen.push(label(&next));
        confirm(&mut story, &next);
    }
    // Once the first one is gone its label is free, and those of the others are not.
    let gone = story.state.factors[0].id;
    story.ask(&Command::RemoveFactor { id: gone });
    assert_eq!(label(&begin(&mut story, None)), seen[0]);
    // Of an app that had its secret before, the label is not known.
    let import = Command::ImportTotp {
        secret: secret("12345678901234567890"),
        parameters: Parameters::default(),
        name: None,
    };
    story.ask(&import);
    assert_eq!(label(&begin(&mut story, None)), "Countersign:ann@acme.example (5)");
}

#[test]
fn the_longest_names_make_an_address_that_a_qr_code_holds() {
    let longest = |character: &str, parameters: Parameters| {
        let mut story = Story::new();
        story.tenant.settings.issuer = character.repeat(64);
        story.enroll();
        let begin = Command::BeginTotp {
            name: Some(character.repeat(100)),
            parameters,
            account_name: Some(character.repeat(100)),
            resume: None,
        };
        match story.ask(&begin) {
            Reply::TotpEnrollment(enrollment) => enrollment.uri,
            other => panic!("no enrollment: {other:?}"),
        }
    };
    for algorithm in [Algorithm::Sha1, Algorithm::Sha512] {
        for character in ["a", "ü", "世", "🦀", "\u{1f469}\u{200d}\u{1f4bb}", ":"] {
            let parameters = Parameters { algorithm, digits: 8, period_seconds: 120 };
            let uri = longest(character, parameters);
            assert!(uri.expose().len() <= 412, "{}", uri.expose().len());
            assert!(uri.expose().is_ascii());
        }
    }
}
