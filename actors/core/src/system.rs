//! What belongs to the cluster and to no tenant: its identity, its nodes, its authority, its data
//! keys, its signing keys. One row of shard 0; every node keeps it in memory, as applied.

use serde::{Deserialize, Serialize};

use crate::audit::AuditEntry;
use crate::time::Timestamp;
use crate::vault::Sealed;

/// The level of features that this release understands.
///
/// Nodes of two neighbouring releases run side by side during an upgrade, and a node that cannot
/// read an entry of the log cannot go on. So a release that brings a new kind of event, command or
/// row raises this number by one; it understands the new kind from the start, but proposes it only
/// while [`SystemState::feature_level`], the lowest level that any member announced, has reached
/// the number. A member that announced a level never goes back to a release below it.
pub const FEATURE_LEVEL: u16 = 3;

/// From this level on codes are sent, and webhooks told: [`FEATURE_LEVEL`] of the release that brought
/// the outbox.
pub const FEATURE_OUTBOX: u16 = 2;

/// From this level on there are security keys, passkeys and hosted pages.
pub const FEATURE_WEBAUTHN: u16 = 3;

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

/// A node, as the cluster knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its number, from 1. Never used again, not even once the node was removed.
    pub id: u64,
    /// Its name, as the operator chose it; no two members share one.
    pub name: String,
    /// Where its API listens, `host:port`.
    pub api_address: String,
    /// Where its peers reach it, `host:port`.
    pub peer_address: String,
    /// The release that it runs.
    pub version: String,
    /// The [`FEATURE_LEVEL`] of that release.
    pub feature_level: u16,
    /// SHA-256 over the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of its key.
    pub key: [u8; 32],
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// When it was removed; `None` for a member.
    pub removed_at: Option<Timestamp>,
}

/// What signs the certificates of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its own certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, PKCS#8 DER, sealed in the context `cluster authority`.
    pub key: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
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
    /// Every node that was ever admitted, in the order of their ids.
    pub nodes: Vec<NodeRecord>,
    /// What signs the certificates of nodes; `None` until it is made.
    pub authority: Option<Authority>,
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

    /// The nodes that were admitted and not removed.
    pub fn members(&self) -> impl Iterator<Item = &NodeRecord> {
        self.nodes.iter().filter(|node| node.removed_at.is_none())
    }

    /// A node, removed or not.
    pub fn node(&self, id: u64) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// A number that no node has or ever had.
    pub fn next_node_id(&self) -> u64 {
        self.nodes.iter().map(|node| node.id).max().unwrap_or(0).saturating_add(1)
    }

    /// The level of features that every member understands. A cluster without any node on record
    /// is one that this release alone has run.
    pub fn feature_level(&self) -> u16 {
        self.members().map(|node| node.feature_level).min().unwrap_or(FEATURE_LEVEL)
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
    /// Certificates are signed by this authority from here on.
    AuthorityMade(Authority),
    /// A node may be part of the cluster. Changes nothing if its id is taken.
    NodeAdmitted(NodeRecord),
    /// A member tells where it is and what it runs.
    NodeAnnounced {
        /// Which.
        id: u64,
        /// Where its API listens, `host:port`.
        api_address: String,
        /// Where its peers reach it, `host:port`.
        peer_address: String,
        /// The release that it runs.
        version: String,
        /// The level of features of that release.
        feature_level: u16,
    },
    /// A member is none any more, for ever.
    NodeRemoved {
        /// Which.
        id: u64,
    },
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
        SystemEvent::AuthorityMade(authority) => state.authority = Some(authority.clone()),
        SystemEvent::NodeAdmitted(record) => admit(state, record, at),
        SystemEvent::NodeAnnounced { id, api_address, peer_address, version, feature_level } => {
            if let Some(node) = member_mut(state, *id) {
                node.api_address.clone_from(api_address);
                node.peer_address.clone_from(peer_address);
                node.version.clone_from(version);
                node.feature_level = *feature_level;
            }
        }
        SystemEvent::NodeRemoved { id } => {
            if let Some(node) = member_mut(state, *id) {
                node.removed_at = Some(at);
            }
        }
    }
}

fn admit(state: &mut SystemState, record: &NodeRecord, at: Timestamp) {
    if let Err(place) = state.nodes.binary_search_by_key(&record.id, |node| node.id) {
        let record = NodeRecord { admitted_at: at, removed_at: None, ..record.clone() };
        state.nodes.insert(place, record);
    }
}

fn member_mut(state: &mut SystemState, id: u64) -> Option<&mut NodeRecord> {
    state.nodes.iter_mut().find(|node| node.id == id && node.removed_at.is_none())
}

