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
    assert_eq!(answer, Answer::Pong { version: "asked by 1".to_owned(), resting: false });
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
    cluster.removed.lock().unwrap().push(2);
    let said = two.peers.call(1, &Call::Ping, SECOND).await;
    assert!(matches!(said, Err(CallError::Refused(_))), "{said:?}");
    assert_eq!(refused(&counts.handle(), "removed"), 1);
    drop(one);
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
