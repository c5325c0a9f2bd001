//! A leader's entries on their way to a follower.

use countersign_core::proposal::LogCommand;
use countersign_storage::{Entry, LogId, TypeConfig, Vote};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use openraft::EntryPayload;
use openraft::errors::RPCError;
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{AppendEntriesRequest, StreamAppendResult, VoteRequest};
use openraft::type_config::alias::CommittedLeaderIdOf;
use openraft::vote::RaftLeaderId;
use tokio::sync::mpsc;

use super::*;
use crate::network::raft::PeerLink;

type Append = AppendEntriesRequest<TypeConfig>;

fn log_id(index: u64) -> LogId {
    LogId::new(CommittedLeaderIdOf::<TypeConfig>::new(1, 1), index)
}

/// Entries `from..to` of the leader of term 1, node 1.
fn entries(from: u64, to: u64) -> Append {
    let entry = |index| Entry { log_id: log_id(index), payload: EntryPayload::Blank };
    Append {
        vote: Vote::new_committed(1, 1),
        prev_log_id: from.checked_sub(1).map(log_id),
        entries: (from..to).map(entry).collect(),
        leader_commit: from.checked_sub(1).map(log_id),
    }
}

async fn link(side: &Side) -> PeerLink {
    let mut network = PeerNetworks::new(side.peers.clone(), SHARD);
    network.new_client(2, &Default::default()).await
}

fn option() -> RPCOption {
    RPCOption::new(Duration::from_secs(4))
}

type Answers<'a> = BoxStream<'a, Result<StreamAppendResult<TypeConfig>, RPCError<TypeConfig>>>;

async fn answers<'a>(
    link: &'a mut PeerLink,
    input: impl Stream<Item = Append> + Send + Unpin + 'static,
) -> Answers<'a> {
    link.stream_append(input, option()).await.unwrap()
}

#[tokio::test]
async fn appends_are_answered_in_their_order_and_the_contact_is_noted() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    assert_eq!(two.contact.heard(SHARD), None);
    let begun = Instant::now();
    let input = stream::iter((0..200).map(|index| entries(index, index + 1)));
    let said: Vec<_> = answers(&mut link, input).await.collect().await;
    let matched: Vec<_> = said.into_iter().map(|said| said.unwrap().unwrap()).collect();
    assert_eq!(matched, (0..200).map(|index| Some(log_id(index))).collect::<Vec<_>>());
    let heard = two.contact.last(SHARD).unwrap();
    assert_eq!((heard.leader, heard.committed), (1, 198));
    assert!(heard.at >= begun);
}

#[tokio::test]
async fn a_heartbeat_is_answered_and_noted() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    let said: Vec<_> = answers(&mut link, stream::iter([entries(0, 0)])).await.collect().await;
    assert!(matches!(said.as_slice(), [Ok(Ok(None))]), "{said:?}");
    assert!(two.contact.heard(SHARD).is_some());
}

#[tokio::test]
async fn a_gap_is_answered_with_a_conflict_and_ends_the_stream() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    let input = stream::iter([entries(5, 6), entries(6, 7)]);
    let said: Vec<_> = answers(&mut link, input).await.collect().await;
    assert!(matches!(said.as_slice(), [Ok(Err(_))]), "{said:?}");
    assert_eq!(two.contact.heard(SHARD), None);
}

#[tokio::test]
async fn an_append_that_speaks_for_another_node_is_refused() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    for count in [0, 1] {
        let forged = Append { vote: Vote::new_committed(9, 3), ..entries(0, count) };
        let said: Vec<_> = answers(&mut link, stream::iter([forged])).await.collect().await;
        assert!(matches!(said.as_slice(), [Err(RPCError::Unreachable(_))]), "{said:?}");
    }
    assert_eq!(refused(&counts.handle(), "malformed"), 2);
    assert_eq!(two.contact.heard(SHARD), None);
}

#[tokio::test]
async fn more_entries_than_fit_one_message_arrive_in_several() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    let mut large = entries(0, 0);
    let name = "x".repeat(3 << 20);
    large.entries = (0..6)
        .map(|index| {
            let member =
                countersign_storage::NodeAddress { name: name.clone(), ..Default::default() };
            let members = BTreeMap::from([(1, member)]);
            let membership =
                openraft::Membership::new(vec![std::collections::BTreeSet::from([1])], members);
            Entry { log_id: log_id(index), payload: EntryPayload::Membership(membership.unwrap()) }
        })
        .collect();
    let said: Vec<_> = answers(&mut link, stream::iter([large])).await.collect().await;
    let last = said.last().unwrap().as_ref().unwrap().as_ref().unwrap();
    assert_eq!(*last, Some(log_id(5)));
    assert!(said.len() > 1);
    drop(two);
}

