//! Brings each group that this node leads to the members that the registry wishes: a new node first
//! listens, and votes once it has caught up; one that was removed goes.
//!
//! Each round looks at what is and takes one step towards what should be, so a round that was cut
//! off, by a crash or a change of leaders, is simply gone on with by whoever leads next. A change of
//! voters that stopped half way (a joint membership) is finished first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_storage::{Directory, NodeAddress, NodeId, TypeConfig};
use futures::future::join_all;
use openraft::ChangeMembers;
use openraft::async_runtime::WatchReceiver;
use openraft::metrics::RaftMetrics;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::balancer::Balancer;
use super::book::address_of;
use super::liveness::Liveness;
use crate::leadership::Led;
use crate::raft::{Group, Groups};

/// How often the groups are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long one step may take before the next round looks anew.
const STEP: Duration = Duration::from_secs(10);
/// Entries that a listening node may be behind and still become a voter.
const LAG: u64 = 256;

type Change = ChangeMembers<NodeId, NodeAddress>;

/// What the reconciler works with.
pub(crate) struct Reconciler {
    /// All groups.
    pub(crate) groups: Groups,
    /// What this node leads.
    pub(crate) led: Led,
    /// The registry.
    pub(crate) directory: Arc<Directory>,
    /// Who is there.
    pub(crate) liveness: Liveness,
    /// Finds who leads after a node that has to go.
    pub(crate) balancer: Balancer,
}

/// What has to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Nothing: all is as wished.
    None,
    /// Let a node listen.
    Listen(NodeId, NodeAddress),
    /// Change the members.
    Change(Change),
    /// This node has to go: somebody else must lead.
    Resign,
}

impl Reconciler {
    /// Reconciles until dropped.
    pub(crate) async fn run(self) {
        let mut every = interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let system = self.directory.system();
            if !system.founded() || system.members().next().is_none() {
                continue;
            }
            let wished: BTreeMap<NodeId, NodeAddress> =
                system.members().map(|node| (node.id, address_of(node))).collect();
            let rounds = self.led.all().map(|shard| self.round(shard, &wished));
            join_all(rounds).await;
        }
    }

    async fn round(&self, shard: ShardId, wished: &BTreeMap<NodeId, NodeAddress>) {
        let Some(group) = self.groups.get(&shard) else { return };
        let metrics = group.metrics().borrow_watched().clone();
        let step = next(&metrics, wished, &|node| self.liveness.is_up(node));
        let taken = timeout(STEP, self.take(shard, group, step)).await;
        match taken {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(%shard, error, "the members are not changed yet"),
            Err(_) => tracing::info!(%shard, "a change of members takes long"),
        }
    }

    async fn take(&self, shard: ShardId, group: &Group, step: Step) -> Result<(), String> {
        match step {
            Step::None => Ok(()),
            Step::Listen(node, address) => {
                tracing::info!(%shard, node, "a node begins to listen");
                let added = group.add_learner(node, address, false).await;
                added.map(|_| ()).map_err(|error| error.to_string())
            }
            Step::Change(change) => {
                tracing::info!(%shard, ?change, "changing the members");
                let changed = group.change_membership(change, false).await;
                changed.map(|_| ()).map_err(|error| error.to_string())
            }
            Step::Resign => match self.balancer.heir(shard) {
                Some(heir) if self.led.hand_over(shard, heir).await => Ok(()),
                _ => Err("this node has to go, and nobody else can lead yet".to_owned()),
            },
        }
    }
}

/// The next step of a group from what it is to what is wished.
fn next(
    metrics: &RaftMetrics<TypeConfig>,
    wished: &BTreeMap<NodeId, NodeAddress>,
    is_up: &dyn Fn(NodeId) -> bool,
) -> Step {
    let membership = metrics.membership_config.membership();
    let configs = membership.get_joint_config();
    let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let nodes: BTreeMap<NodeId, NodeAddress> =
        membership.nodes().map(|(id, node)| (*id, node.clone())).collect();
    if let [_, target] = configs.as_slice() {
        return Step::Change(ChangeMembers::ReplaceAllVoters(target.clone()));
    }
    if !wished.contains_key(&metrics.id) {
        return Step::Resign;
    }
    let gone: BTreeSet<NodeId> =
        nodes.keys().filter(|id| !wished.contains_key(id)).copied().collect();
    let gone_voters: BTreeSet<NodeId> = gone.intersection(&voters).copied().collect();
    if !gone_voters.is_empty() {
        // Removed voters leave the list of nodes with the same change.
        return Step::Change(ChangeMembers::RemoveVoters(gone_voters));
    }
    if !gone.is_empty() {
        return Step::Change(ChangeMembers::RemoveNodes(gone));
    }
    if let Some((id, address)) = wished.iter().find(|(id, _)| !nodes.contains_key(id)) {
        return Step::Listen(*id, address.clone());
    }
    let last = metrics.last_log_index.unwrap_or(0);
    let caught_up = |id: &NodeId| {
        let matched = metrics.replication.as_ref().and_then(|all| all.get(id).cloned().flatten());
        is_up(*id) && matched.is_some_and(|matched| matched.index + LAG >= last)
    };
    let ready: BTreeSet<NodeId> =
        nodes.keys().filter(|id| !voters.contains(id) && caught_up(id)).copied().collect();
    if !ready.is_empty() {
        return Step::Change(ChangeMembers::AddVoterIds(ready));
    }
    let moved: BTreeMap<NodeId, NodeAddress> = wished
        .iter()
        .filter(|(id, address)| nodes.get(id).is_some_and(|known| known != *address))
        .map(|(id, address)| (*id, address.clone()))
        .collect();
    if moved.is_empty() { Step::None } else { Step::Change(ChangeMembers::SetNodes(moved)) }
}

