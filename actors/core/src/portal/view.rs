//! What the pages show of a session and its user.
//!
//! Whoever holds the session may not have proven more than a password: nothing in here is worth
//! more than what an answered password buys anyway, and destinations are masked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PortalPurpose;
use crate::factor::FactorType;
use crate::factor::message::SendOutcome;
use crate::ids::{FactorId, PortalId};
use crate::reply::{ChallengeView, DeviceView, FactorView};
use crate::time::Timestamp;

/// How the code that was last sent somewhere stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    /// Until when it can be accepted; `None` if there is none.
    pub live_until: Option<Timestamp>,
    /// From when on another may be asked for.
    pub next_at: Timestamp,
    /// What became of its message; `None` if there is no code that could be waited for.
    pub outcome: Option<SendOutcome>,
}

impl CodeView {
    /// Whether it will never arrive.
    pub const fn failed(&self) -> bool {
        matches!(self.outcome, Some(SendOutcome::Failed { .. }))
    }

    /// Whether it is not known yet.
    pub const fn is_pending(&self) -> bool {
        matches!(self.outcome, Some(SendOutcome::Pending))
    }
}

/// An enrollment that was begun within the session and waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingView {
    /// The factor that it will make.
    pub id: FactorId,
    /// Its type.
    pub factor_type: FactorType,
    /// Where codes go, as it may be shown.
    pub masked_destination: Option<String>,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// A session, as its browser sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortalView {
    /// Its id.
    pub id: PortalId,
    /// What for.
    pub purpose: PortalPurpose,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// Until when the last verification within it counts, if one does.
    pub fresh_until: Option<Timestamp>,
    /// Whether there is anything by which the person could be verified.
    pub provable: bool,
    /// Whether adding a factor needs a verification first.
    pub guarded: bool,
    /// Whose it is, as it may be shown: a masked address, or nothing.
    pub account: Option<String>,
    /// The application's challenge.
    pub challenge: Option<ChallengeView>,
    /// The session's own.
    pub verification: Option<ChallengeView>,
    /// The factors by which the person could be verified, the primary first.
    pub provable_by: Vec<FactorView>,
    /// ACTIVE factors, the primary first.
    pub factors: Vec<FactorView>,
    /// Ids of the credentials of keys, which a browser is told anyway, and whose they are.
    pub keys: Vec<(Vec<u8>, FactorId)>,
    /// What may be enrolled now.
    pub offered: Vec<FactorType>,
    /// The enrollment that waits.
    pub pending: Option<PendingView>,
    /// Codes that were sent to factors, or to the enrollment that waits.
    pub codes: BTreeMap<FactorId, CodeView>,
    /// What was enrolled within the session last.
    pub enrolled: Option<FactorId>,
    /// Whether the application's challenge was answered.
    pub answered: bool,
    /// Recovery codes in the set.
    pub recovery_codes_total: u32,
    /// Unused ones.
    pub recovery_codes_remaining: u32,
    /// Trusted devices.
    pub devices: Vec<DeviceView>,
    /// For how many days a browser would be remembered; `None` if none may be.
    pub trust_days: Option<u32>,
    /// Until when codes are refused.
    pub locked_until: Option<Timestamp>,
    /// Whether only an administrator unlocks.
    pub locked_hard: bool,
}

impl PortalView {
    /// The factor that this credential belongs to.
    pub fn key_of(&self, credential_id: &[u8]) -> Option<FactorId> {
        self.keys.iter().find(|(id, _)| id == credential_id).map(|(_, factor)| *factor)
    }
}
