//! Reading authenticator data (section 6.1): a fixed head, then the new credential in a registration.

use super::Aaguid;
use super::failure::CeremonyFailure;
use super::response::CREDENTIAL_ID_MAX;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const CREDENTIAL_INCLUDED: u8 = 1 << 6;
const EXTENSIONS_INCLUDED: u8 = 1 << 7;

/// The flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Somebody was there.
    pub const fn user_present(self) -> bool {
        self.0 & USER_PRESENT != 0
    }

    /// The person was verified.
    pub const fn user_verified(self) -> bool {
        self.0 & USER_VERIFIED != 0
    }

    /// The key may live on several devices.
    pub const fn backup_eligible(self) -> bool {
        self.0 & BACKUP_ELIGIBLE != 0
    }

    /// It does.
    pub const fn backed_up(self) -> bool {
        self.0 & BACKED_UP != 0
    }
}

/// Authenticator data, read.
#[derive(Clone, Debug)]
pub(super) struct AuthenticatorData<'a> {
    pub(super) rp_id_hash: [u8; 32],
    pub(super) flags: Flags,
    pub(super) sign_count: u32,
    pub(super) credential: Option<NewCredential<'a>>,
}

/// The attested credential data (section 6.5.2).
#[derive(Clone, Debug)]
pub(super) struct NewCredential<'a> {
    pub(super) aaguid: Aaguid,
    pub(super) id: &'a [u8],
    pub(super) key: ciborium::Value,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it: bytes that are left over are refused.
    pub(super) fn read(mut bytes: &'a [u8]) -> Result<Self, CeremonyFailure> {
        let rp_id_hash = take::<32>(&mut bytes)?;
        let [flags] = take::<1>(&mut bytes)?;
        let sign_count = u32::from_be_bytes(take::<4>(&mut bytes)?);
        let credential = if flags & CREDENTIAL_INCLUDED == 0 {
            None
        } else {
            Some(NewCredential::read(&mut bytes)?)
        };
        if flags & EXTENSIONS_INCLUDED != 0 {
            // None was asked for; section 7.1 step 20 lets those be ignored that come unasked.
            let extensions = cbor(&mut bytes)?;
            if !extensions.is_map() {
                return Err(CeremonyFailure::AuthenticatorData);
            }
        }
        if !bytes.is_empty() {
            return Err(CeremonyFailure::AuthenticatorData);
        }
        Ok(Self { rp_id_hash, flags: Flags(flags), sign_count, credential })
    }

    /// The steps that both ceremonies share: relying party, presence, verification, backup.
    pub(super) fn check(
        &self,
        rp_id: &str,
        user_verification_required: bool,
    ) -> Result<(), CeremonyFailure> {
        use sha2::{Digest, Sha256};
        if self.rp_id_hash != <[u8; 32]>::from(Sha256::digest(rp_id.as_bytes())) {
            return Err(CeremonyFailure::RpIdHash);
        }
        if !self.flags.user_present() {
            return Err(CeremonyFailure::UserPresence);
        }
        if user_verification_required && !self.flags.user_verified() {
            return Err(CeremonyFailure::UserVerification);
        }
        if self.flags.backed_up() && !self.flags.backup_eligible() {
            return Err(CeremonyFailure::BackupFlags);
        }
        Ok(())
    }
}

impl<'a> NewCredential<'a> {
    fn read(bytes: &mut &'a [u8]) -> Result<Self, CeremonyFailure> {
        let aaguid = Aaguid(take::<16>(bytes)?);
        let length = usize::from(u16::from_be_bytes(take::<2>(bytes)?));
        if length == 0 || length > CREDENTIAL_ID_MAX {
            return Err(CeremonyFailure::AuthenticatorData);
        }
        let (id, rest) =
            bytes.split_at_checked(length).ok_or(CeremonyFailure::AuthenticatorData)?;
        *bytes = rest;
        Ok(Self { aaguid, id, key: cbor(bytes)? })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], CeremonyFailure> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(CeremonyFailure::AuthenticatorData)?;
    *bytes = rest;
    Ok(*head)
}

/// Nesting that is read at most: a key has one level, extensions few.
const DEPTH_MAX: usize = 8;

/// One CBOR item from the front.
pub(super) fn cbor(bytes: &mut &[u8]) -> Result<ciborium::Value, CeremonyFailure> {
    ciborium::de::from_reader_with_recursion_limit(bytes, DEPTH_MAX)
        .map_err(|_| CeremonyFailure::AuthenticatorData)
}

/// The value under an integer key of a COSE map.
pub(super) fn entry(map: &ciborium::Value, label: i128) -> Option<&ciborium::Value> {
    let same = |key: &ciborium::Value| key.as_integer().map(i128::from) == Some(label);
    map.as_map()?.iter().find(|(key, _)| same(key)).map(|(_, value)| value)
}
