//! Where the browser is: recorded with all that is done on the pages, and counted with each guess.

use std::net::IpAddr;

use countersign_core::alerts::{ADDRESS_FAILURES, BRUTE_FORCE, POSSIBLE_RELAY, Pressure};
use countersign_core::audit::AuditEntry;
use countersign_core::command::{Command, Proof};
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::ChallengeId;
use countersign_core::portal::{BrowserContext, PortalCommand, PortalPurpose};
use countersign_core::risk::LoginContext;

use crate::browser::Link;
use crate::browser::{Browser, ORIGIN, RETURN_URL, code_answer, create, open, portal, sent};
use crate::story::{App, Story};

const SERVER_SAYS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
const BROWSER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 9));

/// Somebody whose login was said to come from one address, and whose browser is at another.
fn arrived(browser_address: Option<IpAddr>) -> (Story, App, ChallengeId, Browser) {
    let mut story = Story::new();
    let app = story.enroll();
    let context = LoginContext { ip_address: Some(SERVER_SAYS), ..LoginContext::default() };
    let challenge = story.login_from(context, None).challenge.unwrap().id;
    story.browser_address = browser_address;
    let browser = sent(&mut story, PortalPurpose::Challenge, Some(challenge));
    (story, app, challenge, browser)
}

fn places(story: &Story) -> Vec<(&str, Option<IpAddr>)> {
    let place = |entry: &'_ AuditEntry| entry.ip_address;
    story.audit.iter().map(|entry| (entry.event_type.as_str(), place(entry))).collect()
}

fn alert<'a>(story: &'a Story, kind: &str) -> &'a AuditEntry {
    story.audit.iter().find(|entry| entry.event_type == kind).unwrap()
}

#[test]
fn all_that_a_browser_does_is_recorded_with_its_address() {
    let (mut story, app, challenge, browser) = arrived(Some(BROWSER));
    assert_eq!(places(&story), [("mfa.portal.opened", Some(BROWSER))]);
    let wrong = app.wrong_code(story.now);
    browser.act(&mut story, code_answer(challenge, &app, wrong));
    assert_eq!(places(&story), [("mfa.challenge.failed", Some(BROWSER))]);
    let right = app.code(story.now);
    browser.act(&mut story, code_answer(challenge, &app, right));
    assert!(story.audit.len() >= 2);
    assert!(
        places(&story).iter().all(|(_, place)| *place == Some(BROWSER)),
        "{:?}",
        places(&story)
    );
}

#[test]
fn guesses_on_the_pages_raise_alerts_about_where_the_browser_is() {
    let (mut story, app, challenge, browser) = arrived(Some(BROWSER));
    story.tenant.alerts.brute_force_attempts = 1;
    story.pressure = Pressure { other_users_failing: 9, ..Pressure::default() };
    let wrong = app.wrong_code(story.now);
    browser.act(&mut story, code_answer(challenge, &app, wrong));
    assert_eq!(alert(&story, BRUTE_FORCE).ip_address, Some(BROWSER));
    assert_eq!(alert(&story, ADDRESS_FAILURES).ip_address, Some(BROWSER));
}

#[test]
fn guesses_at_an_enrollment_are_counted_where_the_browser_is() {
    let mut story = Story::new();
    story.browser_address = Some(BROWSER);
    story.pressure = Pressure { other_users_failing: 9, ..Pressure::default() };
    let browser = sent(&mut story, PortalPurpose::Enroll, None);
    let parameters = Parameters::default();
    browser.act(
        &mut story,
        Command::BeginTotp { name: None, parameters, account_name: None, resume: None },
    );
    let code = countersign_core::secret::Secret::from("000000".to_owned());
    browser.act(&mut story, Command::ConfirmTotp { code, name: None, challenge: None });
    assert!(story.audit.iter().any(AuditEntry::is_failed_verification), "{:?}", story.audit);
    assert!(
        places(&story).iter().all(|(_, place)| *place == Some(BROWSER)),
        "{:?}",
        places(&story)
    );
    assert_eq!(alert(&story, ADDRESS_FAILURES).ip_address, Some(BROWSER));
}

#[test]
fn a_code_that_comes_again_from_another_browser_is_a_relay() {
    let (mut story, app, challenge, browser) = arrived(Some(BROWSER));
    let code = app.code(story.now);
    let proof = Proof::Code { factor: app.id, code: code.clone() };
    browser.act(&mut story, Command::Verify { challenge, proof, remember_device: None });
    // The login is said to come from where the first was; the browser is elsewhere.
    let context = LoginContext { ip_address: Some(SERVER_SAYS), ..LoginContext::default() };
    let second = story.login_from(context, None).challenge.unwrap().id;
    story.browser_address = Some(IpAddr::from([192, 0, 2, 66]));
    let other = sent(&mut story, PortalPurpose::Challenge, Some(second));
    other.act(&mut story, code_answer(second, &app, code.clone()));
    assert_eq!(alert(&story, POSSIBLE_RELAY).ip_address, story.browser_address);
    // And from the same browser it is a form that was sent twice.
    story.browser_address = Some(BROWSER);
    other.act(&mut story, code_answer(second, &app, code));
    assert!(!story.audit.iter().any(|entry| entry.event_type == POSSIBLE_RELAY));
}

#[test]
fn what_the_application_says_counts_where_the_pages_see_no_address() {
    let mut story = Story::new();
    story.enroll();
    let Command::Portal(create) = create(PortalPurpose::Manage, None) else { unreachable!() };
    let PortalCommand::Create { purpose, challenge, result_parameter, .. } = *create else {
        unreachable!()
    };
    let told = BrowserContext { ip_address: Some(SERVER_SAYS), user_agent: None };
    let wish = PortalCommand::Create {
        purpose,
        challenge,
        return_url: RETURN_URL.to_owned(),
        return_origin: ORIGIN.to_owned(),
        result_parameter,
        browser: told,
    };
    let link = match crate::browser::ask(&mut story, wish) {
        countersign_core::portal::PortalReply::Created { id, link, .. } => {
            Link { portal: id, secret: link }
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(places(&story), [("mfa.portal.created", Some(SERVER_SAYS))]);
    let browser = open(&mut story, &link);
    assert_eq!(places(&story), [("mfa.portal.opened", Some(SERVER_SAYS))]);
    story.browser_address = Some(BROWSER);
    let (portal_id, session) = (browser.portal, browser.session);
    story.ask(&portal(PortalCommand::BeginVerification { portal: portal_id, session }));
    assert_eq!(places(&story), [("mfa.portal.verification_started", Some(BROWSER))]);
}
