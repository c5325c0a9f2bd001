//! The audit log: in each shard one hash chain per tenant.
//!
//! `hash(n) = SHA-256(hash(n − 1) ‖ chained(n))`, with zeros before the first row. A tenant's chain
//! has that tenant's rows only, so that its export verifies by itself and tells nothing of how much
//! others do. Rows are stored in the order in which the shard wrote them, whosever they are: by that
//! place old ones are removed and recent ones counted. No place and no log index is in what a tenant
//! reads.
//!
//! The chained part names a user by a pseudonym and binds the annex, which holds what is personal,
//! by a salted digest only. Erasing a user deletes the annexes in one range, and the chain still
//! verifies: the row [`USER_ERASED`] says why they are gone.
//!
//! The pseudonym in the log is not the one in the user's row but a digest of it, and the salts
//! are digests of it as well: once the user's row is gone nobody can work back from the chain, and
//! every replica arrives at the same bytes without any randomness of its own.

mod read;
mod verify;
mod write;

use std::collections::BTreeMap;

use countersign_core::audit::AuditOutcome;
use countersign_core::ids::{ChallengeId, FactorId, KeyId, Pseudonym, ShardId, TenantId, UserId};
use countersign_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::read::{AuditBounds, AuditPage, AuditQuery};
pub(crate) use self::read::{
    chain, each, export, first_not_before, last_before, oldest, one, page, recent_signs, tail,
};
pub use self::verify::{Broken, verify};
pub(crate) use self::write::{Chains, Subject, append, erase_annexes, trim};
use crate::records::Annex;

/// The type of the row that says that a user was erased, and with the user the annexes of all
/// earlier rows under that pseudonym.
pub const USER_ERASED: &str = "mfa.user.erased";

/// The part of a row that is hashed into the chain. It never changes and names nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chained {
    /// The place in the tenant's chain, from 1.
    pub sequence: u64,
    /// When, by the shard's time: never earlier than the row before, unless an operator set that
    /// right in between.
    pub at: Timestamp,
    /// Whose chain it is in. The cluster's own affairs are in the default tenant's.
    pub tenant: TenantId,
    /// The user's stand-in.
    pub pseudonym: Option<Pseudonym>,
    /// The dotted type.
    pub event_type: String,
    /// How it went.
    pub outcome: AuditOutcome,
    /// Why, as a stable word. What somebody wrote stands in the annex; rows of earlier releases
    /// have it here.
    pub reason: Option<String>,
    /// The factor concerned.
    pub factor_id: Option<FactorId>,
    /// The challenge concerned.
    pub challenge_id: Option<ChallengeId>,
    /// The API key that asked.
    pub actor: Option<KeyId>,
    /// More, by stable names.
    pub details: BTreeMap<String, String>,
    /// SHA-256 of the annex; `None` if the row never had one.
    pub annex: Option<[u8; 32]>,
}

/// A row as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// In which of the tenant's chains.
    pub shard: ShardId,
    /// What is chained.
    pub chained: Chained,
    /// What is personal; `None` if there was nothing or it was erased.
    pub annex: Option<Annex>,
    /// The bytes behind both, and the hash: what offline verification needs.
    pub export: ExportRow,
}

impl AuditRow {
    /// Whose row it is, if it is a user's that was not erased.
    pub fn user(&self) -> Option<&UserId> {
        self.annex.as_ref().and_then(|annex| annex.user.as_ref())
    }

    /// Why: a stable word, or what somebody wrote, if it was not erased.
    pub fn reason(&self) -> Option<&str> {
        reason(&self.chained, self.annex.as_ref())
    }
}

/// The reason that a row gives. A stable word is chained; what somebody wrote is personal.
pub fn reason<'a>(chained: &'a Chained, annex: Option<&'a Annex>) -> Option<&'a str> {
    let written = || annex.and_then(|annex| annex.reason.as_deref());
    chained.reason.as_deref().or_else(written)
}

/// A row as it is exported for offline verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRow {
    /// The place in the chain.
    pub sequence: u64,
    /// The encoded [`Chained`].
    pub chained: Vec<u8>,
    /// The encoded annex; `None` if there was none or it was erased.
    pub annex: Option<Vec<u8>>,
    /// The chain's hash after this row.
    pub hash: [u8; 32],
}

/// The chain's hash after a row.
pub(crate) fn link(before: &[u8; 32], chained: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(chained);
    hash.finalize().into()
}

/// The stand-in under which a user appears in the log.
pub fn public_pseudonym(secret: Pseudonym) -> Pseudonym {
    let mut hash = Sha256::new();
    hash.update(b"countersign audit pseudonym\0");
    hash.update(secret.as_bytes());
    Pseudonym::from_bytes(first_half(&hash.finalize().into()))
}

/// Under which stand-in the annexes of a tenant's rows lie that are no user's.
fn nobody(tenant: &TenantId) -> Pseudonym {
    let mut hash = Sha256::new();
    hash.update(b"countersign audit nobody\0");
    hash.update(tenant.as_str());
    Pseudonym::from_bytes(first_half(&hash.finalize().into()))
}

/// The salt of an annex: without the secret pseudonym it cannot be found again. Rows that are no
/// user's have none to draw on; their annexes hold an address at most and are never erased.
fn salt(secret: Option<Pseudonym>, sequence: u64) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"countersign audit salt\0");
    hash.update(secret.map_or([0; 16], |secret| *secret.as_bytes()));
    hash.update(sequence.to_be_bytes());
    first_half(&hash.finalize().into())
}

fn first_half(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}
