//! Enrolling a number or an address and having codes sent to it: to whom, and seen nowhere else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::challenge::{CHALLENGE_LIFETIME_MS, Purpose};
use countersign_core::command::{Command, Proof, Query};
use countersign_core::event::UserEvent;
use countersign_core::factor::FactorType;
use countersign_core::message::{CODE_LIFETIME_MS, Channel, Channels, CodePurpose};
use countersign_core::policy::Requirement;
use countersign_core::reply::{Amr, Reason, Refusal, Reply, Verified};
use countersign_core::user::Profile;
use story::{EMAIL, NUMBER, Story};

fn verified(reply: Reply) -> Verified {
    match reply {
        Reply::Verified(verified) => verified,
        other => panic!("not verified: {other:?}"),
    }
}

#[test]
fn a_person_enrolls_a_number_and_logs_in_with_a_code() {
    let mut story = Story::new();
    let enrollment = story.begin_sms(NUMBER);
    assert_eq!(enrollment.masked_destination, "+•••••••71");
    assert!(!story.events.iter().any(|event| matches!(event, UserEvent::CodeIssued(_))));
    assert_eq!(
        story.login().reason,
        Reason::NotEnrolled,
        "an unverified number counts for nothing"
    );

    let sent = story.send_enrollment(Channel::Sms);
    assert_eq!(sent.factor, enrollment.factor_id);
    assert_eq!(sent.answer.masked_destination, "+•••••••71");
    assert_eq!(sent.answer.expires_at, story.now.plus_millis(CODE_LIFETIME_MS));
    assert_eq!(sent.answer.resend_available_at, story.now.plus_millis(30_000));
    assert_eq!((sent.message.destination.as_str(), sent.message.channel), (NUMBER, Channel::Sms));
    assert_eq!(sent.message.purpose, CodePurpose::Enroll);
    assert_eq!(sent.message.expires_at, sent.answer.expires_at);
    assert_eq!(story.audit_types(), ["mfa.code.requested"]);
    let details = &story.audit[0].details;
    assert_eq!((details["channel"].as_str(), details["purpose"].as_str()), ("sms", "enrollment"));

    let Reply::Factor { factor, tokens: None } = story.confirm(Channel::Sms, &sent.code) else {
        panic!("not confirmed")
    };
    assert_eq!((factor.id, factor.factor_type), (enrollment.factor_id, FactorType::Sms));
    assert!(factor.primary && factor.last_used_at.is_none());
    assert_eq!(factor.masked_destination.as_deref(), Some("+•••••••71"));

    story.wait_s(30);
    let challenge = story.login().challenge.unwrap();
    assert_eq!(challenge.factors[0].masked_destination.as_deref(), Some("+•••••••71"));
    let sent = story.send(challenge.id, factor.id);
    assert_eq!(sent.message.purpose, CodePurpose::Challenge);
    assert_eq!(story.audit[0].challenge_id, Some(challenge.id));
    let verified = verified(story.answer(challenge.id, factor.id, &sent.code));
    assert_eq!(verified.tokens.amr, [Amr::Pwd, Amr::Sms, Amr::Mfa]);
    assert_eq!(verified.factor_id, Some(factor.id));
    assert_eq!(story.factors()[0].last_used_at, Some(story.now));
    let Reply::Status(status) = story.tell(&Query::Status) else { panic!("no status") };
    assert_eq!(status.factors[&FactorType::Sms], 1);
}

#[test]
fn a_person_enrolls_the_verified_address_and_logs_in_with_a_code() {
    let mut story = Story::new();
    let refusal = story.refusal(&Command::BeginEmail { name: None });
    assert_eq!(refusal, Refusal::EmailNotVerified);
    let email = Some(EMAIL.to_owned());
    story.ask(&Command::PutProfile(Profile { email, ..Profile::default() }));
    let refusal = story.refusal(&Command::BeginEmail { name: None });
    assert_eq!(refusal, Refusal::EmailNotVerified);

    let mailbox = story.enroll_email();
    let challenge = story.challenge();
    let sent = story.send(challenge, mailbox);
    assert_eq!(sent.answer.masked_destination, "a•••@example.com");
    assert_eq!((sent.message.destination.as_str(), sent.message.channel), (EMAIL, Channel::Email));
    assert_eq!(sent.lane.prefix, None);
    let verified = verified(story.answer(challenge, mailbox, &sent.code));
    assert_eq!(verified.tokens.amr, [Amr::Pwd, Amr::Email, Amr::Mfa]);
}

