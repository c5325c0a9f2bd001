//! How messages and events leave the service: the ports that the couriers work with.
//!
//! Nothing here is ever logged whole: a parcel holds a code, a posting holds what happened to a
//! person. What an error says is made of words that are the same for everybody.

use std::fmt;
use std::time::Duration;

use countersign_core::ids::{DeliveryId, TenantId, WebhookId};
use countersign_core::message::{Channel, CodeMessage, MessageTemplates};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use futures::future::BoxFuture;
use thiserror::Error;

use crate::gateway::AuditRow;

/// A message on its way to a person.
#[derive(Clone)]
pub struct Parcel {
    /// Its number: the same over all attempts and all nodes.
    pub id: DeliveryId,
    /// The name under which the tenant is known.
    pub issuer: String,
    /// The tenant's words.
    pub templates: MessageTemplates,
    /// What is sent, and where.
    pub message: CodeMessage,
    /// When it is sent, by real time; together with the code's end it says for how long the code is
    /// good.
    pub now: Timestamp,
}

/// Shows neither the code nor where it goes.
impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = self.message.channel;
        f.debug_struct("Parcel")
            .field("id", &self.id)
            .field("channel", &channel)
            .finish_non_exhaustive()
    }
}

/// A parcel that a provider took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// What the provider calls it.
    pub reference: Option<String>,
}

/// Why a parcel was not carried. `reason` is a stable word (`timeout`, `http_503`,
/// `provider_21211`) for audit rows and metrics: no destination, no code, no text of the
/// provider's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotCarried {
    /// It may be taken later.
    #[error("not taken now: {reason}")]
    Later {
        /// Why.
        reason: String,
        /// When to come again, if the provider said.
        after: Option<Duration>,
    },
    /// It will never be taken.
    #[error("not taken: {reason}")]
    Never {
        /// Why.
        reason: String,
    },
    /// Nothing was tried: the provider has failed so often that it is left alone for a while.
    #[error("the provider is left alone for a while")]
    Closed {
        /// For how long still.
        reopens_in: Duration,
    },
}

/// Carries messages to people. Answers within a bounded time; dropping the future gives up, and then
/// the parcel may or may not have been taken.
pub trait Carrier: Send + Sync + 'static {
    /// Whether messages of this channel can be sent at all.
    fn carries(&self, channel: Channel) -> bool;

    /// Sends one.
    fn carry<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, NotCarried>>;
}

/// An event on its way to an endpoint.
#[derive(Clone)]
pub struct Posting {
    /// Its number: the same over all attempts and all nodes.
    pub id: DeliveryId,
    /// Whose endpoint it is: what a post takes is counted by tenant.
    pub tenant: TenantId,
    /// Where.
    pub url: String,
    /// What happened.
    pub event: AuditRow,
    /// The keys that sign, as bytes (what stands behind `whsec_`, decoded).
    pub secrets: Vec<Secret>,
    /// When it is sent, by real time.
    pub now: Timestamp,
}

/// Shows neither the event nor where it goes: some keep a password in a URL.
impl fmt::Debug for Posting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posting").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why an endpoint did not take an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotPosted {
    /// It answered with another status than 2xx.
    #[error("answered {status}")]
    Refused {
        /// Which.
        status: u16,
        /// When to come again, if it said.
        after: Option<Duration>,
    },
    /// It did not answer.
    #[error("{reason}")]
    Unreachable {
        /// A stable word: `timeout`, `connect`, `tls`, `dns`, `private_address`.
        reason: String,
    },
}

/// Posts events to endpoints. Answers within a bounded time.
pub trait Poster: Send + Sync + 'static {
    /// Posts one; the status that the endpoint took it with.
    fn post<'a>(&'a self, posting: &'a Posting) -> BoxFuture<'a, Result<u16, NotPosted>>;
}

/// Does what a courier finds to be necessary but has no right to decide in its own shard.
pub trait Steward: Send + Sync + 'static {
    /// Delivers nothing any more to an endpoint that has failed for too long. Best effort: it is
    /// asked for again with the next failure.
    fn disable_webhook(&self, tenant: TenantId, webhook: WebhookId) -> BoxFuture<'_, ()>;
}
