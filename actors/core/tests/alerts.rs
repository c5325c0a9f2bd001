//! What is odd is told: at its threshold, once, with a reason that machines know and a sentence that
//! people read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use std::net::IpAddr;

use countersign_core::alerts::{
    ADDRESS_FAILURES, BRUTE_FORCE, POSSIBLE_RELAY, PREFIX, Pressure, RECOVERY_CODES, RESET_BURST,
    RISKY_ENROLLMENT, SEND_FLOOD,
};
use countersign_core::audit::AuditEntry;
use countersign_core::command::{Command, Proof};
use countersign_core::ids::ChallengeId;
use countersign_core::message::Channel;
use countersign_core::policy::Requirement;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_core::time::{DAY_MS, HOUR_MS};
use story::{App, EMAIL, NUMBER, Story};

const HERE: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.9";

fn challenge_from(story: &mut Story, address: &str) -> ChallengeId {
    let ip_address: Option<IpAddr> = address.parse().ok();
    let context = LoginContext { ip_address, ..LoginContext::default() };
    story.login_from(context, None).challenge.unwrap().id
}

/// The alerts of the last decision.
fn alerts(story: &Story) -> Vec<&AuditEntry> {
    story.audit.iter().filter(|entry| entry.event_type.starts_with(PREFIX)).collect()
}

fn alert<'a>(story: &'a Story, event_type: &str) -> Option<&'a AuditEntry> {
    alerts(story).into_iter().find(|entry| entry.event_type == event_type)
}

fn guess(story: &mut Story, app: &App, address: &str) {
    let challenge = challenge_from(story, address);
    let wrong = app.wrong_code(story.now);
    let reply = story.verify(challenge, app, wrong);
    assert!(matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })), "{reply:?}");
}

/// Logs in with an app's code from one address, and sends the code again from another.
fn relayed(first: &str, second: &str) -> Story {
    let mut story = Story::new();
    let app = story.enroll();
    let code = app.code(story.now);
    let challenge = challenge_from(&mut story, first);
    assert!(matches!(story.verify(challenge, &app, code.clone()), Reply::Verified(_)));
    let challenge = challenge_from(&mut story, second);
    let reply = story.verify(challenge, &app, code);
    assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
    story
}

#[test]
fn a_spent_code_from_elsewhere_is_a_possible_relay() {
    for (first, second) in [(HERE, ELSEWHERE), (HERE, ""), ("", HERE), ("", "")] {
        let story = relayed(first, second);
        let relay = alert(&story, POSSIBLE_RELAY).unwrap();
        assert_eq!(relay.reason.as_deref(), Some("code_already_used"));
        assert_eq!(relay.ip_address, second.parse().ok());
        assert!(relay.challenge_id.is_some() && relay.factor_id.is_some());
        let known = relay.details["summary"].contains("from another address");
        assert_eq!(known, !first.is_empty() && !second.is_empty());
    }
}

#[test]
fn a_form_that_is_sent_twice_is_no_relay() {
    for second in [HERE, "::ffff:203.0.113.7"] {
        let story = relayed(HERE, second);
        assert_eq!(story.audit_types(), ["mfa.challenge.failed"]);
        assert_eq!(story.audit[0].reason.as_deref(), Some("code_already_used"));
    }
}

#[test]
fn a_form_that_is_sent_twice_is_no_relay_wherever_it_comes_from() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let code = app.code(story.now);
    story.verified(challenge, &app);
    let reply = story.verify(challenge, &app, code.clone());
    assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
    assert_eq!(story.audit_types(), ["mfa.challenge.failed"]);
    // The same code for another login is another thing.
    let other = story.challenge();
    story.verify(other, &app, code);
    assert!(alert(&story, POSSIBLE_RELAY).is_some());
}

