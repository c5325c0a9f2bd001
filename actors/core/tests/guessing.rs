//! No more guesses are read than the limit allows, however they come.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::challenge::{CHALLENGE_LIFETIME_MS, ChallengeStatus};
use countersign_core::command::{Command, Proof, Query};
use countersign_core::event::UserEvent;
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::ChallengeId;
use countersign_core::lockout::Lock;
use countersign_core::message::Channel;
use countersign_core::reply::{Refusal, Reply};
use story::{App, Sent, Story, secret};

fn fail(story: &mut Story, app: &App) -> Refusal {
    let challenge = story.challenge();
    let code = app.wrong_code(story.now);
    match story.verify(challenge, app, code) {
        Reply::Refused(refusal) => refusal,
        other => panic!("a wrong code was answered with {other:?}"),
    }
}

fn lock(story: &mut Story, app: &App) {
    for _ in 0..5 {
        fail(story, app);
    }
    assert_ne!(story.state.lockout.at(story.now), Lock::Open);
}

#[test]
fn a_fresh_challenge_gives_no_fresh_budget() {
    let mut story = Story::new();
    let app = story.enroll();
    for left in [4, 3, 2, 1, 0] {
        let refusal = fail(&mut story, &app);
        assert_eq!(refusal, Refusal::InvalidCode { attempts_remaining: left });
    }
    assert!(story.audit_types().contains(&"mfa.user.locked"));
    assert_eq!(fail(&mut story, &app), Refusal::TooManyAttempts { retry_after_seconds: Some(30) });
}

#[test]
fn while_locked_even_the_right_code_is_refused_unread() {
    let mut story = Story::new();
    let app = story.enroll();
    lock(&mut story, &app);
    let challenge = story.challenge();
    let right = app.code(story.now);
    let reply = story.verify(challenge, &app, right);
    assert!(matches!(reply, Reply::Refused(Refusal::TooManyAttempts { .. })));
    assert_eq!(story.state.lockout.failed_attempts, 5, "what is not read is not counted");
}

#[test]
fn guesses_at_a_challenge_that_was_answered_leave_it_answered() {
    let (mut story, app, answered) = ready();
    for left in [4, 3, 2, 1, 0] {
        let wrong = app.wrong_code(story.now);
        let reply = story.verify(answered, &app, wrong);
        let refusal = Refusal::InvalidCode { attempts_remaining: left };
        assert_eq!(reply, Reply::Refused(refusal));
        assert_eq!(story.audit[0].challenge_id, Some(answered));
    }
    assert_eq!(story.state.lockout.failed_attempts, 5);
    let challenge = story.state.challenge(answered).unwrap();
    assert_eq!(challenge.status(story.now), ChallengeStatus::Verified);
    assert!(story.audit_types().contains(&"mfa.user.locked"));
    let locked = story.audit.iter().find(|one| one.event_type == "mfa.user.locked").unwrap();
    assert_eq!(locked.outcome, countersign_core::audit::AuditOutcome::Failure);
}

#[test]
fn a_flood_of_refused_codes_leaves_one_trace_and_costs_no_writes() {
    let mut story = Story::new();
    let app = story.enroll();
    lock(&mut story, &app);
    let challenge = story.challenge();
    let code = app.wrong_code(story.now);
    story.verify(challenge, &app, code.clone());
    assert_eq!(story.events, [UserEvent::RefusalNoted]);
    assert_eq!(story.audit.len(), 1);
    for _ in 0..100 {
        story.verify(challenge, &app, code.clone());
        assert!(story.events.is_empty() && story.audit.is_empty());
    }
}

/// Every command that takes a code, with a wrong one. A command that is added and takes a code
/// belongs here.
fn every_way_in(story: &mut Story, all: &All) -> Vec<Command> {
    let challenge = story.challenge();
    let app = &all.app;
    let wrong = app.wrong_code(story.now);
    let verify = |challenge, proof: &Proof| Command::Verify {
        challenge,
        proof: proof.clone(),
        remember_device: None,
    };
    let of_app = Proof::Code { factor: app.id, code: wrong.clone() };
    let of_sent = |sent: &Sent| Proof::Code { factor: sent.factor, code: sent.wrong() };
    let confirm = |sent: &Sent| Command::ConfirmMessage {
        channel: sent.message.channel,
        code: sent.wrong(),
        name: None,
        challenge: None,
    };
    vec![
        verify(all.answered, &of_app),
        verify(challenge, &of_app),
        verify(challenge, &of_sent(&all.text)),
        verify(all.answered, &of_sent(&all.text)),
        verify(challenge, &of_sent(&all.mail)),
        verify(challenge, &Proof::RecoveryCode(secret("0000-0000-0000"))),
        Command::ConfirmTotp { code: wrong, name: None, challenge: None },
        confirm(&all.enrolling),
        Command::UseRecoveryCode { code: secret("1111-1111-1111") },
    ]
}

