//! The triggers of RISK_BASED, and what is learnt.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::command::Command;
use countersign_core::policy::{GroupRule, Requirement};
use countersign_core::reply::Reason;
use countersign_core::risk::{Location, LoginContext, Trigger};
use story::{App, Story};

fn from_device(device: &str) -> LoginContext {
    LoginContext { device_id: Some(device.to_owned()), ..LoginContext::default() }
}

fn at(mut context: LoginContext, country: &str, place: (f64, f64)) -> LoginContext {
    context.location = Some(Location {
        country: Some(country.to_owned()),
        latitude: Some(place.0),
        longitude: Some(place.1),
        ..Location::default()
    });
    context
}

const PARIS: (f64, f64) = (48.86, 2.35);
const LYON: (f64, f64) = (45.76, 4.84);

fn learnt(context: LoginContext) -> (Story, App) {
    let mut story = Story::requiring(Requirement::RiskBased);
    let app = story.enroll();
    let answer = story.login_from(context, None);
    assert_eq!(answer.reason, Reason::Risk);
    story.verified(answer.challenge.unwrap().id, &app);
    (story, app)
}

fn triggers(story: &mut Story, context: LoginContext) -> Vec<Trigger> {
    story.login_from(context, None).triggers
}

#[test]
fn a_device_is_new_until_a_verification_and_again_after_ninety_days() {
    let (mut story, _) = learnt(from_device("laptop"));
    assert_eq!(story.login_from(from_device("laptop"), None).reason, Reason::LowRisk);
    assert_eq!(triggers(&mut story, from_device("phone")), [Trigger::NewDevice]);
    assert_eq!(triggers(&mut story, LoginContext::default()), [Trigger::NewDevice]);
    story.wait_s(90 * 24 * 3_600);
    assert_eq!(triggers(&mut story, from_device("laptop")), [Trigger::NewDevice]);
}

#[test]
fn without_a_device_id_the_browser_speaks() {
    let agent =
        |agent: &str| LoginContext { user_agent: Some(agent.into()), ..LoginContext::default() };
    let (mut story, _) = learnt(agent("Firefox"));
    assert_eq!(story.login_from(agent("Firefox"), None).reason, Reason::LowRisk);
    assert_eq!(triggers(&mut story, agent("curl")), [Trigger::NewDevice]);
    let both = LoginContext { user_agent: Some("Firefox".into()), ..from_device("unknown") };
    assert_eq!(triggers(&mut story, both), [Trigger::NewDevice], "a device id comes first");
}

#[test]
fn a_browser_that_was_updated_is_the_one_that_it_was() {
    let chrome = |version: u32, system: &str| LoginContext {
        user_agent: Some(format!(
            "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/{version}.0.0.0 Safari/537.36"
        )),
        ..LoginContext::default()
    };
    let windows = "Windows NT 10.0; Win64; x64";
    let (mut story, _) = learnt(chrome(120, windows));
    assert_eq!(triggers(&mut story, chrome(121, windows)), []);
    let mac = chrome(120, "Macintosh; Intel Mac OS X 10_15_7");
    assert_eq!(triggers(&mut story, mac), [Trigger::NewDevice]);
}

#[test]
fn a_country_that_is_none_is_never_known() {
    for code in ["T1", "XX", "EU", "ZZ", "QM"] {
        let (mut story, _) = learnt(at(from_device("laptop"), code, PARIS));
        let again = at(from_device("laptop"), code, PARIS);
        assert_eq!(triggers(&mut story, again), [Trigger::NewLocation], "{code}");
    }
    let (mut story, _) = learnt(at(from_device("laptop"), "XK", PARIS));
    assert_eq!(triggers(&mut story, at(from_device("laptop"), "XK", PARIS)), []);
}

#[test]
fn a_login_that_was_not_verified_teaches_nothing() {
    let (mut story, app) = learnt(from_device("laptop"));
    let answer = story.login_from(from_device("attacker"), None);
    let challenge = answer.challenge.unwrap().id;
    let code = app.wrong_code(story.now);
    story.verify(challenge, &app, code);
    assert_eq!(triggers(&mut story, from_device("attacker")), [Trigger::NewDevice]);
}

