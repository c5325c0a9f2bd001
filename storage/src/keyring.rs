//! Sealing: how secrets are encrypted, with which key, and where the keys live.
//!
//! The master key is given by the operator and never stored. It wraps data keys, which the log
//! carries; data keys seal values. Every sealed value names its key, so a new data key takes over
//! without touching what older ones sealed. Each use has a key of its own, derived by
//! HMAC-SHA-256 with a label, so that no two uses can be played against each other.
//!
//! A sealed value: one format byte, the key's id as four bytes big-endian, 24 bytes of nonce, and
//! the ciphertext with its tag (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha). The first five bytes
//! are authenticated along with the caller's context.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, Payload};
use countersign_core::entropy::Entropy;
use countersign_core::ids::{ChallengeId, UserHash};
use countersign_core::secret::Secret;
use countersign_core::system::{DataKey, SystemState};
use countersign_core::time::Timestamp;
use countersign_core::vault::{Sealed, Vault, VaultError};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const FORMAT: u8 = 1;
/// The format byte and the key's id.
const HEADER_BYTES: usize = 5;
const NONCE_BYTES: usize = 24;
/// Names the key that is derived from the master key itself: it seals before there is a data key.
const MASTER_KEY_ID: u32 = 0;

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not 32 bytes in base64.
    #[error(
        "a master key is 32 bytes in base64 (44 characters); make one with `countersign keys generate`"
    )]
    Malformed,
    /// The data was sealed under another master key.
    #[error("this is not the master key that the data was sealed with")]
    WrongMasterKey,
    /// A data key cannot be unwrapped.
    #[error("data key {0} cannot be unwrapped with this master key")]
    Unwrap(u32),
}

/// The master key: 32 bytes, wiped when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// From its bytes, which must be random.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh one.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// From base64 (RFC 4648 section 4), as the configuration has it; white space around it is
    /// ignored.
    ///
    /// # Errors
    /// If it is not 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(
            data_encoding::BASE64
                .decode(text.trim().as_bytes())
                .map_err(|_| KeyError::Malformed)?,
        );
        let mut key = [0; 32];
        if bytes.len() != key.len() {
            return Err(KeyError::Malformed);
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// As base64, for the one who made it.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE64.encode(&self.0))
    }
}

/// The keys that a node has, as a [`Vault`]. Shared; a new data key takes over in place.
pub struct KeyRing {
    master: MasterKey,
    keys: RwLock<Arc<Keys>>,
}

/// What is derived from the keys at hand.
struct Keys {
    seals: BTreeMap<u32, XChaCha20Poly1305>,
    active: u32,
    challenge: Aes256,
    fingerprint: Zeroizing<[u8; 32]>,
}

impl KeyRing {
    /// A ring with no data key yet: it seals with a key derived from the master key until
    /// [`Self::load`] brings data keys.
    pub fn new(master: MasterKey) -> Self {
        let keys = Keys::derive(&master, &[]);
        Self { master, keys: RwLock::new(Arc::new(keys)) }
    }

    /// A fresh data key, wrapped by the master key, to be put into the log. `id` must be the
    /// number of data keys so far, plus one.
    pub fn new_data_key(&self, id: u32, entropy: &mut dyn Entropy, now: Timestamp) -> DataKey {
        let plain = Zeroizing::new(entropy.bytes::<32>());
        let nonce = entropy.bytes::<NONCE_BYTES>();
        let cipher = self.wrapping();
        let payload = Payload { msg: plain.as_slice(), aad: &id.to_be_bytes() };
        let mut wrapped = nonce.to_vec();
        wrapped.extend(encrypt(&cipher, &nonce, payload));
        DataKey { id, wrapped, created_at: now }
    }

