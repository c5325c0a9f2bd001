//! The node registry: which nodes belong to the cluster, as one row of shard 0. Only shard 0's leader
//! changes it, one change at a time, through the log like everything else; who admits, who removes
//! and why not is decided here. The groups follow: see [`super::reconciler`].

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_actors::gateway::GatewayError;
use countersign_actors::ports::{Clock, Replica};
use countersign_core::ids::ShardId;
use countersign_core::proposal::{Applied, Change, LogCommand, Proposal};
use countersign_core::system::{self, FEATURE_LEVEL, NodeRecord, SystemEvent, SystemState};
use countersign_core::time::Timestamp;
use countersign_core::vault::Vault;
use countersign_storage::{Identity, NodeId, Store};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::book::member_of;
use super::credentials;
use super::liveness::Liveness;
use crate::network::{Announcement, Changed, ClusterChange, JoinGrant, JoinRefusal, JoinRequest};
use crate::raft::Groups;
use crate::replica::ShardReplica;

/// How often a change is decided anew because another one came first.
const ATTEMPTS: usize = 16;

/// Changes the registry, on the node that leads shard 0.
pub(crate) struct Registry {
    /// Rows.
    pub(crate) store: Arc<Store>,
    /// All groups; shard 0's log takes the changes.
    pub(crate) groups: Groups,
    /// Opens the cluster's authority.
    pub(crate) vault: Arc<dyn Vault>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who this node is.
    pub(crate) identity: Identity,
    /// Who is there.
    pub(crate) liveness: Liveness,
    /// One change at a time.
    pub(crate) one: Mutex<()>,
}

/// What to do about a change.
enum Verdict {
    /// Nothing: it is so already, or it is refused.
    Said(Changed),
    /// Put this into the log; then it is so.
    Do(Vec<SystemEvent>),
}

impl Registry {
    /// Makes a change, or says why not. Doing it twice is the same as doing it once.
    ///
    /// # Errors
    /// If this node does not lead shard 0, or the log does not take the change.
    pub(crate) async fn change(&self, change: ClusterChange) -> Result<Changed, GatewayError> {
        let _one = self.one.lock().await;
        let replica = self.replica()?;
        for _ in 0..ATTEMPTS {
            replica.barrier().await?;
            let row = replica.system()?;
            let now = self.clock.now();
            let events = match self.judge(&row.value, &change, now)? {
                Verdict::Said(changed) => return Ok(changed),
                Verdict::Do(events) => events,
            };
            let proposal = Proposal {
                audit: events.iter().filter_map(|event| system::audit(&row.value, event)).collect(),
                change: Change::System { events },
                expected_version: row.version,
                now,
                clock: now,
                answer: None,
            };
            match replica.propose(LogCommand::Propose(Box::new(proposal))).await? {
                // Judged again: now it is so, and that is the answer.
                Applied::Done { .. } | Applied::Conflict { .. } => {}
                other => {
                    return Err(GatewayError::Internal(format!("the log answered {other:?}")));
                }
            }
        }
        Err(GatewayError::Unavailable("the registry kept changing".to_owned()))
    }

    fn replica(&self) -> Result<Arc<dyn Replica>, GatewayError> {
        let shard = ShardId::SYSTEM;
        let nobody = || GatewayError::NotLeading { leader: None };
        let group = self.groups.get(&shard).ok_or_else(nobody)?;
        let leader = group.as_leader().map_err(|_| nobody())?;
        let fence = leader.to_committed_leader_id();
        Ok(ShardReplica::new(shard, group.clone(), self.store.rows(shard), fence).into_port())
    }

    fn judge(
        &self,
        system: &SystemState,
        change: &ClusterChange,
        now: Timestamp,
    ) -> Result<Verdict, GatewayError> {
        match change {
            ClusterChange::Admit(request) => match admit(system, &self.identity, request, now) {
                Admission::Refused(refusal) => Ok(Verdict::Said(Changed::NotAdmitted(refusal))),
                Admission::New(record) => Ok(Verdict::Do(vec![SystemEvent::NodeAdmitted(*record)])),
                Admission::Known(id) => {
                    // It may have asked from another address before.
                    let said = announcement_of(id, request);
                    if let Verdict::Do(events) = announce(system, &said) {
                        return Ok(Verdict::Do(events));
                    }
                    let grant = self.grant(system, id, request, now)?;
                    Ok(Verdict::Said(Changed::Admitted(Box::new(grant))))
                }
            },
            ClusterChange::Announce(said) => Ok(announce(system, said)),
            ClusterChange::Remove { id } => {
                let up = |node: NodeId| node == self.identity.node_id || self.liveness.is_up(node);
                Ok(remove(system, *id, &up))
            }
        }
    }

