//! What a decision leaves for those who ask why.
//!
//! A row has two parts. The *chained* part is hashed into the shard's chain and never changes; it
//! names its user by a pseudonym. The *annex* holds what is personal (the user's id, the address,
//! what somebody wrote); the chain holds only a salted digest of it, so that erasing a user removes
//! the annexes and the chain still verifies.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::alerts;
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::ids::{ChallengeId, FactorId, KeyId};

/// The reason of an entry that tells of a wrong code.
pub const INVALID_CODE: &str = "invalid_code";

/// The type of an entry that tells of a reset.
pub const FACTORS_RESET: &str = "mfa.factors.reset";

/// The type of an entry that tells that a challenge was answered wrongly.
pub const CHALLENGE_FAILED: &str = "mfa.challenge.failed";
/// The type of an entry that tells that an assertion outside a challenge was refused.
pub const ASSERTION_FAILED: &str = "mfa.assertion.failed";

/// Whether an entry of this type, outcome and reason tells of a proof that was read and found wrong:
/// a code, or the answer of a security key or passkey.
pub fn is_failed_proof(event_type: &str, outcome: AuditOutcome, reason: Option<&str>) -> bool {
    let Some(reason) = reason.filter(|_| outcome == AuditOutcome::Failure) else { return false };
    let of_key = || CeremonyFailure::ALL.iter().any(|failure| failure.as_str() == reason);
    if event_type.starts_with(alerts::PREFIX) {
        return false;
    }
    reason == INVALID_CODE
        || (matches!(event_type, CHALLENGE_FAILED | ASSERTION_FAILED) && of_key())
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused.
    Failure,
}

/// One thing that was decided, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// A dotted type, `mfa.factor.enrolled`.
    pub event_type: String,
    /// How it went.
    pub outcome: AuditOutcome,
    /// Why: a stable word such as `invalid_code`. Of a [`FACTORS_RESET`] what somebody wrote; that
    /// goes to the annex.
    pub reason: Option<String>,
    /// The factor concerned.
    pub factor_id: Option<FactorId>,
    /// The challenge concerned.
    pub challenge_id: Option<ChallengeId>,
    /// The API key that asked; `None` for the system itself.
    pub actor: Option<KeyId>,
    /// The person's address, where known. Goes to the annex.
    pub ip_address: Option<IpAddr>,
    /// More, by stable names. Never a secret, never personal.
    pub details: BTreeMap<String, String>,
}

impl AuditEntry {
    /// An entry that tells of a success.
    pub fn success(event_type: &str) -> Self {
        Self {
            event_type: event_type.to_owned(),
            outcome: AuditOutcome::Success,
            reason: None,
            factor_id: None,
            challenge_id: None,
            actor: None,
            ip_address: None,
            details: BTreeMap::new(),
        }
    }

    /// An entry that tells of a refusal and why.
    pub fn failure(event_type: &str, reason: &str) -> Self {
        Self {
            outcome: AuditOutcome::Failure,
            reason: Some(reason.to_owned()),
            ..Self::success(event_type)
        }
    }

    /// Whether it counts against its address.
    pub fn is_failed_verification(&self) -> bool {
        is_failed_proof(&self.event_type, self.outcome, self.reason.as_deref())
    }

    /// Whether the reason is what somebody wrote, who may have named a person.
    pub fn reason_is_personal(&self) -> bool {
        self.event_type == FACTORS_RESET
    }

    /// With the factor concerned.
    #[must_use]
    pub fn factor(mut self, id: FactorId) -> Self {
        self.factor_id = Some(id);
        self
    }

    /// With the challenge concerned.
    #[must_use]
    pub fn challenge(mut self, id: ChallengeId) -> Self {
        self.challenge_id = Some(id);
        self
    }

    /// With the reason.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// With one more detail.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }

    /// With the person's address.
    #[must_use]
    pub fn from_address(mut self, address: Option<IpAddr>) -> Self {
        self.ip_address = address;
        self
    }
}
