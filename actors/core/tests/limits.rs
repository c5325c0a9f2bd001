//! How much is sent: each limit holds, says truly when it opens, and is told once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::command::Command;
use countersign_core::event::UserEvent;
use countersign_core::message::Channel;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::sending::{Lane, LaneKey};
use countersign_core::time::MINUTE_MS;
use story::{NUMBER, Story};

const SEND: Command = Command::SendEnrollmentCode { channel: Channel::Sms };

fn waiting(number: &str) -> Story {
    let mut story = Story::new();
    story.begin_sms(number);
    story
}

/// The seconds to wait that a refusal names.
fn waits(story: &mut Story, command: &Command) -> i64 {
    match story.refusal(command) {
        Refusal::TooManySends { retry_after_seconds, .. } => retry_after_seconds.cast_signed(),
        other => panic!("{command:?} was refused otherwise: {other:?}"),
    }
}

/// A code can be sent when the refusal says, and not a second earlier.
fn opens_when_it_says(story: &mut Story, command: &Command) -> i64 {
    let seconds = waits(story, command);
    story.wait_s(seconds - 1);
    assert_eq!(waits(story, command), 1);
    story.wait_s(1);
    story.try_send(command).unwrap();
    seconds
}

/// Keeps the enrollment of this number waiting, however long the story gets.
fn again(story: &mut Story) {
    story.begin_sms(NUMBER);
}

#[test]
fn between_two_codes_of_a_factor_there_is_a_pause_that_leaves_no_trace() {
    let mut story = waiting(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    assert_eq!(story.now.seconds_until(sent.answer.resend_available_at), 30);
    story.wait_s(10);
    let seconds = waits(&mut story, &SEND);
    assert_eq!(seconds, 20);
    assert!(story.events.is_empty() && story.audit.is_empty());
    assert_eq!(opens_when_it_says(&mut story, &SEND), 20);
}

#[test]
fn a_code_that_was_used_leaves_no_pause_behind() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let challenge = story.challenge();
    let sent = story.send(challenge, phone);
    assert!(waits(&mut story, &Command::SendChallengeCode { challenge, factor: phone }) > 0);
    story.answer(challenge, phone, &sent.code);
    story.send_in_fresh_challenge(phone);
}

#[test]
fn the_pause_of_one_factor_is_none_of_another() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let mailbox = story.enroll_email();
    let challenge = story.challenge();
    story.send(challenge, phone);
    story.send(challenge, mailbox);
}

#[test]
fn a_user_gets_so_many_codes_in_ten_minutes_over_all_factors() {
    let mut story = Story::new();
    story.tenant.policy.sends.cooldown_seconds = 0;
    let phone = story.enroll_sms();
    let mailbox = story.enroll_email();
    let challenge = story.challenge();
    story.send(challenge, phone);
    story.send(challenge, mailbox);
    let fifth = story.send(challenge, mailbox);
    let command = Command::SendChallengeCode { challenge, factor: phone };
    // The first was sent two minutes ago, to confirm the number.
    assert_eq!(waits(&mut story, &command), 480);
    assert_eq!(story.now.seconds_until(fifth.answer.resend_available_at), 480);
    assert_eq!(story.events, [UserEvent::SendRefused]);
    assert_eq!(story.audit_types(), ["mfa.code.refused"]);
    assert_eq!(story.audit[0].reason.as_deref(), Some("per_ten_minutes"));
    assert_eq!(story.audit[0].challenge_id, Some(challenge));
    for _ in 0..10 {
        waits(&mut story, &command);
        assert!(story.events.is_empty() && story.audit.is_empty(), "one trace for a flood of them");
    }
    story.wait_s(479);
    let challenge = story.challenge();
    let command = Command::SendChallengeCode { challenge, factor: phone };
    assert_eq!(opens_when_it_says(&mut story, &command), 1);
    // The next refusal is told of again, since a code was sent in between.
    waits(&mut story, &command);
    assert_eq!(story.events, [UserEvent::SendRefused]);
}

#[test]
fn a_user_gets_so_many_codes_in_a_day() {
    let mut story = waiting(NUMBER);
    story.tenant.policy.sends.per_day = 3;
    for _ in 0..3 {
        story.send_enrollment(Channel::Sms);
        story.wait_s(3_600);
        again(&mut story);
    }
    let seconds = waits(&mut story, &SEND);
    assert_eq!(seconds, 21 * 3_600);
    assert_eq!(story.audit[0].reason.as_deref(), Some("per_day"));
    story.wait_s(seconds - 1);
    again(&mut story);
    assert_eq!(opens_when_it_says(&mut story, &SEND), 1);
}

