//! Nodes and shards, as an operator sees and moves them.

use countersign_actors::gateway::GatewayError;
use countersign_core::tenant::Scope;
use serde_json::json;

use crate::house::{House, key_of};

fn key() -> String {
    key_of(Scope::Cluster)
}

#[tokio::test]
async fn the_cluster_is_shown_as_the_node_sees_it() {
    let house = House::new();
    house.gateway.health.lock().unwrap().shards[1].leader = None;
    let answer = house.knock("GET", "/v1/cluster").key(&key()).send().await;
    let node = |id: u64| {
        json!({"id": id, "name": format!("n{id}"), "apiAddress": format!("127.0.0.1:808{id}"),
            "peerAddress": format!("127.0.0.1:708{id}"), "state": "UP",
            "clockOffsetMs": 0})
    };
    let shard = |id: u16, leader: Option<u64>| {
        json!({"id": id, "leader": leader, "term": 4, "lastApplied": 1042, "committed": 1042,
            "followers": [{"node": 2, "behind": 2}], "voters": [1], "learners": [2],
            "timeAheadMs": 0})
    };
    let expected = json!({
        "clusterId": "clu_test", "version": "1.2.3", "nodes": [node(1), node(2)],
        "shards": [shard(0, Some(1)), shard(1, None)],
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_node_is_removed_unless_it_is_unknown_or_cannot_be_spared() {
    let house = House::new();
    let remove =
        |node: &str| house.knock("DELETE", &format!("/v1/cluster/nodes/{node}")).key(&key()).send();
    for unknown in ["9", "0", "-1", "n2", "99999999999999999999"] {
        let answer = remove(unknown).await;
        assert_eq!(answer.status, 404, "{unknown}");
        assert_eq!(answer.problem(), "not_found");
    }
    assert_eq!(remove("2").await.status, 204);
    let refused = remove("1").await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.problem(), "conflict");
    assert_eq!(refused.json()["detail"], "It would cost the quorum.");
    let callers = house.gateway.nodes.lock().unwrap();
    assert!(callers.iter().all(|(caller, _)| caller.tenant.as_str() == "default"));
}

#[tokio::test]
async fn a_node_hands_its_leaderships_over() {
    let house = House::new();
    let path = |node: &str| format!("/v1/cluster/nodes/{node}/transfer-leadership");
    let answer = house.knock("POST", &path("2")).key(&key()).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"moved": 1, "kept": 1}));
    for unknown in ["9", "x"] {
        let answer = house.knock("POST", &path(unknown)).key(&key()).send().await;
        assert_eq!(answer.problem(), "not_found");
    }
    assert_eq!(house.gateway.nodes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_shard_led_elsewhere_is_no_word_for_a_caller() {
    let house = House::new();
    house.gateway.answer(|_| Err(GatewayError::NotLeading { leader: Some(3) }));
    let answer = house.get("/v1/users/ann").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem(), "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn the_time_of_a_shard_is_set_right_by_whoever_may() {
    let house = House::new();
    house.gateway.health.lock().unwrap().shards[1].ahead_ms = 21_600_000;
    let set = |shard: &str| {
        house.knock("POST", &format!("/v1/cluster/shards/{shard}/set-time")).key(&key()).send()
    };
    for unknown in ["2", "-1", "x", "65536"] {
        let answer = set(unknown).await;
        assert_eq!(answer.status, 404, "{unknown}");
        assert_eq!(answer.problem(), "not_found");
    }
    assert_eq!(set("1").await.json(), json!({"setBackMs": 21_600_000}));
    assert_eq!(set("0").await.json(), json!({"setBackMs": 0}));
}
