//! Which other nodes there are, where, and with which keys: what the registry says. Before the registry
//! has arrived: what the join was told, and for the address what the groups' membership says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_actors::gateway::Target;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::system::NodeRecord;
use countersign_core::vault::Vault;
use countersign_storage::{Directory, DiskHistory, NodeAddress, NodeId, Store};
use tokio::sync::{Notify, watch};

use super::disks::Disks;
use crate::network::{AddressBook, Member, PeerKey, Refused};

/// Who is where: the addresses of all nodes, the shards of all users. Clones are the same book.
#[derive(Clone)]
pub(crate) struct Book {
    own: NodeId,
    shards: u16,
    vault: Arc<dyn Vault>,
    store: Arc<Store>,
    directory: Arc<Directory>,
    told: Arc<Mutex<BTreeMap<NodeId, Member>>>,
    met_unknown: Arc<Notify>,
    disks: Disks,
    removed: watch::Sender<bool>,
}

impl Book {
    /// Over what a store has applied.
    pub(crate) fn new(
        own: NodeId,
        shards: u16,
        vault: Arc<dyn Vault>,
        store: &Arc<Store>,
        disks: Disks,
    ) -> Self {
        let (store, directory) = (Arc::clone(store), store.directory());
        let (told, met_unknown) = (Arc::default(), Arc::default());
        let removed = watch::Sender::new(false);
        Self { own, shards, vault, store, directory, told, met_unknown, disks, removed }
    }

    /// Notes nodes that the cluster told of at joining, or a member since. The registry, once it
    /// has a node, knows better.
    pub(crate) fn tell(&self, nodes: impl IntoIterator<Item = Member>) {
        let nodes = nodes.into_iter().map(|node| (node.id, node));
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(nodes);
    }

    /// Returns when a node was met that is neither in the registry, as it is known here, nor told of.
    pub(crate) async fn met_unknown(&self) {
        self.met_unknown.notified().await;
    }

    /// All members that the registry has, as another node is told of them.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.directory.system().members().map(member_of).collect()
    }

    /// All nodes but this one that are members as far as is known here: also those that were told
    /// of and are not in the registry yet.
    pub(crate) fn known(&self) -> Vec<NodeId> {
        let system = self.directory.system();
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.keys().filter(|id| system.node(**id).is_none()).copied();
        system.members().map(|node| node.id).chain(told).filter(|id| *id != self.own).collect()
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

    /// This node and whoever votes in shard 0. A node that has not heard of any voters yet, having
    /// just joined, counts whomever it was told of.
    pub(crate) fn voters(&self) -> BTreeSet<NodeId> {
        let head = self.store.rows(ShardId::SYSTEM).head();
        let mut voters: BTreeSet<NodeId> = head.membership.membership().voter_ids().collect();
        if voters.is_empty() {
            voters.extend(self.told.lock().unwrap_or_else(PoisonError::into_inner).keys());
        }
        voters.insert(self.own);
        voters
    }

    /// Returns if this node was taken out of the cluster: by its own log, or by another node's word
    /// if the log came no more.
    pub(crate) async fn expelled(&self) {
        let mut changes = self.directory.changes();
        let mut told = self.removed.subscribe();
        loop {
            let system = self.directory.system();
            let removed = system.node(self.own).is_some_and(|node| node.removed_at.is_some());
            if removed || *told.borrow_and_update() {
                return;
            }
            let changed = tokio::select! {
                changed = changes.changed() => changed,
                changed = told.changed() => changed,
            };
            if changed.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Returns who refused this node's disk as an older copy, once somebody does.
    pub(crate) async fn disk_refused(&self) -> NodeId {
        self.disks.refused().await
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
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.get(&node).map(|node| node.peer_address.clone())
        })
    }

    fn check(&self, node: NodeId, key: &PeerKey) -> Result<(), Refused> {
        #[cfg(feature = "sabotage")]
        fail::fail_point!("node::any_peer_key", |_| Ok(()));
        if node == self.own {
            return Err(Refused::OwnId);
        }
        let system = self.directory.system();
        let known = match system.node(node) {
            Some(record) if record.removed_at.is_some() => return Err(Refused::Removed),
            Some(record) => record.key,
            None => {
                let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(told) = told.get(&node) else {
                    // Perhaps the registry here is an old one: somebody else is asked.
                    self.met_unknown.notify_one();
                    return Err(Refused::UnknownNode);
                };
                told.key
            }
        };
        if known == *key { Ok(()) } else { Err(Refused::OtherKey) }
    }

    fn own_disk(&self) -> DiskHistory {
        self.disks.own()
    }

    fn is_sound(&self, node: NodeId, disk: &DiskHistory) -> bool {
        self.disks.is_sound(node, disk)
    }

    fn refused_by(&self, node: NodeId, refused: Refused) {
        match refused {
            Refused::Removed => {
                self.removed.send_replace(true);
            }
            Refused::OlderDisk => self.disks.refused_by(node),
            _ => {}
        }
    }
}

/// A node of the registry, as another node is told of it.
pub(crate) fn member_of(record: &NodeRecord) -> Member {
    Member { id: record.id, peer_address: record.peer_address.clone(), key: record.key }
}

/// A node's entry in a group's membership.
pub(crate) fn address_of(record: &NodeRecord) -> NodeAddress {
    NodeAddress {
        name: record.name.clone(),
        api_address: record.api_address.clone(),
        peer_address: record.peer_address.clone(),
    }
}
