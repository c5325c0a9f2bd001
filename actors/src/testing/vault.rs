//! A vault with a key that everybody knows.

use countersign_core::ids::{ChallengeId, UserHash};
use countersign_core::secret::Secret;
use countersign_core::vault::{Sealed, Vault, VaultError};
use sha2::{Digest, Sha256};

const KEY: &[u8] = b"a key that everybody knows";
const NONCE: usize = 24;
const TAG: usize = 32;

/// Seals so that altered values and wrong contexts are noticed and plain text is not seen by a
/// search for it. Keeps nothing from anybody who reads this file.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedVault;

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(KEY);
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn mask(nonce: &[u8], bytes: &mut [u8]) {
    for (block, chunk) in (0u64..).zip(bytes.chunks_mut(32)) {
        let stream = digest(&[b"stream", nonce, &block.to_be_bytes()]);
        for (byte, mask) in chunk.iter_mut().zip(stream) {
            *byte ^= mask;
        }
    }
}

fn challenge_mask(tail: &[u8]) -> [u8; 8] {
    let mut mask = [0; 8];
    mask.copy_from_slice(&digest(&[b"challenge", tail])[..8]);
    mask
}

impl Vault for FixedVault {
    fn seal(&self, context: &[u8], nonce: [u8; NONCE], plain: &[u8]) -> Sealed {
        let mut body = plain.to_vec();
        mask(&nonce, &mut body);
        let tag = digest(&[b"tag", context, &nonce, &body]);
        Sealed::from_bytes([&nonce[..], &tag[..], &body[..]].concat())
    }

    fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Secret, VaultError> {
        let (nonce, rest) = sealed.as_bytes().split_at_checked(NONCE).ok_or(VaultError::Broken)?;
        let (tag, body) = rest.split_at_checked(TAG).ok_or(VaultError::Broken)?;
        if tag != digest(&[b"tag", context, nonce, body]) {
            return Err(VaultError::Broken);
        }
        let mut plain = body.to_vec();
        mask(nonce, &mut plain);
        Ok(Secret::new(plain))
    }

    fn challenge_id(&self, user: UserHash, random: [u8; 8]) -> ChallengeId {
        let masked = user.0 ^ u64::from_be_bytes(challenge_mask(&random));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&masked.to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        ChallengeId::from_bytes(bytes)
    }

    fn challenge_user(&self, id: ChallengeId) -> UserHash {
        let (mut masked, bytes) = ([0; 8], id.as_bytes());
        masked.copy_from_slice(&bytes[..8]);
        UserHash(u64::from_be_bytes(masked) ^ u64::from_be_bytes(challenge_mask(&bytes[8..])))
    }

    fn fingerprint(&self, context: &[u8], plain: &[u8]) -> [u8; 16] {
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&digest(&[b"fingerprint", context, plain])[..16]);
        fingerprint
    }
}