#[test]
fn two_addresses_of_one_network_are_one_place() {
    for (first, second) in [
        ("2001:db8:1:2::1", "2001:db8:1:2:aaaa::2"),
        ("203.0.113.7", "64:ff9b::203.0.113.7"),
        ("203.0.113.7", "2002:cb00:7107::1"),
    ] {
        let story = relayed(first, second);
        assert_eq!(story.audit_types(), ["mfa.challenge.failed"], "{first} {second}");
    }
    assert!(alert(&relayed("2001:db8:1:2::1", "2001:db8:1:3::1"), POSSIBLE_RELAY).is_some());
}

#[test]
fn a_spent_code_that_was_sent_and_a_spent_recovery_code_are_told_likewise() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let recovery = story.recovery_codes().remove(0);
    let challenge = challenge_from(&mut story, HERE);
    let sent = story.send(challenge, phone);
    story.answer(challenge, phone, &sent.code);
    for (address, told) in [(HERE, false), (ELSEWHERE, true)] {
        let challenge = challenge_from(&mut story, address);
        let reply = story.answer(challenge, phone, &sent.code);
        assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
        assert_eq!(alert(&story, POSSIBLE_RELAY).is_some(), told);
    }
    let recover = |story: &mut Story, address: &str, code: &Secret| {
        let challenge = challenge_from(story, address);
        let proof = Proof::RecoveryCode(code.clone());
        story.ask(&Command::Verify { challenge, proof, remember_device: None })
    };
    assert!(matches!(recover(&mut story, HERE, &recovery), Reply::Verified(_)));
    for (address, told) in [(HERE, false), (ELSEWHERE, true)] {
        let reply = recover(&mut story, address, &recovery);
        assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
        assert_eq!(alert(&story, POSSIBLE_RELAY).is_some(), told);
    }
    // Outside a challenge nobody says where it comes from.
    story.ask(&Command::UseRecoveryCode { code: recovery });
    assert!(alert(&story, POSSIBLE_RELAY).is_some());
}

#[test]
fn a_code_that_was_accepted_where_no_address_was_told_is_not_taken_for_an_earlier_logins() {
    // Logged in from here, then enrolled another app: where that was done nobody said.
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = challenge_from(&mut story, HERE);
    story.verified(challenge, &app);
    let begun = story.begin(Default::default());
    let second = App { id: begun.factor_id, secret: begun.secret, parameters: begun.parameters };
    let code = second.code(story.now);
    story.ask(&Command::ConfirmTotp { code: code.clone(), name: None, challenge: None });
    let challenge = challenge_from(&mut story, HERE);
    story.verify(challenge, &second, code);
    assert!(alert(&story, POSSIBLE_RELAY).is_some());
}

#[test]
fn wrong_codes_of_one_user_are_told_at_the_threshold_and_at_the_hard_limit() {
    let mut story = Story::new();
    story.tenant.policy.lockout.max_attempts = 100;
    story.tenant.policy.lockout.hard_limit = 12;
    let app = story.enroll();
    for failed in 1..=12 {
        guess(&mut story, &app, HERE);
        let told = alert(&story, BRUTE_FORCE);
        match failed {
            10 => assert_eq!(told.unwrap().reason.as_deref(), Some("many_attempts")),
            12 => assert_eq!(told.unwrap().reason.as_deref(), Some("hard_limit")),
            _ => assert_eq!(told, None, "{failed}"),
        }
        if let Some(told) = told {
            assert_eq!(told.details["failedAttempts"], failed.to_string());
            let begins = format!("{failed} wrong codes in a row were entered for one user");
            assert!(told.details["summary"].starts_with(&begins));
            assert_eq!(told.ip_address, HERE.parse().ok());
        }
    }
}

