//! Names of things, parsed once at the edge and trusted from there on.
//!
//! Server-made ids are sixteen random bytes, shown with a prefix that says what they name and in
//! lower-case base32hex without padding (RFC 4648 section 7): no `/`, safe in a path, and their
//! text sorts like their bytes.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_DNSSEC;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::entropy::Entropy;

/// Hash slots a user may fall into. Fixed forever; shards own ranges of slots.
pub const SLOTS: u16 = 1024;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not of the form `prefix_…`.
    #[error("not an id of the form {0}… with 26 characters after the prefix")]
    Malformed(&'static str),
    /// A user id outside its alphabet or length, or one that a path would not keep.
    #[error(
        "a user id has 1 to 128 characters out of A–Z a–z 0–9 . _ : @ | + -, and is not . or .."
    )]
    User,
    /// A tenant id outside its alphabet or length.
    #[error("a tenant id has 1 to 40 characters out of a–z 0–9 _ -")]
    Tenant,
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What every text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh random id.
            pub fn random(entropy: &mut dyn Entropy) -> Self {
                Self(entropy.bytes())
            }

            /// From its sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), BASE32_DNSSEC.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let malformed = IdError::Malformed($prefix);
                let tail = text.strip_prefix($prefix).ok_or(malformed.clone())?;
                // The decoder also takes upper case; an id has one spelling.
                if tail.len() != 26 || tail.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(malformed);
                }
                let bytes = BASE32_DNSSEC.decode(tail.as_bytes()).map_err(|_| malformed.clone())?;
                Ok(Self(bytes.try_into().map_err(|_| malformed)?))
            }
        }
    };
}

prefixed_id!(
    /// A factor, enrolled or pending.
    FactorId,
    "fac_"
);
prefixed_id!(
    /// A challenge. Its bytes are enciphered by the vault and name the user's slot.
    ChallengeId,
    "chl_"
);
prefixed_id!(
    /// A session on the hosted pages. Its bytes are enciphered by the vault as a challenge's are.
    PortalId,
    "pts_"
);
prefixed_id!(
    /// A trusted device.
    DeviceId,
    "dev_"
);
prefixed_id!(
    /// An API key (not the key itself).
    KeyId,
    "key_"
);
prefixed_id!(
    /// The stand-in for a user in the audit log's chained rows. It means nobody once the user is
    /// erased.
    Pseudonym,
    "psn_"
);
prefixed_id!(
    /// A delivery: a message to a person, or an event to a webhook. The same over all attempts and
    /// all nodes, so that who receives one twice can drop the second.
    DeliveryId,
    "dlv_"
);
prefixed_id!(
    /// A webhook's endpoint.
    WebhookId,
    "whk_"
);
prefixed_id!(
    /// The `jti` of an access token (RFC 7519 section 4.1.7).
    TokenId,
    "jti_"
);

impl DeliveryId {
    /// The delivery of an audit row to a webhook: names the row's shard and place in its chain, so
    /// that any node finds it, and six bytes of the webhook's digest.
    pub fn of_event(webhook: WebhookId, shard: ShardId, sequence: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&shard.0.to_be_bytes());
        bytes[2..10].copy_from_slice(&sequence.to_be_bytes());
        bytes[10..].copy_from_slice(&Sha256::digest(webhook.as_bytes())[..6]);
        Self(bytes)
    }

    /// The shard and the place that [`Self::of_event`] put in; of any other delivery, anything.
    pub fn event_place(&self) -> (ShardId, u64) {
        let [high, low, sequence @ .., _, _, _, _, _, _] = self.0;
        (ShardId(u16::from_be_bytes([high, low])), u64::from_be_bytes(sequence))
    }
}

/// A tenant: an organisation whose users, policy and keys nobody else sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TenantId(String);