/// All that takes codes.
struct All {
    app: App,
    /// A challenge that was answered rightly.
    answered: ChallengeId,
    /// Codes to a number, to an address, and to a number that is not confirmed yet.
    text: Sent,
    mail: Sent,
    enrolling: Sent,
}

/// Somebody with all of them, who has no limits on what is sent.
fn with_all() -> (Story, All) {
    let (mut story, app, answered) = ready();
    story.tenant.policy.sends.per_ten_minutes = 100;
    let phone = story.enroll_sms();
    let mailbox = story.enroll_email();
    story.begin_sms("+14155552672");
    let all = All {
        app,
        answered,
        text: story.send_in_fresh_challenge(phone),
        mail: story.send_in_fresh_challenge(mailbox),
        enrolling: story.send_enrollment(Channel::Sms),
    };
    (story, all)
}

/// Somebody with an app and recovery codes, and a challenge that was answered rightly.
fn ready() -> (Story, App, ChallengeId) {
    let mut story = Story::new();
    let app = story.enroll();
    story.recovery_codes();
    let answered = story.challenge();
    story.verified(answered, &app);
    story.begin(Parameters::default());
    (story, app, answered)
}

#[test]
fn every_call_that_takes_a_code_counts_on_the_same_counter() {
    let (mut story, all) = with_all();
    let ways = every_way_in(&mut story, &all);
    story.tenant.policy.lockout.max_attempts = u32::try_from(ways.len()).unwrap();
    // Of all these the challenge takes four.
    let mut challenges = 0;
    for (index, mut command) in (1..).zip(ways) {
        if let Command::Verify { challenge, .. } = &mut command
            && *challenge != all.answered
        {
            challenges += 1;
            *challenge = story.challenge();
        }
        assert!(matches!(story.refusal(&command), Refusal::InvalidCode { .. }), "{command:?}");
        assert_eq!(story.state.lockout.failed_attempts, index, "{command:?}");
    }
    assert_eq!(challenges, 4);
    for command in every_way_in(&mut story, &all) {
        assert!(
            matches!(story.refusal(&command), Refusal::TooManyAttempts { .. }),
            "{command:?} was read while locked"
        );
    }
    assert_eq!(story.state.lockout.failed_attempts, 9, "what is not read is not counted");
}

#[test]
fn what_cannot_be_a_code_is_refused_by_every_call_and_costs_no_guess() {
    let (mut story, all) = with_all();
    for text in
        ["letters", "12345", "1234567", "12345½", "\u{200b}", "0000-0000-000", "UUUU-UUUU-UUUU"]
    {
        for mut command in every_way_in(&mut story, &all) {
            let pointer = match &mut command {
                Command::Verify { proof: Proof::Code { code, .. }, .. }
                | Command::ConfirmTotp { code, .. }
                | Command::ConfirmMessage { code, .. }
                | Command::UseRecoveryCode { code } => {
                    *code = secret(text);
                    "/code"
                }
                Command::Verify { proof: Proof::RecoveryCode(code), .. } => {
                    *code = secret(text);
                    "/recoveryCode"
                }
                other => panic!("{other:?} takes no code"),
            };
            let refusal = story.refusal(&command);
            assert!(
                matches!(&refusal, Refusal::NoCode { pointer: at, detail }
                    if at == pointer && detail.starts_with("must be the ")),
                "{command:?} {text:?}: {refusal:?}"
            );
            assert!(story.events.is_empty() && story.audit.is_empty(), "{command:?} {text:?}");
        }
    }
    assert_eq!(story.state.lockout.failed_attempts, 0);
    lock(&mut story, &all.app);
    for command in every_way_in(&mut story, &all) {
        assert!(matches!(story.refusal(&command), Refusal::TooManyAttempts { .. }), "{command:?}");
    }
}