#[test]
fn when_two_limits_are_reached_the_longer_wait_is_told() {
    let mut story = waiting(NUMBER);
    story.tenant.policy.sends.per_ten_minutes = 1;
    story.tenant.policy.sends.per_day = 1;
    let sent = story.send_enrollment(Channel::Sms);
    assert_eq!(story.now.seconds_until(sent.answer.resend_available_at), 86_400);
    story.wait_s(30);
    assert_eq!(waits(&mut story, &SEND), 86_370);
}

#[test]
fn neither_erasing_enrollments_nor_a_reset_gives_a_user_more_codes() {
    let mut story = waiting(NUMBER);
    story.tenant.policy.sends.per_ten_minutes = 2;
    for number in ["+14155552672", "+14155552673"] {
        story.begin_sms(number);
        story.send_enrollment(Channel::Sms);
    }
    story.ask(&Command::Reset { reason: None });
    again(&mut story);
    waits(&mut story, &SEND);
    assert_eq!(story.audit[0].reason.as_deref(), Some("per_ten_minutes"));
}

/// Another user of the same tenant who asks for a code to the number.
fn other(user: &str, number: &str, story: &Story) -> Story {
    let mut other = Story {
        tenant: story.tenant.clone(),
        traffics: story.traffics.clone(),
        now: story.now,
        ..Story::of(user)
    };
    other.begin_sms(number);
    other
}

#[test]
fn a_number_gets_so_many_messages_a_day_whoever_asks() {
    let mut story = waiting(NUMBER);
    story.tenant.guards.per_destination_per_day = 2;
    story.send_enrollment(Channel::Sms);
    let mut bob = other("bob", NUMBER, &story);
    bob.send_enrollment(Channel::Sms);
    let mut eve = other("eve", NUMBER, &bob);
    let seconds = waits(&mut eve, &SEND);
    assert_eq!(eve.audit_types(), ["mfa.code.refused", "mfa.alert.send_flood"]);
    for entry in &eve.audit {
        assert_eq!(entry.reason.as_deref(), Some("per_destination"));
        assert!(!format!("{entry:?}").contains(&NUMBER[2..]), "the number is nobody's business");
    }
    assert!(matches!(
        eve.events[..],
        [UserEvent::SendRefused, UserEvent::FloodNoted { key: LaneKey::Destination(_) }]
    ));
    // Another number is another matter.
    other("eve", "+14155552672", &bob).send_enrollment(Channel::Sms);
    eve.wait_s(seconds - 1);
    again(&mut eve);
    assert_eq!(opens_when_it_says(&mut eve, &SEND), 1);
}

#[test]
fn an_address_is_counted_as_one_in_every_spelling() {
    let mut story = Story::new();
    story.tenant.guards.per_destination_per_day = 1;
    story.has_email("ann@example.com");
    story.begin_email();
    story.send_enrollment(Channel::Email);
    let mut bob = Story {
        tenant: story.tenant.clone(),
        traffics: story.traffics.clone(),
        ..Story::of("bob")
    };
    bob.has_email("ANN@Example.com");
    bob.begin_email();
    waits(&mut bob, &Command::SendEnrollmentCode { channel: Channel::Email });
    assert_eq!(bob.audit[0].reason.as_deref(), Some("per_destination"));
}

#[test]
fn a_prefix_gets_so_many_messages_an_hour() {
    let mut story = waiting(NUMBER);
    story.tenant.guards.per_prefix_per_hour = 3;
    for number in 0..3 {
        let mut pumped =
            other(&format!("pumped_{number}"), &format!("+1415555267{number}"), &story);
        pumped.send_enrollment(Channel::Sms);
        story.traffics = pumped.traffics;
    }
    let seconds = waits(&mut story, &SEND);
    let alert = &story.audit[1];
    assert_eq!(alert.event_type, "mfa.alert.send_flood");
    assert_eq!(alert.reason.as_deref(), Some("per_prefix"));
    assert_eq!(alert.details["prefix"], "+1415");
    assert!(alert.details["summary"].starts_with("More messages to numbers of +1415"));
    assert!((3_000..=3_600).contains(&seconds), "an hour in slots of ten minutes: {seconds} s");
    // Numbers of another prefix are not concerned.
    other("abroad", "+447400123456", &story).send_enrollment(Channel::Sms);
    story.wait_s(seconds - 1);
    again(&mut story);
    assert_eq!(opens_when_it_says(&mut story, &SEND), 1);
}

