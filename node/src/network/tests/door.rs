//! Who comes in, and what is taken from them.

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::network::body;
use crate::network::call::CallError;
use crate::network::peers::{self, Line};
use crate::network::tls;
use crate::network::wire::path;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

const SECOND: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_call_is_answered_and_the_answerer_knows_who_asked() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let answer = one.peers.call(2, &Call::Ping, SECOND).await.unwrap();
    assert_eq!(answer, pong("asked by 1".to_owned()));
    let answer = two.peers.call(1, &Call::ReadIndex { shards: vec![SHARD] }, SECOND).await;
    assert_eq!(answer, Ok(Answer::Indexes(vec![(SHARD, Some(7))])));
}

#[tokio::test]
async fn a_node_of_another_cluster_is_refused_and_counted() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    // Vouched for by another authority.
    let others = Cluster::new();
    others.book.tell(1, &one.address);
    let stranger = others.peers(&PeerIdentity::new(CLUSTER, 2), Arc::new(Gate::default()));
    let said = stranger.call(1, &Call::Ping, SECOND).await;
    assert!(matches!(said, Err(CallError::NotSent(_))), "{said:?}");
    until("the handshake is counted", || refused(&counts.handle(), "handshake") == 1).await;
    // Vouched for by this authority, as a node of another cluster.
    let foreign = PeerIdentity::new("clu_ponmlkjihgfedcba9876543210", 2);
    let connection = raw(&cluster, &one.address, &foreign).await;
    drop(connection);
    until("the foreigner is counted", || refused(&counts.handle(), "foreign_cluster") == 1).await;
}

#[tokio::test]
async fn a_node_that_says_it_is_this_node_is_refused_and_counted() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let double = cluster.peers(&PeerIdentity::new(CLUSTER, 1), Arc::new(Gate::default()));
    assert!(double.call(1, &Call::Ping, SECOND).await.is_err());
    assert!(refused(&counts.handle(), "own_id") >= 1);
    drop(one);
}

#[tokio::test]
async fn a_removed_node_is_refused_even_on_a_connection_that_it_had() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    two.peers.call(1, &Call::Ping, SECOND).await.unwrap();
    cluster.book.removed.lock().unwrap().push(2);
    let said = two.peers.call(1, &Call::Ping, SECOND).await;
    assert!(matches!(said, Err(CallError::Refused(_))), "{said:?}");
    assert_eq!(refused(&counts.handle(), "removed"), 1);
    drop(one);
}

#[tokio::test]
async fn a_number_that_nobody_knows_is_refused_whatever_its_certificate() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let unknown = cluster.peers(&PeerIdentity::new(CLUSTER, 7), Arc::new(Gate::default()));
    let said = unknown.call(1, &Call::Ping, SECOND).await;
    assert!(
        matches!(&said, Err(CallError::NotSent(why)) if why.contains("unknown_node")),
        "{said:?}"
    );
    assert_eq!(refused(&counts.handle(), "unknown_node"), 1);
    drop(one);
}

#[tokio::test]
async fn a_known_number_with_another_key_is_refused_whatever_its_certificate() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let (one, _two) = (cluster.node(1).await, cluster.node(2).await);
    let forged = cluster.peers(&PeerIdentity::new(CLUSTER, 2), Arc::new(Gate::default()));
    let said = forged.call(1, &Call::Ping, SECOND).await;
    assert!(matches!(&said, Err(CallError::NotSent(why)) if why.contains("other_key")), "{said:?}");
    assert_eq!(refused(&counts.handle(), "other_key"), 1);
    drop(one);
}

#[tokio::test]
async fn the_dialer_does_not_talk_to_a_node_with_another_key_or_to_a_removed_one() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    // Node 2's true key is another than the one that answers at its address.
    cluster.book.register(2, &KeyPair::generate().unwrap().public_key());
    let said = one.peers.call(2, &Call::Ping, SECOND).await;
    assert!(matches!(&said, Err(CallError::NotSent(why)) if why.contains("other_key")), "{said:?}");
    let three = cluster.node(3).await;
    cluster.book.removed.lock().unwrap().push(3);
    let said = one.peers.call(3, &Call::Ping, SECOND).await;
    assert!(matches!(&said, Err(CallError::NotSent(why)) if why.contains("removed")), "{said:?}");
    drop((two, three));
}

#[tokio::test]
async fn a_node_whose_disk_is_an_older_copy_is_refused_in_both_directions_and_told() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    cluster.book.older.lock().unwrap().push(2);
    let said = two.peers.call(1, &Call::Ping, SECOND).await;
    assert!(
        matches!(&said, Err(CallError::NotSent(why)) if why.contains("older_disk")),
        "{said:?}"
    );
    assert_eq!(cluster.book.refusals.lock().unwrap().pop(), Some((1, Refused::OlderDisk)));
    let said = one.peers.call(2, &Call::Ping, SECOND).await;
    assert!(
        matches!(&said, Err(CallError::NotSent(why)) if why.contains("older copy")),
        "{said:?}"
    );
    assert_eq!(cluster.book.refusals.lock().unwrap().pop(), Some((1, Refused::OlderDisk)));
    drop((one, two));
}

