//! Policies and keys: a change through one node is seen by the next request through any.

use std::ops::Range;
use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::{ShardId, TenantId};
use countersign_core::policy::PolicyPatch;
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_tests::inside::{Cluster, Door, Plan, until};
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::alone;

/// How long a change may wait for a node that does not answer: 1.8 s, and some for two cores.
const BOUND: Duration = Duration::from_secs(4);

/// Changes the default tenant's policy and returns its new version. The shard's leader may move
/// meanwhile, so this asks again, as clients do.
async fn change(door: &Door, number: u32) -> u64 {
    let count = 8 + number % 8;
    let patch = PolicyPatch { recovery_codes_count: Some(count), ..PolicyPatch::default() };
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let command = TenantCommand::PatchPolicy(Box::new(patch.clone()));
        match door.change(u64::from(number), command).await {
            Ok(TenantReply::Policy(policy)) => return policy.0.version,
            Err(GatewayError::Unavailable(_)) if Instant::now() < deadline => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The version of the policy that a node would decide by.
fn known(cluster: &Cluster, place: usize) -> u64 {
    let tenant = cluster.store(place).directory().tenant(&TenantId::default_tenant());
    tenant.expect("the default tenant").policy.version
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_policy_and_a_revoked_key_are_known_to_the_next_request_through_any_node() {
    let _machine = alone().await;
    let cluster = Cluster::of(3, Plan::default()).await;
    for round in 0..6_u32 {
        let by = usize::try_from(round).unwrap() % 3;
        let count = 8 + round;
        let changed = cluster.client(by);
        changed.patch("/v1/mfa/policy", json!({ "recoveryCodesCount": count })).await.ok();
        for place in 0..3 {
            let policy = cluster.client(place).get("/v1/mfa/policy").await.ok();
            assert_eq!(policy["recoveryCodesCount"], count, "by {by}, through {place}");
        }
        let body = json!({ "name": "short-lived", "scopes": ["policy"] });
        let made = cluster.client(by).post("/v1/api-keys", body).await.ok();
        let key = made["key"].as_str().unwrap();
        let through = |place: usize| {
            let client = cluster.client(place).with_key(key);
            async move { client.get("/v1/mfa/policy").await.status }
        };
        for place in 0..3 {
            assert_eq!(through(place).await, StatusCode::OK, "a new key through node {place}");
        }
        let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
        assert_eq!(cluster.client(by).delete(&path).await.status, StatusCode::NO_CONTENT);
        for place in 0..3 {
            let status = through(place).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "a revoked key through node {place}");
        }
    }
}

/// While `victim` is cut off somehow: changes are answered within their bound, and it never takes an
/// old policy for current.
async fn changes(cluster: &Cluster, leader: usize, victim: usize, numbers: Range<u32>) {
    let door = cluster.door(victim);
    let mut shortest = Duration::MAX;
    for number in numbers {
        let begun = Instant::now();
        let version = change(&cluster.door(leader), number).await;
        shortest = shortest.min(begun.elapsed());
        // Whoever asks now must be shown it, or nothing.
        for _ in 0..10 {
            if let Ok(Ok(())) = timeout(Duration::from_millis(30), door.current()).await {
                let shows = known(cluster, victim);
                assert!(shows >= version, "current with {shows} after {version}");
            }
        }
    }
    assert!(shortest < BOUND, "changes took {shortest:?} and more");
    until("the node that is cut off refuses", Duration::from_secs(10), async || {
        let answer = cluster.client(victim).get("/v1/mfa/policy").await;
        answer.status == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_in_whatever_way_never_shows_an_old_policy_as_current() {
    let _machine = alone().await;
    let plan = Plan { request_timeout: Duration::from_millis(2_500), ..Plan::default() };
    let cluster = Cluster::of(3, plan).await;
    let mut number = 0;
    for (hears, is_heard) in [(false, false), (true, false), (false, true)] {
        cluster.balanced().await;
        let leader = cluster.leader(0, ShardId::SYSTEM).unwrap();
        let victim = (leader + 1) % 3;
        for other in (0..3).filter(|place| *place != victim) {
            if !hears {
                cluster.links().cut(other, victim);
            }
            if !is_heard {
                cluster.links().cut(victim, other);
            }
        }
        changes(&cluster, leader, victim, number..number + 3).await;
        cluster.links().heal_all();
        cluster.whole().await;
        let version = change(&cluster.door(victim), number + 3).await;
        number += 4;
        for place in 0..3 {
            assert_eq!(cluster.door(place).current().await, Ok(()));
            assert!(known(&cluster, place) >= version, "node {place} after the links are healed");
        }
    }
    cluster.agree(&[0, 1, 2]).await;
}