#[test]
fn while_locked_even_the_right_sent_code_is_refused_unread() {
    let (mut story, all) = with_all();
    lock(&mut story, &all.app);
    let challenge = story.challenge();
    for sent in [&all.text, &all.mail] {
        let reply = story.answer(challenge, sent.factor, &sent.code);
        assert!(matches!(reply, Reply::Refused(Refusal::TooManyAttempts { .. })));
    }
    let reply = story.confirm(Channel::Sms, &all.enrolling.code);
    assert!(matches!(reply, Reply::Refused(Refusal::TooManyAttempts { .. })));
}

#[test]
fn the_counter_falls_on_success_reset_and_unlock_and_on_nothing_else() {
    let (mut story, all) = with_all();
    let app = all.app;
    for _ in 0..3 {
        fail(&mut story, &app);
    }
    story.wait_s(60);
    let challenge = story.challenge();
    for command in [
        Command::BeginSms { number: "+14155552672".parse().unwrap(), name: None },
        Command::SendEnrollmentCode { channel: Channel::Sms },
        Command::SendChallengeCode { challenge, factor: all.text.factor },
        Command::SendChallengeCode { challenge, factor: all.mail.factor },
        Command::RegenerateRecoveryCodes,
        Command::BeginTotp {
            name: None,
            parameters: Parameters::default(),
            account_name: None,
            resume: None,
        },
        Command::RenameFactor { id: app.id, name: None },
        Command::PasswordChanged { changed_at: None },
        Command::RevokeDevices,
        Command::PutProfile(Default::default()),
    ] {
        let reply = story.ask(&command);
        assert!(!matches!(reply, Reply::Refused(_)), "{command:?}: {reply:?}");
        assert_eq!(story.state.lockout.failed_attempts, 3, "after {command:?}");
    }
    story.wait_ms(CHALLENGE_LIFETIME_MS);
    assert_eq!(story.state.lockout.failed_attempts, 3);

    let mut verified = Story { state: story.state.clone(), now: story.now, ..Story::new() };
    let challenge = verified.challenge();
    verified.verified(challenge, &app);
    assert_eq!(verified.state.lockout.failed_attempts, 0);
    for command in [Command::Reset { reason: None }, Command::Unlock] {
        let mut other = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        other.ask(&command);
        assert_eq!(other.state.lockout.failed_attempts, 0, "after {command:?}");
    }
}

#[test]
fn after_a_lock_the_next_wrong_code_doubles_the_delay() {
    let mut story = Story::new();
    let app = story.enroll();
    lock(&mut story, &app);
    for expected in [60, 120, 240] {
        let Reply::Status(status) = story.tell(&Query::Status) else { panic!("no status") };
        let until = status.locked_until.unwrap();
        story.now = until;
        let refusal = fail(&mut story, &app);
        assert_eq!(refusal, Refusal::InvalidCode { attempts_remaining: 0 });
        assert_eq!(
            story.state.lockout.at(story.now),
            Lock::Until(until.plus_millis(expected * 1_000))
        );
    }
}

#[test]
fn at_the_hard_limit_only_an_administrator_unlocks() {
    let mut story = Story::new();
    story.tenant.policy.lockout.hard_limit = 7;
    let app = story.enroll();
    lock(&mut story, &app);
    for _ in 0..2 {
        story.wait_s(3_600);
        fail(&mut story, &app);
    }
    story.wait_s(1_000_000);
    assert_eq!(fail(&mut story, &app), Refusal::TooManyAttempts { retry_after_seconds: None });
    story.ask(&Command::Unlock);
    let challenge = story.challenge();
    story.verified(challenge, &app);
}

#[test]
fn a_challenge_ends_with_its_fifth_wrong_answer() {
    let mut story = Story::new();
    story.tenant.policy.lockout.max_attempts = 50;
    let app = story.enroll();
    let challenge = story.challenge();
    for left in [4, 3, 2, 1, 0] {
        let code = app.wrong_code(story.now);
        let reply = story.verify(challenge, &app, code);
        assert_eq!(reply, Reply::Refused(Refusal::InvalidCode { attempts_remaining: left }));
    }
    let right = app.code(story.now);
    let reply = story.verify(challenge, &app, right);
    assert_eq!(reply, Reply::Refused(Refusal::ChallengeExpired));
    let Reply::ChallengeState(view) = story.tell(&Query::Challenge(challenge)) else { panic!() };
    assert_eq!(view.status, ChallengeStatus::Failed);
}