/// What the audit log says of an event that is about to change `before`; `None` if it is nothing
/// that anybody needs explained. Entries of the cluster belong to the default tenant, which is
/// whoever runs the cluster.
pub fn audit(before: &SystemState, event: &SystemEvent) -> Option<AuditEntry> {
    let entry = match event {
        SystemEvent::Founded { cluster_id, shards } => AuditEntry::success("cluster.founded")
            .detail("clusterId", cluster_id)
            .detail("shards", shards),
        SystemEvent::NodeAdmitted(node) => AuditEntry::success("cluster.node_admitted")
            .detail("nodeId", node.id)
            .detail("name", &node.name)
            .detail("apiAddress", &node.api_address)
            .detail("peerAddress", &node.peer_address)
            .detail("version", &node.version),
        SystemEvent::NodeAnnounced { id, api_address, peer_address, version, .. } => {
            let node = before.node(*id)?;
            let known = (&node.api_address, &node.peer_address, &node.version);
            if known == (api_address, peer_address, version) {
                return None;
            }
            AuditEntry::success("cluster.node_announced")
                .detail("nodeId", id)
                .detail("name", &node.name)
                .detail("apiAddress", api_address)
                .detail("peerAddress", peer_address)
                .detail("version", version)
        }
        SystemEvent::NodeRemoved { id } => {
            let name = before.node(*id).map_or("", |node| node.name.as_str());
            AuditEntry::success("cluster.node_removed").detail("nodeId", id).detail("name", name)
        }
        SystemEvent::DataKeyAdded(_)
        | SystemEvent::SigningKeyAdded(_)
        | SystemEvent::AuthorityMade(_) => return None,
    };
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64) -> NodeRecord {
        NodeRecord {
            id,
            name: format!("n{id}"),
            api_address: format!("127.0.0.1:808{id}"),
            peer_address: format!("127.0.0.1:708{id}"),
            version: "1.0.0".to_owned(),
            feature_level: 1,
            key: [7; 32],
            admitted_at: Timestamp::EPOCH,
            removed_at: None,
        }
    }

    fn announced(id: u64, peer: &str, version: &str, feature_level: u16) -> SystemEvent {
        SystemEvent::NodeAnnounced {
            id,
            api_address: format!("127.0.0.1:808{id}"),
            peer_address: peer.to_owned(),
            version: version.to_owned(),
            feature_level,
        }
    }

    fn evolved(events: &[SystemEvent]) -> SystemState {
        let mut state = SystemState::default();
        for (second, event) in (1..).zip(events) {
            evolve(&mut state, event, Timestamp::from_millis(second * 1_000));
        }
        state
    }

    #[test]
    fn the_number_of_a_removed_node_is_never_given_again() {
        let admitted = |id| SystemEvent::NodeAdmitted(record(id));
        let mut state = evolved(&[admitted(1), admitted(2), SystemEvent::NodeRemoved { id: 2 }]);
        assert_eq!(state.members().map(|node| node.id).collect::<Vec<_>>(), [1]);
        assert_eq!(state.node(2).unwrap().removed_at, Some(Timestamp::from_millis(3_000)));
        assert_eq!(state.next_node_id(), 3);
        let before = state.clone();
        evolve(&mut state, &admitted(2), Timestamp::from_millis(9_000));
        evolve(&mut state, &announced(2, "elsewhere:1", "2.0.0", 2), Timestamp::EPOCH);
        evolve(&mut state, &SystemEvent::NodeRemoved { id: 2 }, Timestamp::from_millis(9_000));
        assert_eq!(state, before, "what was removed stays as it was");
    }

    #[test]
    fn the_cluster_understands_what_its_oldest_member_does() {
        let admitted = |id| SystemEvent::NodeAdmitted(record(id));
        let mut state = evolved(&[admitted(1), admitted(2), announced(1, "a:1", "2.0.0", 2)]);
        assert_eq!(state.feature_level(), 1);
        evolve(&mut state, &SystemEvent::NodeRemoved { id: 2 }, Timestamp::EPOCH);
        assert_eq!(state.feature_level(), 2);
        assert_eq!(SystemState::default().feature_level(), FEATURE_LEVEL);
    }

    #[test]
    fn an_announcement_that_tells_nothing_new_leaves_no_trace() {
        let state = evolved(&[SystemEvent::NodeAdmitted(record(1))]);
        assert_eq!(audit(&state, &announced(1, "127.0.0.1:7081", "1.0.0", 1)), None);
        let moved = audit(&state, &announced(1, "n1:7081", "1.0.0", 1)).unwrap();
        assert_eq!(moved.event_type, "cluster.node_announced");
        assert_eq!(moved.details["peerAddress"], "n1:7081");
        assert!(audit(&state, &announced(1, "127.0.0.1:7081", "1.0.1", 1)).is_some());
        let removed = audit(&state, &SystemEvent::NodeRemoved { id: 1 }).unwrap();
        assert_eq!(
            (removed.event_type.as_str(), removed.details["name"].as_str()),
            ("cluster.node_removed", "n1")
        );
    }
}
