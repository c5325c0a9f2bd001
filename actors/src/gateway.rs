//! The door through which the API asks. On one node it leads to the actors; in a cluster it leads
//! to the node that leads the shard. The API does not know the difference.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_core::audit::AuditOutcome;
use countersign_core::command::{Command, Query};
use countersign_core::ids::{ChallengeId, DeliveryId, KeyId, ShardId, TenantId, UserId, WebhookId};
use countersign_core::preview::Preview;
use countersign_core::proposal::AnswerKey;
use countersign_core::reply::{Reply, UserView};
use countersign_core::statistics::{Statistics, Window};
use countersign_core::tenant::{TenantCommand, TenantReply, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Delivery;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Who asks, and under which idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Whose API key it is. Everything asked stays within this tenant.
    pub tenant: TenantId,
    /// Which API key; `None` for the system itself.
    pub key: Option<KeyId>,
    /// The request's id, for logs.
    pub request_id: String,
    /// Where a browser on the hosted pages asks from, if that is known.
    pub address: Option<IpAddr>,
    /// The idempotency key, if one was sent.
    pub idempotency: Option<Idempotency>,
}

/// An idempotency key and the request that it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// SHA-256 over the idempotency key as sent. The actor mixes in tenant and target.
    pub key: [u8; 32],
    /// SHA-256 over method, path and body. The actor mixes in whose API key it was.
    pub request: [u8; 32],
}

impl Idempotency {
    /// The key under which the answer is kept: bound to the tenant and to whose row it changes.
    pub fn answer_key(&self, tenant: &TenantId, target: &str) -> AnswerKey {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(tenant.as_str());
        hash.update([0]);
        hash.update(target);
        hash.update([0]);
        hash.update(self.key);
        hash.finalize().into()
    }

    /// What the kept answer is the answer to: this request by this API key. Another key of the tenant
    /// may not be allowed what the answer shows.
    pub fn asked_by(&self, key: Option<KeyId>) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let Some(key) = key else { return self.request };
        Sha256::digest([&self.request[..], key.as_bytes()].concat()).into()
    }
}

/// Whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A user of the caller's tenant.
    User(UserId),
    /// The user of the caller's tenant whose challenge this is. Unknown: `challenge_not_found`.
    Challenge(ChallengeId),
}

/// What is asked of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Something that may change the user.
    Do(Command),
    /// Something that changes nothing.
    Tell(Query),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum GatewayError {
    /// No quorum, no leader within the deadline, or shutting down. May be retried with the same
    /// idempotency key.
    #[error("no answer within the deadline: {0}")]
    Unavailable(String),
    /// The node that was asked does not lead the shard, or is giving it away. Nothing was done:
    /// the same may be asked of another node at once, whatever it is.
    #[error("the shard is led elsewhere")]
    NotLeading {
        /// Who leads it, if known.
        leader: Option<u64>,
    },
    /// Too many requests wait for this one user.
    #[error("too many requests for this user are waiting")]
    OverloadedUser,
    /// Too many requests wait for this shard, for slow computing, or to read lists.
    #[error("the service is overloaded")]
    Overloaded,
    /// The idempotency key was used with another request, or by another API key.
    #[error("the idempotency key was used with another request, or by another API key")]
    IdempotencyKeyReused,
    /// A cursor that no page of this listing gave.
    #[error("the cursor is not the nextCursor of an answer to this listing")]
    InvalidCursor,
    /// A fault inside the service; details are in its log.
    #[error("internal fault: {0}")]
    Internal(String),
}

/// Which audit rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Of this user only.
    pub user: Option<UserId>,
    /// Of this type only; a trailing `*` stands for any ending.
    pub event_type: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next_cursor: Option<String>,
}

/// An audit row, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// `evt_…`: the shard and the place in the tenant's chain there. Unique within the tenant.
    pub id: String,
    /// Which chain.
    pub shard: ShardId,
    /// The place in it, from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The dotted type.
    pub event_type: String,
    /// Whose; `None` if the row is no user's or the user was erased.
    pub user: Option<UserId>,
    /// The user's stand-in, `psn_…`.
    pub pseudonym: Option<String>,
    /// `fac_…`.
    pub factor_id: Option<String>,
    /// `chl_…`.
    pub challenge_id: Option<String>,
    /// `key_…`.
    pub actor: Option<String>,
    /// The person's address; `None` if unknown or the user was erased.
    pub ip_address: Option<String>,
    /// How it went.
    pub outcome: AuditOutcome,
    /// Why.
    pub reason: Option<String>,
    /// More, by stable names.
    pub details: std::collections::BTreeMap<String, String>,
    /// The chained bytes of the row, for offline verification.
    pub chained: Vec<u8>,
    /// The annex's bytes; `None` if the user was erased.
    pub annex: Option<Vec<u8>>,
    /// The chain's hash after this row: SHA-256 over the hash before it and `chained`.
    pub hash: [u8; 32],
}

/// A delivery to a webhook, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// `dlv_…`: names the shard and the audit row.
    pub id: DeliveryId,
    /// The audit row that is delivered, `evt_…`.
    pub event: String,
    /// How it stands.
    pub delivery: Delivery,
}

/// The head of a shard's audit chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// In which shard.
    pub shard: ShardId,
    /// The last row's place; 0 if there is none.
    pub sequence: u64,
    /// The hash after it; zeros before the first.
    pub hash: [u8; 32],
    /// The time of the last row; the epoch if there is none.
    pub at: Timestamp,
    /// Rows up to this place were removed since their time was over.
    pub start_sequence: u64,
    /// The hash after the last of them; zeros if none was.
    pub start_hash: [u8; 32],
}

