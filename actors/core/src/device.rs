//! Browsers that a user asked to be remembered in.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::entropy::Entropy;
use crate::ids::DeviceId;
use crate::secret::Secret;
use crate::time::{DAY_MS, Timestamp};

/// How many trusted devices a user has at most; the one unused for longest makes room.
pub const TRUSTED_DEVICES_KEPT: usize = 20;
/// What every device token begins with.
pub const TOKEN_PREFIX: &str = "dvt_";

/// A trusted device. Its token is random, 256 bits, and kept as a digest only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedDevice {
    /// Its id.
    pub id: DeviceId,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// The name that its user gave it.
    pub name: Option<String>,
    /// The browser's `User-Agent` when it was trusted.
    pub user_agent: Option<String>,
    /// When it was trusted.
    pub created_at: Timestamp,
    /// When it last stood in for a second factor.
    pub last_used_at: Option<Timestamp>,
    /// Until when it does.
    pub expires_at: Timestamp,
}

impl TrustedDevice {
    /// Until when it stands in for a second factor if the policy trusts devices for so many days: a
    /// shorter time holds for those that were trusted before as well, a longer one does not.
    pub fn trusted_until(&self, duration_days: u32) -> Timestamp {
        let allowed_ms = i64::from(duration_days).saturating_mul(DAY_MS);
        self.expires_at.min(self.created_at.plus_millis(allowed_ms))
    }
}

/// A fresh token, `dvt_…` and 43 characters of base64url.
pub fn new_token(entropy: &mut dyn Entropy) -> Secret {
    let random = entropy.bytes::<32>();
    Secret::from(format!("{TOKEN_PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&random)))
}

/// What is kept of a token. A random 256-bit value needs no slow hash.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
