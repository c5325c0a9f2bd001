//! Security keys through three nodes: an answer is accepted once, whichever nodes it reaches and
//! whichever die meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::audit;
use countersign_tests::cluster::Cluster;
use countersign_tests::key::{Key, Twist};
use futures::future::join_all;
use serde_json::json;

use crate::attacks::tally;
use crate::{alone, plan};

#[tokio::test]
async fn of_sixty_submissions_of_one_assertion_over_three_nodes_one_is_accepted() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    let clients: Vec<_> = (0..3).map(|node| cluster.client(node)).collect();
    let mut key = Key::usb(1);
    let factor = key.enroll(&clients[0], "ann").await;
    assert_eq!(factor["webauthn"]["transports"], json!(["usb"]), "{factor}");
    // Within a challenge.
    let challenge = clients[1].challenge("ann").await.unwrap();
    let body = key.answer(&clients[2], &challenge, &factor).await;
    let submissions = (0..60)
        .map(|number| clients[number % 3].try_post("/v1/mfa/challenges/verify", body.clone()));
    let told = tally(join_all(submissions).await);
    let expected = BTreeMap::from([("200".into(), 1), ("invalid_assertion".into(), 59)]);
    assert_eq!(told, expected);
    // Outside one.
    let path = |rest: &str| format!("/v1/users/ann/mfa/webauthn/{rest}");
    let options = clients[0].post(&path("authentication-options"), json!({})).await.ok();
    let body = json!({ "assertion": key.get(&options) });
    let path = path("verify-assertion");
    let submissions = (0..60).map(|number| clients[number % 3].try_post(&path, body.clone()));
    assert_eq!(tally(join_all(submissions).await), expected);
}

#[tokio::test]
async fn a_ceremony_outlives_the_node_that_began_it_and_is_still_answered_once() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let mut people = Vec::new();
    for number in 0..12u64 {
        let user = format!("user-{number}");
        let mut key = Key::platform(number);
        let client = cluster.client(0);
        let factor = key.enroll(&client, &user).await;
        let challenge = client.challenge(&user).await.unwrap();
        let body = key.answer(&client, &challenge, &factor).await;
        people.push(body);
    }
    cluster.kill(0);
    crate::served(&cluster.client(1), 24, Duration::from_secs(15)).await;
    for body in &people {
        let answer = cluster.client(1).post("/v1/mfa/challenges/verify", body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    cluster.restart(0).await;
    cluster.kill(1);
    crate::served(&cluster.client(2), 24, Duration::from_secs(15)).await;
    for body in &people {
        let answer = cluster.client(2).post("/v1/mfa/challenges/verify", body.clone()).await;
        assert_eq!(answer.code(), "invalid_assertion", "{}", answer.body);
    }
}

#[tokio::test]
async fn a_person_whose_codes_are_locked_gets_in_with_a_key_and_a_copied_key_is_told_of() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    let (here, there) = (cluster.client(0), cluster.client(1));
    let app = App::numbered(7);
    let factor = here.import("ann", &app).await.unwrap();
    let mut key = Key::usb(2);
    let key_factor = key.enroll(&there, "ann").await;
    for attempt in 0..5 {
        let challenge = here.challenge("ann").await.unwrap();
        let refused = here.verify(&challenge, &factor, &app.wrong_code()).await.unwrap();
        assert_eq!(refused.code(), "invalid_code", "{attempt}");
    }
    let challenge = there.challenge("ann").await.unwrap();
    let refused = there.verify(&challenge, &factor, &app.code(0)).await.unwrap();
    assert_eq!(refused.code(), "too_many_attempts");
    let body = key.answer(&here, &challenge, &key_factor).await;
    let answer = there.post("/v1/mfa/challenges/verify", body).await.ok();
    assert_eq!(answer["factorId"], key_factor["id"]);
    let status = here.get("/v1/users/ann/mfa/status").await.ok();
    assert_eq!(status["failedAttempts"], 5, "the lock is as it was");

    let challenge = here.challenge("ann").await.unwrap();
    let path = format!("/v1/mfa/challenges/{challenge}/webauthn-options");
    let options = here.post(&path, json!({})).await.ok();
    let copied = Twist { counter: Some(1), ..Twist::default() };
    let assertion = key.get_with(&options, &copied);
    let body =
        json!({ "challengeId": challenge, "factorId": key_factor["id"], "assertion": assertion });
    let refused = there.post("/v1/mfa/challenges/verify", body).await;
    assert_eq!(refused.code(), "invalid_assertion", "{}", refused.body);
    let told = audit::all(&here, "type=mfa.alert.counter_lowered").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["factorId"], key_factor["id"]);
}