#[test]
fn one_address_that_fails_for_many_users_is_told_once() {
    let mut story = Story::new();
    story.tenant.policy.lockout.max_attempts = 100;
    let app = story.enroll();
    let pressure = |other_users_failing, address_told| Pressure {
        other_users_failing,
        address_told,
        ..Pressure::default()
    };
    story.pressure = pressure(8, false);
    guess(&mut story, &app, HERE);
    assert_eq!(alert(&story, ADDRESS_FAILURES), None, "nine users");
    story.pressure = pressure(9, false);
    guess(&mut story, &app, HERE);
    let told = alert(&story, ADDRESS_FAILURES).unwrap();
    assert_eq!(told.reason.as_deref(), Some("many_users"));
    assert_eq!((told.ip_address, told.details["users"].as_str()), (HERE.parse().ok(), "10"));
    assert!(told.details["summary"].contains("for 10 users"));
    let counted = story.audit.iter().filter(|entry| entry.is_failed_verification()).count();
    assert_eq!(counted, 1, "an alert is not a wrong code more");
    story.pressure = pressure(40, true);
    guess(&mut story, &app, HERE);
    assert_eq!(alert(&story, ADDRESS_FAILURES), None, "told within the hour");
    story.pressure = pressure(40, false);
    guess(&mut story, &app, "");
    assert_eq!(alert(&story, ADDRESS_FAILURES), None, "nobody said from where");
}

#[test]
fn many_recovery_codes_within_a_day_are_told_once() {
    let mut story = Story::new();
    story.enroll();
    let codes = story.recovery_codes();
    for (used, code) in (1..).zip(codes.iter().take(4)) {
        if used == 3 {
            let challenge = challenge_from(&mut story, HERE);
            let proof = Proof::RecoveryCode(code.clone());
            story.ask(&Command::Verify { challenge, proof, remember_device: None });
            let told = alert(&story, RECOVERY_CODES).unwrap();
            assert_eq!(told.reason.as_deref(), Some("many_recovery_codes"));
            assert_eq!((told.challenge_id, told.ip_address), (Some(challenge), HERE.parse().ok()));
            assert_eq!(told.details["used"], "3");
            assert!(told.details["summary"].starts_with("One user used 3 recovery codes"));
        } else {
            story.ask(&Command::UseRecoveryCode { code: code.clone() });
            assert_eq!(alert(&story, RECOVERY_CODES), None, "{used}");
        }
    }
    // A day later they count no more.
    let mut slow = Story::new();
    let codes = slow.recovery_codes();
    for code in &codes[..6] {
        slow.ask(&Command::UseRecoveryCode { code: code.clone() });
        assert_eq!(alert(&slow, RECOVERY_CODES), None);
        slow.wait_ms(DAY_MS / 2);
    }
}

#[test]
fn a_burst_of_resets_with_one_key_is_told_once() {
    let mut story = Story::new();
    let mut reset = |resets, resets_told| {
        story.has_email(EMAIL);
        story.pressure = Pressure { resets, resets_told, ..Pressure::default() };
        story.ask(&Command::Reset { reason: Some("lost phone of Ann".to_owned()) });
        alert(&story, RESET_BURST).cloned()
    };
    assert_eq!(reset(18, false), None);
    let told = reset(19, false).unwrap();
    assert_eq!(told.reason.as_deref(), Some("many_resets"));
    assert_eq!((told.details["resets"].as_str(), told.actor), ("20", Some(story::ACTOR)));
    assert!(!told.reason_is_personal() && !format!("{told:?}").contains("Ann"));
    assert_eq!(reset(25, true), None);
    assert!(reset(25, false).is_some(), "an hour later it goes on");
}

#[test]
fn a_risky_enrollment_is_told_with_what_was_risky() {
    let mut story = Story::requiring(Requirement::RiskBased);
    let challenge = challenge_from(&mut story, HERE);
    story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    story.ask(&Command::ConfirmMessage {
        channel: Channel::Sms,
        code: sent.code,
        name: None,
        challenge: Some(challenge),
    });
    let told = alert(&story, RISKY_ENROLLMENT).unwrap();
    assert_eq!(told.reason.as_deref(), Some("enrolled"));
    assert_eq!(told.details["triggers"], "NEW_DEVICE");
    assert!(told.details["summary"].contains("NEW_DEVICE"));
}

