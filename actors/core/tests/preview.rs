//! What is said of a policy before it is set is what is decided once it is.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use std::collections::BTreeSet;

use countersign_core::command::Command;
use countersign_core::factor::FactorType;
use countersign_core::policy::{GraceUnit, GroupRule, PolicyPatch, Requirement};
use countersign_core::preview::{Preview, Standing, standing};
use countersign_core::reply::{ChallengeAnswer, Reason, Refusal};
use countersign_core::tenant::with_policy;
use countersign_core::time::DAY_MS;
use countersign_core::user::Profile;
use story::Story;

const REQUIREMENTS: [Requirement; 4] =
    [Requirement::Disabled, Requirement::Optional, Requirement::RiskBased, Requirement::Required];

/// What a login's answer says of what its user had to expect. Under RISK_BASED a browser that was
/// never seen is a sign of risk, as here.
fn expected(answer: &ChallengeAnswer) -> Standing {
    match answer.reason {
        Reason::PolicyDisabled | Reason::NotEnrolled => Standing::NotAsked,
        Reason::GracePeriod => Standing::InGrace,
        Reason::LowRisk | Reason::Risk => Standing::AtRisk,
        Reason::EnrollmentRequired if !answer.triggers.is_empty() => Standing::AtRisk,
        Reason::EnrollmentRequired => Standing::MustEnroll,
        Reason::UserEnrolled | Reason::PolicyRequired => Standing::Challenged,
        Reason::TrustedDevice => panic!("nobody is trusted here"),
    }
}

/// A user with or without an authenticator app, in or out of the group `admins`.
fn somebody(enrolled: bool, admin: bool) -> Story {
    let mut story = Story::new();
    let groups = if admin { BTreeSet::from(["admins".to_owned()]) } else { BTreeSet::new() };
    story.ask(&Command::PutProfile(Profile { groups, ..Profile::default() }));
    if enrolled {
        story.enroll();
    }
    story
}

fn patches() -> Vec<PolicyPatch> {
    let allowed = [FactorType::ALL.into(), BTreeSet::from([FactorType::WebAuthn])];
    let mut patches = Vec::new();
    for requirement in REQUIREMENTS {
        for allowed in &allowed {
            for grace in [0, 7] {
                for rule in [None, Some(Requirement::Required), Some(Requirement::Optional)] {
                    let rule = rule.map(|requirement| GroupRule {
                        group: "admins".to_owned(),
                        requirement,
                        allowed_factors: None,
                        required_since: None,
                    });
                    patches.push(PolicyPatch {
                        requirement: Some(requirement),
                        allowed_factors: Some(allowed.clone()),
                        grace_period_value: Some(grace),
                        grace_period_unit: Some(GraceUnit::Days),
                        groups: Some(rule.into_iter().collect()),
                        ..PolicyPatch::default()
                    });
                }
            }
        }
    }
    patches
}

#[test]
fn what_a_preview_says_is_what_the_next_login_is_answered() {
    for (enrolled, admin) in [(false, false), (false, true), (true, false), (true, true)] {
        for waited in [0, DAY_MS, 8 * DAY_MS] {
            for patch in patches() {
                let mut story = somebody(enrolled, admin);
                story.tenant = with_policy(&story.tenant, &patch, story.now).unwrap();
                story.wait_ms(waited);
                let (said, usable) = standing(&story.tenant, &story.state, story.now);
                let rule = story.tenant.policy.rule_for(&story.state.profile.groups);
                assert_eq!(usable, enrolled && rule.allowed_factors.contains(&FactorType::Totp));
                let answer = story.login();
                assert_eq!(said, expected(&answer), "{patch:?} {enrolled} {admin} {waited}");
            }
        }
    }
}

#[test]
fn everybody_has_one_thing_to_expect_before_and_one_after() {
    let people: Vec<Story> =
        [(false, false), (true, false), (true, true)].map(|(it, admin)| somebody(it, admin)).into();
    let current = &people[0].tenant;
    for patch in patches() {
        let next = with_policy(current, &patch, people[0].now).unwrap();
        let mut preview = Preview::default();
        for story in &people {
            preview.add(current, &next, &story.state, story.now);
        }
        for them in [preview.before, preview.after] {
            let all =
                them.not_asked + them.in_grace + them.at_risk + them.challenged + them.must_enroll;
            assert_eq!(all, 3, "{patch:?}");
        }
        assert!(preview.affected <= 3);
        assert_eq!(preview.before.without_usable_factor, 1);
    }
}

#[test]
fn a_change_to_what_is_already_so_affects_nobody() {
    let story = somebody(true, false);
    let next = with_policy(&story.tenant, &PolicyPatch::default(), story.now).unwrap();
    let mut preview = Preview::default();
    preview.add(&story.tenant, &next, &story.state, story.now);
    assert_eq!((preview.scanned, preview.affected), (1, 0));
}

#[test]
fn a_change_that_would_be_refused_has_no_preview() {
    let story = somebody(false, false);
    let stale = PolicyPatch { expected_version: Some(9), ..PolicyPatch::default() };
    let refused = with_policy(&story.tenant, &stale, story.now).unwrap_err();
    assert!(matches!(refused, Refusal::Conflict(_)), "{refused:?}");
}
