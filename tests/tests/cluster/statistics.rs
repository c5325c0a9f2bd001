//! What is counted and found over all users: the same through any node, whatever died meanwhile.

use countersign_tests::app::App;
use countersign_tests::client::Client;
use countersign_tests::cluster::Cluster;
use serde_json::{Value, json};

use crate::{alone, plan};

/// Some users log in, and each fails once before.
async fn logins(cluster: &Cluster, users: std::ops::Range<u64>) {
    for number in users {
        let client = cluster.client((number % 3) as usize);
        let (user, app) = (format!("user-{number}"), App::numbered(number));
        let factor = client.import(&user, &app).await.unwrap();
        let challenge = client.challenge(&user).await.unwrap();
        let wrong = client.verify(&challenge, &factor, &app.wrong_code()).await.unwrap();
        assert_eq!(wrong.code(), "invalid_code");
        client.verify(&challenge, &factor, &app.code(0)).await.unwrap().ok();
    }
}

/// What a node counted within a day: so long that nothing of the test falls out of it.
async fn counted(client: &Client) -> Value {
    let body = client.get("/v1/statistics?window=24h").await.ok();
    assert_eq!(body["countedSince"], Value::Null);
    body["total"].clone()
}

fn of_logins(count: u64) -> Value {
    json!({
        "logins": count, "challenges": count, "verifications": count, "failures": count,
        "sends": 0, "deliveryFailures": 0, "lockouts": 0, "alerts": 0,
    })
}

#[tokio::test]
async fn what_happened_is_counted_once_by_every_node_whichever_was_killed() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    logins(&cluster, 0..9).await;
    for node in 0..3 {
        assert_eq!(counted(&cluster.client(node)).await, of_logins(9), "node {node}");
    }
    for round in 0..3 {
        cluster.kill(round);
        cluster.restart(round).await;
        cluster.wait_until_whole().await;
        let users = 9 + 3 * round as u64;
        logins(&cluster, users..users + 3).await;
        for node in 0..3 {
            let expected = of_logins(users + 3);
            assert_eq!(counted(&cluster.client(node)).await, expected, "node {node}");
        }
    }
    // In order, and with what was kept at the end.
    cluster.stop_and_restart(1).await;
    assert_eq!(counted(&cluster.client(1)).await, of_logins(18));
}

#[tokio::test]
async fn users_are_found_and_previews_made_alike_through_any_node() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    logins(&cluster, 0..12).await;
    for number in 12..30 {
        let email = json!({ "email": format!("Person-{number}@example.com") });
        let path = format!("/v1/users/user-{number}");
        let put = reqwest::Method::PUT;
        cluster.client(0).send(put, &path, Some(email), None).await.unwrap().ok();
    }
    for query in ["user-1", "user-29", "person-1", "person-1%40x", "person-2@", "PERSON-17@EX"] {
        let path = format!("/v1/users?limit=5&query={}", query.replace('@', "%40"));
        let first = cluster.client(0).get(&path).await.ok();
        for node in 1..3 {
            assert_eq!(cluster.client(node).get(&path).await.ok(), first, "{path}");
        }
    }
    let found = cluster.client(2).get("/v1/users?query=PERSON-17%40EX").await.ok();
    assert_eq!(found["data"][0]["id"], "user-17");
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    let wish = json!({ "requirement": "REQUIRED" });
    for node in 0..3 {
        let preview = cluster.client(node).post("/v1/mfa/policy/preview", wish.clone()).await.ok();
        assert_eq!((&preview["users"], &preview["complete"]), (&json!(30), &json!(true)));
        assert_eq!(preview["mustEnroll"], json!({ "before": 0, "after": 18 }), "node {node}");
    }
}
