//! What the actors need of the world, each as a trait: a replica of a shard, the tenants as
//! applied, a clock, randomness. Storage and node implement them; tests put simple ones in.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_core::alerts::Pressure;
use countersign_core::ids::{
    KeyId, Pseudonym, ShardId, TenantId, UserHash, UserId, UserKey, WebhookId,
};
use countersign_core::outbox::{OutboxKey, OutboxRow};
use countersign_core::proposal::{AnswerKey, Applied, KeptAnswer, LogCommand};
use countersign_core::sending::{Lane, Traffic};
use countersign_core::system::SystemState;
use countersign_core::tenant::{Scope, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use countersign_core::webhook::Delivery;
use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::watch;

use crate::gateway::AuditRow;

/// A row with its version: the log index of its last change, 0 if it does not exist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Versioned<T> {
    /// The version.
    pub version: u64,
    /// The row.
    pub value: T,
}

/// Why a replica could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplicaError {
    /// This node does not lead the shard.
    #[error("this node does not lead shard {shard}")]
    NotLeader {
        /// Which shard.
        shard: ShardId,
        /// Who does, if known.
        leader: Option<u64>,
    },
    /// No quorum answered in time, or the node is shutting down. What was proposed may or may not
    /// take effect.
    #[error("shard {shard} cannot be reached: {reason}")]
    Unavailable {
        /// Which shard.
        shard: ShardId,
        /// Why.
        reason: String,
    },
    /// The local store failed.
    #[error("shard {shard}: the store failed: {reason}")]
    Store {
        /// Which shard.
        shard: ShardId,
        /// How.
        reason: String,
    },
}

/// This node's replica of one shard: proposes to the log and reads what was applied.
pub trait Replica: Send + Sync + 'static {
    /// Which shard.
    fn shard(&self) -> ShardId;

    /// Puts a command into the replicated log and waits until it is applied here. Fails, without
    /// effect, on a node that does not lead; a lost leadership in the middle leaves it open whether
    /// it takes effect.
    fn propose(&self, command: LogCommand) -> BoxFuture<'_, Result<Applied, ReplicaError>>;

    /// Returns once this node has confirmed that it leads and has applied all that was committed
    /// before: what is read after it is linearizable.
    fn barrier(&self) -> BoxFuture<'_, Result<(), ReplicaError>>;

    /// A user's row, as applied here; the default state with version 0 if there is none.
    ///
    /// # Errors
    /// If the store fails.
    fn user(&self, key: &UserKey) -> Result<Versioned<UserState>, ReplicaError>;

    /// The user whose id hashes to `hash`.
    ///
    /// # Errors
    /// If the store fails.
    fn user_by_hash(
        &self,
        tenant: &TenantId,
        hash: UserHash,
    ) -> Result<Option<UserId>, ReplicaError>;

    /// A tenant's row, as applied here (shard 0 only).
    ///
    /// # Errors
    /// If the store fails.
    fn tenant(&self, id: &TenantId) -> Result<Versioned<Option<TenantState>>, ReplicaError>;

    /// The cluster's own row, as applied here (shard 0 only).
    ///
    /// # Errors
    /// If the store fails.
    fn system(&self) -> Result<Versioned<SystemState>, ReplicaError>;

    /// The answer kept under an idempotency key, expired or not.
    ///
    /// # Errors
    /// If the store fails.
    fn answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, ReplicaError>;

    /// The shard's time: the latest that it has applied, moved on by the time that has elapsed
    /// since. A decision's `now` is never earlier, so a slow clock on a new leader reopens nothing;
    /// and what has a lifetime ends, although the time applied was ahead of every clock.
    fn last_now(&self) -> Timestamp;

    /// What waits to leave this shard; `None` for a replica from which nothing ever does.
    fn outbox(&self) -> Option<&dyn Outbox> {
        None
    }
}

