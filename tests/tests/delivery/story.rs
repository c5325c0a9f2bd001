//! A person with a telephone and a mailbox, from enrolling to signing in and to a new address.

use std::time::Duration;

use countersign_tests::audit;
use countersign_tests::client::Client;
use countersign_tests::house::House;
use countersign_tests::phone::PATIENCE;
use countersign_tests::receiver::code_in;
use data_encoding::BASE64URL_NOPAD;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{alone, refused};

const NUMBER: &str = "+14155552671";
const ADDRESS: &str = "ann.example@mail.example";

/// The messages that `countersign dev` shows instead of sending them.
async fn messages(client: &Client) -> Vec<Value> {
    let shown = client.get("/dev/messages").await.ok();
    shown["data"].as_array().or(shown.as_array()).cloned().unwrap_or_else(|| panic!("{shown}"))
}

/// Waits for one message more than `before` to a destination; its code, from the words that a person
/// would read.
async fn code(client: &Client, to: &str, before: usize) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let messages = messages(client).await;
        let to_them: Vec<&Value> = messages.iter().filter(|one| one["to"] == to).collect();
        if to_them.len() > before {
            // Newest first, or oldest first.
            let newest = to_them.iter().max_by_key(|one| one["at"].as_str().map(str::to_owned));
            let text = newest.unwrap()["text"].as_str().unwrap();
            return code_in(text).unwrap_or_else(|| panic!("no code in {text:?}")).to_owned();
        }
        assert!(Instant::now() < deadline, "nothing came to {to}: {messages:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Enrolls by codes; the factor.
async fn enroll(client: &Client, kind: &str, body: Value, to: &str) -> Value {
    let path = |rest: &str| format!("/v1/users/ann/mfa/{kind}{rest}");
    let begun = client.post(&path(""), body).await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    for field in ["factorId", "maskedDestination", "expiresAt"] {
        assert!(begun.body[field].is_string(), "{field}: {}", begun.body);
    }
    assert!(!begun.body.to_string().contains(to), "the whole destination: {}", begun.body);
    let factors = client.get("/v1/users/ann/mfa/factors").await.ok();
    let listed = factors["data"].as_array().unwrap().iter();
    assert!(listed.clone().all(|factor| factor["id"] != begun.body["factorId"]), "{factors}");

    let sent = client.post(&path("/send"), json!({})).await;
    assert_eq!(sent.status, 202, "{}", sent.body);
    assert_eq!(sent.body["factorId"], begun.body["factorId"]);
    for field in ["maskedDestination", "expiresAt", "resendAvailableAt"] {
        assert!(sent.body[field].is_string(), "{field}: {}", sent.body);
    }
    let code = code(client, to, 0).await;
    let factor = client.post(&path("/verify"), json!({ "code": code })).await.ok();
    assert_eq!(factor["id"], begun.body["factorId"], "{factor}");
    assert_eq!(factor["status"], "ACTIVE");
    assert!(factor["maskedDestination"].is_string(), "{factor}");
    factor
}

/// Signs in by a code; the token's claims.
async fn sign_in(client: &Client, factor: &Value, to: &str, before: usize) -> Value {
    let challenge = client.challenge("ann").await.unwrap();
    let path = format!("/v1/mfa/challenges/{challenge}/send");
    let sent = client.post(&path, json!({ "factorId": factor["id"] })).await;
    assert_eq!(sent.status, 202, "{}", sent.body);
    let code = code(client, to, before).await;
    let id = factor["id"].as_str().unwrap();
    let verified = client.verify(&challenge, id, &code).await.unwrap().ok();
    assert_eq!(verified["verified"], true, "{verified}");
    let token = verified["tokens"]["accessToken"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_person_enrolls_a_number_and_an_address_and_signs_in_by_each() {
    let _machine = alone().await;
    let house = House::dev().await;
    let client = house.client();
    client.patch("/v1/mfa/policy", json!({ "sends": { "cooldownSeconds": 0 } })).await.ok();
    let profile =
        |email: &str, verified: bool| json!({ "email": email, "emailVerified": verified });
    let put = |body: Value| client.send(Method::PUT, "/v1/users/ann", Some(body), None);

    let early = client.post("/v1/users/ann/mfa/sms/send", json!({})).await;
    assert_eq!(early.status, 404, "{}", early.body);
    put(profile(ADDRESS, false)).await.unwrap().ok();
    let unverified = client.post("/v1/users/ann/mfa/email", json!({})).await;
    refused(&unverified, 422, "email_not_verified");
    put(profile(ADDRESS, true)).await.unwrap().ok();

    let sms =
        enroll(&client, "sms", json!({ "phoneNumber": NUMBER, "name": "Mine" }), NUMBER).await;
    let email = enroll(&client, "email", json!({}), ADDRESS).await;
    let status = client.get("/v1/users/ann/mfa/status").await.ok();
    assert_eq!((&status["factors"]["SMS"], &status["factors"]["EMAIL"]), (&json!(1), &json!(1)));
    let again = client.post("/v1/users/ann/mfa/sms", json!({ "phoneNumber": NUMBER })).await;
    refused(&again, 409, "factor_already_enrolled");

    for (factor, to, method) in [(&sms, NUMBER, "sms"), (&email, ADDRESS, "email")] {
        let claims = sign_in(&client, factor, to, 1).await;
        assert_eq!(claims["acr"], "aal2", "{claims}");
        assert!(claims["amr"].as_array().unwrap().contains(&json!(method)), "{claims}");
        let query = "userId=ann&type=mfa.code.sent";
        let sent = audit::wait_for(&client, query, PATIENCE, |one| {
            one["factorId"] == factor["id"] && one["details"]["channel"] == method
        });
        assert!(sent.await.is_some(), "mfa.code.sent does not tell of {method}");
    }

    // With the address goes the factor; the number stays.
    put(profile("other@mail.example", true)).await.unwrap().ok();
    let factors = client.get("/v1/users/ann/mfa/factors").await.ok();
    let kinds: Vec<&Value> =
        factors["data"].as_array().unwrap().iter().map(|f| &f["type"]).collect();
    assert_eq!(kinds, ["SMS"], "{factors}");
    let removed = audit::all(&client, "userId=ann&type=mfa.factor.removed").await;
    assert_eq!(removed.len(), 1, "{removed:?}");
    assert_eq!(removed[0]["reason"], "email_changed", "{}", removed[0]);

    let inbox = client.get("/dev/inbox").await;
    assert!(inbox.status.is_success(), "{}", inbox.body);
}

#[tokio::test]
async fn a_node_that_serves_shows_no_messages_and_enrolls_nothing_that_it_cannot_send_to() {
    let _machine = alone().await;
    let house = House::founded().await;
    let client = house.client();
    for path in ["/dev/messages", "/dev/inbox"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    let sms = client.post("/v1/users/ann/mfa/sms", json!({ "phoneNumber": NUMBER })).await;
    refused(&sms, 503, "delivery_not_configured");
    let body = json!({ "email": ADDRESS, "emailVerified": true });
    client.send(Method::PUT, "/v1/users/ann", Some(body), None).await.unwrap().ok();
    let email = client.post("/v1/users/ann/mfa/email", json!({})).await;
    refused(&email, 503, "delivery_not_configured");
}
