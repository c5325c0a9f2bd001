//! What waits to leave, and what became of it, as the log carries it.

use serde::{Deserialize, Serialize};

use crate::factor::message::SendOutcome;
use crate::ids::{DeliveryId, FactorId, TenantId, UserKey, WebhookId};
use crate::message::Channel;
use crate::time::Timestamp;
use crate::vault::Sealed;
use crate::webhook::Delivery;

/// Names a message that waits: those that die first come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutboxKey {
    /// When its code dies.
    pub expires_at: Timestamp,
    /// Which.
    pub delivery: DeliveryId,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Whose.
    pub user: UserKey,
    /// The factor or pending enrollment that its code proves.
    pub factor: FactorId,
    /// How it travels.
    pub channel: Channel,
    /// Its number.
    pub delivery: DeliveryId,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When its code dies.
    pub expires_at: Timestamp,
    /// The [`crate::message::CodeMessage`], sealed.
    pub message: Sealed,
}

impl OutboxRow {
    /// Its name.
    pub const fn key(&self) -> OutboxKey {
        OutboxKey { expires_at: self.expires_at, delivery: self.delivery }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageOutcome {
    /// The provider took it.
    Sent {
        /// What the provider calls it.
        reference: Option<String>,
    },
    /// The provider will never take it, or its code died while nobody took it.
    Failed {
        /// A stable word.
        reason: String,
    },
    /// Its code became void before it left: a newer one, a reset, a removed factor.
    Superseded,
}

impl MessageOutcome {
    /// What is kept of it with the code; nothing where the code itself is void.
    pub fn of_the_code(&self) -> Option<SendOutcome> {
        match self {
            Self::Sent { .. } => Some(SendOutcome::Sent),
            Self::Failed { reason } => Some(SendOutcome::Failed { reason: reason.clone() }),
            Self::Superseded => None,
        }
    }
}

/// What became of some messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The leader's clock.
    pub now: Timestamp,
    /// Which, what, and after how many attempts. One that is settled already stays as it is.
    pub outcomes: Vec<(OutboxKey, MessageOutcome, u32)>,
}

/// How deliveries to one endpoint stand in one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeraldReport {
    /// The leader's clock.
    pub now: Timestamp,
    /// Whose endpoint.
    pub tenant: TenantId,
    /// Which endpoint.
    pub webhook: WebhookId,
    /// Up to this place of the chain every row that the endpoint wants has a [`Delivery`]; `None`
    /// leaves the place.
    pub position: Option<u64>,
    /// Deliveries as they are now.
    pub deliveries: Vec<Delivery>,
}