#[test]
fn enrolling_a_number_at_sign_in_answers_the_challenge() {
    let mut story = Story::requiring(Requirement::Required);
    let challenge = story.challenge();
    story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    let confirm = Command::ConfirmMessage {
        channel: Channel::Sms,
        code: sent.code,
        name: Some("Phone".to_owned()),
        challenge: Some(challenge),
    };
    let Reply::Factor { factor, tokens: Some(tokens) } = story.ask(&confirm) else { panic!() };
    assert_eq!(factor.name.as_deref(), Some("Phone"));
    assert_eq!(tokens.amr, [Amr::Pwd, Amr::Sms, Amr::Mfa]);
}

#[test]
fn a_code_can_only_be_sent_to_an_enrollment_that_waits() {
    let mut story = Story::new();
    let send = Command::SendEnrollmentCode { channel: Channel::Sms };
    assert_eq!(story.refusal(&send), Refusal::UserNotFound);
    story.has_email(EMAIL);
    assert_eq!(story.refusal(&send), Refusal::NoPendingEnrollment);
    story.begin_email();
    assert_eq!(story.refusal(&send), Refusal::NoPendingEnrollment);
    story.begin_sms(NUMBER);
    story.wait_s(600);
    assert_eq!(story.refusal(&send), Refusal::EnrollmentExpired);
    story.begin_sms(NUMBER);
    story.allow(&[FactorType::Totp]);
    assert_eq!(story.refusal(&send), Refusal::FactorNotAllowed(FactorType::Sms));
}

#[test]
fn a_code_is_sent_to_the_challenges_own_user_and_to_what_takes_codes() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let app = story.enroll();
    let challenge = story.challenge();
    let send = |challenge, factor| Command::SendChallengeCode { challenge, factor };
    let refusal = story.refusal(&send(challenge, app.id));
    assert!(matches!(refusal, Refusal::Conflict(what) if what.contains("no codes are sent to it")));

    let mut bob = Story::of("bob");
    let foreign = bob.enroll_sms();
    let of_bob = bob.challenge();
    assert_eq!(story.refusal(&send(challenge, foreign)), Refusal::FactorNotFound);
    assert_eq!(story.refusal(&send(of_bob, phone)), Refusal::ChallengeNotFound);

    story.allow(&[FactorType::Totp]);
    let refusal = story.refusal(&send(challenge, phone));
    assert_eq!(refusal, Refusal::FactorNotAllowed(FactorType::Sms));
    story.allow(&FactorType::ALL);
    story.tenant.policy.requirement = Requirement::Disabled;
    assert_eq!(story.refusal(&send(challenge, phone)), Refusal::MfaDisabled);
    story.tenant.policy.requirement = Requirement::Optional;

    story.wait_ms(CHALLENGE_LIFETIME_MS);
    assert_eq!(story.refusal(&send(challenge, phone)), Refusal::ChallengeExpired);
    let next = story.challenge();
    story.verified(next, &app);
    assert_eq!(story.refusal(&send(next, phone)), Refusal::ChallengeExpired);
}

#[test]
fn a_challenge_that_asks_to_enroll_sends_nothing() {
    let mut story = Story::requiring(Requirement::Required);
    let challenge = story.challenge();
    let phone = story.enroll_sms();
    let refusal = story.refusal(&Command::SendChallengeCode { challenge, factor: phone });
    assert!(matches!(refusal, Refusal::Conflict(_)));
}

