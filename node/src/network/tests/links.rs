//! Peers that are gone, cut off, or elsewhere.

use super::*;
use crate::network::call::CallError;
use crate::network::peers::Line;

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_dead_peer_fails_fast_and_a_moment_later_is_tried_again() {
    let cluster = Cluster::new();
    let one = cluster.node(1).await;
    // Nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    cluster.book.tell(2, &free.local_addr().unwrap().to_string());
    drop(free);
    let begun = Instant::now();
    for _ in 0..100 {
        let said = one.peers.call(2, &Call::Ping, LONG).await;
        assert!(matches!(said, Err(CallError::NotSent(_))), "{said:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    // It comes back, elsewhere.
    let two = cluster.node(2).await;
    let back = timeout(LONG, async {
        while one.peers.call(2, &Call::Ping, LONG).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    back.await.unwrap();
    drop(two);
}

#[tokio::test]
async fn a_call_under_way_fails_at_once_when_the_peer_dies() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let waits = Call::WaitApplied { shard: SHARD, index: 1, within_ms: 30_000 };
    // The connection stands before the peer dies.
    one.peers.call(2, &Call::Ping, LONG).await.unwrap();
    let asked = one.peers.call(2, &waits, LONG);
    let killed = async {
        sleep(Duration::from_millis(50)).await;
        two.server.stop().await;
    };
    let begun = Instant::now();
    let (said, ()) = tokio::join!(asked, killed);
    assert!(matches!(said, Err(CallError::Unknown(_))), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_link_that_is_cut_without_a_word_is_noticed() {
    let cluster = Cluster::new();
    let gate = Arc::new(Gate::default());
    let dial: Arc<dyn Dial> = gate.clone();
    let one = cluster.node_that_dials(1, dial, Instant::now()).await;
    let two = cluster.node(2).await;
    one.peers.call(2, &Call::Ping, LONG).await.unwrap();
    gate.stop();
    let begun = Instant::now();
    let waits = Call::WaitApplied { shard: SHARD, index: 1, within_ms: 30_000 };
    let said = one.peers.call(2, &waits, LONG).await;
    assert!(matches!(said, Err(CallError::Unknown(_))), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    gate.go();
    let back = timeout(LONG, async {
        while one.peers.call(2, &Call::Ping, LONG).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    back.await.unwrap();
    drop(two);
}

#[tokio::test]
async fn a_call_ends_with_its_deadline() {
    let cluster = Cluster::new();
    let (one, _two) = (cluster.node(1).await, cluster.node(2).await);
    let waits = Call::WaitApplied { shard: SHARD, index: 1, within_ms: 30_000 };
    let begun = Instant::now();
    let said = one.peers.call(2, &waits, Duration::from_millis(100)).await;
    assert!(matches!(said, Err(CallError::Unknown(_))), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn control_and_bulk_are_two_connections_and_each_is_kept() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node(1).await, cluster.node(2).await);
    let control = one.peers.connection(2, Line::Control).await.unwrap();
    let bulk = one.peers.connection(2, Line::Bulk).await.unwrap();
    assert!(!control.is_closed() && !bulk.is_closed());
    two.server.stop().await;
    until("both are closed", || control.is_closed() && bulk.is_closed()).await;
}