fn lane_of(story: &mut Story) -> Lane {
    let mut probe = other("probe", NUMBER, story);
    probe.send_enrollment(Channel::Sms).lane
}

/// Sends to a prefix, as others would have it, to other numbers than the one at hand.
fn pumped(story: &mut Story, messages: u32, verified: u32) {
    let mut lane = lane_of(story);
    lane.destination = [0xee; 16];
    for _ in 0..messages {
        story.traffics.sent(&lane, story.now);
    }
    for _ in 0..verified {
        story.traffics.verified(&lane, story.now);
    }
}

#[test]
fn sending_to_a_prefix_stops_while_hardly_any_code_is_used() {
    let mut story = waiting(NUMBER);
    pumped(&mut story, 30, 5);
    // Whoever was sent a code just now may still be typing it.
    story.send_enrollment(Channel::Sms);
    story.wait_ms(20 * MINUTE_MS);
    again(&mut story);
    let seconds = waits(&mut story, &SEND);
    assert_eq!(story.audit_types(), ["mfa.code.refused", "mfa.alert.send_flood"]);
    let alert = &story.audit[1];
    assert_eq!(alert.reason.as_deref(), Some("conversion"));
    assert!(alert.details["summary"].starts_with("Of 31 messages to numbers of +1415"));
    assert!(seconds <= 3_600);
    let mut abroad = other("abroad", "+447400123456", &story);
    abroad.send_enrollment(Channel::Sms);
    story.wait_s(seconds - 1);
    again(&mut story);
    assert_eq!(opens_when_it_says(&mut story, &SEND), 1);
}

#[test]
fn sending_to_a_prefix_goes_on_where_codes_are_used_or_too_few_were_sent() {
    for (messages, verified, enabled) in [(29, 0, true), (30, 7, true), (300, 0, false)] {
        let mut story = waiting(NUMBER);
        story.tenant.guards.per_prefix_per_hour = 1_000;
        story.tenant.guards.conversion.enabled = enabled;
        pumped(&mut story, messages, verified);
        story.wait_ms(20 * MINUTE_MS);
        again(&mut story);
        story.send_enrollment(Channel::Sms);
    }
}

#[test]
fn verified_codes_open_a_prefix_again() {
    let mut story = waiting(NUMBER);
    pumped(&mut story, 30, 5);
    story.wait_ms(20 * MINUTE_MS);
    again(&mut story);
    waits(&mut story, &SEND);
    // Somebody who was sent a code before uses it: six of thirty are a fifth.
    let lane = lane_of(&mut Story { now: story.now, ..Story::new() });
    story.traffics.verified(&lane, story.now);
    story.send_enrollment(Channel::Sms);
}

#[test]
fn an_accepted_code_is_counted_where_it_had_been_sent() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let challenge = story.challenge();
    let sent = story.send(challenge, phone);
    story.answer(challenge, phone, &sent.code);
    let spent = story.events.iter().find_map(|event| match event {
        UserEvent::CodeSpent { factor, delivery, lane } => Some((*factor, *delivery, lane.clone())),
        _ => None,
    });
    assert_eq!(spent, Some((phone, sent.delivery, sent.lane.clone())));
    use countersign_core::context::TrafficCounter;
    let counted = story.traffics.traffic(&sent.lane, story.now).prefix;
    assert_eq!((counted.sent_hour, counted.verified_hour), (2, 2));
}

#[test]
fn a_tenant_sends_so_many_messages_a_day_through_each_channel() {
    let mut story = waiting(NUMBER);
    story.tenant.guards.per_tenant_per_day = 1;
    other("bob", "+447400123456", &story).send_enrollment(Channel::Sms);
    let mut bob = other("bob", "+447400123456", &story);
    bob.send_enrollment(Channel::Sms);
    story.traffics = bob.traffics;
    let seconds = waits(&mut story, &SEND);
    assert_eq!(story.audit[1].reason.as_deref(), Some("per_tenant"));
    assert!(matches!(
        story.events[1],
        UserEvent::FloodNoted { key: LaneKey::Tenant(Channel::Sms) }
    ));
    // Emails are counted by themselves.
    story.has_email(story::EMAIL);
    story.begin_email();
    story.send_enrollment(Channel::Email);
    story.wait_s(seconds - 1);
    again(&mut story);
    assert_eq!(opens_when_it_says(&mut story, &SEND), 1);
}