#[test]
fn without_a_provider_nothing_is_begun_and_nothing_sent() {
    let mut story = Story::new();
    story.has_email(EMAIL);
    let phone = story.enroll_sms();
    let challenge = story.challenge();
    story.begin_email();
    story.channels = Channels::default();
    let begin = Command::BeginSms { number: "+14155552672".parse().unwrap(), name: None };
    let sms = Refusal::DeliveryNotConfigured(Channel::Sms);
    let email = Refusal::DeliveryNotConfigured(Channel::Email);
    assert_eq!(story.refusal(&begin), sms);
    assert_eq!(story.refusal(&Command::BeginEmail { name: None }), email);
    let send = Command::SendEnrollmentCode { channel: Channel::Email };
    assert_eq!(story.refusal(&send), email);
    assert_eq!(story.refusal(&Command::SendChallengeCode { challenge, factor: phone }), sms);
    story.allow(&[FactorType::Totp]);
    assert_eq!(story.refusal(&begin), Refusal::FactorNotAllowed(FactorType::Sms));
}

#[test]
fn one_number_is_one_factor_and_a_user_has_one_address() {
    let mut story = Story::new();
    story.enroll_sms();
    let again = Command::BeginSms { number: NUMBER.parse().unwrap(), name: None };
    assert_eq!(story.refusal(&again), Refusal::FactorAlreadyEnrolled);
    story.enroll_email();
    let again = Command::BeginEmail { name: None };
    assert_eq!(story.refusal(&again), Refusal::FactorAlreadyEnrolled);
    story.begin_sms("+14155552672");
    let sent = story.send_enrollment(Channel::Sms);
    assert!(matches!(story.confirm(Channel::Sms, &sent.code), Reply::Factor { .. }));
    assert_eq!(story.factors().len(), 3);
}

#[test]
fn beginning_again_with_the_number_gives_no_fresh_guesses_and_no_shorter_pause() {
    let mut story = Story::new();
    let begun = story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    story.confirm(Channel::Sms, &sent.wrong());
    story.wait_s(1);
    let again = story.begin_sms(NUMBER);
    assert_eq!(again.factor_id, begun.factor_id);
    assert_eq!(again.expires_at, story.now.plus_millis(600_000));
    let refusal = story.refusal(&Command::SendEnrollmentCode { channel: Channel::Sms });
    assert!(matches!(refusal, Refusal::TooManySends { retry_after_seconds: 29, .. }));
    assert_eq!(story.state.pending[0].kind.message().unwrap().1.codes[0].wrong, 1);
    assert!(matches!(story.confirm(Channel::Sms, &sent.code), Reply::Factor { .. }));
}

#[test]
fn another_number_ends_the_enrollment_of_the_first_and_its_code() {
    let mut story = Story::new();
    let begun = story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    let other = story.begin_sms("+14155552672");
    assert_ne!(other.factor_id, begun.factor_id);
    let reply = story.confirm(Channel::Sms, &sent.code);
    assert_eq!(reply, Reply::Refused(Refusal::CodeExpired));
    assert!(story.factors().is_empty());
}

#[test]
fn an_address_that_changes_or_is_no_longer_verified_takes_its_factor_along() {
    let address = |text: &str| Some(text.to_owned());
    for (email, email_verified, why) in [
        (address("new@example.com"), true, "email_changed"),
        (address("Ann@example.com"), true, "email_changed"),
        (None, false, "email_changed"),
        (address(EMAIL), false, "email_unverified"),
    ] {
        let mut story = Story::new();
        let app = story.enroll();
        let mailbox = story.enroll_email();
        let challenge = story.challenge();
        let sent = story.send(challenge, mailbox);
        story.ask(&Command::PutProfile(Profile { email, email_verified, ..Profile::default() }));
        assert_eq!(story.audit_types(), ["mfa.user.updated", "mfa.factor.removed"]);
        assert_eq!(story.audit[1].reason.as_deref(), Some(why));
        assert_eq!(story.audit[1].factor_id, Some(mailbox));
        let reply = story.answer(challenge, mailbox, &sent.code);
        assert_eq!(reply, Reply::Refused(Refusal::FactorNotFound));
        assert_eq!(story.factors().iter().map(|one| one.id).collect::<Vec<_>>(), [app.id]);
    }
}

#[test]
fn an_address_that_changes_takes_its_enrollment_along() {
    let mut story = Story::new();
    story.has_email(EMAIL);
    story.begin_email();
    let sent = story.send_enrollment(Channel::Email);
    story.has_email("mallory@example.com");
    let reply = story.confirm(Channel::Email, &sent.code);
    assert_eq!(reply, Reply::Refused(Refusal::NoPendingEnrollment));
}

