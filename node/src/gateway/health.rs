//! What this node knows of the cluster, without asking anybody.

use countersign_actors::gateway::{Health, NodeHealth, ShardHealth};
use countersign_core::ids::ShardId;
use countersign_storage::TypeConfig;
use openraft::RaftMetrics;
use openraft::async_runtime::WatchReceiver;

use super::ClusterGateway;
use crate::raft::Group;

/// Entries that a node may be behind and still count as caught up.
const NEAR: u64 = 512;

impl ClusterGateway {
    pub(super) fn health_now(&self) -> Health {
        Health {
            cluster_id: self.cluster_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            nodes: self.node_health(),
            shards: self
                .here
                .groups
                .iter()
                .map(|(shard, group)| self.shard_health(*shard, group))
                .collect(),
            leaderless: self.vacancies.long(self.here.groups.keys().copied()),
            current: self.currency.is_current(),
            clock: self.here.clock.trust().complaint(),
            stopping: *self.stopping.borrow(),
        }
    }

    fn shard_health(&self, shard: ShardId, group: &Group) -> ShardHealth {
        let metrics = group.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        // A leader that does not answer yet is none to whoever asks.
        let leads = metrics.current_leader == Some(metrics.id);
        let answers = !leads || self.here.led.is_led(shard);
        let votes = membership.voter_ids().any(|voter| voter == metrics.id);
        let committed = metrics.cluster_committed.map_or(0, |log_id| log_id.index);
        let applied = metrics.last_applied.map_or(0, |log_id| log_id.index);
        let near = committed.saturating_sub(applied) <= NEAR;
        ShardHealth {
            id: shard,
            leader: metrics.current_leader.filter(|_| answers),
            term: metrics.current_term,
            last_applied: applied,
            committed: committed.max(applied),
            followers: followers(&metrics),
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            caught_up: votes && near && self.here.led.caught_up(shard),
            ahead_ms: self.times.ahead_ms(shard),
        }
    }

    fn node_health(&self) -> Vec<NodeHealth> {
        let system = self.here.store.directory().system();
        let votes: Vec<u64> =
            self.here.groups.get(&ShardId::SYSTEM).map_or_else(Vec::new, |group| {
                let metrics = group.server_metrics();
                let metrics = metrics.borrow_watched();
                metrics.membership_config.membership().voter_ids().collect()
            });
        let clock = &self.here.clock;
        let heard = self.liveness.clocks(clock.elapsed());
        let ahead_ms = |id: u64| match id == self.here.book.own() {
            true => Some(0),
            false => heard.get(&id).map(|peer| clock.ahead_ms(peer)),
        };
        let state = |id: u64| match () {
            () if id != self.here.book.own() && !self.liveness.is_up(id) => "DOWN",
            () if !votes.contains(&id) => "JOINING",
            () => "UP",
        };
        system
            .members()
            .map(|node| NodeHealth {
                id: node.id,
                name: node.name.clone(),
                api_address: node.api_address.clone(),
                peer_address: node.peer_address.clone(),
                state: state(node.id).to_owned(),
                clock_ahead_ms: ahead_ms(node.id),
            })
            .collect()
    }
}

/// How far the others have the log, as their leader knows; nobody else does.
fn followers(metrics: &RaftMetrics<TypeConfig>) -> Vec<(u64, u64)> {
    let known = metrics.replication.iter().flatten();
    known
        .filter(|(node, _)| **node != metrics.id)
        .map(|(node, matched)| (*node, matched.map_or(0, |log_id| log_id.index)))
        .collect()
}
