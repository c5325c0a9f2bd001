//! The Raft groups of this node: one a shard, all alike, all over one store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_storage::{NodeAddress, NodeId, ShardMachine, Store, TypeConfig};
use openraft::{Config, Raft, SnapshotPolicy};

use crate::error::Error;
use crate::network::{PeerNetworks, Peers};

/// One shard's Raft group on this node.
pub(crate) type Group = Raft<TypeConfig, ShardMachine>;

/// Every group, by its shard.
pub(crate) type Groups = Arc<BTreeMap<ShardId, Group>>;

/// A leader tells its followers this often that it lives.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// For so long after a leader was heard of, nobody is given a vote against it, and the leader may
/// answer reads without asking. Also the longest that openraft waits before it asks for an election;
/// [`crate::cluster::elections`] asks as soon as it has ended.
pub(crate) const LEASE: Duration = Duration::from_millis(600);
/// The shortest that openraft waits.
const ELECTION_MIN: Duration = Duration::from_millis(500);
/// Entries after which a snapshot is made. [`crate::snapshots`] adds time and bytes to this.
const SNAPSHOT_ENTRIES: u64 = 10_000;
/// Entries kept behind a snapshot, so that a follower that fell back a little needs none.
const ENTRIES_KEPT: u64 = 2_000;
/// The most entries in one message to a follower.
const ENTRIES_A_MESSAGE: u64 = 256;

/// How every group behaves.
fn config(shard: ShardId) -> Config {
    Config {
        cluster_name: format!("shard-{shard}"),
        heartbeat_interval: millis(HEARTBEAT),
        // An answered append says what a heartbeat says: under load there are none.
        heartbeat_min_interval: Some(millis(HEARTBEAT)),
        election_timeout_min: millis(ELECTION_MIN),
        election_timeout_max: millis(LEASE),
        // Not before every lease from before this start has ended: what this node promised to a
        // leader then, it does not remember.
        enable_elect: false,
        // A node that was away must not depose a healthy leader by its return.
        enable_pre_vote: Some(true),
        // A restarted leader must be elected again. Resuming without an election is unsafe here:
        // apply is not synced, so the store may be behind what the log has committed, and only
        // a new term's first entry proves how far the log is committed.
        enable_leader_restore: Some(false),
        max_payload_entries: ENTRIES_A_MESSAGE,
        max_append_entries: Some(4_096),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_ENTRIES),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT,
        replication_lag_threshold: SNAPSHOT_ENTRIES.saturating_mul(2),
        purge_batch_size: 256,
        // A snapshot is sent as one stream; each of its frames is bounded by the network.
        install_snapshot_timeout: 30_000,
        ..Config::default()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Starts the groups of all shards. Each recovers from the store and waits to be elected or led.
///
/// # Errors
/// If a group's stored state cannot be read.
pub(crate) async fn start_groups(
    store: &Arc<Store>,
    id: NodeId,
    shards: u16,
    peers: &Peers,
) -> Result<Groups, Error> {
    let mut groups = BTreeMap::new();
    for shard in (0..shards).map(ShardId) {
        let failed = |reason: String| Error::Raft { shard, action: "start", reason };
        let config = config(shard).validate().map_err(|error| failed(error.to_string()))?;
        let machine = store.machine(shard).map_err(|error| failed(error.to_string()))?;
        let network = PeerNetworks::new(peers.clone(), shard);
        let started = Raft::new(id, Arc::new(config), network, store.log(shard), machine);
        let group = Box::pin(started).await.map_err(|error| failed(error.to_string()))?;
        groups.insert(shard, group);
    }
    Ok(Arc::new(groups))
}

/// Sets a group of the founding node going: one that has no members yet gets this node as its
/// only voter, and where this node is alone it asks for an election at once, since there is nobody
/// to wait for. Does nothing else to a group that has members.
///
/// # Errors
/// If the group has stopped.
pub(crate) async fn set_going(
    shard: ShardId,
    group: &Group,
    id: NodeId,
    founding: Option<&NodeAddress>,
) -> Result<(), Error> {
    let failed = |action| move |reason: String| Error::Raft { shard, action, reason };
    let (begun, alone) = group
        .with_raft_state(move |state| {
            let voters: Vec<NodeId> = state.membership_state.effective().voter_ids().collect();
            (!voters.is_empty(), voters == [id])
        })
        .await
        .map_err(|error| failed("tell its members")(error.to_string()))?;
    if let (false, Some(address)) = (begun, founding) {
        return group
            .initialize(BTreeMap::from([(id, address.clone())]))
            .await
            .map_err(|error| failed("initialize")(error.to_string()));
    }
    if alone {
        let elected = group.trigger().elect(false).await;
        elected.map_err(|error| failed("call an election")(error.to_string()))?;
    }
    Ok(())
}

/// Stops all groups. What was acknowledged is on disk already.
pub(crate) async fn stop_groups(groups: &Groups) {
    let stops = groups.iter().map(|(shard, group)| async move {
        if let Err(error) = group.shutdown().await {
            tracing::warn!(%shard, %error, "a Raft group did not stop in order");
        }
    });
    futures::future::join_all(stops).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_one_that_openraft_accepts() {
        let config = config(ShardId(3)).validate().unwrap();
        assert_eq!(config.enable_pre_vote, Some(true));
        assert_eq!(config.enable_leader_restore, Some(false));
        assert_eq!(config.cluster_name, "shard-3");
    }
}
