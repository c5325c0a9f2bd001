//! Policies, settings and API keys.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::context::Context;
use countersign_core::entropy::SeededEntropy;
use countersign_core::ids::{KeyId, TenantId};
use countersign_core::policy::{GracePeriod, GraceUnit, GroupRule, PolicyPatch, Requirement};
use countersign_core::reply::Refusal;
use countersign_core::secret::Secret;
use countersign_core::settings::SettingsPatch;
use countersign_core::system::FEATURE_LEVEL;
use countersign_core::tenant::{
    Scope, TenantCommand, TenantReply, TenantState, decide, evolve, key_hash,
};
use countersign_core::time::Timestamp;
use story::GlassVault;

struct House {
    id: TenantId,
    state: Option<TenantState>,
    now: Timestamp,
    actor: Option<KeyId>,
    entropy: SeededEntropy,
}

impl House {
    fn built() -> (Self, Secret) {
        let mut house = Self {
            id: TenantId::default_tenant(),
            state: None,
            now: Timestamp::from_millis(1_800_000_000_000),
            actor: None,
            entropy: SeededEntropy::new(5),
        };
        let create = TenantCommand::Create { name: "Acme".into(), key: None, root: true };
        let TenantReply::Created { secret, api_key, .. } = house.ask(&create) else { panic!() };
        house.actor = Some(api_key.id);
        (house, secret)
    }

    fn ask(&mut self, command: &TenantCommand) -> TenantReply {
        let mut context = Context {
            now: self.now,
            clock: self.now,
            entropy: &mut self.entropy,
            vault: &GlassVault,
            actor: self.actor,
            feature_level: FEATURE_LEVEL,
        };
        let decision = decide(&self.id, self.state.as_ref(), command, &mut context);
        for event in &decision.events {
            evolve(&mut self.state, &self.id, event, self.now);
        }
        decision.reply
    }

    fn patch(&mut self, patch: PolicyPatch) -> TenantReply {
        self.ask(&TenantCommand::PatchPolicy(Box::new(patch)))
    }

    fn tenant(&self) -> &TenantState {
        self.state.as_ref().unwrap()
    }
}

#[test]
fn a_key_is_shown_once_and_kept_as_its_digest() {
    let (house, secret) = House::built();
    let kept = &house.tenant().api_keys[0];
    assert_eq!(kept.hash, key_hash(secret.expose_str()));
    assert!(secret.expose_str().starts_with("csk_") && secret.expose().len() == 47);
    assert!(kept.root && kept.scopes.len() == Scope::ALL.len());
}

#[test]
fn the_first_key_of_a_tenant_that_runs_no_cluster_may_not_touch_it() {
    let (mut house, _) = House::built();
    house.id = "acme".parse().unwrap();
    house.state = None;
    let create = TenantCommand::Create { name: "Acme".into(), key: None, root: false };
    let TenantReply::Created { api_key, .. } = house.ask(&create) else { panic!() };
    assert!(!api_key.scopes.contains(&Scope::Cluster));
    assert_eq!(api_key.scopes.len(), Scope::ALL.len() - 1);
    // Nor can it make a key that may.
    house.actor = Some(api_key.id);
    let more = TenantCommand::CreateApiKey {
        name: "more".into(),
        scopes: [Scope::Cluster].into(),
        expires_at: None,
    };
    assert!(matches!(house.ask(&more), TenantReply::Refused(Refusal::Invalid { .. })));
}

#[test]
fn a_grace_period_is_merged_by_its_members() {
    let (mut house, _) = House::built();
    let hours = PolicyPatch {
        grace_period_value: Some(7),
        grace_period_unit: Some(GraceUnit::Hours),
        ..PolicyPatch::default()
    };
    house.patch(hours);
    house.patch(PolicyPatch { grace_period_value: Some(9), ..PolicyPatch::default() });
    let period = house.tenant().policy.grace_period;
    assert_eq!(period, GracePeriod { value: 9, unit: GraceUnit::Hours });
    // What is sent must fit what stays.
    house.patch(PolicyPatch { grace_period_value: Some(366), ..PolicyPatch::default() });
    let days = PolicyPatch { grace_period_unit: Some(GraceUnit::Days), ..PolicyPatch::default() };
    let TenantReply::Refused(Refusal::Invalid { pointer, .. }) = house.patch(days) else {
        panic!("366 days were accepted")
    };
    assert_eq!(pointer, "/gracePeriod/value");
}

#[test]
fn what_a_patch_leaves_out_stays() {
    let (mut house, _) = House::built();
    let before = house.tenant().policy.clone();
    let patch = PolicyPatch { trigger_new_device: Some(false), ..PolicyPatch::default() };
    let TenantReply::Policy(after) = house.patch(patch) else { panic!() };
    let mut expected = before;
    expected.triggers.new_device = false;
    expected.version = 2;
    assert_eq!(after.0, expected);
}

