//! One right code submitted many times, many wrong codes at once, and both across a kill.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use std::collections::BTreeMap;

use countersign_tests::app::App;
use countersign_tests::client::{Answer, Client};
use countersign_tests::house::House;
use futures::future::join_all;
use serde_json::json;

const PARALLEL: usize = 200;

fn tally(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        let name = if answer.status == 200 { "200".to_owned() } else { answer.code().to_owned() };
        *tally.entry(name).or_insert(0) += 1;
    }
    tally
}

async fn submit_in_parallel(
    client: &Client,
    challenge: &str,
    factor: &str,
    codes: Vec<String>,
) -> BTreeMap<String, usize> {
    let submissions = codes.iter().map(|code| client.verify(challenge, factor, code));
    let answers: Vec<Answer> = join_all(submissions).await.into_iter().flatten().collect();
    assert_eq!(answers.len(), codes.len(), "every submission is answered");
    tally(&answers)
}

#[tokio::test]
async fn of_two_hundred_submissions_of_one_right_code_one_is_accepted() {
    let house = House::founded().await;
    let client = house.client();
    let app = App::numbered(1);
    let factor = client.import("ann", &app).await.unwrap();
    let challenge = client.challenge("ann").await.unwrap();
    let codes = vec![app.code(0); PARALLEL];
    let tally = submit_in_parallel(&client, &challenge, &factor, codes).await;
    let expected = BTreeMap::from([("200".into(), 1), ("code_already_used".into(), PARALLEL - 1)]);
    assert_eq!(tally, expected);
}

#[tokio::test]
async fn of_two_hundred_challenges_answered_with_one_right_code_one_is_verified() {
    let house = House::founded().await;
    let client = house.client();
    let app = App::numbered(2);
    let factor = client.import("bob", &app).await.unwrap();
    // Thirty-two challenges are kept a user, so as many are answered at once.
    let challenges: Vec<String> =
        join_all((0..32).map(|_| client.challenge("bob"))).await.into_iter().flatten().collect();
    let code = app.code(0);
    let submissions = challenges.iter().map(|challenge| client.verify(challenge, &factor, &code));
    let answers: Vec<Answer> = join_all(submissions).await.into_iter().flatten().collect();
    let expected = BTreeMap::from([("200".into(), 1), ("code_already_used".into(), 31)]);
    assert_eq!(tally(&answers), expected);
}

#[tokio::test]
async fn of_two_hundred_submissions_of_one_recovery_code_one_is_accepted() {
    let house = House::founded().await;
    let client = house.client();
    client.import("cleo", &App::numbered(3)).await.unwrap();
    let codes = client.post("/v1/users/cleo/mfa/recovery-codes", json!({})).await.ok();
    let code = codes["codes"][0].as_str().unwrap();
    let path = "/v1/users/cleo/mfa/recovery-codes/use";
    // Each costs a hash of nineteen mebibytes, so fewer than elsewhere.
    let submissions = (0..40).map(|_| client.post(path, json!({ "code": code })));
    let tally = tally(&join_all(submissions).await);
    assert_eq!(tally.get("200"), Some(&1), "{tally:?}");
    let others: usize = tally.values().sum::<usize>() - 1;
    assert_eq!(tally.get("code_already_used"), Some(&others), "{tally:?}");
}

#[tokio::test]
async fn of_two_hundred_wrong_codes_five_are_read_and_the_lock_survives_a_kill() {
    let mut house = House::founded().await;
    let client = house.client();
    let app = App::numbered(4);
    let factor = client.import("dave", &app).await.unwrap();
    let challenge = client.challenge("dave").await.unwrap();
    let codes = vec![app.wrong_code(); PARALLEL];
    let tally = submit_in_parallel(&client, &challenge, &factor, codes).await;
    let expected =
        BTreeMap::from([("invalid_code".into(), 5), ("too_many_attempts".into(), PARALLEL - 5)]);
    assert_eq!(tally, expected);

    house.kill();
    house.start().await;
    let client = house.client();
    let status = client.get("/v1/users/dave/mfa/status").await.ok();
    assert_eq!(status["failedAttempts"], 5);
    assert!(status["lockedUntil"].is_string(), "{status}");
    let challenge = client.challenge("dave").await.unwrap();
    let right = client.verify(&challenge, &factor, &app.code(0)).await.unwrap();
    assert_eq!((right.status.as_u16(), right.code()), (429, "too_many_attempts"));
    assert!(right.body["retryAfterSeconds"].as_u64().unwrap() > 0);

    client.post("/v1/users/dave/mfa/unlock", json!({})).await.ok();
    let challenge = client.challenge("dave").await.unwrap();
    let right = client.verify(&challenge, &factor, &app.code(0)).await.unwrap();
    assert_eq!(right.status, 200, "{}", right.body);
}

#[tokio::test]
async fn a_spent_code_stays_spent_after_a_kill() {
    let mut house = House::founded().await;
    let client = house.client();
    let app = App::numbered(5);
    let factor = client.import("eve", &app).await.unwrap();
    let challenge = client.challenge("eve").await.unwrap();
    let code = app.code(0);
    assert_eq!(client.verify(&challenge, &factor, &code).await.unwrap().status, 200);
    house.kill();
    house.start().await;
    let client = house.client();
    let again = client.verify(&challenge, &factor, &code).await.unwrap();
    assert_eq!(again.code(), "code_already_used", "{}", again.body);
    let challenge = client.challenge("eve").await.unwrap();
    let again = client.verify(&challenge, &factor, &code).await.unwrap();
    assert_eq!(again.code(), "code_already_used", "{}", again.body);
}

#[tokio::test]
async fn a_repeated_request_has_the_same_answer_before_and_after_a_kill() {
    let mut house = House::founded().await;
    let path = "/v1/users/fay/mfa/totp";
    let body = json!({ "name": "Phone" });
    let ask = |client: Client, body: serde_json::Value| async move {
        client.send(reqwest::Method::POST, path, Some(body), Some("key-1")).await.unwrap()
    };
    let first = ask(house.client(), body.clone()).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let second = ask(house.client(), body.clone()).await;
    assert_eq!(second.body, first.body);
    let other = ask(house.client(), json!({ "name": "Tablet" })).await;
    assert_eq!((other.status.as_u16(), other.code()), (409, "idempotency_key_reused"));
    house.kill();
    house.start().await;
    let third = ask(house.client(), body).await;
    assert_eq!(third.body, first.body);
}

#[tokio::test]
async fn a_wrong_code_that_is_retried_with_its_key_costs_one_attempt() {
    let house = House::founded().await;
    let client = house.client();
    let app = App::numbered(6);
    let factor = client.import("gus", &app).await.unwrap();
    let challenge = client.challenge("gus").await.unwrap();
    let body = json!({ "challengeId": challenge, "factorId": factor, "code": app.wrong_code() });
    let path = "/v1/mfa/challenges/verify";
    for _ in 0..3 {
        let answer = client
            .send(reqwest::Method::POST, path, Some(body.clone()), Some("attempt-1"))
            .await
            .unwrap();
        assert_eq!(answer.code(), "invalid_code");
        assert_eq!(answer.body["attemptsRemaining"], 4);
    }
    let status = client.get("/v1/users/gus/mfa/status").await.ok();
    assert_eq!(status["failedAttempts"], 1);
}
