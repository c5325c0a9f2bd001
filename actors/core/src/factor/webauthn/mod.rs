//! Security keys and passkeys (W3C Web Authentication Level 3).
//!
//! A *ceremony* is one registration or one authentication: [`ceremony`] is what the user's state keeps
//! of it, [`options`] what the browser is told, [`registration`] and [`assertion`] judge what comes
//! back. Judging is pure but slow, so it is [`crate::decision::Work`]. The client is believed nothing
//! that its authenticator did not sign: challenge, relying party, origins and the demands all come
//! from our own state.

pub mod assertion;
mod attestation;
mod authenticator_data;
pub mod ceremony;
pub mod client_data;
pub mod failure;
mod key;
pub mod options;
pub mod registration;
pub mod response;
pub mod rules;

use serde::{Deserialize, Serialize};

pub use self::authenticator_data::Flags;
pub use self::key::{Algorithm, PublicKey};
use self::options::Attachment;

/// The model of an authenticator, as it tells itself: 16 bytes, zero if it does not tell
/// (section 6.5.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Aaguid(pub [u8; 16]);

impl std::fmt::Display for Aaguid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Aaguid {
    type Err = AaguidError;

    fn from_str(text: &str) -> Result<Self, AaguidError> {
        let groups = [8, 4, 4, 4, 12];
        let parts: Vec<&str> = text.split('-').collect();
        if !parts.iter().map(|part| part.len()).eq(groups) {
            return Err(AaguidError);
        }
        let digits = parts.concat().to_ascii_lowercase();
        let bytes = data_encoding::HEXLOWER.decode(digits.as_bytes()).map_err(|_| AaguidError)?;
        bytes.try_into().map(Self).map_err(|_| AaguidError)
    }
}

/// A text is not an AAGUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an AAGUID of the form 00000000-0000-0000-0000-000000000000")]
pub struct AaguidError;

/// A credential that a person registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebAuthnFactor {
    /// The credential's id, 1–1023 bytes, chosen by the authenticator.
    pub credential_id: Vec<u8>,
    /// What its signatures are checked with.
    pub public_key: PublicKey,
    /// The highest signature counter seen; 0 if the authenticator has none (section 6.1.1).
    pub sign_count: u32,
    /// The authenticator's model, as it says.
    pub aaguid: Aaguid,
    /// How the authenticator can be reached, as the browser said; hints for later ceremonies.
    pub transports: Vec<String>,
    /// Whether the private key may live on several devices. It never changes (section 6.1.3).
    pub backup_eligible: bool,
    /// Whether it did when it was last used.
    pub backed_up: bool,
    /// Whether the person was verified (PIN, biometrics) when it was registered.
    pub user_verified: bool,
    /// Whether it can be used without being told its id, if the browser said.
    pub resident: Option<bool>,
    /// Whether the authenticator was part of the device, if the browser said.
    pub attachment: Option<Attachment>,
    /// The relying party that it was registered for. Its signatures name this one for ever
    /// (section 6.1), so it is of no use for another.
    pub rp_id: String,
}

impl WebAuthnFactor {
    /// Whether its private key can be on several devices: a synced passkey, as opposed to a key that
    /// stays in one piece of hardware.
    pub const fn synced(&self) -> bool {
        self.backup_eligible
    }
}
