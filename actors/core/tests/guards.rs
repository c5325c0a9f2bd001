//! Guards on messages, thresholds of alerts and the words of messages: what a patch may say, and
//! what becomes of the rest.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::alerts::{AlertSettings, AlertsPatch};
use countersign_core::context::Context;
use countersign_core::entropy::SeededEntropy;
use countersign_core::ids::TenantId;
use countersign_core::message::{MessageTemplates, TemplatesPatch};
use countersign_core::policy::{Policy, PolicyPatch};
use countersign_core::reply::Refusal;
use countersign_core::sending::{GuardsPatch, SendGuards};
use countersign_core::settings::{Settings, SettingsPatch};
use countersign_core::system::{FEATURE_LEVEL, FEATURE_OUTBOX};
use countersign_core::tenant::{
    TenantCommand, TenantEvent, TenantReply, TenantState, decide, evolve,
};
use countersign_core::time::Timestamp;
use story::GlassVault;

struct House {
    state: Option<TenantState>,
    now: Timestamp,
    feature_level: u16,
}

impl House {
    fn built() -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let id = TenantId::default_tenant();
        let (policy, settings) = (Policy::initial(now), Settings::initial());
        let state = TenantState::new(id, "Acme".to_owned(), now, policy, settings);
        Self { state: Some(state), now, feature_level: FEATURE_LEVEL }
    }

    fn ask(&mut self, command: &TenantCommand) -> (TenantReply, Vec<TenantEvent>) {
        let mut entropy = SeededEntropy::new(5);
        let mut context = Context {
            now: self.now,
            clock: self.now,
            entropy: &mut entropy,
            vault: &GlassVault,
            actor: None,
            feature_level: self.feature_level,
        };
        let id = TenantId::default_tenant();
        let decision = decide(&id, self.state.as_ref(), command, &mut context);
        for event in &decision.events {
            evolve(&mut self.state, &id, event, self.now);
        }
        (decision.reply, decision.events)
    }

    fn guard(&mut self, guards: GuardsPatch) -> (TenantReply, Vec<TenantEvent>) {
        let patch = PolicyPatch { guards, ..PolicyPatch::default() };
        self.ask(&TenantCommand::PatchPolicy(Box::new(patch)))
    }

    fn alert(&mut self, alerts: AlertsPatch) -> (TenantReply, Vec<TenantEvent>) {
        let patch = SettingsPatch { alerts, ..SettingsPatch::default() };
        self.ask(&TenantCommand::PatchSettings(Box::new(patch)))
    }

    fn word(&mut self, templates: TemplatesPatch) -> (TenantReply, Vec<TenantEvent>) {
        let patch = SettingsPatch { templates, ..SettingsPatch::default() };
        self.ask(&TenantCommand::PatchSettings(Box::new(patch)))
    }

    fn tenant(&self) -> &TenantState {
        self.state.as_ref().unwrap()
    }
}

/// The field that was refused, and why.
fn refused((reply, events): (TenantReply, Vec<TenantEvent>)) -> (String, String) {
    assert!(events.is_empty(), "a refusal changes nothing");
    match reply {
        TenantReply::Refused(Refusal::Invalid { pointer, detail }) => (pointer, detail),
        other => panic!("{other:?}"),
    }
}

fn countries(codes: &[&str]) -> Option<std::collections::BTreeSet<String>> {
    Some(codes.iter().map(|&code| code.to_owned()).collect())
}

fn sms(text: &str) -> TemplatesPatch {
    TemplatesPatch { sms_text: Some(Some(text.to_owned())), ..TemplatesPatch::default() }
}

fn subject(text: &str) -> TemplatesPatch {
    TemplatesPatch { email_subject: Some(Some(text.to_owned())), ..TemplatesPatch::default() }
}

#[test]
fn a_guard_that_is_set_leaves_the_others_and_moves_the_policys_version() {
    let mut house = House::built();
    let patch = GuardsPatch {
        per_prefix_per_hour: Some(7),
        conversion_min_percent: Some(5),
        ..GuardsPatch::default()
    };
    let (reply, events) = house.guard(patch);
    let mut expected = SendGuards { per_prefix_per_hour: 7, ..SendGuards::default() };
    expected.conversion.min_percent = 5;
    assert_eq!(house.tenant().guards, expected);
    let TenantReply::Policy(told) = reply else { panic!() };
    assert_eq!(*told, (house.tenant().policy.clone(), expected, house.tenant().webauthn.clone()));
    assert_eq!(house.tenant().policy.version, 2, "whoever read version 1 is told of a conflict");
    assert!(matches!(events[..], [TenantEvent::PolicySet(_), TenantEvent::GuardsSet(_)]));
}