#[test]
fn a_new_country_and_an_impossible_journey_are_new_locations() {
    let (mut story, _) = learnt(at(from_device("laptop"), "FR", PARIS));
    assert_eq!(triggers(&mut story, at(from_device("laptop"), "FR", PARIS)), []);
    let abroad = at(from_device("laptop"), "US", PARIS);
    assert_eq!(triggers(&mut story, abroad), [Trigger::NewLocation]);
    // Paris to Lyon are 392 km: 26 minutes at 900 km/h.
    story.wait_s(20 * 60);
    let lyon = at(from_device("laptop"), "FR", LYON);
    assert_eq!(triggers(&mut story, lyon.clone()), [Trigger::NewLocation]);
    story.wait_s(7 * 60);
    assert_eq!(triggers(&mut story, lyon), []);
}

#[test]
fn an_address_is_suspicious_by_its_network_or_by_its_failures() {
    let (mut story, _) = learnt(from_device("laptop"));
    story.tenant.policy.suspicious_ip_ranges =
        vec!["198.51.100.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let from = |address: &str| LoginContext {
        ip_address: Some(address.parse().unwrap()),
        ..from_device("laptop")
    };
    assert_eq!(triggers(&mut story, from("198.51.100.77")), [Trigger::SuspiciousIp]);
    assert_eq!(triggers(&mut story, from("2001:db8::1")), [Trigger::SuspiciousIp]);
    let mapped = triggers(&mut story, from("::ffff:198.51.100.77"));
    assert_eq!(mapped, [Trigger::SuspiciousIp], "the same address by another name");
    for other in ["64:ff9b::198.51.100.77", "2002:c633:644d::1", "::ffff:0:198.51.100.77"] {
        assert_eq!(triggers(&mut story, from(other)), [Trigger::SuspiciousIp], "{other}");
    }
    assert_eq!(triggers(&mut story, from("203.0.113.7")), []);
    assert_eq!(triggers(&mut story, from("::ffff:203.0.113.7")), []);
    story.failures_from_address = 10;
    assert_eq!(triggers(&mut story, from("203.0.113.7")), [Trigger::SuspiciousIp]);
}

#[test]
fn a_changed_password_fires_until_the_next_verification() {
    let (mut story, app) = learnt(from_device("laptop"));
    story.wait_s(60);
    story.ask(&Command::PasswordChanged { changed_at: None });
    let answer = story.login_from(from_device("laptop"), None);
    assert_eq!(answer.triggers, [Trigger::PasswordChanged]);
    story.wait_s(60);
    story.verified(answer.challenge.unwrap().id, &app);
    assert_eq!(triggers(&mut story, from_device("laptop")), []);
}

#[test]
fn a_trigger_that_is_off_does_not_fire() {
    let (mut story, _) = learnt(from_device("laptop"));
    story.tenant.policy.triggers.new_device = false;
    assert_eq!(story.login_from(from_device("phone"), None).reason, Reason::LowRisk);
}

#[test]
fn a_suspicious_address_is_not_let_in_by_a_trusted_device() {
    use countersign_core::command::{Proof, RememberDevice};
    use countersign_core::reply::Reply;
    let mut story = Story::new();
    let app = story.enroll();
    let challenge = story.challenge();
    let command = Command::Verify {
        challenge,
        proof: Proof::Code { factor: app.id, code: app.code(story.now) },
        remember_device: Some(RememberDevice::default()),
    };
    let Reply::Verified(verified) = story.ask(&command) else { panic!() };
    let token = verified.device_token;
    story.failures_from_address = 10;
    assert_eq!(
        story.login_from(LoginContext::default(), token.clone()).reason,
        Reason::UserEnrolled
    );
    story.failures_from_address = 0;
    assert_eq!(story.login_from(LoginContext::default(), token).reason, Reason::TrustedDevice);
}

fn rule(group: &str, requirement: Requirement) -> GroupRule {
    GroupRule { group: group.to_owned(), requirement, allowed_factors: None, required_since: None }
}

#[test]
fn the_strictest_fitting_group_rule_replaces_the_tenants_own() {
    let mut story = Story::requiring(Requirement::Required);
    story.tenant.policy.groups = vec![
        rule("contractors", Requirement::Optional),
        rule("admins", Requirement::RiskBased),
        rule("robots", Requirement::Disabled),
    ];
    for (groups, expected) in [
        (vec![], Requirement::Required),
        (vec!["unheard of"], Requirement::Required),
        (vec!["robots"], Requirement::Disabled),
        (vec!["robots", "contractors"], Requirement::Optional),
        (vec!["robots", "contractors", "admins"], Requirement::RiskBased),
    ] {
        let groups = groups.into_iter().map(str::to_owned).collect();
        assert_eq!(story.tenant.policy.rule_for(&groups).requirement, expected, "{groups:?}");
    }
}
