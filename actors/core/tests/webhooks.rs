//! Webhooks as a tenant's decisions: made, rotated, disabled; and what older nodes would not
//! understand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use countersign_core::context::Context;
use countersign_core::entropy::SeededEntropy;
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::policy::{Policy, PolicyPatch};
use countersign_core::reply::Refusal;
use countersign_core::secret::Secret;
use countersign_core::sending::GuardsPatch;
use countersign_core::settings::Settings;
use countersign_core::system::FEATURE_LEVEL;
use countersign_core::tenant::{TenantCommand, TenantReply, TenantState, decide, evolve};
use countersign_core::time::Timestamp;
use countersign_core::vault::Vault;
use countersign_core::webhook::{WEBHOOKS_MAX, Webhook, seal_context};

use crate::story::GlassVault;

mod story;

struct House {
    state: Option<TenantState>,
    now: Timestamp,
    entropy: SeededEntropy,
    feature_level: u16,
    audit: Vec<String>,
}

impl House {
    fn new() -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let id = TenantId::default_tenant();
        let (policy, settings) = (Policy::initial(now), Settings::initial());
        let state = TenantState::new(id, "Acme".to_owned(), now, policy, settings);
        Self {
            state: Some(state),
            now,
            entropy: SeededEntropy::new(3),
            feature_level: FEATURE_LEVEL,
            audit: Vec::new(),
        }
    }

    fn ask(&mut self, command: &TenantCommand) -> TenantReply {
        let mut context = Context {
            now: self.now,
            entropy: &mut self.entropy,
            vault: &GlassVault,
            actor: None,
            feature_level: self.feature_level,
        };
        let id = TenantId::default_tenant();
        let decision = decide(&id, self.state.as_ref(), command, &mut context);
        for event in &decision.events {
            evolve(&mut self.state, &id, event, self.now);
        }
        self.audit = decision.audit.into_iter().map(|entry| entry.event_type).collect();
        decision.reply
    }

    fn create(&mut self) -> (Webhook, Secret) {
        let command = TenantCommand::CreateWebhook {
            url: "https://acme.example/hooks".to_owned(),
            events: vec!["mfa.*".to_owned(), "mfa.*".to_owned()],
            description: None,
        };
        self.secret(&command)
    }

    fn secret(&mut self, command: &TenantCommand) -> (Webhook, Secret) {
        match self.ask(command) {
            TenantReply::WebhookSecret { webhook, secret } => (*webhook, secret),
            other => panic!("{other:?}"),
        }
    }

    fn rotate(&mut self, id: WebhookId, overlap_seconds: u32) -> (Webhook, Secret) {
        self.secret(&TenantCommand::RotateWebhookSecret { id, overlap_seconds })
    }

    fn wait_s(&mut self, seconds: i64) {
        self.now = self.now.plus_millis(seconds * 1_000);
    }
}

#[test]
fn the_secret_that_is_shown_is_the_one_that_is_sealed() {
    let mut house = House::new();
    let (webhook, secret) = house.create();
    assert_eq!(webhook.events, ["mfa.*"], "a pattern counts once");
    let context = seal_context(&TenantId::default_tenant(), webhook.id);
    let plain = GlassVault.open(&context, &webhook.secrets[0].sealed).unwrap();
    let shown = secret.expose_str().strip_prefix("whsec_").unwrap();
    assert_eq!(data_encoding::BASE64.decode(shown.as_bytes()).unwrap(), plain.expose());
    assert_eq!(house.audit, ["mfa.webhook.created"]);
}

#[test]
fn an_old_secret_signs_until_its_overlap_ends_and_never_longer() {
    let mut house = House::new();
    let (webhook, _) = house.create();
    let (rotated, _) = house.rotate(webhook.id, 3_600);
    assert_eq!(rotated.secrets.len(), 2);
    let end = rotated.secrets[0].expires_at.unwrap();
    assert_eq!(end, house.now.plus_millis(3_600_000));
    assert_eq!(rotated.secrets[1].expires_at, None);
    house.wait_s(60);
    let (again, _) = house.rotate(webhook.id, 7_200);
    assert_eq!(again.secrets[0].expires_at, Some(end), "a later rotation does not lengthen it");
    let (more, _) = house.rotate(webhook.id, 7_200);
    assert_eq!(more.secrets.len(), 3, "the oldest makes room");
    let (bare, _) = house.rotate(webhook.id, 0);
    assert_eq!(bare.secrets.len(), 1, "without an overlap the old ones end at once");
}

#[test]
fn an_endpoint_that_fails_is_disabled_once_and_opened_by_hand() {
    let mut house = House::new();
    let (webhook, _) = house.create();
    let disable = TenantCommand::DisableWebhook { id: webhook.id };
    house.ask(&disable);
    assert_eq!(house.audit, ["mfa.webhook.disabled"]);
    house.ask(&disable);
    assert!(house.audit.is_empty(), "every shard may ask; it is told once");
    let enable = TenantCommand::UpdateWebhook {
        id: webhook.id,
        url: None,
        events: None,
        description: None,
        enabled: Some(true),
    };
    let TenantReply::Webhook(enabled) = house.ask(&enable) else { panic!() };
    assert_eq!(enabled.disabled, None);
}

#[test]
fn a_tenant_has_a_bounded_number_of_webhooks() {
    let mut house = House::new();
    for _ in 0..WEBHOOKS_MAX {
        house.create();
    }
    let command = TenantCommand::CreateWebhook {
        url: "https://acme.example/".to_owned(),
        events: vec!["mfa.*".to_owned()],
        description: None,
    };
    assert!(matches!(house.ask(&command), TenantReply::Refused(Refusal::Conflict(_))));
}

#[test]
fn nothing_new_is_written_while_a_node_of_an_earlier_release_is_there() {
    let mut house = House::new();
    house.feature_level = 1;
    let webhook = TenantCommand::CreateWebhook {
        url: "https://acme.example/".to_owned(),
        events: vec!["mfa.*".to_owned()],
        description: None,
    };
    let guards = GuardsPatch { per_tenant_per_day: Some(5), ..GuardsPatch::default() };
    let guards = PolicyPatch { guards, ..PolicyPatch::default() };
    for command in [webhook, TenantCommand::PatchPolicy(Box::new(guards))] {
        assert!(matches!(house.ask(&command), TenantReply::Refused(Refusal::Conflict(_))));
    }
    let plain = PolicyPatch { recovery_codes_count: Some(8), ..PolicyPatch::default() };
    let plain = TenantCommand::PatchPolicy(Box::new(plain));
    assert!(matches!(house.ask(&plain), TenantReply::Policy(_)));
}