#[test]
fn a_flood_is_told_once_an_hour_and_not_at_all_if_the_tenant_does_not_care() {
    let mut story = waiting(NUMBER);
    story.tenant.guards.per_destination_per_day = 1;
    story.send_enrollment(Channel::Sms);
    story.wait_s(60);
    waits(&mut story, &SEND);
    assert!(story.audit_types().contains(&"mfa.alert.send_flood"));
    let mut bob = other("bob", NUMBER, &story);
    waits(&mut bob, &SEND);
    assert_eq!(bob.audit_types(), ["mfa.code.refused"]);
    bob.wait_s(3_600);
    bob.begin_sms(NUMBER);
    waits(&mut bob, &SEND);
    assert_eq!(bob.audit_types(), ["mfa.alert.send_flood"], "though the refusal was noted before");
    let mut eve = other("eve", NUMBER, &bob);
    eve.wait_s(3_600);
    eve.begin_sms(NUMBER);
    eve.tenant.alerts.send_floods = false;
    waits(&mut eve, &SEND);
    assert_eq!(eve.audit_types(), ["mfa.code.refused"]);
    assert_eq!(eve.events, [UserEvent::SendRefused]);
}

fn codes(countries: &[&str]) -> std::collections::BTreeSet<String> {
    countries.iter().map(|country| (*country).to_owned()).collect()
}

#[test]
fn numbers_of_countries_that_are_not_allowed_are_refused_at_the_beginning_and_at_each_code() {
    let refused = Refusal::CountryNotAllowed("GB (+44)".to_owned());
    let begin = |number: &str| Command::BeginSms { number: number.parse().unwrap(), name: None };
    for (allowed, blocked) in [(codes(&["US"]), codes(&[])), (codes(&["GB"]), codes(&["GB"]))] {
        let mut story = Story::new();
        story.begin_sms("+447400123456");
        story.tenant.guards.allowed_countries = allowed;
        story.tenant.guards.blocked_countries = blocked;
        assert_eq!(story.refusal(&SEND), refused);
        assert_eq!(story.events, [UserEvent::SendRefused]);
        assert_eq!(story.audit_types(), ["mfa.code.refused"]);
        assert_eq!(story.audit[0].reason.as_deref(), Some("country"));
        assert_eq!(story.refusal(&begin("+447400123457")), refused);
        assert!(story.events.is_empty());
        // A user never seen does not come into being by a refusal.
        let mut stranger = Story { tenant: story.tenant.clone(), ..Story::of("stranger") };
        assert_eq!(stranger.refusal(&begin("+447400123457")), refused);
        assert!(stranger.events.is_empty() && !stranger.state.exists());
    }
    let mut story = Story::new();
    story.tenant.guards.blocked_countries = codes(&["GB"]);
    story.begin_sms(NUMBER);
    story.send_enrollment(Channel::Sms);
}

#[test]
fn a_calling_code_stands_for_every_country_that_has_it() {
    // +44 7911 is of Guernsey.
    let (guernsey, britain) = ("+447911123456", "+447400123456");
    let begin = |number: &str| Command::BeginSms { number: number.parse().unwrap(), name: None };
    let mut story = Story::new();
    story.tenant.guards.allowed_countries = codes(&["GB"]);
    let refusal = story.refusal(&begin(guernsey));
    assert_eq!(refusal, Refusal::CountryNotAllowed("GG (+44)".to_owned()));
    assert!(refusal.to_string().contains("or all of them by the calling code"), "{refusal}");
    story.tenant.guards.allowed_countries = codes(&["+44"]);
    story.begin_sms(guernsey);
    story.begin_sms(britain);
    assert!(matches!(story.refusal(&begin(NUMBER)), Refusal::CountryNotAllowed(_)));
    story.tenant.guards.allowed_countries = codes(&[]);
    story.tenant.guards.blocked_countries = codes(&["+44"]);
    assert!(matches!(story.refusal(&begin(guernsey)), Refusal::CountryNotAllowed(_)));
    assert!(matches!(story.refusal(&begin(britain)), Refusal::CountryNotAllowed(_)));
    story.begin_sms(NUMBER);
}

