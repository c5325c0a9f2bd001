//! A shard's state on its way to a node that is far behind.

use std::path::PathBuf;

use countersign_core::proposal::LogCommand;
use countersign_storage::{Snapshot, TypeConfig, Vote};
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ReplicationClosed, StreamingError};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::SnapshotResponse;

use super::*;

/// A leader with a snapshot of its own, alone in its group.
async fn leader(cluster: &Cluster, gate: &Arc<Gate>) -> (Side, Vote) {
    let dial: Arc<dyn Dial> = gate.clone();
    let one = cluster.node_that_dials(1, dial, Instant::now()).await;
    let members = BTreeMap::from([(1, countersign_storage::NodeAddress::default())]);
    one.group().initialize(members).await.unwrap();
    one.group().trigger().elect(false).await.unwrap();
    let waits = one.group().wait(Some(Duration::from_secs(10)));
    waits.current_leader(1, "node 1 leads").await.unwrap();
    for user in 0..400 {
        let command = padding(user);
        one.group().client_write(command).await.unwrap();
    }
    one.group().trigger().snapshot().await.unwrap();
    let group = one.group().clone();
    let made = timeout(Duration::from_secs(10), async {
        while group.get_snapshot().await.unwrap().is_none() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    made.await.unwrap();
    let vote = one.group().metrics().borrow_watched().vote;
    (one, vote)
}

/// A write that makes the snapshot larger.
fn padding(user: u32) -> LogCommand {
    use countersign_core::event::UserEvent;
    use countersign_core::ids::{Pseudonym, TenantId, UserKey};
    use countersign_core::proposal::{Change, Proposal};
    use countersign_core::user::Profile;
    let key = UserKey::new(TenantId::default_tenant(), format!("user_{user}").parse().unwrap());
    let mut pseudonym = [7; 16];
    pseudonym[..4].copy_from_slice(&user.to_be_bytes());
    // Does not compress.
    let mut state = u64::from(user) + 1;
    let mut name = String::new();
    while name.len() < 4_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        name.push_str(&format!("{state:016x}"));
    }
    let profile = Profile { display_name: Some(name), ..Profile::default() };
    LogCommand::Propose(Box::new(Proposal {
        change: Change::User {
            key,
            events: vec![
                UserEvent::Created { pseudonym: Pseudonym::from_bytes(pseudonym) },
                UserEvent::ProfileSet(profile),
            ],
        },
        expected_version: 0,
        now: Timestamp::EPOCH,
        clock: Timestamp::EPOCH,
        audit: Vec::new(),
        answer: None,
    }))
}

async fn send(
    side: &Side,
    vote: Vote,
    snapshot: Snapshot,
    cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
    let mut network = PeerNetworks::new(side.peers.clone(), SHARD);
    let mut link = network.new_client(2, &Default::default()).await;
    link.full_snapshot(vote, snapshot, cancel, RPCOption::new(Duration::from_secs(30))).await
}

async fn snapshot_of(side: &Side) -> Snapshot {
    side.group().get_snapshot().await.unwrap().unwrap()
}

/// What lies in a node's snapshot folders.
fn files(side: &Side) -> Vec<PathBuf> {
    let list = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    list(side.folder.path().join("snapshots")).into_iter().flat_map(list).collect()
}

#[tokio::test]
async fn a_node_that_has_nothing_is_brought_up_by_a_snapshot() {
    let cluster = Cluster::new();
    let (one, vote) = leader(&cluster, &Arc::new(Gate::default())).await;
    let two = cluster.node(2).await;
    let snapshot = snapshot_of(&one).await;
    assert!(snapshot.snapshot.bytes() > 512 << 10, "several pieces");
    let covered = snapshot.meta.last_log_id;
    let said = send(&one, vote, snapshot, std::future::pending()).await.unwrap();
    assert_eq!(said.vote, vote);
    let applied = *two.store.applied(SHARD).borrow();
    assert_eq!(Some(applied), covered.map(|log_id| log_id.index));
    assert_eq!(
        one.store.rows(SHARD).compute_state_hash().unwrap(),
        two.store.rows(SHARD).compute_state_hash().unwrap()
    );
}

#[tokio::test]
async fn a_transfer_that_breaks_half_way_leaves_nothing_and_the_next_one_succeeds() {
    let cluster = Cluster::new();
    let gate = Arc::new(Gate::default());
    let (one, vote) = leader(&cluster, &gate).await;
    let two = cluster.node(2).await;
    gate.break_after(400 << 10);
    let said = send(&one, vote, snapshot_of(&one).await, std::future::pending()).await;
    assert!(matches!(said, Err(StreamingError::Unreachable(_))), "{said:?}");
    until("the unfinished file is gone", || files(&two).is_empty()).await;
    assert_eq!(*two.store.applied(SHARD).borrow(), 0);
    gate.break_after(i64::MAX);
    // The first one's place may be given back a moment later.
    let sent = timeout(Duration::from_secs(10), async {
        while send(&one, vote, snapshot_of(&one).await, std::future::pending()).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    sent.await.unwrap();
    assert!(*two.store.applied(SHARD).borrow() > 0);
}

#[tokio::test]
async fn a_transfer_that_is_cancelled_ends_and_leaves_nothing() {
    let cluster = Cluster::new();
    let gate = Arc::new(Gate::default());
    let (one, vote) = leader(&cluster, &gate).await;
    let two = cluster.node(2).await;
    // It cannot end of itself.
    let cancel = {
        let gate = Arc::clone(&gate);
        async move {
            gate.stop();
            ReplicationClosed::new("a test cancels it")
        }
    };
    let said = send(&one, vote, snapshot_of(&one).await, cancel).await;
    assert!(matches!(said, Err(StreamingError::Closed(_))), "{said:?}");
    gate.go();
    until("nothing is left", || files(&two).is_empty()).await;
}