/// A source of requests, and whether it is still held.
fn source() -> (mpsc::Sender<Append>, impl Stream<Item = Append> + Send + Unpin + 'static) {
    let (sender, mut receiver) = mpsc::channel(8);
    (sender, stream::poll_fn(move |context| receiver.poll_recv(context)))
}

#[tokio::test]
async fn letting_go_of_the_answers_lets_go_of_the_requests_at_once() {
    let cluster = Cluster::new();
    let (one, _two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    let (requests, input) = source();
    let mut answers = answers(&mut link, input).await;
    requests.send(entries(0, 1)).await.unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), Ok(Some(log_id(0))));
    assert!(!requests.is_closed());
    drop(answers);
    // Not soon: now.
    assert!(requests.is_closed());
}

#[tokio::test]
async fn a_stream_without_anything_under_way_waits_as_long_as_it_must() {
    let cluster = Cluster::new();
    let (one, _two) = (cluster.node(1).await, cluster.node(2).await);
    let mut link = link(&one).await;
    let (requests, input) = source();
    let option = RPCOption::new(Duration::from_millis(100));
    let mut answers = link.stream_append(input, option).await.unwrap();
    requests.send(entries(0, 1)).await.unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), Ok(Some(log_id(0))));
    let idle = timeout(Duration::from_millis(2_500), answers.next()).await;
    assert!(idle.is_err(), "{idle:?}");
    requests.send(entries(1, 2)).await.unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), Ok(Some(log_id(1))));
}

#[tokio::test]
async fn a_stream_whose_follower_falls_silent_is_given_up() {
    let cluster = Cluster::new();
    let gate = Arc::new(Gate::default());
    let dial: Arc<dyn Dial> = gate.clone();
    let one = cluster.node_that_dials(1, dial, Instant::now()).await;
    let _two = cluster.node(2).await;
    let mut link = link(&one).await;
    let (requests, input) = source();
    let option = RPCOption::new(Duration::from_millis(400));
    let mut answers = link.stream_append(input, option).await.unwrap();
    requests.send(entries(0, 1)).await.unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), Ok(Some(log_id(0))));
    gate.stop();
    requests.send(entries(1, 2)).await.unwrap();
    let begun = Instant::now();
    let said = answers.next().await.unwrap();
    assert!(matches!(said, Err(RPCError::Timeout(_) | RPCError::Unreachable(_))), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_vote_is_given_to_the_one_who_asks_for_it_once_the_pause_is_over() {
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let later = Instant::now() + Duration::from_millis(400);
    let two = cluster.node_that_dials(2, Arc::new(Gate::default()), later).await;
    let mut link = link(&one).await;
    let request = VoteRequest::new(Vote::new(5, 1), None);
    let said = link.vote(request.clone(), option()).await;
    assert!(matches!(said, Err(RPCError::Unreachable(_))), "{said:?}");
    let said = link.pre_vote(request.clone(), option()).await;
    assert!(matches!(said, Err(RPCError::Unreachable(_))), "{said:?}");
    tokio::time::sleep_until(later).await;
    let for_another = VoteRequest::new(Vote::new(5, 3), None);
    assert!(link.vote(for_another, option()).await.is_err());
    assert!(link.vote(request, option()).await.unwrap().vote_granted);
    drop(two);
}

#[tokio::test]
async fn three_nodes_elect_a_leader_and_agree_on_what_it_writes() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let sides = [cluster.node(1).await, cluster.node(2).await, cluster.node(3).await];
    let members: BTreeMap<NodeId, countersign_storage::NodeAddress> =
        (1..=3).map(|id| (id, Default::default())).collect();
    sides[0].group().initialize(members).await.unwrap();
    sides[0].group().trigger().elect(false).await.unwrap();
    let leads = sides[0].group().wait(Some(Duration::from_secs(10)));
    leads.current_leader(1, "node 1 leads").await.unwrap();
    let write = || {
        let retain = LogCommand::Retain { now: Timestamp::EPOCH, audit_days: 0 };
        sides[0].group().client_write(retain)
    };
    // It names itself before a quorum has acknowledged it; until then its lease has not begun.
    let acknowledged = timeout(Duration::from_secs(10), async {
        while write().await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    acknowledged.await.unwrap();
    let mut last = 0;
    for _ in 0..50 {
        last = write().await.unwrap().log_id.index;
    }
    for side in &sides {
        let applied = side.group().wait(Some(Duration::from_secs(10)));
        applied.applied_index_at_least(Some(last), "all is applied").await.unwrap();
    }
    // Not one a write: each leads on for as long as the leader does.
    let text = counts.handle().render();
    let opened =
        text.lines().find_map(|line| line.strip_prefix("countersign_peer_append_streams_total "));
    let opened: u64 = opened.unwrap().parse().unwrap();
    assert!((2..=10).contains(&opened), "{opened} streams");
    for side in &sides {
        side.group().shutdown().await.unwrap();
    }
}