#[test]
fn a_patch_on_another_version_is_a_conflict() {
    let (mut house, _) = House::built();
    let patch = || PolicyPatch { expected_version: Some(1), ..PolicyPatch::default() };
    assert!(matches!(house.patch(patch()), TenantReply::Policy(_)));
    assert!(matches!(house.patch(patch()), TenantReply::Refused(Refusal::Conflict(_))));
}

#[test]
fn required_is_dated_when_it_begins_and_keeps_its_date() {
    let (mut house, _) = House::built();
    let required =
        || PolicyPatch { requirement: Some(Requirement::Required), ..PolicyPatch::default() };
    let begun = house.now;
    house.patch(required());
    house.now = house.now.plus_millis(5_000);
    house.patch(required());
    house.patch(PolicyPatch { recovery_codes_count: Some(8), ..PolicyPatch::default() });
    assert_eq!(house.tenant().policy.required_since, Some(begun));
    house.patch(PolicyPatch { requirement: Some(Requirement::Optional), ..PolicyPatch::default() });
    assert_eq!(house.tenant().policy.required_since, None);
    house.patch(required());
    assert_eq!(house.tenant().policy.required_since, Some(house.now));
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_and_names_the_field() {
    let group = |name: &str| GroupRule {
        group: name.to_owned(),
        requirement: Requirement::Required,
        allowed_factors: None,
        required_since: None,
    };
    let none = PolicyPatch::default;
    let cases = [
        ("/allowedFactors", PolicyPatch { allowed_factors: Some([].into()), ..none() }),
        ("/recoveryCodesCount", PolicyPatch { recovery_codes_count: Some(0), ..none() }),
        ("/recoveryCodesCount", PolicyPatch { recovery_codes_count: Some(21), ..none() }),
        (
            "/trustedDevices/durationDays",
            PolicyPatch { trusted_devices_duration_days: Some(366), ..none() },
        ),
        ("/lockout/maxAttempts", PolicyPatch { lockout_max_attempts: Some(0), ..none() }),
        ("/lockout/maxDelaySeconds", PolicyPatch { lockout_max_delay_seconds: Some(29), ..none() }),
        ("/lockout/hardLimit", PolicyPatch { lockout_hard_limit: Some(4), ..none() }),
        ("/groups/1/group", PolicyPatch { groups: Some(vec![group("a"), group("a")]), ..none() }),
    ];
    let (mut house, _) = House::built();
    for (field, patch) in cases {
        match house.patch(patch) {
            TenantReply::Refused(Refusal::Invalid { pointer, .. }) => assert_eq!(pointer, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert_eq!(house.tenant().policy.version, 1, "nothing was half done");
}

#[test]
fn an_issuer_with_a_colon_is_refused() {
    let (mut house, _) = House::built();
    let patch = SettingsPatch { issuer: Some("Acme: Inc".to_owned()), ..SettingsPatch::default() };
    let reply = house.ask(&TenantCommand::PatchSettings(Box::new(patch)));
    assert!(
        matches!(reply, TenantReply::Refused(Refusal::Invalid { pointer, .. }) if pointer == "/issuer")
    );
}

#[test]
fn nobody_hands_out_more_than_they_have() {
    let (mut house, _) = House::built();
    let create = |scopes: &[Scope]| TenantCommand::CreateApiKey {
        name: "n".to_owned(),
        scopes: scopes.iter().copied().collect(),
        expires_at: None,
    };
    let reply = house.ask(&create(&[Scope::Keys, Scope::Mfa]));
    let TenantReply::ApiKeyCreated { api_key, .. } = reply else { panic!() };
    house.actor = Some(api_key.id);
    let reply = house.ask(&create(&[Scope::Mfa, Scope::Admin]));
    assert!(matches!(reply, TenantReply::Refused(Refusal::Invalid { .. })));
    assert!(matches!(house.ask(&create(&[Scope::Mfa])), TenantReply::ApiKeyCreated { .. }));
}

#[test]
fn the_last_root_key_and_its_tenant_stay() {
    let (mut house, _) = House::built();
    let id = house.tenant().api_keys[0].id;
    for command in [TenantCommand::RevokeApiKey { id }, TenantCommand::Remove] {
        assert!(matches!(house.ask(&command), TenantReply::Refused(Refusal::Conflict(_))));
    }
}

#[test]
fn a_root_key_makes_another_and_each_can_end_the_other_but_not_the_last() {
    let (mut house, _) = House::built();
    let first = house.tenant().api_keys[0].id;
    let create = TenantCommand::CreateRootKey { name: "second".to_owned() };
    let TenantReply::ApiKeyCreated { api_key, .. } = house.ask(&create) else { panic!() };
    assert!(api_key.root && api_key.scopes.len() == Scope::ALL.len());
    assert_eq!(api_key.expires_at, None);
    house.actor = Some(api_key.id);
    assert_eq!(house.ask(&TenantCommand::RevokeApiKey { id: first }), TenantReply::Done);
    let last = house.ask(&TenantCommand::RevokeApiKey { id: api_key.id });
    assert!(matches!(last, TenantReply::Refused(Refusal::Conflict(_))));
    // Nor does a revoked key, which a node that lags let in, change anything.
    house.actor = Some(first);
    let gone = house.ask(&create);
    assert!(matches!(gone, TenantReply::Refused(Refusal::Conflict(_))));
}

#[test]
fn no_key_ends_one_that_may_do_more_and_none_but_a_root_key_makes_a_root_key() {
    let (mut house, _) = House::built();
    let root = house.tenant().api_keys[0].id;
    let mut make = |scopes: &[Scope]| {
        let scopes = scopes.iter().copied().collect();
        let name = "n".to_owned();
        let create = TenantCommand::CreateApiKey { name, scopes, expires_at: None };
        let TenantReply::ApiKeyCreated { api_key, .. } = house.ask(&create) else { panic!() };
        api_key.id
    };
    let all = make(&Scope::ALL);
    let (weak, other, strong) = (make(&[Scope::Keys]), make(&[Scope::Keys]), make(&[Scope::Admin]));
    house.actor = Some(weak);
    for id in [strong, root, all] {
        let refused = house.ask(&TenantCommand::RevokeApiKey { id });
        assert!(matches!(refused, TenantReply::Refused(Refusal::Forbidden(_))), "{refused:?}");
    }
    for id in [other, weak] {
        assert_eq!(house.ask(&TenantCommand::RevokeApiKey { id }), TenantReply::Done);
    }
    // All scopes do not make a root key.
    house.actor = Some(all);
    let create = TenantCommand::CreateRootKey { name: "mine".to_owned() };
    for command in [create, TenantCommand::RevokeApiKey { id: root }] {
        let refused = house.ask(&command);
        assert!(matches!(refused, TenantReply::Refused(Refusal::Forbidden(_))), "{refused:?}");
    }
}

#[test]
fn lost_root_keys_are_replaced_once_however_often_that_is_asked() {
    let (mut house, _) = House::built();
    house.ask(&TenantCommand::CreateRootKey { name: "second".to_owned() });
    let create = TenantCommand::CreateApiKey {
        name: "login".to_owned(),
        scopes: [Scope::Mfa].into(),
        expires_at: None,
    };
    house.ask(&create);
    house.actor = None;
    let key = Secret::from(format!("csk_{}", "n".repeat(40)));
    let replace = TenantCommand::ReplaceRootKeys { key: key.clone() };
    assert_eq!(house.ask(&replace), TenantReply::Done);
    let roots = |house: &House| -> Vec<_> {
        house.tenant().api_keys.iter().filter(|key| key.root).map(|key| key.hash).collect()
    };
    assert_eq!(roots(&house), [key_hash(key.expose_str())]);
    assert_eq!(house.tenant().api_keys.len(), 2, "other keys stay");
    // A root key that was made since stays when a node starts with the same settings.
    house.actor = house.tenant().api_keys.iter().find(|key| key.root).map(|key| key.id);
    house.ask(&TenantCommand::CreateRootKey { name: "third".to_owned() });
    house.actor = None;
    assert_eq!(house.ask(&replace), TenantReply::Done);
    assert_eq!(roots(&house).len(), 2);
}

#[test]
fn a_removed_tenant_has_no_keys_and_does_not_come_back() {
    let (mut house, _) = House::built();
    house.state.as_mut().unwrap().api_keys[0].root = false;
    assert_eq!(house.ask(&TenantCommand::Remove), TenantReply::Done);
    assert!(house.tenant().api_keys.is_empty());
    let create = TenantCommand::Create { name: "Acme".into(), key: None, root: false };
    assert!(matches!(house.ask(&create), TenantReply::Refused(Refusal::Conflict(_))));
    let patch = PolicyPatch::default();
    assert!(matches!(house.patch(patch), TenantReply::Refused(Refusal::NotFound(_))));
}

#[test]
fn a_key_that_is_gone_or_ends_hands_out_nothing_that_outlasts_it() {
    let (mut house, _) = House::built();
    let create = |expires_at| TenantCommand::CreateApiKey {
        name: "n".to_owned(),
        scopes: [Scope::Keys].into(),
        expires_at,
    };
    let end = house.now.plus_millis(60_000);
    let reply = house.ask(&create(Some(end)));
    let TenantReply::ApiKeyCreated { api_key, .. } = reply else { panic!() };
    house.actor = Some(api_key.id);
    assert!(matches!(house.ask(&create(None)), TenantReply::Refused(Refusal::Invalid { .. })));
    assert!(matches!(house.ask(&create(Some(end))), TenantReply::ApiKeyCreated { .. }));
    house.now = end;
    let later = Some(end.plus_millis(1));
    assert!(matches!(house.ask(&create(later)), TenantReply::Refused(Refusal::Conflict(_))));
    house.now = end.plus_millis(-1);
    house.ask(&TenantCommand::RevokeApiKey { id: api_key.id });
    assert!(matches!(house.ask(&create(Some(end))), TenantReply::Refused(Refusal::Conflict(_))));
}
