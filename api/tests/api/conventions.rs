//! What holds for every answer.

use std::time::Duration;

use axum::http::header;
use serde_json::json;

use crate::house::{House, KEY, ROOT_KEY};
use crate::table::{Needs, ROUTES, answer_all};

#[tokio::test]
async fn every_answer_carries_a_request_id_of_its_own() {
    let house = House::new();
    let mut seen = std::collections::BTreeSet::new();
    for path in ["/healthz", "/v1/users/ann", "/nowhere", "/docs/", "/problems"] {
        let answer = house.knock("GET", path).send().await;
        let id = answer.header("x-request-id").to_owned();
        assert!(id.starts_with("req_") && id.len() == 30, "{id}");
        assert!(seen.insert(id));
    }
}

#[tokio::test]
async fn a_sane_request_id_of_the_caller_is_kept_and_handed_on() {
    let house = House::new();
    let long = "x".repeat(128);
    for sane in ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", &long] {
        let knock = house.knock("GET", "/v1/users/ann").key(KEY).header("x-request-id", sane);
        let answer = knock.send().await;
        assert_eq!(answer.header("x-request-id"), sane);
        assert_eq!(answer.json()["requestId"], sane);
        assert_eq!(house.gateway.last().0.request_id, sane);
    }
    for odd in ["", "a b", "caf\u{e9}", "a\tb", &"x".repeat(129)] {
        let answer = house.knock("GET", "/healthz").header("x-request-id", odd).send().await;
        assert!(answer.header("x-request-id").starts_with("req_"), "{odd:?}");
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_problem() {
    let house = House::new();
    for path in ["/", "/v1", "/v1/nothing", "/v1/users/ann/mfa/pigeon", "/docs/nothing.js"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem(), "not_found");
    }
}

#[tokio::test]
async fn a_method_that_does_not_fit_names_those_that_do() {
    let house = House::new();
    let answer = house.knock("PATCH", "/v1/users/ann").key(KEY).send().await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.problem(), "method_not_allowed");
    let allow = answer.header(header::ALLOW);
    for method in ["GET", "PUT", "DELETE"] {
        assert!(allow.contains(method), "{allow}");
    }
    assert!(!allow.contains("PATCH"));
    assert_eq!(house.knock("POST", "/healthz").send().await.problem(), "method_not_allowed");
}

#[tokio::test]
async fn nothing_under_v1_is_kept_in_between() {
    let house = House::new();
    answer_all(&house);
    for route in ROUTES.iter().filter(|route| route.needs != Needs::Nothing) {
        let knock = house.knock(route.method, &route.path()).key(ROOT_KEY);
        let knock =
            if route.body.is_empty() { knock } else { knock.raw("application/json", route.body) };
        let answer = knock.send().await;
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{route:?}");
    }
    assert_eq!(house.get("/v1/nothing").await.header(header::CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn pages_may_load_nothing_from_elsewhere_and_be_framed_by_nobody() {
    let house = House::new();
    for path in ["/problems", "/problems/invalid-code", "/docs/", "/healthz"] {
        let answer = house.knock("GET", path).send().await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer");
    }
}

#[tokio::test]
async fn a_bad_user_id_in_a_path_is_an_invalid_request() {
    let house = House::new();
    for odd in ["a%20b", "a%2Fb", "%C3%A4", "%FF", &"x".repeat(129), "a%0A"] {
        let answer = house.get(&format!("/v1/users/{odd}")).await;
        assert_eq!(answer.status, 400, "{odd}");
        assert_eq!(answer.problem(), "invalid_request");
    }
    for fine in ["auth0%7C123", "a.b+c@example.com", "A:b-C_d"] {
        assert_eq!(house.get(&format!("/v1/users/{fine}")).await.problem(), "user_not_found");
    }
}

#[tokio::test]
async fn server_ids_that_cannot_be_are_as_unknown_as_others() {
    let house = House::new();
    let factor = house.delete("/v1/users/ann/mfa/factors/fac_x").await;
    assert_eq!(factor.problem(), "factor_not_found");
    assert_eq!(house.delete("/v1/users/ann/mfa/devices/dev_x").await.problem(), "not_found");
    assert_eq!(house.get("/v1/mfa/challenges/chl_x").await.problem(), "challenge_not_found");
    assert_eq!(house.delete("/v1/api-keys/key_x").await.problem(), "not_found");
    let verify = json!({"challengeId": "chl_x", "recoveryCode": "7K3M-9QTX-B2WD"});
    let answer = house.post("/v1/mfa/challenges/verify", &verify).await;
    assert_eq!(answer.problem(), "challenge_not_found");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_unavailable() {
    let house = House::with(|options| options.request_timeout = Duration::from_millis(1));
    *house.gateway.mute.lock().unwrap() = true;
    let answer = house.get("/v1/users/ann").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem(), "unavailable");
    assert_eq!(answer.header(header::RETRY_AFTER), "1");
}

#[tokio::test]
async fn a_panic_costs_its_own_request_alone() {
    let house = House::new();
    house.gateway.answer(|_| panic!("a secret in a panic"));
    let answer = house.get("/v1/users/ann").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.problem(), "internal");
    assert!(!answer.text().contains("secret in a panic"));
    assert_eq!(house.get("/v1/settings").await.status, 200);
}

#[tokio::test]
async fn a_head_request_has_the_headers_of_a_get() {
    let house = House::new();
    assert_eq!(house.knock("HEAD", "/healthz").send().await.status, 200);
    let answer = house.knock("HEAD", "/v1/users/ann").send().await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn metrics_are_shown_as_the_node_renders_them() {
    let house = House::with(|options| {
        options.metrics = Some(std::sync::Arc::new(|| "up 1\n".to_owned()));
    });
    let answer = house.knock("GET", "/metrics").send().await;
    assert_eq!(answer.text(), "up 1\n");
    assert!(answer.header(header::CONTENT_TYPE).starts_with("text/plain; version=0.0.4"));
    assert_eq!(House::new().knock("GET", "/metrics").send().await.problem(), "not_found");
}