    /// Takes in all data keys of the cluster; the last one seals from now on. Without data keys
    /// nothing changes.
    ///
    /// # Errors
    /// If one cannot be unwrapped. The ring then stays as it was.
    pub fn load(&self, system: &SystemState) -> Result<(), KeyError> {
        let cipher = self.wrapping();
        let mut plain = Vec::with_capacity(system.data_keys.len());
        for key in &system.data_keys {
            plain.push((key.id, unwrap(&cipher, key)?));
        }
        let keys = Keys::derive(&self.master, &plain);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// The id of the key that seals now; 0 before there is a data key.
    pub fn active_key(&self) -> u32 {
        self.keys().active
    }

    /// A digest of the master key, to keep beside the data: it tells nothing of the key.
    pub fn key_check(&self) -> Vec<u8> {
        derive(&self.master.0, b"countersign key check 1")[..16].to_vec()
    }

    /// Compares the master key with the digest that was kept.
    ///
    /// # Errors
    /// If it is another key.
    pub fn verify_key_check(&self, kept: &[u8]) -> Result<(), KeyError> {
        let same: bool = self.key_check().as_slice().ct_eq(kept).into();
        same.then_some(()).ok_or(KeyError::WrongMasterKey)
    }

    fn wrapping(&self) -> XChaCha20Poly1305 {
        cipher(&derive(&self.master.0, b"countersign wrap 1"))
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keys {
    fn derive(master: &MasterKey, data_keys: &[(u32, Zeroizing<[u8; 32]>)]) -> Self {
        // Ids and fingerprints outlive every rotation, so they hang on the first data key.
        let root = data_keys.first().map_or(&master.0, |(_, key)| key);
        let master_seal = derive(&master.0, b"countersign seal 1");
        let mut seals = BTreeMap::from([(MASTER_KEY_ID, cipher(&master_seal))]);
        for (id, key) in data_keys {
            seals.insert(*id, cipher(&derive(key, b"countersign seal 1")));
        }
        Self {
            seals,
            active: data_keys.last().map_or(MASTER_KEY_ID, |(id, _)| *id),
            challenge: Aes256::new((&*derive(root, b"countersign challenge id 1")).into()),
            fingerprint: derive(root, b"countersign fingerprint 1"),
        }
    }
}

impl Vault for KeyRing {
    fn seal(&self, context: &[u8], nonce: [u8; 24], plain: &[u8]) -> Sealed {
        let keys = self.keys();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + NONCE_BYTES + plain.len() + 16);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&keys.active.to_be_bytes());
        let aad = [bytes.as_slice(), context].concat();
        bytes.extend_from_slice(&nonce);
        // The active key is always in the ring: both were set together.
        if let Some(cipher) = keys.seals.get(&keys.active) {
            bytes.extend(encrypt(cipher, &nonce, Payload { msg: plain, aad: &aad }));
        }
        Sealed::from_bytes(bytes)
    }

    fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Secret, VaultError> {
        let bytes = sealed.as_bytes();
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(VaultError::Broken)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(VaultError::Broken)?;
        let nonce: &[u8; NONCE_BYTES] = nonce;
        let (format, id) = header.split_first_chunk::<1>().ok_or(VaultError::Broken)?;
        let id = u32::from_be_bytes(id.try_into().map_err(|_| VaultError::Broken)?);
        if *format != [FORMAT] {
            return Err(VaultError::Broken);
        }
        let keys = self.keys();
        let cipher = keys.seals.get(&id).ok_or(VaultError::UnknownKey(id))?;
        let aad = [header, context].concat();
        cipher
            .decrypt(nonce.into(), Payload { msg: ciphertext, aad: &aad })
            .map(Secret::new)
            .map_err(|_| VaultError::Broken)
    }

    fn challenge_id(&self, user: UserHash, random: [u8; 8]) -> ChallengeId {
        let mut bytes = [0; 16];
        let (hash, rest) = bytes.split_at_mut(8);
        hash.copy_from_slice(&user.0.to_be_bytes());
        rest.copy_from_slice(&random);
        let mut block = bytes.into();
        self.keys().challenge.encrypt_block(&mut block);
        ChallengeId::from_bytes(block.into())
    }

    fn challenge_user(&self, id: ChallengeId) -> UserHash {
        let mut block = (*id.as_bytes()).into();
        self.keys().challenge.decrypt_block(&mut block);
        let bytes: [u8; 16] = block.into();
        UserHash(bytes.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    fn fingerprint(&self, context: &[u8], plain: &[u8]) -> [u8; 16] {
        let keys = self.keys();
        let length = (context.len() as u64).to_be_bytes();
        let digest = hmac(keys.fingerprint.as_slice(), &[&length, context, plain]);
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        half
    }
}

fn unwrap(cipher: &XChaCha20Poly1305, key: &DataKey) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let failed = KeyError::Unwrap(key.id);
    let (nonce, ciphertext) = key.wrapped.split_first_chunk().ok_or(failed.clone())?;
    let nonce: &[u8; NONCE_BYTES] = nonce;
    let payload = Payload { msg: ciphertext, aad: &key.id.to_be_bytes() };
    let plain = Zeroizing::new(cipher.decrypt(nonce.into(), payload).map_err(|_| failed.clone())?);
    let mut bytes = Zeroizing::new([0; 32]);
    if plain.len() != bytes.len() {
        return Err(failed);
    }
    bytes.copy_from_slice(&plain);
    Ok(bytes)
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

/// Encryption of what fits in memory cannot fail; were it to, the empty result opens nowhere.
fn encrypt(cipher: &XChaCha20Poly1305, nonce: &[u8; 24], payload: Payload<'_, '_>) -> Vec<u8> {
    cipher.encrypt(nonce.into(), payload).unwrap_or_default()
}

fn derive(key: &[u8; 32], label: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(hmac(key, &[label]))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length (RFC 2104 section 2), so this never falls to the default.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use countersign_core::entropy::SeededEntropy;

    use super::*;

    fn ring(system: &SystemState) -> KeyRing {
        let ring = KeyRing::new(MasterKey::from_bytes([7; 32]));
        ring.load(system).unwrap();
        ring
    }

    fn system(keys: u32) -> SystemState {
        let bare = KeyRing::new(MasterKey::from_bytes([7; 32]));
        let mut entropy = SeededEntropy::new(1);
        let data_keys =
            (1..=keys).map(|id| bare.new_data_key(id, &mut entropy, Timestamp::EPOCH)).collect();
        SystemState { data_keys, ..SystemState::default() }
    }

    #[test]
    fn a_value_opens_with_its_own_context_alone() {
        let ring = ring(&system(1));
        let sealed = ring.seal(b"user/1", [3; 24], b"secret");
        assert_eq!(ring.open(b"user/1", &sealed).unwrap().expose(), b"secret");
        assert_eq!(ring.open(b"user/2", &sealed), Err(VaultError::Broken));
        for at in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(ring.open(b"user/1", &Sealed::from_bytes(bytes)).is_err(), "byte {at}");
        }
        let cut = Sealed::from_bytes(sealed.as_bytes()[..20].to_vec());
        assert_eq!(ring.open(b"user/1", &cut), Err(VaultError::Broken));
    }

    #[test]
    fn a_new_data_key_takes_over_and_the_old_one_still_opens() {
        let two = system(2);
        let one = SystemState { data_keys: two.data_keys[..1].to_vec(), ..SystemState::default() };
        let ring = ring(&one);
        let old = ring.seal(b"c", [1; 24], b"old");
        let id = ring.challenge_id(UserHash(77), [5; 8]);
        let print = ring.fingerprint(b"c", b"p");
        ring.load(&two).unwrap();
        let new = ring.seal(b"c", [2; 24], b"new");
        assert_eq!(&old.as_bytes()[..5], [1, 0, 0, 0, 1]);
        assert_eq!(&new.as_bytes()[..5], [1, 0, 0, 0, 2]);
        assert_eq!(ring.open(b"c", &old).unwrap().expose(), b"old");
        assert_eq!(ring.open(b"c", &new).unwrap().expose(), b"new");
        assert_eq!(ring.challenge_user(id), UserHash(77));
        assert_eq!(ring.fingerprint(b"c", b"p"), print);
        let behind = self::ring(&one);
        assert_eq!(behind.open(b"c", &new), Err(VaultError::UnknownKey(2)));
    }

    #[test]
    fn challenge_ids_hide_the_user() {
        let ring = ring(&system(1));
        let one = ring.challenge_id(UserHash(42), [0; 8]);
        let two = ring.challenge_id(UserHash(42), [1; 8]);
        assert_eq!(
            (ring.challenge_user(one), ring.challenge_user(two)),
            (UserHash(42), UserHash(42))
        );
        assert_ne!(one.as_bytes()[..8], two.as_bytes()[..8]);
    }

    #[test]
    fn another_master_key_is_refused_before_it_does_harm() {
        let right = KeyRing::new(MasterKey::from_bytes([7; 32]));
        let wrong = KeyRing::new(MasterKey::from_bytes([8; 32]));
        assert_eq!(right.verify_key_check(&right.key_check()), Ok(()));
        assert_eq!(wrong.verify_key_check(&right.key_check()), Err(KeyError::WrongMasterKey));
        assert_eq!(wrong.load(&system(1)), Err(KeyError::Unwrap(1)));
    }

    #[test]
    fn a_master_key_comes_from_base64_of_32_bytes() {
        let key = MasterKey::from_bytes([9; 32]);
        let again = MasterKey::from_base64(&format!(" {}\n", *key.to_base64())).unwrap();
        assert_eq!(*again.to_base64(), *key.to_base64());
        for wrong in ["", "AAAA", "not base64 at all!"] {
            assert!(matches!(MasterKey::from_base64(wrong), Err(KeyError::Malformed)), "{wrong}");
        }
    }
}
