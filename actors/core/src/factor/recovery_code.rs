//! Recovery codes: sixty random bits, written so that they can be read over the telephone, kept
//! only as Argon2id digests (RFC 9106) with one salt a set, so that an attempt costs one hash.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::entropy::Entropy;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::typed;

/// Crockford's base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code without its dashes: 12 × 5 bits.
pub const CODE_LENGTH: usize = 12;

/// Memory of one hash in KiB. With [`HASH_PASSES`], the first of the settings that OWASP's
/// Password Storage Cheat Sheet recommends.
pub const HASH_MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
pub const HASH_PASSES: u32 = 2;

/// The digest of a code.
pub type CodeHash = [u8; 32];

/// A set of recovery codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySet {
    /// The salt of all digests in the set.
    pub salt: [u8; 16],
    /// How many codes the set had.
    pub total: u32,
    /// The digests of the codes that are still unused.
    pub unused: Vec<CodeHash>,
    /// The digests of the codes that were used, to tell a spent code from a wrong one.
    pub used: Vec<CodeHash>,
    /// When the set was made.
    pub generated_at: Timestamp,
}

/// One fresh code, `XXXX-XXXX-XXXX`.
pub fn generate(entropy: &mut dyn Entropy) -> Secret {
    let mut text = Vec::with_capacity(CODE_LENGTH + 2);
    for (position, byte) in entropy.bytes::<CODE_LENGTH>().into_iter().enumerate() {
        if position > 0 && position % 4 == 0 {
            text.push(b'-');
        }
        // 256 is a multiple of 32, so taking five bits is unbiased.
        text.push(ALPHABET[usize::from(byte & 31)]);
    }
    Secret::new(text)
}

/// The canonical twelve characters of what a person typed: upper case, without white space and
/// dashes, with Crockford's look-alikes (I, L → 1; O → 0) resolved. `None` if it cannot be a code.
pub fn normalize(text: &str) -> Option<Secret> {
    let mut canonical = Vec::with_capacity(CODE_LENGTH);
    for c in typed::clean(text).filter(|c| !typed::separates(*c)) {
        let upper = match c.to_ascii_uppercase() {
            'I' | 'L' => b'1',
            'O' => b'0',
            other => u8::try_from(other).ok()?,
        };
        if !ALPHABET.contains(&upper) || canonical.len() == CODE_LENGTH {
            return None;
        }
        canonical.push(upper);
    }
    (canonical.len() == CODE_LENGTH).then(|| Secret::new(canonical))
}

/// Hashes a canonical code. Takes tens of milliseconds and 19 MiB on purpose: never on an async
/// thread.
///
/// # Errors
/// Only if the memory for it cannot be had; all lengths are within RFC 9106's limits.
pub fn hash(salt: &[u8; 16], canonical: &Secret) -> Result<CodeHash, argon2::Error> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, 1, Some(32))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut digest = [0; 32];
    argon2.hash_password_into(canonical.expose(), salt, &mut digest)?;
    Ok(digest)
}

/// The position of `digest` among `candidates`, looking at all of them in constant time.
pub fn position(candidates: &[CodeHash], digest: &CodeHash) -> Option<usize> {
    let mut found = 0u32;
    let mut any = Choice::from(0);
    for (index, candidate) in (0u32..).zip(candidates) {
        let equal = candidate.ct_eq(digest);
        found.conditional_assign(&index, equal);
        any |= equal;
    }
    bool::from(any).then_some(found as usize)
}