#[test]
fn a_profile_that_keeps_the_address_keeps_the_factor() {
    let mut story = Story::new();
    let mailbox = story.enroll_email();
    story.has_email(EMAIL);
    assert_eq!(story.audit_types(), ["mfa.user.updated"]);
    let challenge = story.challenge();
    let sent = story.send(challenge, mailbox);
    verified(story.answer(challenge, mailbox, &sent.code));
}

#[test]
fn codes_and_destinations_are_shown_by_nothing() {
    let mut shown = String::new();
    let mut secrets = vec![NUMBER[1..].to_owned(), EMAIL.to_owned()];
    let mut story = Story::new();
    let mut show = |story: &Story, what: &dyn std::fmt::Debug| {
        shown += &format!("{what:?} {:?} {:?}", story.events, story.audit);
    };
    let number = NUMBER.parse().unwrap();
    let begin = Command::BeginSms { number, name: None };
    show(&story, &begin);
    let reply = story.ask(&begin);
    show(&story, &reply);
    for (channel, enroll) in [(Channel::Sms, false), (Channel::Email, true)] {
        if enroll {
            story.has_email(EMAIL);
            show(&story, &());
            story.begin_email();
        }
        let sent = story.send_enrollment(channel);
        secrets.push(sent.code.expose_str().to_owned());
        show(&story, &sent.answer);
        show(&story, &sent.message);
        let code = sent.wrong();
        let wrong = Command::ConfirmMessage { channel, code, name: None, challenge: None };
        show(&story, &wrong);
        let reply = story.ask(&wrong);
        show(&story, &reply);
        let reply = story.confirm(channel, &sent.code);
        show(&story, &reply);
    }
    story.wait_s(30);
    for factor in story.factors() {
        let challenge = story.challenge();
        let sent = story.send(challenge, factor.id);
        secrets.push(sent.code.expose_str().to_owned());
        let proof = Proof::Code { factor: factor.id, code: sent.code.clone() };
        show(&story, &proof);
        let reply = story.answer(challenge, factor.id, &sent.code);
        show(&story, &reply);
    }
    show(&story, &story.state);
    assert_eq!(secrets.len(), 6);
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret} is shown");
    }
}

#[test]
fn a_pending_number_is_never_offered_and_never_answers() {
    let mut story = Story::new();
    story.enroll();
    story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    let purpose = Purpose::Login;
    let create =
        Command::CreateChallenge { purpose, context: Default::default(), device_token: None };
    let Reply::Challenge(answer) = story.ask(&create) else { panic!() };
    let challenge = answer.challenge.unwrap();
    assert!(challenge.factors.iter().all(|factor| factor.factor_type == FactorType::Totp));
    let reply = story.answer(challenge.id, sent.factor, &sent.code);
    assert_eq!(reply, Reply::Refused(Refusal::FactorNotFound));
    let send = Command::SendChallengeCode { challenge: challenge.id, factor: sent.factor };
    assert_eq!(story.refusal(&send), Refusal::FactorNotFound);
}

#[test]
fn an_address_is_sent_to_as_every_mail_server_reads_it() {
    for (address, kept, shown) in [
        ("hoge.@docomo.ne.jp", "\"hoge.\"@docomo.ne.jp", "h•••@docomo.ne.jp"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example", "a•••@bücher.example"),
    ] {
        let mut story = Story::new();
        story.has_email(address);
        assert_eq!(story.begin_email().masked_destination, shown);
        assert_eq!(story.send_enrollment(Channel::Email).message.destination, kept);
    }
}

#[test]
fn an_address_that_cannot_be_mailed_is_told_when_it_is_enrolled() {
    for address in ["jörg@example.com", "a,b@example.com", "a\u{200b}@example.com"] {
        let mut story = Story::new();
        story.has_email(address);
        let refused = story.refusal(&Command::BeginEmail { name: None });
        assert!(matches!(refused, Refusal::Conflict(_)), "{address}: {refused:?}");
        assert!(!refused.to_string().contains(address), "{refused}");
    }
}