/// One shard, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardHealth {
    /// Which.
    pub id: ShardId,
    /// The leading node, if known.
    pub leader: Option<u64>,
    /// The term.
    pub term: u64,
    /// The last applied log index.
    pub last_applied: u64,
    /// The last log index that is known here to be committed.
    pub committed: u64,
    /// Up to which log index each other node has the log, if this node leads.
    pub followers: Vec<(u64, u64)>,
    /// Voting nodes.
    pub voters: Vec<u64>,
    /// Nodes that only listen.
    pub learners: Vec<u64>,
    /// Whether this node has caught up with what was committed when it started.
    pub caught_up: bool,
    /// How far the shard's time is ahead of the answering node's clock, in milliseconds.
    pub ahead_ms: i64,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeHealth {
    /// Its number, never used again.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Where its API listens.
    pub api_address: String,
    /// Where its peers reach it.
    pub peer_address: String,
    /// `UP`, or what else is known of it.
    pub state: String,
    /// How far its clock is ahead of the answering node's, in milliseconds; `None` if it did not
    /// answer lately.
    pub clock_ahead_ms: Option<i64>,
}

/// Whom a change of policy would affect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPreview {
    /// What was found.
    pub found: Preview,
    /// Whether all users were looked at; if not, it was a fair share of them and time was up.
    pub complete: bool,
    /// How many users there are, from the share that was looked at if that was not all; `None` if it
    /// was too small to tell.
    pub users: Option<u64>,
}

/// What became of the wish to take a node out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeRemoval {
    /// It is no part of the cluster any more.
    Removed,
    /// There is no such node.
    Unknown,
    /// It stays, and why.
    Refused(String),
}

/// What became of the shards that a node led when it was asked to hand them over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// How many another node leads now.
    pub moved: u32,
    /// How many the node leads still.
    pub kept: u32,
}

/// The cluster, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `clu_…`.
    pub cluster_id: String,
    /// The release that this node runs.
    pub version: String,
    /// The nodes.
    pub nodes: Vec<NodeHealth>,
    /// The shards.
    pub shards: Vec<ShardHealth>,
    /// The shards that have had no leader for longer than an election takes, or never had one here.
    pub leaderless: Vec<ShardId>,
    /// Whether what this node knows of tenants, keys and policies is current; see
    /// [`Gateway::current`].
    pub current: bool,
    /// What is wrong with the answering node's clock; it leads nothing then.
    pub clock: Option<String>,
    /// Whether the node is shutting down.
    pub stopping: bool,
}

/// Asks whoever can answer.
pub trait Gateway: Send + Sync + 'static {
    /// Asks about a user.
    fn ask(
        &self,
        caller: Caller,
        target: Target,
        question: Question,
    ) -> BoxFuture<'_, Result<Reply, GatewayError>>;

    /// Changes a tenant. A new tenant is made under the id given by the caller.
    fn change_tenant(
        &self,
        caller: Caller,
        tenant: TenantId,
        command: TenantCommand,
    ) -> BoxFuture<'_, Result<TenantReply, GatewayError>>;

    /// The users of a tenant, in a stable order; with a `query` those whose id begins so, the very
    /// id first, and if it has an `@` those whose email address begins so, in any case. A page of
    /// those looked for may be short, or empty, and still have a next one.
    fn users(
        &self,
        tenant: TenantId,
        query: Option<String>,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<UserView>, GatewayError>>;

    /// The audit rows of a tenant, newest first.
    fn audit(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<AuditRow>, GatewayError>>;

    /// The heads of the tenant's audit chains, one a shard, in the order of the shards.
    fn audit_heads(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<AuditHead>, GatewayError>>;

    /// Returns once what this node knows of tenants, keys and policies is known to be current, so
    /// that it includes whatever was answered, through any node, before this was called. At once
    /// on a node that is in touch with the cluster.
    ///
    /// # Errors
    /// `Unavailable` if that could not be said within the deadline.
    fn current(&self) -> BoxFuture<'_, Result<(), GatewayError>>;

    /// What happened to a tenant's users within the window that ends now.
    fn statistics(
        &self,
        tenant: TenantId,
        window: Window,
    ) -> BoxFuture<'_, Result<Statistics, GatewayError>>;

    /// Whom it would affect if a tenant were changed to `next`.
    fn preview(
        &self,
        current: Arc<TenantState>,
        next: TenantState,
    ) -> BoxFuture<'_, Result<PolicyPreview, GatewayError>>;

    /// Takes a node out of the cluster, for ever.
    fn remove_node(
        &self,
        caller: Caller,
        node: u64,
    ) -> BoxFuture<'_, Result<NodeRemoval, GatewayError>>;

    /// Makes a node hand over the shards that it leads.
    fn hand_over(&self, caller: Caller, node: u64)
    -> BoxFuture<'_, Result<HandOver, GatewayError>>;

    /// Sets the time of a shard back to real time, where clocks that were ahead had given it. Whatever
    /// is open in it ends. By how many milliseconds; `None` if there is no such shard.
    fn set_time(
        &self,
        caller: Caller,
        shard: ShardId,
    ) -> BoxFuture<'_, Result<Option<i64>, GatewayError>>;

    /// Deliveries to a webhook, those of the newest events of each shard first.
    fn webhook_deliveries(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<DeliveryRow>, GatewayError>>;

    /// Tries a delivery anew, whatever became of it; `false` if the webhook has none of that name.
    fn redeliver(
        &self,
        caller: Caller,
        webhook: WebhookId,
        delivery: DeliveryId,
    ) -> BoxFuture<'_, Result<bool, GatewayError>>;

    /// How the cluster is, from this node's own knowledge, without asking anybody.
    fn health(&self) -> Health;

    /// Whether the node is shutting down; cheap enough to be asked for every request.
    fn stopping(&self) -> bool {
        self.health().stopping
    }
}
