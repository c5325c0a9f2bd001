//! Becoming a node of the cluster.

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::network::body;
use crate::network::join::{self, JoinError};

const LONG: Duration = Duration::from_secs(10);

fn request(name: &str, key: &KeyPair) -> JoinRequest {
    JoinRequest {
        name: name.to_owned(),
        api_address: "127.0.0.1:8082".to_owned(),
        peer_address: "127.0.0.1:7082".to_owned(),
        version: "0.1.0".to_owned(),
        feature_level: 1,
        key_check: vec![7; 16],
        public_key: key.public_key(),
    }
}

async fn ask(seed: &str, name: &str, secret: &str) -> (KeyPair, Result<JoinGrant, JoinError>) {
    let key = KeyPair::generate().unwrap();
    let secret = Secret::from(secret.to_owned());
    let request = request(name, &key);
    let said = join::join(&Gate::default(), seed, &key, &secret, &request, LONG).await;
    (key, said)
}

#[tokio::test]
async fn a_node_that_proves_the_secret_gets_a_certificate_and_is_a_peer() {
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let (key, granted) = ask(&one.address, "n9", SECRET).await;
    let granted = granted.unwrap();
    assert_eq!((granted.cluster_id.as_str(), granted.node_id), (CLUSTER, 9));
    assert_eq!(granted.nodes, [cluster.book.member(1)]);
    let holder = CredentialHolder::default();
    let certificates = PeerCertificates {
        key,
        certificate: granted.certificate,
        authority: granted.authority,
        issued_at: now(),
    };
    holder.set(certificates).unwrap();
    let book = Arc::clone(&cluster.book);
    let peers = Peers::new(9, holder, book, Arc::new(Gate::default()));
    let answer = peers.call(1, &Call::Ping, LONG).await.unwrap();
    assert_eq!(answer, pong("asked by 9".to_owned()));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_counted() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let (_, said) = ask(&one.address, "n9", "another secret").await;
    assert_eq!(said, Err(JoinError::WrongSecret { seed: one.address.clone() }));
    assert_eq!(refused(&counts.handle(), "wrong_secret"), 1);
}

#[tokio::test]
async fn a_refusal_comes_with_its_reason() {
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let (_, said) = ask(&one.address, "taken", SECRET).await;
    let refusal = JoinRefusal::NameTaken { name: "taken".to_owned(), id: 1 };
    assert_eq!(said, Err(JoinError::Refused(refusal)));
}

#[tokio::test]
async fn a_seed_that_is_not_there_is_said_to_be_so() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let (_, said) = ask(&address, "n9", SECRET).await;
    assert!(matches!(said, Err(JoinError::NotReached { .. })), "{said:?}");
}

/// A server that grants everything and knows no secret. It answers with what it was asked, with a
/// proof under a secret of its own, or with a proof for another connection.
#[tokio::test]
async fn a_seed_that_does_not_know_the_secret_is_not_believed() {
    let impostors = Cluster::new();
    let secrets = ["a guess", SECRET];
    for (round, secret) in secrets.into_iter().enumerate() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let tls = impostors.credentials(&PeerIdentity::new(CLUSTER, 1)).in_use().unwrap();
        let granted = JoinGrant {
            cluster_id: CLUSTER.to_owned(),
            node_id: 9,
            shards: 1,
            authority: impostors.authority.certificate().to_vec(),
            certificate: Vec::new(),
            nodes: Vec::new(),
        };
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let accepting = TlsAcceptor::from(Arc::clone(&tls.server)).accept(stream);
            let stream = accepting.await.unwrap();
            // In the second round: as if an answer of the true cluster were passed on, which was
            // made for the connection between the impostor and it.
            let own = join::binding(stream.get_ref().1).unwrap();
            let binding = if round == 0 { own } else { [3; 32] };
            let secret = Secret::from(secret.to_owned());
            let bytes = join::answered(&secret, &binding, &Ok(granted)).unwrap();
            let answer = service_fn(move |_| {
                let body = body::whole(bytes.clone());
                async move { Ok::<_, std::convert::Infallible>(hyper::Response::new(body)) }
            });
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
        });
        let (_, said) = ask(&address, "n9", SECRET).await;
        assert_eq!(said, Err(JoinError::NotProved { seed: address }));
        server.abort();
    }
}

/// A server that says nothing true is told nothing: it gets one proof, which is good for its own
/// connection alone, and no name, address or key.
#[tokio::test]
async fn a_seed_learns_nothing_before_it_has_proved_itself() {
    let impostors = Cluster::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tls = impostors.credentials(&PeerIdentity::new(CLUSTER, 1)).in_use().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = TlsAcceptor::from(Arc::clone(&tls.server)).accept(stream).await.unwrap();
        let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let hearing = Arc::clone(&hearing);
            async move {
                let said = body::collect(request.into_body(), 1 << 20).await.unwrap();
                hearing.lock().unwrap().push(said);
                let answer = body::whole(vec![7; 32]);
                Ok::<_, std::convert::Infallible>(hyper::Response::new(answer))
            }
        });
        let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = http.serve_connection(TokioIo::new(stream), answer).await;
    });
    let (_, said) = ask(&address, "n9", SECRET).await;
    assert_eq!(said, Err(JoinError::NotProved { seed: address }));
    let heard = heard.lock().unwrap();
    assert_eq!(heard.iter().map(Vec::len).collect::<Vec<_>>(), [32]);
    server.abort();
}

/// Somebody who knows the secret and another node's public key does not get that key certified.
#[tokio::test]
async fn a_key_that_the_joiner_does_not_hold_is_not_certified() {
    let counts = Counts::new();
    let _guard = metrics::set_default_local_recorder(&counts.recorder);
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    let (own, another) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let request = request("n9", &another);
    let secret = Secret::from(SECRET.to_owned());
    let said = join::join(&Gate::default(), &one.address, &own, &secret, &request, LONG).await;
    assert!(matches!(said, Err(JoinError::NotReached { .. })), "{said:?}");
    assert_eq!(refused(&counts.handle(), "key_not_proved"), 1);
}

/// A stranger who asks for a proof without one gets none to guess the secret by.
#[tokio::test]
async fn a_server_proves_nothing_to_a_stranger() {
    let secret = Secret::from(SECRET.to_owned());
    assert_eq!(join::proof_for(&secret, &[1; 32], &[0; 32]), None);
    assert_eq!(join::proof_for(&secret, &[1; 32], &[]), None);
}
