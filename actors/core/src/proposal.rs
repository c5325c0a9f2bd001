//! What is put into the replicated log, and what applying it answers.

use serde::{Deserialize, Serialize};

use crate::audit::AuditEntry;
use crate::event::UserEvent;
use crate::ids::{KeyId, TenantId, UserKey, WebhookId};
use crate::outbox::{HeraldReport, Settlement};
use crate::system::SystemEvent;
use crate::tenant::TenantEvent;
use crate::time::Timestamp;

/// Which row a proposal changes, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A user.
    User {
        /// Which.
        key: UserKey,
        /// What happens.
        events: Vec<UserEvent>,
    },
    /// A tenant; shard 0 only.
    Tenant {
        /// Which.
        id: TenantId,
        /// What happens.
        events: Vec<TenantEvent>,
    },
    /// What belongs to no tenant; shard 0 only.
    System {
        /// What happens.
        events: Vec<SystemEvent>,
    },
}

/// A decision on its way into the log. It is applied if the row still has the version that the
/// decision was made on, and changes nothing otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The row and its changes.
    pub change: Change,
    /// The row's version that the decision saw; 0 for a row that did not exist. A version is the
    /// log index of the row's last change, so no two states of a row ever share one.
    pub expected_version: u64,
    /// The shard's time, as the leader has it: its clock, or later if the shard's time is ahead of
    /// that. Apply uses the later of this and the shard's last.
    pub now: Timestamp,
    /// The leader's clock. How far `now` is ahead of it is kept, so that a node that starts again
    /// knows it.
    pub clock: Timestamp,
    /// What the audit log will say.
    pub audit: Vec<AuditEntry>,
    /// The answer to keep for a repeated request.
    pub answer: Option<KeptAnswer>,
}

/// The digest under which an answer is kept: SHA-256 over tenant, target and idempotency key.
pub type AnswerKey = [u8; 32];

/// How long an answer is kept for its idempotency key: 24 hours.
pub const ANSWER_KEPT_MS: i64 = crate::time::DAY_MS;

/// An answer kept for its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// Under what.
    pub key: AnswerKey,
    /// SHA-256 over the request: method, path, body. Another request under the same key is refused.
    pub request: [u8; 32],
    /// The reply, serialised and sealed.
    pub reply: Vec<u8>,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

/// How often a shard's leader proposes [`LogCommand::Retain`]: an hour.
pub const RETAIN_EVERY_MS: i64 = crate::time::HOUR_MS;

/// What a shard's log carries. New variants go to the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LogCommand {
    /// A decision.
    Propose(Box<Proposal>),
    /// Removes nothing any more: it trusted the leader's clock. [`LogCommand::Retain`] has taken its
    /// place; logs of earlier releases still hold it.
    TrimAudit {
        /// The oldest time that was to be kept.
        before: Timestamp,
    },
    /// Up to `limit` users of a removed tenant are erased.
    PurgeTenant {
        /// Whose.
        tenant: TenantId,
        /// How many at most.
        limit: u32,
    },
    /// What is past its time goes: audit rows that are older than they are kept, and answers that
    /// have expired, a bounded number of each.
    ///
    /// Age is measured by a clock of the shard's own that follows `now`, but by no more than twice
    /// [`RETAIN_EVERY_MS`] for each of these: a leader whose clock is years ahead removes nothing
    /// that is young.
    Retain {
        /// The leader's clock.
        now: Timestamp,
        /// For how many days audit rows are kept; 0 for ever.
        audit_days: u32,
    },
    /// What became of messages.
    Settle(Box<Settlement>),
    /// How deliveries to a webhook stand.
    Herald(Box<HeraldReport>),
    /// A webhook's delivery is tried anew, whatever became of it.
    Redeliver {
        /// Whose endpoint.
        tenant: TenantId,
        /// Which endpoint.
        webhook: WebhookId,
        /// Which row of this shard's chain.
        sequence: u64,
        /// The leader's clock.
        now: Timestamp,
    },
    /// A webhook is gone: its deliveries go too.
    ForgetWebhook {
        /// Whose endpoint it was.
        tenant: TenantId,
        /// Which.
        webhook: WebhookId,
    },
    /// An operator sets the shard's time back to real time.
    SetTime(Box<TimeSetting>),
}

/// A shard's time is set back, see [`crate::set_time`]. Proposed by a leader that decides on nothing
/// meanwhile: a decision that was stamped with the old time must not follow it in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSetting {
    /// The shard's time, as its leader has it.
    pub from: Timestamp,
    /// Real time.
    pub to: Timestamp,
    /// The API key that asked.
    pub by: Option<KeyId>,
}

/// What applying answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Applied {
    /// A blank or membership entry.
    Nothing,
    /// The proposal took effect.
    Done {
        /// The row's new version.
        version: u64,
        /// The time that the events carry.
        at: Timestamp,
    },
    /// The row has another version than the decision saw; nothing was changed.
    Conflict {
        /// The version it has.
        version: u64,
    },
    /// An answer is already kept under this idempotency key; nothing was changed.
    Repeated,
    /// Maintenance was done.
    Maintained {
        /// Whether there is more of the same to do.
        more: bool,
    },
    /// What was reported is recorded.
    Noted,
    /// There is nothing of that name.
    Unknown,
}

/// Names the row that a command concerns and nothing else of it: this text may reach a log line.
impl std::fmt::Display for LogCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Propose(proposal) => match &proposal.change {
                Change::User { events, .. } => write!(f, "{} events of a user", events.len()),
                Change::Tenant { id, events } => {
                    write!(f, "{} events of tenant {id}", events.len())
                }
                Change::System { events } => write!(f, "{} events of the cluster", events.len()),
            },
            Self::TrimAudit { .. } => f.write_str("trimming of the audit log"),
            Self::PurgeTenant { tenant, .. } => write!(f, "purge of tenant {tenant}"),
            Self::Retain { .. } => f.write_str("removal of what is past its time"),
            Self::Settle(settlement) => {
                write!(f, "outcomes of {} messages", settlement.outcomes.len())
            }
            Self::Herald(report) => {
                write!(f, "{} deliveries to {}", report.deliveries.len(), report.webhook)
            }
            Self::Redeliver { webhook, .. } => write!(f, "a delivery to {webhook} again"),
            Self::ForgetWebhook { webhook, .. } => write!(f, "the end of {webhook}"),
            Self::SetTime(_) => f.write_str("setting of the shard's time"),
        }
    }
}
