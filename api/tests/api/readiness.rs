//! When a node says that it can serve.

use countersign_actors::gateway::Health;

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
    let lacks: [(&str, Spoil); 5] = [
        ("shard 1 has no leader", |health| health.shards[1].leader = None),
        ("shard 0 has not caught up", |health| health.shards[0].caught_up = false),
        ("the cluster is not founded yet", |health| health.shards.clear()),
        ("the cluster is not founded yet", |health| health.cluster_id.clear()),
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
async fn all_that_a_node_lacks_is_named_at_once() {
    let house = House::new();
    for shard in &mut house.gateway.health.lock().unwrap().shards {
        shard.leader = None;
    }
    let detail = house.knock("GET", "/readyz").send().await.json()["detail"].to_string();
    assert!(detail.contains("hard 0 has no leader; shard 1 has no leader"), "{detail}");
}