#[test]
fn a_threshold_of_zero_switches_its_alert_off() {
    let mut story = Story::new();
    let settings = &mut story.tenant.alerts;
    settings.brute_force_attempts = 0;
    settings.address_users = 0;
    settings.recovery_codes_per_day = 0;
    settings.resets_per_hour = 0;
    settings.relays = false;
    settings.send_floods = false;
    story.tenant.policy.lockout.max_attempts = 1_000;
    story.tenant.policy.lockout.hard_limit = 1_000;
    story.tenant.guards.per_destination_per_day = 1;
    let app = story.enroll();
    let codes = story.recovery_codes();
    let quiet = |story: &Story| assert_eq!(alerts(story), Vec::<&AuditEntry>::new());
    story.pressure = Pressure {
        other_users_failing: 1_000,
        address_told: false,
        resets: 1_000,
        resets_told: false,
    };
    for _ in 0..20 {
        guess(&mut story, &app, HERE);
        quiet(&story);
    }
    for code in &codes[..5] {
        story.ask(&Command::UseRecoveryCode { code: code.clone() });
        quiet(&story);
    }
    story.ask(&Command::UseRecoveryCode { code: codes[0].clone() });
    assert_eq!(story.audit_types(), ["mfa.recovery_code.failed"]);
    story.enroll_sms();
    story.begin_sms("+14155552672");
    let sent = story.send_enrollment(Channel::Sms);
    assert_eq!(sent.message.destination, "+14155552672");
    story.wait_s(30);
    story.try_send(&Command::SendEnrollmentCode { channel: Channel::Sms }).unwrap_err();
    quiet(&story);
    story.ask(&Command::Reset { reason: None });
    quiet(&story);
}

#[test]
fn every_alert_has_a_word_and_a_sentence_that_names_nobody() {
    let mut told: Vec<AuditEntry> = Vec::new();
    let mut keep = |story: &Story| told.extend(alerts(story).into_iter().cloned());
    keep(&relayed(HERE, ELSEWHERE));
    let mut story = Story::of("ann@example.com");
    story.tenant.alerts.brute_force_attempts = 1;
    story.tenant.alerts.address_users = 1;
    story.tenant.alerts.recovery_codes_per_day = 1;
    story.tenant.alerts.resets_per_hour = 1;
    story.tenant.guards.per_destination_per_day = 1;
    story.enroll_email();
    story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    story.wait_s(30);
    story.try_send(&Command::SendEnrollmentCode { channel: Channel::Sms }).unwrap_err();
    keep(&story);
    story.confirm(Channel::Sms, &sent.code);
    let app = story.enroll();
    guess(&mut story, &app, HERE);
    keep(&story);
    let code = story.recovery_codes().remove(0);
    story.ask(&Command::UseRecoveryCode { code });
    keep(&story);
    story.wait_ms(HOUR_MS);
    story.ask(&Command::Reset { reason: Some("for Ann".to_owned()) });
    keep(&story);

    let mut types: Vec<&str> = told.iter().map(|entry| entry.event_type.as_str()).collect();
    types.sort_unstable();
    let expected =
        [ADDRESS_FAILURES, BRUTE_FORCE, POSSIBLE_RELAY, RECOVERY_CODES, RESET_BURST, SEND_FLOOD];
    assert_eq!(types, expected);
    for entry in told {
        let reason = entry.reason.as_deref().unwrap();
        let stable = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(reason.chars().all(stable), "{reason}");
        assert!(entry.details["summary"].ends_with('.'));
        let details = format!("{:?}", entry.details);
        for personal in [HERE, ELSEWHERE, EMAIL, "Ann", "ann@", &NUMBER[1..]] {
            assert!(!details.contains(personal), "{personal} in {details}");
        }
    }
}
