//! Sealing, as the core sees it: a port.
//!
//! The core decides *what* is secret and binds it to *whose* it is; how it is encrypted, with
//! which key and where the keys live is the storage's affair. Everything that leaves a decision
//! towards the log is either public or [`Sealed`].

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{ChallengeId, UserHash};
use crate::secret::Secret;

/// An encrypted and authenticated value, with the id of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Wraps what a vault made.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes as they are stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Why a sealed value could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VaultError {
    /// The value names a key that this node does not have.
    #[error("sealed with key {0}, which this node does not have")]
    UnknownKey(u32),
    /// The value was altered, cut, or belongs to another row.
    #[error("a sealed value failed its authentication")]
    Broken,
}

/// Seals and opens values. Implemented by the storage crate.
pub trait Vault: Send + Sync {
    /// Encrypts `plain` under the active key, bound to `context`: it opens only with the same.
    /// `nonce` must be fresh random bytes.
    fn seal(&self, context: &[u8], nonce: [u8; 24], plain: &[u8]) -> Sealed;

    /// Decrypts a value that was sealed with the same `context`.
    ///
    /// # Errors
    /// If the key is unknown, or the value or its context was altered.
    fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Secret, VaultError>;

    /// Makes the id of a challenge: the user's hash and eight random bytes, enciphered as one
    /// block, so that any node can route the id and nobody else can read it.
    fn challenge_id(&self, user: UserHash, random: [u8; 8]) -> ChallengeId;

    /// The user's hash inside a challenge id. An invented id gives an arbitrary hash, under which
    /// no such challenge will be found.
    fn challenge_user(&self, id: ChallengeId) -> UserHash;

    /// A keyed digest (HMAC-SHA-256) that lets equal secrets be recognised without keeping them.
    fn fingerprint(&self, context: &[u8], plain: &[u8]) -> [u8; 16];
}