#[cfg(test)]
mod tests {
    use openraft::Membership;
    use openraft::entry::RaftEntry;
    use openraft::vote::RaftLeaderId;

    use super::*;

    fn address(id: NodeId) -> NodeAddress {
        NodeAddress {
            name: format!("n{id}"),
            api_address: format!("n{id}:8080"),
            peer_address: format!("n{id}:7080"),
        }
    }

    fn addresses(ids: &[NodeId]) -> BTreeMap<NodeId, NodeAddress> {
        ids.iter().map(|id| (*id, address(*id))).collect()
    }

    fn log_id(index: u64) -> countersign_storage::LogId {
        let leader = <TypeConfig as openraft::RaftTypeConfig>::LeaderId::new(1, 1).to_committed();
        countersign_storage::LogId::new(leader, index)
    }

    /// Node 1 leads; `matched` says how far the others are.
    fn metrics(
        voters: &[&[NodeId]],
        nodes: &[NodeId],
        matched: &[(NodeId, u64)],
    ) -> RaftMetrics<TypeConfig> {
        let configs = voters.iter().map(|ids| ids.iter().copied().collect()).collect();
        let membership = Membership::new(configs, addresses(nodes)).unwrap();
        let entry = countersign_storage::Entry::new_membership(log_id(1), membership.clone());
        let _ = entry;
        let mut metrics = RaftMetrics::new_initial(1);
        metrics.membership_config =
            Arc::new(openraft::StoredMembership::new(Some(log_id(1)), membership));
        metrics.last_log_index = Some(1_000);
        metrics.replication =
            Some(matched.iter().map(|(id, index)| (*id, Some(log_id(*index)))).collect());
        metrics
    }

    #[test]
    fn a_new_node_listens_then_votes_once_it_has_caught_up_and_is_there() {
        let up = |_| true;
        let wished = addresses(&[1, 2]);
        let alone = metrics(&[&[1]], &[1], &[]);
        assert_eq!(next(&alone, &wished, &up), Step::Listen(2, address(2)));
        let behind = metrics(&[&[1]], &[1, 2], &[(2, 10)]);
        assert_eq!(next(&behind, &wished, &up), Step::None);
        let ready = metrics(&[&[1]], &[1, 2], &[(2, 990)]);
        assert_eq!(next(&ready, &wished, &|_| false), Step::None);
        let votes = Step::Change(ChangeMembers::AddVoterIds(BTreeSet::from([2])));
        assert_eq!(next(&ready, &wished, &up), votes);
        let done = metrics(&[&[1, 2]], &[1, 2], &[(2, 990)]);
        assert_eq!(next(&done, &wished, &up), Step::None);
    }

    #[test]
    fn a_change_that_stopped_half_way_is_finished_first() {
        let joint = metrics(&[&[1], &[1, 2]], &[1, 2], &[(2, 990)]);
        let finish = Step::Change(ChangeMembers::ReplaceAllVoters(BTreeSet::from([1, 2])));
        assert_eq!(next(&joint, &addresses(&[1, 2, 3]), &|_| true), finish);
    }

    #[test]
    fn a_removed_node_goes_and_one_that_leads_resigns_first() {
        let all = metrics(&[&[1, 2, 3]], &[1, 2, 3], &[(2, 990), (3, 990)]);
        let go = Step::Change(ChangeMembers::RemoveVoters(BTreeSet::from([3])));
        assert_eq!(next(&all, &addresses(&[1, 2]), &|_| true), go);
        assert_eq!(next(&all, &addresses(&[2, 3]), &|_| true), Step::Resign);
        let listener = metrics(&[&[1, 2]], &[1, 2, 3], &[(2, 990), (3, 5)]);
        let go = Step::Change(ChangeMembers::RemoveNodes(BTreeSet::from([3])));
        assert_eq!(next(&listener, &addresses(&[1, 2]), &|_| true), go);
    }

    #[test]
    fn a_node_that_moved_is_noted() {
        let two = metrics(&[&[1, 2]], &[1, 2], &[(2, 990)]);
        let mut wished = addresses(&[1, 2]);
        wished.get_mut(&2).unwrap().peer_address = "elsewhere:7080".to_owned();
        let moved = BTreeMap::from([(2, wished[&2].clone())]);
        let noted = Step::Change(ChangeMembers::SetNodes(moved));
        assert_eq!(next(&two, &wished, &|_| true), noted);
    }
}
