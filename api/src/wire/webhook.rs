//! Webhooks and their deliveries.

use countersign_actors::gateway::DeliveryRow;
use countersign_core::ids::WebhookId;
use countersign_core::tenant::TenantCommand;
use countersign_core::webhook as core;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::telling::sent;
use super::{SecretText, Time, present};
use crate::problem::Problem;
use crate::request::Fields;
use crate::target::{WebhookTargets, check};

/// An endpoint that is told events.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// Its id.
    #[schema(example = "whk_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    id: String,
    /// Where events are posted.
    #[schema(example = "https://acme.example/hooks/mfa")]
    url: String,
    /// Which events: types, or beginnings of types that end in `*`.
    #[schema(example = json!(["mfa.*"]))]
    events: Vec<String>,
    /// What it is for.
    description: Option<String>,
    /// Whether events are delivered.
    enabled: bool,
    /// Why not: `FAILING` if nothing could be delivered for a day, `REQUESTED` if somebody asked
    /// for it; null while they are.
    #[schema(example = "FAILING")]
    disabled_reason: Option<String>,
    /// Since when not.
    disabled_at: Option<Time>,
    /// When it was made.
    created_at: Time,
    /// When the current secret was made.
    secret_created_at: Option<Time>,
}

impl From<&core::Webhook> for Webhook {
    fn from(webhook: &core::Webhook) -> Self {
        let reason = |disabled: &core::Disabled| match disabled.failing {
            true => "FAILING".to_owned(),
            false => "REQUESTED".to_owned(),
        };
        Self {
            id: webhook.id.to_string(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            description: webhook.description.clone(),
            enabled: webhook.disabled.is_none(),
            disabled_reason: webhook.disabled.as_ref().map(reason),
            disabled_at: webhook.disabled.as_ref().map(|disabled| Time(disabled.at)),
            created_at: webhook.created_at.into(),
            secret_created_at: webhook.secrets.last().map(|secret| Time(secret.created_at)),
        }
    }
}

/// A webhook with a secret that is shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub(crate) webhook: Webhook,
    /// What signs its events (Standard Webhooks): base64 behind `whsec_`.
    #[schema(value_type = String, example = "whsec_…")]
    pub(crate) secret: SecretText,
}

/// Tells events to an endpoint.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    /// Where events are posted: `https://…`, to a public address unless the operator allows others.
    #[schema(max_length = 2000, example = "https://acme.example/hooks/mfa")]
    url: String,
    /// Which events: types such as `mfa.factor.enrolled`, or beginnings of types that end in `*`.
    #[schema(min_items = 1, max_items = 50, example = json!(["mfa.*"]))]
    events: Vec<String>,
    /// What it is for.
    #[schema(min_length = 1, max_length = 200, example = "Security team")]
    description: Option<String>,
}

impl CreateWebhook {
    pub(crate) fn command(self, targets: &WebhookTargets) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        target(&mut fields, &self.url, targets);
        let description = self.description.map(|text| fields.line("/description", text, 1..=200));
        let (url, events) = (self.url, self.events);
        fields.finish(TenantCommand::CreateWebhook { url, events, description })
    }
}

/// A change of an endpoint: what is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateWebhook {
    /// Where events are posted.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 2000, example = "https://acme.example/hooks/mfa")]
    url: Option<String>,
    /// Which events.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_items = 1, max_items = 50, example = json!(["mfa.alert.*"]))]
    events: Option<Vec<String>>,
    /// What it is for; null takes the text away.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    description: Option<Option<String>>,
    /// Whether events are delivered. Once it is enabled again, events of the last 24 hours are.
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
}

impl UpdateWebhook {
    pub(crate) fn command(
        self,
        id: WebhookId,
        targets: &WebhookTargets,
    ) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        if let Some(url) = &self.url {
            target(&mut fields, url, targets);
        }
        let description = self
            .description
            .map(|text| text.map(|text| fields.line("/description", text, 1..=200)));
        let (url, events, enabled) = (self.url, self.events, self.enabled);
        fields.finish(TenantCommand::UpdateWebhook { id, url, events, description, enabled })
    }
}

fn target(fields: &mut Fields, url: &str, targets: &WebhookTargets) {
    if let Err(detail) = check(url, targets) {
        fields.refuse("/url", detail);
    }
}

/// Signs with a new secret.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateWebhookSecret {
    /// For how many seconds the old secret signs as well; a day if left out.
    #[schema(minimum = 0, maximum = 604800, example = 86400)]
    overlap_seconds: Option<u32>,
}

impl RotateWebhookSecret {
    pub(crate) fn command(self, id: WebhookId) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        let overlap = fields.number("/overlapSeconds", self.overlap_seconds, 0..=604_800);
        let overlap_seconds = overlap.unwrap_or(86_400);
        fields.finish(TenantCommand::RotateWebhookSecret { id, overlap_seconds })
    }
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum DeliveryStatus {
    /// It waits for its next attempt.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was tried for 24 hours in vain; it can be sent again.
    Dead,
}

/// The delivery of one event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookDelivery {
    /// Its id, and the `webhook-id` of every attempt.
    #[schema(example = "dlv_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    id: String,
    /// The audit event that is delivered.
    #[schema(example = "evt_0_42")]
    event_id: String,
    /// The event's type.
    #[schema(example = "mfa.factor.enrolled")]
    event_type: String,
    /// How it stands.
    status: DeliveryStatus,
    /// Attempts so far.
    attempts: u32,
    /// Since when it is tried.
    since: Time,
    /// The last attempt.
    last_attempt_at: Option<Time>,
    /// The next attempt, not before; null once it has ended.
    next_attempt_at: Option<Time>,
    /// The status that the endpoint answered last.
    #[schema(example = 503)]
    last_status: Option<u16>,
    /// Why the last attempt got no answer.
    #[schema(example = "timeout")]
    last_error: Option<String>,
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        let delivery = row.delivery;
        Self {
            id: row.id.to_string(),
            event_id: row.event,
            event_type: delivery.event_type,
            status: match delivery.state {
                core::DeliveryState::Pending => DeliveryStatus::Pending,
                core::DeliveryState::Delivered => DeliveryStatus::Delivered,
                core::DeliveryState::Dead => DeliveryStatus::Dead,
            },
            attempts: delivery.attempts,
            since: delivery.since.into(),
            last_attempt_at: delivery.last_attempt_at.map(Time),
            next_attempt_at: delivery.next_attempt_at.map(Time),
            last_status: delivery.last_status,
            last_error: delivery.last_error,
        }
    }
}
