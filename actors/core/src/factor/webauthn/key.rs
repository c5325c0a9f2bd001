//! Public keys of credentials, and signatures made with them.
//!
//! P-256 and RSA go through webauthn-rs, which knows no Ed25519; that goes through ed25519-dalek.

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::{
    COSEAlgorithm, COSEEC2Key, COSEKey, COSEKeyType, COSERSAKey, ECDSACurve,
};

use super::failure::CeremonyFailure;

/// A signature algorithm (RFC 9053, RFC 8812).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Its number in the COSE registry.
    pub const fn cose(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }

    /// The algorithm of this number.
    pub const fn from_cose(number: i128) -> Option<Self> {
        match number {
            -7 => Some(Self::Es256),
            -8 => Some(Self::EdDsa),
            -257 => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicKey {
    /// A point on P-256.
    Es256 {
        /// Its first coordinate, big-endian.
        x: [u8; 32],
        /// Its second.
        y: [u8; 32],
    },
    /// A point on Ed25519, compressed.
    EdDsa {
        /// RFC 8032 section 5.1.2.
        x: [u8; 32],
    },
    /// An RSA key.
    Rs256 {
        /// The modulus, 256 bytes, big-endian.
        n: Vec<u8>,
        /// The exponent.
        e: [u8; 3],
    },
}

impl PublicKey {
    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256 { .. } => Algorithm::Es256,
            Self::EdDsa { .. } => Algorithm::EdDsa,
            Self::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// The key, if it is one that webauthn-rs found good and that was asked for.
    pub(super) fn from_cose(key: &COSEKey) -> Result<Self, CeremonyFailure> {
        match (key.type_, &key.key) {
            (COSEAlgorithm::ES256, COSEKeyType::EC_EC2(point))
                if point.curve == ECDSACurve::SECP256R1 =>
            {
                let coordinate = |bytes: &[u8]| {
                    <[u8; 32]>::try_from(bytes).map_err(|_| CeremonyFailure::PublicKey)
                };
                Ok(Self::Es256 { x: coordinate(&point.x)?, y: coordinate(&point.y)? })
            }
            (COSEAlgorithm::RS256, COSEKeyType::RSA(key)) => {
                Ok(Self::Rs256 { n: key.n.clone(), e: key.e })
            }
            _ => Err(CeremonyFailure::Algorithm),
        }
    }

    /// A point on P-256 as it stands in certificates: uncompressed (SEC 1 section 2.3.3). Whether it
    /// is on the curve is looked at when a signature is verified with it.
    pub(super) fn p256(point: &[u8]) -> Result<Self, CeremonyFailure> {
        let wrong = CeremonyFailure::PublicKey;
        let (x, y) =
            point.strip_prefix(&[4]).and_then(|it| it.split_at_checked(32)).ok_or(wrong)?;
        let coordinate = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| wrong);
        Ok(Self::Es256 { x: coordinate(x)?, y: coordinate(y)? })
    }

    /// An Ed25519 key. Points of small order are refused: any signature would fit one.
    pub(super) fn ed25519(x: [u8; 32]) -> Result<Self, CeremonyFailure> {
        let point = VerifyingKey::from_bytes(&x).map_err(|_| CeremonyFailure::PublicKey)?;
        if point.is_weak() {
            return Err(CeremonyFailure::PublicKey);
        }
        Ok(Self::EdDsa { x })
    }

    /// Checks a signature in the form that WebAuthn gives it (section 6.5.5).
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CeremonyFailure> {
        let wrong = CeremonyFailure::Signature;
        let (type_, key) = match self {
            Self::EdDsa { x } => {
                let point = VerifyingKey::from_bytes(x).map_err(|_| CeremonyFailure::PublicKey)?;
                let signature = Signature::from_slice(signature).map_err(|_| wrong)?;
                return point.verify_strict(message, &signature).map_err(|_| wrong);
            }
            Self::Es256 { x, y } => {
                let curve = ECDSACurve::SECP256R1;
                let point = COSEEC2Key { curve, x: x.to_vec(), y: y.to_vec() };
                (COSEAlgorithm::ES256, COSEKeyType::EC_EC2(point))
            }
            Self::Rs256 { n, e } => {
                (COSEAlgorithm::RS256, COSEKeyType::RSA(COSERSAKey { n: n.clone(), e: *e }))
            }
        };
        match (COSEKey { type_, key }).verify_signature(signature, message) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(wrong),
        }
    }
}
