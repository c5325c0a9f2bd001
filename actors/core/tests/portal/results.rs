//! What comes back to the application.

use std::net::IpAddr;

use countersign_core::challenge::CHALLENGE_LIFETIME_MS;
use countersign_core::command::{Command, Proof, RememberDevice};
use countersign_core::device;
use countersign_core::ids::{ChallengeId, PortalId};
use countersign_core::policy::Requirement;
use countersign_core::portal::{PortalPurpose, PortalReply, RESULT_LIFETIME_MS};
use countersign_core::reply::{Acr, Amr, Reason, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;

use crate::browser::{Browser, assert_fetches_nothing, code_answer, fetch, sent};
use crate::story::{App, Story, secret};

/// Signs in over the pages: the browser, and the code that it brings back.
fn signed_in(story: &mut Story, app: &App, remember: bool) -> (Browser, ChallengeId, Secret) {
    let context = LoginContext {
        ip_address: Some(IpAddr::from([203, 0, 113, 7])),
        user_agent: Some("Browser/1".to_owned()),
        ..LoginContext::default()
    };
    let challenge = story.login_from(context, None).challenge.unwrap().id;
    let browser = sent(story, PortalPurpose::Challenge, Some(challenge));
    let proof = Proof::Code { factor: app.id, code: app.code(story.now) };
    let remember_device = remember.then(RememberDevice::default);
    let reply = browser.act(story, Command::Verify { challenge, proof, remember_device });
    story.wait_s(60);
    (browser, challenge, code_of(reply))
}

fn code_of(reply: Reply) -> Secret {
    let Reply::Portal(reply) = reply else { panic!("{reply:?}") };
    let PortalReply::Ended { code, .. } = *reply else { panic!("{reply:?}") };
    code
}

#[test]
fn an_answered_challenge_gives_its_tokens_to_whoever_fetches_them() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, challenge, code) = signed_in(&mut story, &app, false);
    let outcome = fetch(&mut story, browser.portal, &code);
    assert!(!outcome.cancelled);
    assert_eq!(outcome.user, story.key.user);
    assert_eq!(outcome.challenge, Some(challenge));
    assert_eq!(outcome.factor, Some(app.id));
    assert_eq!(outcome.device_token, None);
    let tokens = outcome.tokens.unwrap();
    assert_eq!(tokens.acr, Acr::Aal2);
    assert_eq!(tokens.amr, [Amr::Pwd, Amr::Otp, Amr::Mfa]);
    assert_eq!(tokens.subject, story.key.user);
    assert_eq!(story.audit_types(), ["mfa.portal.fetched"]);
}

#[test]
fn a_code_fetches_once() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    fetch(&mut story, browser.portal, &code);
    assert_fetches_nothing(&mut story, browser.portal, &code);
    assert_eq!(story.state.devices.len(), 1);
}

#[test]
fn a_code_fetches_within_five_minutes_or_never() {
    let mut story = Story::new();
    for (wait_ms, fetches) in [(RESULT_LIFETIME_MS - 1, true), (RESULT_LIFETIME_MS, false)] {
        let browser = sent(&mut story, PortalPurpose::Manage, None);
        let code = browser.finish(&mut story, false);
        story.wait_ms(wait_ms);
        if fetches {
            fetch(&mut story, browser.portal, &code);
        } else {
            assert_fetches_nothing(&mut story, browser.portal, &code);
        }
    }
}

#[test]
fn nothing_fetches_but_the_code() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, false);
    let (other, _, others) = signed_in(&mut story, &app, false);
    assert_fetches_nothing(&mut story, browser.portal, &secret(""));
    assert_fetches_nothing(&mut story, browser.portal, &others);
    assert_fetches_nothing(&mut story, other.portal, &code);
    assert_fetches_nothing(&mut story, PortalId::from_bytes([9; 16]), &code);
    // The link's and the browser's own secrets are others, as is a session that is still open.
    let open = sent(&mut story, PortalPurpose::Manage, None);
    assert_fetches_nothing(&mut story, open.portal, &code);
    fetch(&mut story, browser.portal, &code);
    fetch(&mut story, other.portal, &others);
}

#[test]
fn a_browser_is_remembered_from_the_moment_that_its_token_is_fetched() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    assert!(story.state.devices.is_empty(), "no token was made, so nothing is trusted");
    let outcome = fetch(&mut story, browser.portal, &code);
    assert_eq!(story.audit_types(), ["mfa.portal.fetched", "mfa.device.trusted"]);
    let token = outcome.device_token.unwrap();
    let trusted = &story.state.devices[0];
    assert_eq!(trusted.token_hash, device::token_hash(token.expose_str()));
    assert_eq!(trusted.user_agent.as_deref(), Some("Browser/1"));
    assert_eq!(outcome.device_token_expires_at, Some(trusted.expires_at));
    let answer = story.login_from(LoginContext::default(), Some(token));
    assert_eq!(answer.reason, Reason::TrustedDevice);
}

