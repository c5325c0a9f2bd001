//! When a node says that it can serve.

use axum::body::Body;
use axum::http::{Request, Version, header};
use countersign_actors::gateway::Health;
use countersign_core::ids::ShardId;
use tower::ServiceExt;

use crate::gateway::healthy;
use crate::house::House;

#[tokio::test]
async fn a_node_is_up_whatever_its_shards_do() {
    let house = House::new();
    house.gateway.health.lock().unwrap().shards.clear();
    assert_eq!(house.knock("GET", "/healthz").send().await.json()["status"], "UP");
}

#[tokio::test]
async fn a_node_is_ready_once_every_shard_has_a_leader_and_is_caught_up() {
    let house = House::new();
    assert_eq!(house.knock("GET", "/readyz").send().await.json()["status"], "READY");
    type Spoil = fn(&mut Health);
    let lacks: [(&str, Spoil); 7] = [
        ("shard 1 has no leader", |health| health.leaderless.push(ShardId(1))),
        ("shard 0 has not caught up", |health| health.shards[0].caught_up = false),
        ("the cluster is not founded yet", |health| health.shards.clear()),
        ("the cluster is not founded yet", |health| health.cluster_id.clear()),
        ("this node has lost touch with the cluster", |health| health.current = false),
        ("this node's clock is off", |health| {
            health.clock = Some("this node's clock is off".to_owned());
        }),
        ("the node is shutting down", |health| health.stopping = true),
    ];
    for (lack, spoil) in lacks {
        let mut health = healthy();
        spoil(&mut health);
        *house.gateway.health.lock().unwrap() = health;
        let answer = house.knock("GET", "/readyz").send().await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.problem(), "unavailable");
        let detail = answer.json()["detail"].as_str().unwrap().to_lowercase();
        assert!(detail.contains(lack), "{detail}");
    }
}

#[tokio::test]
async fn a_short_election_does_not_make_a_node_unready() {
    let house = House::new();
    for shard in &mut house.gateway.health.lock().unwrap().shards {
        shard.leader = None;
    }
    assert_eq!(house.knock("GET", "/readyz").send().await.status, 200);
}

#[tokio::test]
async fn all_that_a_node_lacks_is_named_at_once() {
    let house = House::new();
    house.gateway.health.lock().unwrap().leaderless = vec![ShardId(0), ShardId(1)];
    let detail = house.knock("GET", "/readyz").send().await.json()["detail"].to_string();
    assert!(detail.contains("hard 0 has no leader; shard 1 has no leader"), "{detail}");
}

#[tokio::test]
async fn a_node_that_stops_has_every_connection_closed_after_its_answer() {
    let house = House::new();
    let paths = ["/healthz", "/readyz", "/v1/users/ann", "/nowhere", "/docs/"];
    for path in paths {
        assert_eq!(house.get(path).await.header(header::CONNECTION), "", "{path}");
    }
    house.gateway.health.lock().unwrap().stopping = true;
    for path in paths {
        assert_eq!(house.get(path).await.header(header::CONNECTION), "close", "{path}");
    }
    // It still answers: who asked before, or does not look at readiness, must not fail.
    assert_eq!(house.get("/v1/settings").await.status, 200);
    assert_eq!(house.knock("GET", "/healthz").send().await.status, 200);
    assert_eq!(house.knock("GET", "/readyz").send().await.status, 503);
}

#[tokio::test]
async fn http_2_knows_no_such_header() {
    let house = House::new();
    house.gateway.health.lock().unwrap().stopping = true;
    let request = Request::get("/healthz").version(Version::HTTP_2).body(Body::empty()).unwrap();
    let answer = house.router.clone().oneshot(request).await.unwrap();
    assert!(!answer.headers().contains_key(header::CONNECTION));
}