#[test]
fn what_stays_as_it_was_is_not_written_again() {
    let mut house = House::built();
    let same = house.tenant().guards.per_tenant_per_day;
    let (_, events) =
        house.guard(GuardsPatch { per_tenant_per_day: Some(same), ..GuardsPatch::default() });
    assert!(matches!(events[..], [TenantEvent::PolicySet(_)]), "{events:?}");
    let relays = AlertsPatch { relays: Some(true), ..AlertsPatch::default() };
    let (_, events) = house.alert(relays);
    assert!(matches!(events[..], [TenantEvent::SettingsSet(_)]), "{events:?}");
}

#[test]
fn a_version_that_has_passed_changes_no_guard() {
    let mut house = House::built();
    house.guard(GuardsPatch::default());
    let patch = PolicyPatch {
        expected_version: Some(1),
        guards: GuardsPatch { per_tenant_per_day: Some(1), ..GuardsPatch::default() },
        ..PolicyPatch::default()
    };
    let (reply, _) = house.ask(&TenantCommand::PatchPolicy(Box::new(patch)));
    assert!(matches!(reply, TenantReply::Refused(Refusal::Conflict(_))), "{reply:?}");
    assert_eq!(house.tenant().guards, SendGuards::default());
}

#[test]
fn a_guard_has_bounds_and_the_field_is_named() {
    let none = GuardsPatch::default;
    for (pointer, patch) in [
        ("perDestinationPerDay", GuardsPatch { per_destination_per_day: Some(0), ..none() }),
        ("perDestinationPerDay", GuardsPatch { per_destination_per_day: Some(10_001), ..none() }),
        ("perPrefixPerHour", GuardsPatch { per_prefix_per_hour: Some(0), ..none() }),
        ("perPrefixPerHour", GuardsPatch { per_prefix_per_hour: Some(1_000_001), ..none() }),
        ("perTenantPerDay", GuardsPatch { per_tenant_per_day: Some(0), ..none() }),
        ("perTenantPerDay", GuardsPatch { per_tenant_per_day: Some(100_000_001), ..none() }),
        ("conversion/minSends", GuardsPatch { conversion_min_sends: Some(0), ..none() }),
        ("conversion/minSends", GuardsPatch { conversion_min_sends: Some(1_000_001), ..none() }),
        ("conversion/minPercent", GuardsPatch { conversion_min_percent: Some(0), ..none() }),
        ("conversion/minPercent", GuardsPatch { conversion_min_percent: Some(101), ..none() }),
    ] {
        let (named, detail) = refused(House::built().guard(patch));
        assert_eq!(named, format!("/sends/{pointer}"));
        assert!(detail.starts_with("must be from 1 to"), "{detail}");
    }
}

#[test]
fn a_country_that_is_none_is_refused_since_it_would_allow_or_block_nobody() {
    let mut house = House::built();
    for odd in ["UK", "us", "USA", "U", "", "ZZ", "U1"] {
        let allowed = GuardsPatch { allowed_countries: countries(&["DE", odd]), ..<_>::default() };
        let (pointer, detail) = refused(house.guard(allowed));
        assert_eq!(pointer, "/sends/allowedCountries");
        assert!(detail.contains(&format!("not {odd:?}")), "{detail}");
        let blocked = GuardsPatch { blocked_countries: countries(&[odd]), ..<_>::default() };
        assert_eq!(refused(house.guard(blocked)).0, "/sends/blockedCountries");
    }
    let fine = GuardsPatch {
        allowed_countries: countries(&["GB", "US"]),
        blocked_countries: countries(&["US"]),
        ..GuardsPatch::default()
    };
    house.guard(fine);
    let allows =
        |house: &House, number: &str| house.tenant().guards.allows(&number.parse().unwrap());
    let (britain, america, germany) = ("+447400123456", "+14155552671", "+4915123456789");
    assert!(allows(&house, britain) && !allows(&house, america) && !allows(&house, germany));
    // An empty list takes the bounds away; what is left out stays.
    house.guard(GuardsPatch { allowed_countries: countries(&[]), ..GuardsPatch::default() });
    assert!(allows(&house, germany) && !allows(&house, america));
    // A calling code is as good as a country's.
    let code = GuardsPatch { allowed_countries: countries(&["+44"]), ..GuardsPatch::default() };
    house.guard(code);
    assert!(allows(&house, britain) && !allows(&house, germany));
}

