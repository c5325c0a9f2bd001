//! Where the other nodes are: what the registry says, or what the groups' membership says while the
//! registry has not arrived yet, or what the join was told before there is either.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_actors::gateway::Target;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::system::NodeRecord;
use countersign_core::vault::Vault;
use countersign_storage::{Directory, NodeAddress, NodeId, Store};

use crate::network::AddressBook;

/// Who is where: the addresses of all nodes, the shards of all users. Clones are the same book.
#[derive(Clone)]
pub(crate) struct Book {
    own: NodeId,
    shards: u16,
    vault: Arc<dyn Vault>,
    store: Arc<Store>,
    directory: Arc<Directory>,
    told: Arc<Mutex<BTreeMap<NodeId, String>>>,
}

impl Book {
    /// Over what a store has applied.
    pub(crate) fn new(own: NodeId, shards: u16, vault: Arc<dyn Vault>, store: &Arc<Store>) -> Self {
        let (store, directory) = (Arc::clone(store), store.directory());
        Self { own, shards, vault, store, directory, told: Arc::default() }
    }

    /// Notes addresses that were told at joining.
    pub(crate) fn tell(&self, nodes: impl IntoIterator<Item = (NodeId, String)>) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(nodes);
    }

    /// This node.
    pub(crate) const fn own(&self) -> NodeId {
        self.own
    }

    /// How many shards the cluster has.
    pub(crate) const fn shards(&self) -> u16 {
        self.shards
    }

    /// The shard of whomever a question is about.
    pub(crate) fn shard_of(&self, tenant: &TenantId, target: &Target) -> ShardId {
        match target {
            Target::User(user) => UserKey::new(tenant.clone(), user.clone()).hash(),
            Target::Challenge(id) => self.vault.challenge_user(*id),
        }
        .shard(self.shards)
    }

    /// All members but this node.
    pub(crate) fn others(&self) -> Vec<NodeId> {
        let system = self.directory.system();
        system.members().map(|node| node.id).filter(|id| *id != self.own).collect()
    }

    /// Whether a node may connect: not one that was removed, and not one that poses as this node.
    pub(crate) fn admits(&self, node: NodeId) -> bool {
        let system = self.directory.system();
        node != self.own && system.node(node).is_none_or(|node| node.removed_at.is_none())
    }

    /// Whether this node was taken out of the cluster.
    pub(crate) fn expelled(&self) -> bool {
        let system = self.directory.system();
        system.node(self.own).is_some_and(|node| node.removed_at.is_some())
    }
}

impl AddressBook for Book {
    fn address(&self, node: NodeId) -> Option<String> {
        let system = self.directory.system();
        if let Some(record) = system.node(node) {
            return record.removed_at.is_none().then(|| record.peer_address.clone());
        }
        let head = self.store.rows(ShardId::SYSTEM).head();
        let known =
            head.membership.membership().get_node(&node).map(|node| node.peer_address.clone());
        known.or_else(|| {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
        })
    }
}

/// A node's entry in a group's membership.
pub(crate) fn address_of(record: &NodeRecord) -> NodeAddress {
    NodeAddress {
        name: record.name.clone(),
        api_address: record.api_address.clone(),
        peer_address: record.peer_address.clone(),
    }
}
