//! Webhooks as a tenant's decisions: made, rotated, disabled; and what older nodes would not
//! understand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use countersign_core::audit::AuditEntry;
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
use countersign_core::webhook::{PATTERNS_MAX, WEBHOOKS_MAX, Webhook, seal_context};

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
            clock: self.now,
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

    /// The one entry that a command leaves.
    fn entry(&mut self, command: &TenantCommand) -> AuditEntry {
        let mut context = Context {
            now: self.now,
            clock: self.now,
            entropy: &mut self.entropy,
            vault: &GlassVault,
            actor: None,
            feature_level: self.feature_level,
        };
        let id = TenantId::default_tenant();
        let decision = decide(&id, self.state.as_ref(), command, &mut context);
        assert_eq!(decision.audit.len(), 1, "{decision:?}");
        decision.audit.into_iter().next().unwrap()
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
fn that_an_endpoint_falls_silent_or_speaks_again_is_told_apart_from_other_changes() {
    let mut house = House::new();
    let (webhook, _) = house.create();
    let change = |url: Option<&str>, enabled| TenantCommand::UpdateWebhook {
        id: webhook.id,
        url: url.map(str::to_owned),
        events: None,
        description: None,
        enabled,
    };
    let (other, third) = (Some("https://other.example/"), Some("https://third.example/"));
    for (command, told) in [
        (change(None, None), vec![]),
        (change(None, Some(true)), vec![]),
        (change(other, None), vec!["mfa.webhook.updated"]),
        (change(other, Some(false)), vec!["mfa.webhook.disabled"]),
        (change(other, Some(false)), vec![]),
        (change(third, Some(true)), vec!["mfa.webhook.updated", "mfa.webhook.enabled"]),
    ] {
        let before = house.state.clone();
        let TenantReply::Webhook(now) = house.ask(&command) else { panic!() };
        assert_eq!(house.audit, told, "{command:?}");
        assert_eq!(house.state.as_ref().unwrap().webhooks, [*now]);
        assert_eq!(house.state == before, told.is_empty(), "what leaves no trace changes nothing");
    }
}

#[test]
fn why_an_endpoint_fell_silent_is_told_with_it() {
    let mut house = House::new();
    let (webhook, _) = house.create();
    let by_hand = TenantCommand::UpdateWebhook {
        id: webhook.id,
        url: None,
        events: None,
        description: None,
        enabled: Some(false),
    };
    for (command, reason) in
        [(TenantCommand::DisableWebhook { id: webhook.id }, "failing"), (by_hand, "requested")]
    {
        house.state.as_mut().unwrap().webhooks[0].disabled = None;
        let entry = house.entry(&command);
        assert_eq!(entry.event_type, "mfa.webhook.disabled");
        assert_eq!(entry.reason.as_deref(), Some(reason));
        assert_eq!(entry.details["webhookId"], webhook.id.to_string());
    }
}

#[test]
fn what_can_never_be_the_type_of_an_event_is_refused_at_its_place() {
    let mut house = House::new();
    let many = vec!["mfa.*".to_owned(); PATTERNS_MAX + 1];
    let of = |text: &str| vec!["mfa.*".to_owned(), text.to_owned()];
    let long = format!("mfa.{}", "x".repeat(97));
    for (events, pointer) in [
        (vec![], "/events"),
        (many, "/events"),
        (of(""), "/events/1"),
        (of("mfa."), "/events/1"),
        (of("mfa..x"), "/events/1"),
        (of(".mfa"), "/events/1"),
        (of("mfa.**"), "/events/1"),
        (of("*.locked"), "/events/1"),
        (of("MFA.*"), "/events/1"),
        (of("mfa.user locked"), "/events/1"),
        (of(&long), "/events/1"),
    ] {
        let command = TenantCommand::CreateWebhook {
            url: "https://acme.example/".to_owned(),
            events: events.clone(),
            description: None,
        };
        match house.ask(&command) {
            TenantReply::Refused(Refusal::Invalid { pointer: named, .. }) => {
                assert_eq!(named, pointer, "{events:?}");
            }
            other => panic!("{events:?}: {other:?}"),
        }
    }
    for fine in ["*", "mfa.*", "mfa.fac*", "mfa.factor.enrolled", "mfa.recovery_code.used"] {
        let command = TenantCommand::CreateWebhook {
            url: "https://acme.example/".to_owned(),
            events: of(fine),
            description: None,
        };
        assert!(matches!(house.ask(&command), TenantReply::WebhookSecret { .. }), "{fine}");
    }
}

#[test]
fn a_webhook_that_is_gone_or_never_was_is_not_found() {
    let mut house = House::new();
    let (webhook, _) = house.create();
    let id = webhook.id;
    assert_eq!(house.ask(&TenantCommand::RemoveWebhook { id }), TenantReply::Done);
    assert_eq!(house.audit, ["mfa.webhook.removed"]);
    assert!(house.state.as_ref().unwrap().webhooks.is_empty());
    for command in [
        TenantCommand::RemoveWebhook { id },
        TenantCommand::DisableWebhook { id },
        TenantCommand::RotateWebhookSecret { id, overlap_seconds: 0 },
    ] {
        assert!(matches!(house.ask(&command), TenantReply::Refused(Refusal::NotFound(_))));
    }
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