#[test]
fn a_threshold_has_bounds_and_zero_switches_its_alert_off() {
    let none = AlertsPatch::default;
    for (pointer, patch) in [
        ("bruteForceAttempts", AlertsPatch { brute_force_attempts: Some(1_001), ..none() }),
        ("addressUsers", AlertsPatch { address_users: Some(1_001), ..none() }),
        ("recoveryCodesPerDay", AlertsPatch { recovery_codes_per_day: Some(21), ..none() }),
        ("resetsPerHour", AlertsPatch { resets_per_hour: Some(10_001), ..none() }),
    ] {
        assert_eq!(refused(House::built().alert(patch)).0, format!("/alerts/{pointer}"));
    }
    let mut house = House::built();
    let off = AlertsPatch { address_users: Some(0), relays: Some(false), ..none() };
    let (reply, _) = house.alert(off);
    let expected = AlertSettings { address_users: 0, relays: false, ..AlertSettings::default() };
    assert_eq!(house.tenant().alerts, expected);
    let TenantReply::Settings(told) = reply else { panic!() };
    assert_eq!(told.1, expected);
}

#[test]
fn words_that_would_not_carry_the_code_or_name_what_is_not_put_in_are_refused() {
    for text in [
        "",
        "  ",
        "hello",
        "{{issuer}}",
        "{{code}} {{name}}",
        "{{code}} {{ code }}",
        "{{{code}}}",
        "{{code}} {{",
        "{{code}} \u{0}",
        "{{code}} \u{1b}[31m",
    ] {
        let (pointer, _) = refused(House::built().word(sms(text)));
        assert_eq!(pointer, "/messages/smsText", "{text:?}");
    }
    for fine in ["{{code}}", "{{code}} for {{issuer}}\n{{minutes}} min, {single} braces, }} too"] {
        let mut house = House::built();
        house.word(sms(fine));
        assert_eq!(house.tenant().templates.sms_text.as_deref(), Some(fine));
    }
}

#[test]
fn words_have_a_sane_length_in_characters_not_bytes() {
    let long = |length: usize| Some(Some(format!("{{{{code}}}}{}", "ä".repeat(length - 8))));
    let none = TemplatesPatch::default;
    for (pointer, most, of) in [
        ("smsText", 480, TemplatesPatch { sms_text: long(480), ..none() }),
        ("emailSubject", 150, TemplatesPatch { email_subject: long(150), ..none() }),
        ("emailText", 20_000, TemplatesPatch { email_text: long(20_000), ..none() }),
        ("emailHtml", 50_000, TemplatesPatch { email_html: long(50_000), ..none() }),
    ] {
        let (reply, _) = House::built().word(of.clone());
        assert!(matches!(reply, TenantReply::Settings(_)), "{pointer}: {reply:?}");
        let more = |text: Option<Option<String>>| text.map(|text| text.map(|text| text + "ä"));
        let over = TemplatesPatch {
            sms_text: more(of.sms_text),
            email_subject: more(of.email_subject),
            email_text: more(of.email_text),
            email_html: more(of.email_html),
        };
        let (named, detail) = refused(House::built().word(over));
        assert_eq!(named, format!("/messages/{pointer}"));
        assert!(detail.contains(&most.to_string()), "{detail}");
    }
}

#[test]
fn a_subject_needs_no_code_but_never_begins_another_header() {
    let mut house = House::built();
    house.word(subject("Your {{issuer}} code"));
    for odd in ["a\r\nBcc: all@acme.example", "a\nb", "a\rb", "a\tb", "{{user}}", " "] {
        assert_eq!(refused(house.word(subject(odd))).0, "/messages/emailSubject", "{odd:?}");
    }
    assert_eq!(house.tenant().templates.email_subject.as_deref(), Some("Your {{issuer}} code"));
}

#[test]
fn words_go_back_to_the_services_one_by_one() {
    let mut house = House::built();
    house.word(sms("{{code}}"));
    house.word(subject("Code"));
    let back = TemplatesPatch { sms_text: Some(None), ..TemplatesPatch::default() };
    house.word(back);
    let expected =
        MessageTemplates { email_subject: Some("Code".to_owned()), ..MessageTemplates::default() };
    assert_eq!(house.tenant().templates, expected);
}

#[test]
fn what_nodes_of_an_earlier_release_would_not_understand_waits_for_them() {
    let mut house = House::built();
    house.feature_level = FEATURE_OUTBOX - 1;
    let guards = GuardsPatch { per_tenant_per_day: Some(5), ..GuardsPatch::default() };
    let alerts = AlertsPatch { relays: Some(false), ..AlertsPatch::default() };
    for (reply, events) in [house.guard(guards), house.alert(alerts), house.word(sms("{{code}}"))] {
        let TenantReply::Refused(Refusal::Conflict(what)) = reply else { panic!("{reply:?}") };
        assert!(what.contains("earlier release") && events.is_empty(), "{what}");
    }
    // What they understand is not held up.
    let (reply, _) = house.guard(GuardsPatch::default());
    assert!(matches!(reply, TenantReply::Policy(_)), "{reply:?}");
    let (reply, _) = house.alert(AlertsPatch::default());
    assert!(matches!(reply, TenantReply::Settings(_)), "{reply:?}");
}
