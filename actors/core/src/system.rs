//! What belongs to the cluster and to no tenant: its identity, its data keys, its signing keys.
//! One row of shard 0; every node keeps it in memory, as applied.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::vault::Sealed;

/// A data key: what values are sealed with. It is itself wrapped by the master key, which never
/// enters the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataKey {
    /// Named in every value that it seals.
    pub id: u32,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key that signs access tokens (ES256).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// `kid`: the RFC 7638 thumbprint.
    pub kid: String,
    /// The private key's 32 bytes, sealed.
    pub private: Sealed,
    /// The public key, SEC1 uncompressed, 65 bytes.
    pub public: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped signing; it still verifies until the last token has expired.
    pub retired_at: Option<Timestamp>,
}

/// The cluster's own state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemState {
    /// The cluster's random id, `clu_…`; empty before it is founded.
    pub cluster_id: String,
    /// How many shards it has, forever.
    pub shards: u16,
    /// When it was founded.
    pub founded_at: Timestamp,
    /// Data keys; the last one seals.
    pub data_keys: Vec<DataKey>,
    /// Signing keys; the last one that is not retired signs.
    pub signing_keys: Vec<SigningKey>,
}

impl SystemState {
    /// Whether the cluster was founded.
    pub const fn founded(&self) -> bool {
        !self.cluster_id.is_empty()
    }

    /// The key that signs now.
    pub fn signing_key(&self) -> Option<&SigningKey> {
        self.signing_keys.iter().rfind(|key| key.retired_at.is_none())
    }
}

/// One change of the cluster's own state. Stored in the log: new variants go to the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SystemEvent {
    /// The cluster begins.
    Founded {
        /// Its id.
        cluster_id: String,
        /// How many shards.
        shards: u16,
    },
    /// A data key from here on.
    DataKeyAdded(DataKey),
    /// A signing key from here on; the earlier ones retire.
    SigningKeyAdded(SigningKey),
}

/// Applies an event.
pub fn evolve(state: &mut SystemState, event: &SystemEvent, at: Timestamp) {
    match event {
        SystemEvent::Founded { cluster_id, shards } => {
            state.cluster_id.clone_from(cluster_id);
            state.shards = *shards;
            state.founded_at = at;
        }
        SystemEvent::DataKeyAdded(key) => state.data_keys.push(key.clone()),
        SystemEvent::SigningKeyAdded(key) => {
            for earlier in &mut state.signing_keys {
                earlier.retired_at = earlier.retired_at.or(Some(at));
            }
            state.signing_keys.push(key.clone());
        }
    }
}