#[test]
fn limits_are_judged_in_the_order_of_the_contract() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let challenge = story.challenge();
    let sent = story.send(challenge, phone);
    let command = Command::SendChallengeCode { challenge, factor: phone };
    story.tenant.policy.sends.per_ten_minutes = 1;
    story.tenant.guards.per_destination_per_day = 1;
    story.tenant.guards.per_prefix_per_hour = 1;
    story.tenant.guards.per_tenant_per_day = 1;
    story.tenant.guards.blocked_countries = codes(&["US"]);
    story.tenant.policy.lockout.max_attempts = 1;
    story.answer(challenge, phone, &sent.wrong());

    let word = |story: &mut Story| {
        story.state.sends.refusal_noted = false;
        let refusal = story.refusal(&command);
        let reason = story.audit.first().and_then(|entry| entry.reason.clone());
        (refusal, reason.unwrap_or_default())
    };
    assert!(matches!(word(&mut story).0, Refusal::TooManyAttempts { .. }));
    story.ask(&Command::Unlock);
    assert!(matches!(word(&mut story).0, Refusal::CountryNotAllowed(_)));
    story.tenant.guards.blocked_countries = codes(&[]);
    assert_eq!(word(&mut story).1, "", "the pause between two codes");
    story.wait_s(30);
    assert_eq!(word(&mut story).1, "per_ten_minutes");
    story.tenant.policy.sends.per_ten_minutes = 9;
    assert_eq!(word(&mut story).1, "per_destination");
    story.tenant.guards.per_destination_per_day = 9;
    assert_eq!(word(&mut story).1, "per_prefix");
    story.tenant.guards.per_prefix_per_hour = 9;
    assert_eq!(word(&mut story).1, "per_tenant");
    story.tenant.guards.per_tenant_per_day = 9;
    assert!(matches!(story.ask(&command), Reply::CodeSent(_)));
}

/// An enrollment of a number that was taken before, under other plans.
fn enrolled_before(number: &str) -> Story {
    let mut story = waiting(NUMBER);
    let to = story.state.pending[0].kind.message_mut().unwrap();
    to.destination = number.to_owned();
    story
}

#[test]
fn a_number_that_no_plan_knows_any_more_is_judged_by_its_calling_code() {
    let mut story = enrolled_before("+11111111111");
    let sent = story.send_enrollment(Channel::Sms);
    assert_eq!(sent.lane.prefix.as_deref(), Some("+1111"), "it is counted");
    story.wait_s(30);
    for (allowed, blocked, is_sent) in [
        (codes(&["US"]), codes(&[]), false),
        (codes(&["+1"]), codes(&[]), true),
        (codes(&[]), codes(&["GB"]), true),
        (codes(&[]), codes(&["CA"]), false),
        (codes(&[]), codes(&["+1"]), false),
    ] {
        let mut story = enrolled_before("+11111111111");
        story.tenant.guards.allowed_countries = allowed;
        story.tenant.guards.blocked_countries = blocked;
        match story.ask(&SEND) {
            Reply::CodeSent(_) => assert!(is_sent),
            Reply::Refused(Refusal::CountryNotAllowed(_)) => assert!(!is_sent),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_number_that_would_not_be_taken_now_is_sent_nothing_any_more() {
    for (number, words) in [
        ("+447012345678", "a personal (follow-me) number"),
        ("+448001234567", "a toll-free number"),
        ("+19005552671", "a premium-rate number"),
        ("+881612345678", "belongs to no country"),
    ] {
        let mut story = enrolled_before(number);
        let Refusal::Invalid { pointer, detail } = story.refusal(&SEND) else { panic!("{number}") };
        assert_eq!(pointer, "/phoneNumber");
        assert!(detail.contains(words), "{detail}");
        assert_eq!(story.audit_types(), ["mfa.code.refused"]);
        assert_eq!(story.audit[0].reason.as_deref(), Some("number"));
    }
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let challenge = story.challenge();
    story.state.factors[0].kind.message_mut().unwrap().destination = "+447012345678".to_owned();
    let refusal = story.refusal(&Command::SendChallengeCode { challenge, factor: phone });
    assert!(matches!(refusal, Refusal::Invalid { pointer, .. } if pointer == "/factorId"));
}