#[test]
fn a_password_that_changed_meanwhile_leaves_nothing_to_fetch() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    story.ask(&Command::PasswordChanged { changed_at: None });
    assert_fetches_nothing(&mut story, browser.portal, &code);
}

#[test]
fn a_policy_that_trusts_no_browsers_any_more_gives_no_device_token() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    story.tenant.policy.trusted_devices.enabled = false;
    let outcome = fetch(&mut story, browser.portal, &code);
    assert!(outcome.tokens.is_some() && outcome.device_token.is_none());
    assert!(story.state.devices.is_empty());
}

#[test]
fn a_factor_that_was_removed_meanwhile_leaves_nothing_to_fetch() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    story.ask(&Command::RemoveFactor { id: app.id });
    assert_fetches_nothing(&mut story, browser.portal, &code);
}

#[test]
fn a_reset_leaves_nothing_to_fetch_and_no_session() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    let open = sent(&mut story, PortalPurpose::Manage, None);
    story.ask(&Command::Reset { reason: None });
    assert_fetches_nothing(&mut story, browser.portal, &code);
    assert!(open.view(&story).is_err());
}

#[test]
fn an_erased_user_leaves_nothing_to_fetch() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, false);
    story.ask(&Command::Erase);
    assert_fetches_nothing(&mut story, browser.portal, &code);
}

#[test]
fn whoever_gives_up_brings_back_nothing_but_that() {
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(challenge));
    let wrong = app.wrong_code(story.now);
    browser.act(&mut story, code_answer(challenge, &app, wrong));
    let code = browser.finish(&mut story, true);
    let outcome = fetch(&mut story, browser.portal, &code);
    assert!(outcome.cancelled && outcome.tokens.is_none() && outcome.factor.is_none());
}

#[test]
fn a_challenge_that_was_not_answered_is_never_completed_whatever_the_browser_says() {
    let mut story = Story::new();
    story.enroll();
    let challenge = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(challenge));
    let code = browser.finish(&mut story, false);
    let outcome = fetch(&mut story, browser.portal, &code);
    assert!(outcome.cancelled && outcome.tokens.is_none());
    // Nor an enrollment without a factor.
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let code = browser.finish(&mut story, false);
    assert!(fetch(&mut story, browser.portal, &code).cancelled);
}

#[test]
fn an_enrollment_outside_a_login_names_its_factor_and_gives_no_token() {
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let app = browser.enroll(&mut story, None);
    let code = browser.finish(&mut story, false);
    let outcome = fetch(&mut story, browser.portal, &code);
    assert!(!outcome.cancelled);
    assert_eq!((outcome.factor, outcome.tokens), (Some(app.id), None));
}

#[test]
fn an_enrollment_that_outlived_its_challenge_does_not_complete_it() {
    let mut story = Story::requiring(Requirement::Required);
    story.tenant.policy.grace_period.value = 0;
    let challenge = story.challenge();
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(challenge));
    story.wait_ms(CHALLENGE_LIFETIME_MS);
    let app = browser.enroll(&mut story, None);
    let code = browser.finish(&mut story, false);
    let outcome = fetch(&mut story, browser.portal, &code);
    assert!(outcome.cancelled && outcome.tokens.is_none());
    assert_eq!(outcome.factor, Some(app.id));
}

#[test]
fn what_was_enrolled_was_enrolled_whichever_button_came_last() {
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    browser.enroll(&mut story, None);
    let code = browser.finish(&mut story, true);
    assert!(!fetch(&mut story, browser.portal, &code).cancelled);
}

#[test]
fn no_token_lies_in_state_while_a_result_waits() {
    let mut story = Story::new();
    let app = story.enroll();
    let (browser, _, code) = signed_in(&mut story, &app, true);
    let before = story.state.clone();
    let first = fetch(&mut story, browser.portal, &code);
    // What is fetched is made by the commit that fetches: fetched in another world, it is another.
    let mut elsewhere = Story::new();
    elsewhere.state = before;
    elsewhere.now = story.now;
    let second = fetch(&mut elsewhere, browser.portal, &code);
    assert_ne!(first.device_token, second.device_token);
    assert_ne!(first.tokens.map(|it| it.id), second.tokens.map(|it| it.id));
}