#[tokio::test]
async fn a_disk_that_went_on_while_it_was_refused_is_not_refused_for_ever() {
    let book = Plan { disk_count: Some(AtomicU64::new(1)), ..Plan::default() };
    let cluster = Cluster { book: Arc::new(book), ..Cluster::new() };
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    cluster.book.older.lock().unwrap().push(2);
    assert!(two.peers.call(1, &Call::Ping, SECOND).await.is_err());
    assert!(one.peers.call(2, &Call::Ping, SECOND).await.is_err());
    assert!(cluster.book.refusals.lock().unwrap().is_empty());
    cluster.book.older.lock().unwrap().clear();
    let again = async { while two.peers.call(1, &Call::Ping, SECOND).await.is_err() {} };
    timeout(SECOND, again).await.unwrap();
}

#[tokio::test]
async fn whoever_does_not_show_how_far_its_disk_has_come_is_refused() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let held = two.credentials.in_use().unwrap();
    let stream = TcpStream::connect(&one.address).await.unwrap();
    let name = tls::server_name(&PeerIdentity::new(CLUSTER, 1)).unwrap();
    let connector = TlsConnector::from(Arc::clone(&held.client));
    let stream = connector.connect(name, stream).await.unwrap();
    let (mut sender, connection) = peers::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = peers::request("/v1/raft/0/vote", body::whole(Vec::new())).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused(&counts.handle(), "not_greeted"), 1);
}

/// More than all strangers' places, by somebody who begins no handshake.
#[tokio::test]
async fn connections_that_say_nothing_keep_no_member_out() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(&one.address).await.unwrap());
    }
    let answer = two.peers.call(1, &Call::Ping, Duration::from_secs(1)).await;
    assert!(answer.is_ok(), "{answer:?}");
    drop(silent);
}

#[tokio::test]
async fn the_dialer_talks_to_the_node_that_it_wished_and_to_no_other() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    // The book is wrong: node 3 is said to be where node 2 is.
    cluster.book.tell(3, &two.address);
    let said = one.peers.call(3, &Call::Ping, SECOND).await;
    assert!(matches!(said, Err(CallError::NotSent(_))), "{said:?}");
}

#[tokio::test]
async fn garbage_and_oversized_messages_are_refused_counted_and_end_the_connection() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    for (message, status, reason) in [
        (vec![9; 100], StatusCode::BAD_REQUEST, "malformed"),
        (vec![1; (1 << 20) + 1], StatusCode::PAYLOAD_TOO_LARGE, "oversized"),
    ] {
        let mut sender = two.peers.connection(1, Line::Control).await.unwrap();
        let request = peers::request(path::CALL, body::whole(message)).unwrap();
        // A refusal may overtake the end of what is refused.
        if let Ok(response) = sender.send_request(request).await {
            assert_eq!(response.status(), status);
        }
        assert_eq!(refused(&counts.handle(), reason), 1);
        until("the connection is closed", || sender.is_closed()).await;
    }
    // The next call has a connection of its own.
    two.peers.call(1, &Call::Ping, SECOND).await.unwrap();
    drop(one);
}

#[tokio::test]
async fn an_unknown_path_and_an_unknown_shard_are_refused_and_counted() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    for path in ["/", "/v1/raft/0/nothing", "/v1/raft/9/vote", "/v1/raft/x/vote", "/v1/join"] {
        let said = two.peers.ask(1, path, Vec::new(), SECOND).await;
        assert!(matches!(said, Err(CallError::Refused(_))), "{path}: {said:?}");
    }
    assert_eq!(refused(&counts.handle(), "unknown_route"), 5);
    drop(one);
}

#[tokio::test]
async fn bytes_that_are_no_tls_are_refused_and_counted() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let mut stream = TcpStream::connect(&one.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(refused(&counts.handle(), "handshake"), 1);
}

#[tokio::test]
async fn a_client_without_a_certificate_may_ask_to_join_and_nothing_else() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let stream = TcpStream::connect(&one.address).await.unwrap();
    let name = ServerName::try_from("n1.countersign.internal").unwrap();
    let stream = TlsConnector::from(tls::stranger().unwrap()).connect(name, stream).await.unwrap();
    let (mut sender, connection) = peers::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = peers::request(path::CALL, body::whole(vec![1, 7])).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused(&counts.handle(), "anonymous"), 1);
    // The server ends it.
    let _ = timeout(SECOND, connection).await.unwrap();
}

/// A TLS connection under any identity, to whoever is at an address.
async fn raw(
    cluster: &Cluster,
    address: &str,
    identity: &PeerIdentity,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let held = cluster.credentials(identity).in_use().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = tls::server_name(&PeerIdentity::new(CLUSTER, 1)).unwrap();
    let connector = TlsConnector::from(Arc::clone(&held.client));
    connector.connect(name, stream).await.unwrap()
}
