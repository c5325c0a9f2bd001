//! Somebody with the password opens challenges; the owner's login goes on.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::challenge::{
    CHALLENGE_LIFETIME_MS, CHALLENGES_KEPT, CHALLENGES_OPEN, Purpose,
};
use countersign_core::command::Command;
use countersign_core::ids::ChallengeId;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use story::{App, Story};

const HOME: &str = "203.0.113.7";

fn from(address: &str) -> LoginContext {
    LoginContext { ip_address: address.parse().ok(), ..LoginContext::default() }
}

fn try_open(story: &mut Story, context: LoginContext) -> Result<ChallengeId, Refusal> {
    let ask = Command::CreateChallenge { purpose: Purpose::Login, context, device_token: None };
    match story.ask(&ask) {
        Reply::Challenge(answer) => Ok(answer.challenge.unwrap().id),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("no challenge: {other:?}"),
    }
}

fn is_crowded(refused: &Result<ChallengeId, Refusal>) -> bool {
    matches!(refused, Err(Refusal::TooManyOpen { retry_after_seconds: 1..=300, .. }))
}

fn begun(context: LoginContext) -> (Story, App, ChallengeId) {
    let mut story = Story::new();
    let app = story.enroll();
    let own = try_open(&mut story, context).unwrap();
    (story, app, own)
}

#[test]
fn a_flood_from_one_address_ends_no_login_from_another() {
    let (mut story, app, own) = begun(from(HOME));
    for _ in 0..10 * CHALLENGES_OPEN {
        let _ = try_open(&mut story, from("198.51.100.66"));
    }
    assert!(story.state.challenges.len() <= CHALLENGES_KEPT);
    story.verified(own, &app);
}

#[test]
fn a_flood_from_one_ipv6_network_ends_no_login_from_another() {
    let (mut story, app, own) = begun(from(HOME));
    for host in 0..10 * CHALLENGES_OPEN {
        let _ = try_open(&mut story, from(&format!("2001:db8:1:2::{host:x}")));
    }
    story.verified(own, &app);
}

#[test]
fn a_flood_from_many_addresses_ends_no_login_and_a_known_browser_finds_room() {
    let laptop = LoginContext { device_id: Some("laptop".to_owned()), ..from(HOME) };
    let (mut story, app, first) = begun(laptop.clone());
    story.verified(first, &app);
    story.wait_s(30);
    let own = try_open(&mut story, from("203.0.113.99")).unwrap();
    for number in 0..10 * CHALLENGES_OPEN {
        let _ = try_open(&mut story, from(&format!("198.51.{}.{}", number / 256, number % 256)));
    }
    assert!(is_crowded(&try_open(&mut story, from("192.0.2.1"))));
    let known = try_open(&mut story, laptop).unwrap();
    story.verified(known, &app);
    story.wait_s(30);
    story.verified(own, &app);
}

#[test]
fn without_addresses_a_flood_has_to_wait_and_ends_no_login() {
    let (mut story, app, own) = begun(LoginContext::default());
    for _ in 1..CHALLENGES_OPEN {
        try_open(&mut story, LoginContext::default()).unwrap();
    }
    let refused = try_open(&mut story, LoginContext::default());
    assert!(is_crowded(&refused), "{refused:?}");
    assert_eq!(story.audit_types(), ["mfa.challenge.refused"]);
    assert!(story.events.is_empty());
    // Who tells an address finds room, not at the cost of the login that was begun first.
    try_open(&mut story, from(HOME)).unwrap();
    story.verified(own, &app);
    story.wait_ms(CHALLENGE_LIFETIME_MS);
    let fresh = try_open(&mut story, LoginContext::default()).unwrap();
    story.verified(fresh, &app);
}

#[test]
fn a_challenge_that_made_room_tells_that_it_failed() {
    let (mut story, _, _) = begun(from(HOME));
    let flood: Vec<_> = (1..CHALLENGES_OPEN)
        .map(|_| try_open(&mut story, from("198.51.100.66")).unwrap())
        .collect();
    try_open(&mut story, from(HOME)).unwrap();
    assert!(!story.state.challenge(flood[0]).unwrap().is_open(story.now));
    assert!(story.state.challenge(flood[1]).unwrap().is_open(story.now));
}