impl TenantId {
    /// The tenant that bootstrapping makes.
    pub fn default_tenant() -> Self {
        Self("default".to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A fresh random id, `ten_…`.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        Self(format!("ten_{}", BASE32_DNSSEC.encode(&entropy.bytes::<16>())))
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=40).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        fits.then(|| Self(text.to_owned())).ok_or(IdError::Tenant)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The caller's own id of a user, compared byte for byte: no folding of case, no trimming, so that
/// no two spellings share or split an identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserId(String);

impl UserId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:@|+-".contains(&b))
            // Segments of a path that name its folder or the one above (RFC 3986 section 3.3): what
            // sends or forwards the request would take them away.
            && !matches!(text, "." | "..");
        fits.then(|| Self(text.to_owned())).ok_or(IdError::User)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserKey {
    /// Whose user.
    pub tenant: TenantId,
    /// Which user.
    pub user: UserId,
}

impl UserKey {
    /// Names a user of a tenant.
    pub const fn new(tenant: TenantId, user: UserId) -> Self {
        Self { tenant, user }
    }

    /// The hash that places the user: the first eight bytes of SHA-256 over tenant, NUL, user.
    pub fn hash(&self) -> UserHash {
        let mut hash = Sha256::new();
        hash.update(self.tenant.as_str());
        hash.update([0]);
        hash.update(self.user.as_str());
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        UserHash(u64::from_be_bytes(first))
    }

    /// The associated data that binds a sealed value to this user and to `purpose`.
    pub fn seal_context(&self, purpose: &str) -> Vec<u8> {
        [purpose, self.tenant.as_str(), self.user.as_str()].join("\0").into_bytes()
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.user)
    }
}

/// Where a user lives: sixty-four bits of SHA-256, of which the low ten are the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserHash(pub u64);

impl UserHash {
    /// The slot, `0..SLOTS`.
    pub fn slot(self) -> u16 {
        (self.0 % u64::from(SLOTS)) as u16
    }

    /// The shard among `shards` that owns the slot.
    pub fn shard(self, shards: u16) -> ShardId {
        ShardId((u32::from(self.slot()) * u32::from(shards.max(1)) / u32::from(SLOTS)) as u16)
    }
}

/// A shard: one Raft group and its part of the users. Shard 0 also holds what is not a user's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ShardId(pub u16);

impl ShardId {
    /// The shard that holds tenants, policies, settings and keys.
    pub const SYSTEM: Self = Self(0);
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn an_id_has_one_spelling() {
        let id = FactorId::random(&mut SeededEntropy::new(1));
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert!(text.to_uppercase().parse::<FactorId>().is_err());
        assert!(text.replace("fac_", "chl_").parse::<FactorId>().is_err());
        assert!(format!("{text}0").parse::<FactorId>().is_err());
        assert!(!text.contains('/'));
    }

    #[test]
    fn odd_user_ids_are_refused_and_variants_stay_apart() {
        let long = "x".repeat(129);
        for odd in
            ["", " ", "a b", "a/b", "ä", "a\n", ".", "..", "%2e", "%2E%2e", "a\\b", "a\0", &long]
        {
            assert_eq!(odd.parse::<UserId>(), Err(IdError::User), "{odd:?}");
        }
        for fine in [
            "u",
            "user_1",
            "a.b+c@example.com",
            "auth0|123",
            "A:b-C",
            "...",
            ".a",
            &"x".repeat(128),
        ] {
            assert!(fine.parse::<UserId>().is_ok(), "{fine:?}");
        }
        assert_ne!("Ann".parse::<UserId>(), "ann".parse::<UserId>());
    }

    #[test]
    fn slots_cover_every_shard_and_are_stable() {
        let tenant = TenantId::default_tenant();
        let key = |n: u32| UserKey::new(tenant.clone(), format!("user_{n}").parse().unwrap());
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..1000 {
            seen.insert(key(n).hash().shard(16));
        }
        assert_eq!(seen.len(), 16);
        // Golden: the placement of a user may never change under a stored cluster.
        assert_eq!(key(0).hash(), UserHash(14_481_129_418_889_915_111));
    }
}
