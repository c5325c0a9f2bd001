//! Every route that reads gives the same answer through any node, and what was written through
//! one is seen by the next request through another.

use countersign_tests::app::App;
use countersign_tests::cluster::Cluster;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{alone, plan};

/// Routes that tell of the node itself, or of the moment; what is counted by the minute is compared
/// beside, in `statistics`.
const OF_THE_NODE: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/v1/cluster", "/v1/statistics"];

#[tokio::test]
async fn every_route_that_reads_gives_the_same_answer_through_any_node() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    let client = cluster.client(0);
    let mut challenge = String::new();
    for number in 0..20 {
        let user = format!("user-{number}");
        client.import(&user, &App::numbered(number)).await.unwrap();
        challenge = client.challenge(&user).await.unwrap();
    }
    client.post("/v1/users/user-3/mfa/recovery-codes", json!({})).await.ok();
    client.post("/v1/api-keys", json!({ "name": "robot", "scopes": ["mfa"] })).await.ok();
    // Of what nobody does here: a delivery that is tried changes from one question to the next.
    let hook = json!({ "url": "https://hooks.example/", "events": ["mfa.tenant.removed"] });
    let hook = client.post("/v1/webhooks", hook).await.ok();
    let document = client.get("/openapi.json").await.ok();
    let mut compared = 0;
    for (route, methods) in document["paths"].as_object().unwrap() {
        if methods.get("get").is_none() || OF_THE_NODE.contains(&route.as_str()) {
            continue;
        }
        let path = route
            .replace("{userId}", "user-3")
            .replace("{id}", if route.contains("challenges") { &challenge } else { "none" })
            .replace("{challengeId}", &challenge)
            .replace("{webhookId}", hook["id"].as_str().unwrap())
            .replace("{code}", "invalid-code");
        assert!(!path.contains('{'), "this test does not know what to ask of {route}");
        let mut answers = Vec::new();
        for node in 0..3 {
            let answer = cluster.client(node).get(&path).await;
            answers.push((answer.status, without_request_id(answer.body)));
        }
        assert_eq!(answers[0], answers[1], "{path}");
        assert_eq!(answers[0], answers[2], "{path}");
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} routes were compared");
}

fn without_request_id(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("requestId");
    }
    body
}

#[tokio::test]
async fn what_is_written_through_one_node_is_seen_by_the_next_request_through_another() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    for round in 0..15 {
        let (here, there) = (cluster.client(round % 3), cluster.client((round + 1) % 3));
        // A user.
        let path = format!("/v1/users/seen-{}", round % 4);
        let body = json!({ "displayName": format!("round {round}") });
        here.send(Method::PUT, &path, Some(body.clone()), None).await.unwrap().ok();
        let seen = there.get(&path).await.ok();
        assert_eq!(seen["displayName"], body["displayName"], "round {round}");
        // A policy, which every node reads from what it has applied itself.
        let count = 5 + round % 5;
        here.patch("/v1/mfa/policy", json!({ "recoveryCodesCount": count })).await.ok();
        let seen = there.get("/v1/mfa/policy").await.ok();
        assert_eq!(seen["recoveryCodesCount"], count, "round {round}");
        // A key: it opens, and once revoked it does not.
        let body = json!({ "name": format!("key {round}"), "scopes": ["mfa"] });
        let key = here.post("/v1/api-keys", body).await.ok();
        let with_key = there.with_key(key["key"].as_str().unwrap());
        assert_eq!(with_key.get(&path).await.status, 200, "round {round}");
        let revoke = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
        assert_eq!(here.delete(&revoke).await.status, 204, "round {round}");
        assert_eq!(with_key.get(&path).await.status, 401, "round {round}");
    }
}