    /// What a new member needs to know.
    fn grant(
        &self,
        system: &SystemState,
        id: NodeId,
        request: &JoinRequest,
        now: Timestamp,
    ) -> Result<JoinGrant, GatewayError> {
        let fault = |reason: String| GatewayError::Internal(reason);
        let authority = system.authority.as_ref();
        let authority = authority.ok_or_else(|| fault("there is no authority".to_owned()))?;
        let issued = credentials::issue(system, self.vault.as_ref(), id, &request.public_key, now);
        Ok(JoinGrant {
            cluster_id: system.cluster_id.clone(),
            node_id: id,
            shards: system.shards,
            authority: authority.certificate.clone(),
            certificate: issued.map_err(|error| fault(error.to_string()))?,
            nodes: system.members().map(member_of).collect(),
        })
    }
}

/// What is said to a node that wants to join.
enum Admission {
    /// It is a member already: the same key asked before.
    Known(NodeId),
    /// It becomes one.
    New(Box<NodeRecord>),
    /// It does not.
    Refused(JoinRefusal),
}

fn admit(
    system: &SystemState,
    identity: &Identity,
    request: &JoinRequest,
    now: Timestamp,
) -> Admission {
    if request.key_check != identity.key_check {
        return Admission::Refused(JoinRefusal::OtherMasterKey);
    }
    let level = system.feature_level();
    if request.feature_level < level {
        return Admission::Refused(JoinRefusal::TooOld {
            version: request.version.clone(),
            needed: level,
        });
    }
    let key: [u8; 32] = Sha256::digest(&request.public_key).into();
    if let Some(known) = system.nodes.iter().find(|node| node.key == key) {
        return match known.removed_at {
            None => Admission::Known(known.id),
            Some(_) => Admission::Refused(JoinRefusal::Removed { id: known.id }),
        };
    }
    // A disk that was lost is a new node; the old one must be seen to be gone, not shadowed.
    if let Some(namesake) = system.members().find(|node| node.name == request.name) {
        return Admission::Refused(JoinRefusal::NameTaken {
            name: request.name.clone(),
            id: namesake.id,
        });
    }
    Admission::New(Box::new(NodeRecord {
        id: system.next_node_id(),
        name: request.name.clone(),
        api_address: request.api_address.clone(),
        peer_address: request.peer_address.clone(),
        version: request.version.clone(),
        feature_level: request.feature_level,
        key,
        admitted_at: now,
        removed_at: None,
    }))
}

fn announce(system: &SystemState, said: &Announcement) -> Verdict {
    let Some(known) = system.node(said.id).filter(|node| node.removed_at.is_none()) else {
        return Verdict::Said(Changed::Unknown);
    };
    let same = known.api_address == said.api_address
        && known.peer_address == said.peer_address
        && known.version == said.version
        && known.feature_level == said.feature_level;
    if same {
        return Verdict::Said(Changed::Announced);
    }
    if said.feature_level < system.feature_level() {
        return Verdict::Said(Changed::Refused(format!(
            "version {} is older than what the cluster has begun to use (feature level {})",
            said.version,
            system.feature_level()
        )));
    }
    Verdict::Do(vec![SystemEvent::NodeAnnounced {
        id: said.id,
        api_address: said.api_address.clone(),
        peer_address: said.peer_address.clone(),
        version: said.version.clone(),
        feature_level: said.feature_level,
    }])
}

fn announcement_of(id: NodeId, request: &JoinRequest) -> Announcement {
    Announcement {
        id,
        api_address: request.api_address.clone(),
        peer_address: request.peer_address.clone(),
        version: request.version.clone(),
        feature_level: request.feature_level,
    }
}

/// A node may go if a majority of those that stay is there.
fn remove(system: &SystemState, id: NodeId, up: &dyn Fn(NodeId) -> bool) -> Verdict {
    match system.node(id) {
        None => return Verdict::Said(Changed::Unknown),
        Some(node) if node.removed_at.is_some() => return Verdict::Said(Changed::Removed),
        Some(_) => {}
    }
    let stay: BTreeSet<NodeId> =
        system.members().map(|node| node.id).filter(|node| *node != id).collect();
    let there = stay.iter().filter(|node| up(**node)).count();
    if stay.is_empty() {
        let reason = "it is the only node of the cluster".to_owned();
        return Verdict::Said(Changed::Refused(reason));
    }
    if there * 2 <= stay.len() {
        return Verdict::Said(Changed::Refused(format!(
            "without it {} nodes would remain, of which {there} can be reached: no quorum",
            stay.len()
        )));
    }
    Verdict::Do(vec![SystemEvent::NodeRemoved { id }])
}

