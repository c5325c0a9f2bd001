//! Where a tenant is told what happens: endpoints that get audit events, signed as Standard Webhooks
//! prescribes.
//!
//! The audit chain is the queue. A shard's leader reads it on from the place that was delivered
//! last, and keeps in the log how each delivery stands: see [`Delivery`].

use serde::{Deserialize, Serialize};

use crate::ids::WebhookId;
use crate::time::{DAY_MS, Timestamp};
use crate::vault::Sealed;

/// Endpoints a tenant has at most.
pub const WEBHOOKS_MAX: usize = 50;
/// Patterns of one endpoint at most.
pub const PATTERNS_MAX: usize = 50;
/// For how long a delivery is tried.
pub const TRIED_FOR_MS: i64 = DAY_MS;
/// For how long an ended delivery is kept, to be looked at and sent again.
pub const DELIVERY_KEPT_MS: i64 = 3 * DAY_MS;

/// A secret that signs, and until when it still does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// The 32 bytes behind `whsec_`, sealed in the context of [`seal_context`].
    pub sealed: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// `None` for the current one; for one that was replaced, when it stops.
    pub expires_at: Option<Timestamp>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where events are posted.
    pub url: String,
    /// Which events: types, or beginnings of types that end in `*`.
    pub events: Vec<String>,
    /// What it is for, in the tenant's words.
    pub description: Option<String>,
    /// The secrets that sign, the current one last.
    pub secrets: Vec<WebhookSecret>,
    /// When it was made. Earlier events are not delivered.
    pub created_at: Timestamp,
    /// Why and since when nothing is delivered.
    pub disabled: Option<Disabled>,
}

/// Why an endpoint gets nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Whether the service did it, since nothing could be delivered; else somebody did.
    pub failing: bool,
}

/// What a webhook's sealed secret is bound to, with its id.
pub fn seal_context(tenant: &crate::ids::TenantId, id: WebhookId) -> Vec<u8> {
    ["webhook", tenant.as_str(), &id.to_string()].join("\0").into_bytes()
}

impl Webhook {
    /// Whether it wants events of this type.
    pub fn wants(&self, event_type: &str) -> bool {
        self.events.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => event_type.starts_with(beginning),
            None => event_type == pattern,
        })
    }
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was tried for as long as it may be, in vain: a dead letter. It can be sent again.
    Dead,
}

/// The delivery of one audit row of a shard to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The audit row's place in the shard's chain.
    pub sequence: u64,
    /// The audit row's type.
    pub event_type: String,
    /// How it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// Since when it is tried; sending again begins anew.
    pub since: Timestamp,
    /// The last attempt.
    pub last_attempt_at: Option<Timestamp>,
    /// The next attempt, not before; only while it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// The status that the endpoint answered last.
    pub last_status: Option<u16>,
    /// Why the last attempt failed, where there was no answer.
    pub last_error: Option<String>,
}