/// What waits to leave a shard, as applied here.
pub trait Outbox: Send + Sync {
    /// Messages that wait, those that die first first, at most `limit`, after a given one.
    ///
    /// # Errors
    /// If the store fails.
    fn messages(
        &self,
        after: Option<OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, ReplicaError>;

    /// One of them; `None` once it is settled.
    ///
    /// # Errors
    /// If the store fails.
    fn message(&self, key: &OutboxKey) -> Result<Option<OutboxRow>, ReplicaError>;

    /// Changes whenever a message was put in.
    fn messages_put(&self) -> watch::Receiver<u64>;

    /// The index of the last applied entry, and its changes: audit rows come with them.
    fn applied(&self) -> watch::Receiver<u64>;

    /// A tenant's audit rows of this shard after a place in its chain, oldest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// If the store fails.
    fn events(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, ReplicaError>;

    /// One audit row of this shard; `None` if it is not the tenant's or not there any more.
    ///
    /// # Errors
    /// If the store fails.
    fn event(&self, tenant: &TenantId, sequence: u64) -> Result<Option<AuditRow>, ReplicaError>;

    /// The place of the tenant's last audit row of this shard that is older than `at`; 0 if there is
    /// none.
    ///
    /// # Errors
    /// If the store fails.
    fn events_before(&self, tenant: &TenantId, at: Timestamp) -> Result<u64, ReplicaError>;

    /// Up to which place of the chain an endpoint's deliveries have been recorded; `None` before
    /// the first record.
    ///
    /// # Errors
    /// If the store fails.
    fn webhook_position(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
    ) -> Result<Option<u64>, ReplicaError>;

    /// An endpoint's recorded deliveries after a place in the chain, oldest first, at most `limit`.
    ///
    /// # Errors
    /// If the store fails.
    fn deliveries(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReplicaError>;

    /// One of them.
    ///
    /// # Errors
    /// If the store fails.
    fn delivery(
        &self,
        tenant: &TenantId,
        webhook: WebhookId,
        sequence: u64,
    ) -> Result<Option<Delivery>, ReplicaError>;

    /// Endpoints of which this shard has records, of all tenants, gone ones included.
    ///
    /// # Errors
    /// If the store fails.
    fn webhooks(&self) -> Result<Vec<(TenantId, WebhookId)>, ReplicaError>;

    /// Changes whenever a delivery was asked for again.
    fn redelivered(&self) -> watch::Receiver<u64>;
}

/// Who an API key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// Whose key.
    pub tenant: TenantId,
    /// Which key.
    pub id: KeyId,
    /// What it may do.
    pub scopes: std::collections::BTreeSet<Scope>,
    /// Whether it may make and remove tenants.
    pub root: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// What every node knows of tenants and the cluster, in memory, as it applied it.
pub trait Directory: Send + Sync + 'static {
    /// A tenant that was not removed.
    fn tenant(&self, id: &TenantId) -> Option<Arc<TenantState>>;

    /// All tenants that were not removed, by id.
    fn tenants(&self) -> Vec<Arc<TenantState>>;

    /// Who a key is, by the SHA-256 of its text. Keys of removed tenants are nobody.
    fn api_key(&self, hash: &[u8; 32]) -> Option<KeyGrant>;

    /// The cluster's own state.
    fn system(&self) -> Arc<SystemState>;

    /// Failed verifications from an address in the ten minutes before `now` (real time), over all users
    /// of the tenant, as counted from what this node applied.
    fn failures_from(&self, tenant: &TenantId, address: IpAddr, now: Timestamp) -> u32;

    /// What else was counted over all users of the tenant, as this node applied it: about the
    /// address, leaving out the user at hand, and about the asking key. `now` is real time.
    fn pressure(
        &self,
        tenant: &TenantId,
        user: Option<Pseudonym>,
        address: Option<IpAddr>,
        key: Option<KeyId>,
        now: Timestamp,
    ) -> Pressure;

    /// The messages that were made on a lane, over all shards as this node applied them.
    fn traffic(&self, tenant: &TenantId, lane: &Lane, now: Timestamp) -> Traffic;
}

/// The wall clock.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;
}

/// Secure randomness for whoever asks.
pub trait EntropySource: Send + Sync + 'static {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}