/// This node, as it announces itself.
pub(crate) fn announcement(id: NodeId, api_address: String, peer_address: String) -> Announcement {
    Announcement {
        id,
        api_address,
        peer_address,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        feature_level: FEATURE_LEVEL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: NodeId, key: u8) -> NodeRecord {
        NodeRecord {
            id,
            name: format!("n{id}"),
            api_address: String::new(),
            peer_address: String::new(),
            version: "0.1.0".to_owned(),
            feature_level: 1,
            key: Sha256::digest([key]).into(),
            admitted_at: Timestamp::EPOCH,
            removed_at: None,
        }
    }

    fn system(ids: &[NodeId]) -> SystemState {
        let nodes = ids.iter().map(|id| record(*id, u8::try_from(*id).unwrap())).collect();
        SystemState { cluster_id: "clu_x".to_owned(), nodes, ..SystemState::default() }
    }

    fn identity() -> Identity {
        Identity {
            node_id: 1,
            cluster_id: "clu_x".to_owned(),
            name: "n1".to_owned(),
            shards: 16,
            key_check: vec![7; 16],
        }
    }

    fn request(name: &str, key: u8) -> JoinRequest {
        JoinRequest {
            name: name.to_owned(),
            api_address: String::new(),
            peer_address: String::new(),
            version: "0.1.0".to_owned(),
            feature_level: 1,
            key_check: vec![7; 16],
            public_key: vec![key],
        }
    }

    fn asked(system: &SystemState, request: &JoinRequest) -> Admission {
        admit(system, &identity(), request, Timestamp::EPOCH)
    }

    #[test]
    fn a_new_node_gets_a_number_that_was_never_used() {
        let mut system = system(&[1, 2, 3]);
        system.nodes[2].removed_at = Some(Timestamp::EPOCH);
        let Admission::New(record) = asked(&system, &request("n3", 9)) else { panic!("refused") };
        assert_eq!(record.id, 4);
    }

    #[test]
    fn who_asks_again_with_the_same_key_is_the_same_node() {
        assert!(matches!(asked(&system(&[1, 2]), &request("n2", 2)), Admission::Known(2)));
    }

    #[test]
    fn a_wiped_node_is_refused_under_its_old_name_until_it_is_removed() {
        let mut system = system(&[1, 2]);
        let refused = asked(&system, &request("n2", 9));
        let taken = JoinRefusal::NameTaken { name: "n2".to_owned(), id: 2 };
        assert!(matches!(refused, Admission::Refused(refusal) if refusal == taken));
        system.nodes[1].removed_at = Some(Timestamp::EPOCH);
        assert!(matches!(asked(&system, &request("n2", 9)), Admission::New(_)));
    }

    #[test]
    fn a_removed_node_and_one_with_another_master_key_stay_out() {
        let mut system = system(&[1, 2]);
        system.nodes[1].removed_at = Some(Timestamp::EPOCH);
        let refused = asked(&system, &request("n2", 2));
        assert!(matches!(refused, Admission::Refused(JoinRefusal::Removed { id: 2 })));
        let other = JoinRequest { key_check: vec![8; 16], ..request("n3", 9) };
        let refused = asked(&system, &other);
        assert!(matches!(refused, Admission::Refused(JoinRefusal::OtherMasterKey)));
    }

    #[test]
    fn a_removal_that_would_cost_the_quorum_is_refused() {
        let three = system(&[1, 2, 3]);
        let without = |down: NodeId| move |node: NodeId| node != down;
        assert!(matches!(remove(&three, 3, &without(3)), Verdict::Do(_)));
        let refused = remove(&three, 2, &without(3));
        assert!(matches!(refused, Verdict::Said(Changed::Refused(_))));
        let last = remove(&system(&[1]), 1, &|_| true);
        assert!(matches!(last, Verdict::Said(Changed::Refused(_))));
        assert!(matches!(remove(&three, 9, &|_| true), Verdict::Said(Changed::Unknown)));
    }
}