#[test]
fn a_recovery_code_that_is_refused_anyway_is_not_hashed() {
    use countersign_core::context::{Context, Surroundings};
    use countersign_core::decide::prepare;
    let (mut story, app, _) = ready();
    let challenge = story.challenge();
    lock(&mut story, &app);
    let around = Surroundings::of(&story.tenant, "kid");
    let mut context = Context {
        now: story.now,
        clock: story.now,
        entropy: &mut story.entropy,
        vault: &story::GlassVault,
        actor: None,
        feature_level: countersign_core::system::FEATURE_LEVEL,
    };
    let code = secret("0000-0000-0000");
    for command in [
        Command::UseRecoveryCode { code: code.clone() },
        Command::Verify {
            challenge,
            proof: Proof::RecoveryCode(code.clone()),
            remember_device: None,
        },
    ] {
        assert_eq!(prepare(&story.state, &command, &around, &mut context), None);
    }
}

#[test]
fn confirming_another_app_gives_no_fresh_budget_against_the_first() {
    let mut story = Story::new();
    let app = story.enroll();
    for _ in 0..4 {
        fail(&mut story, &app);
    }
    story.enroll();
    assert_eq!(story.state.lockout.failed_attempts, 4);
}

#[test]
fn confirming_a_number_gives_no_fresh_budget_against_the_app() {
    let mut story = Story::new();
    let app = story.enroll();
    for _ in 0..4 {
        fail(&mut story, &app);
    }
    story.enroll_sms();
    assert_eq!(story.state.lockout.failed_attempts, 4);
}

#[test]
fn confirming_one_factor_leaves_the_count_of_guesses_at_another() {
    // Nothing is enrolled: guesses at a number that is not one's own, and an app of one's own.
    let mut story = Story::new();
    story.begin_sms("+14155552672");
    let sent = story.send_enrollment(Channel::Sms);
    for _ in 0..4 {
        story.confirm(Channel::Sms, &sent.wrong());
    }
    story.enroll();
    assert_eq!(story.state.lockout.failed_attempts, 4);
    // Likewise at recovery codes, which are left when the last factor goes.
    let mut story = Story::new();
    let app = story.enroll();
    story.recovery_codes();
    story.ask(&Command::RemoveFactor { id: app.id });
    for _ in 0..4 {
        story.ask(&Command::UseRecoveryCode { code: secret("1111-1111-1111") });
    }
    story.enroll();
    assert_eq!(story.state.lockout.failed_attempts, 4);
}

#[test]
fn a_confirmed_enrollment_takes_back_the_wrong_codes_that_were_meant_for_it() {
    let mut story = Story::new();
    let app = story.enroll();
    fail(&mut story, &app);
    let begun = story.begin(Parameters::default());
    let second = App { id: begun.factor_id, secret: begun.secret, parameters: begun.parameters };
    let confirm = |code| Command::ConfirmTotp { code, name: None, challenge: None };
    for _ in 0..3 {
        let code = second.wrong_code(story.now);
        story.refusal(&confirm(code));
    }
    assert_eq!(story.state.lockout.failed_attempts, 4);
    let code = second.code(story.now);
    assert!(matches!(story.ask(&confirm(code)), Reply::Factor { .. }));
    assert_eq!(story.state.lockout.failed_attempts, 1);
    // What a success has forgiven is not taken back once more.
    story.begin_sms("+14155552672");
    let sent = story.send_enrollment(Channel::Sms);
    story.confirm(Channel::Sms, &sent.wrong());
    story.wait_s(60);
    let challenge = story.challenge();
    story.verified(challenge, &app);
    fail(&mut story, &app);
    story.confirm(Channel::Sms, &sent.code);
    assert_eq!(story.state.lockout.failed_attempts, 1);
}

#[test]
fn the_hard_limit_raises_an_alert() {
    let mut story = Story::new();
    story.tenant.policy.lockout.hard_limit = 5;
    let app = story.enroll();
    lock(&mut story, &app);
    assert!(story.audit_types().contains(&"mfa.alert.brute_force"));
}
