//! What whoever has no valid key can make the service do, hold and answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use countersign_api::{ApiOptions, ForwardedHeader, RequestLimit, TrustedProxies};
use futures::StreamExt;
use tower::ServiceExt;

use crate::house::{House, KEY};

const HERE: &str = "192.0.2.7";

fn limited() -> House {
    House::with(limit)
}

fn limit(options: &mut ApiOptions) {
    options.keyless = RequestLimit { per_second: 0.01, burst: 100.0 };
    options.metrics = Some(Arc::new(|| "up 1\n".to_owned()));
}

fn trusting() -> House {
    House::with(|options| {
        limit(options);
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        options.trusted_proxies =
            TrustedProxies { networks, header: ForwardedHeader::XForwardedFor };
    })
}

/// How many requests of this kind are answered before one is refused.
async fn answered(house: &House, path: &str) -> usize {
    for count in 0..1_000 {
        let answer = house.knock("GET", path).from(HERE).send().await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return count;
        }
    }
    1_000
}

#[tokio::test]
async fn an_address_without_a_key_is_refused_after_a_while() {
    assert_eq!(answered(&limited(), "/openapi.json").await, 100);
    // What is guessed at, or made anew each time, is dearer.
    for path in ["/metrics", "/v1/users/ann", "/portal/open/pts_invented", "/nothing/here"] {
        let count = answered(&limited(), path).await;
        assert!((10..=11).contains(&count), "{path}: {count}");
    }
    let house = limited();
    for _ in 0..20 {
        house.knock("GET", "/v1/users/ann").key("csk_invented").from(HERE).send().await;
    }
    let refused = house.knock("GET", "/v1/users/ann").key("csk_invented").from(HERE).send().await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (429, "rate_limited"));
    assert!(refused.json()["retryAfterSeconds"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn a_page_says_it_in_words() {
    let house = limited();
    answered(&house, "/portal/open/pts_invented").await;
    let refused = house.knock("GET", "/portal/open/pts_invented").from(HERE).send().await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("content-type").starts_with("text/html"), "{refused:?}");
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_valid_key_and_probes_are_not_counted() {
    let house = limited();
    answered(&house, "/nothing/here").await;
    for _ in 0..300 {
        let answer = house.knock("GET", "/v1/users/ann").key(KEY).from(HERE).send().await;
        assert_eq!(answer.problem(), "user_not_found");
        let probe = house.knock("GET", "/healthz").from(HERE).send().await;
        assert_eq!(probe.status, 200);
    }
    let refused = house.knock("GET", "/openapi.json").from(HERE).send().await;
    assert_eq!(refused.status, 429);
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_and_another_address_another() {
    let house = limited();
    for number in 0..11 {
        let from = format!("2001:db8::{number}");
        house.knock("GET", "/nothing/here").from(&from).send().await;
    }
    let status = async |from: &str| {
        house.knock("GET", "/openapi.json").from(from).send().await.status.as_u16()
    };
    assert_eq!(status("2001:db8::ffff").await, 429);
    assert_eq!(status("2001:db8:0:1::1").await, 200);
    assert_eq!(status(HERE).await, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_counted_for_itself() {
    let house = trusting();
    let ask = async |peer: &str, client: &str| {
        let knock = house.knock("GET", "/nothing/here").from(peer);
        knock.header("x-forwarded-for", client).send().await.status.as_u16()
    };
    for _ in 0..20 {
        // What the client writes itself makes it nobody else.
        ask("10.0.0.1", "198.51.100.99, 203.0.113.9").await;
    }
    assert_eq!(ask("10.0.0.1", "198.51.100.98, 203.0.113.9").await, 429);
    assert_eq!(ask("10.0.0.2", "203.0.113.9").await, 429);
    assert_eq!(ask("10.0.0.1", "203.0.113.10").await, 404);
    // What a proxy does not tell in a readable way is counted as the proxy's.
    for _ in 0..20 {
        ask("10.0.0.3", "unknown").await;
    }
    assert_eq!(ask("10.0.0.3", "unknown").await, 429);
    assert_eq!(ask("10.0.0.3", "203.0.113.11").await, 404);
    // The same header from elsewhere is not believed.
    assert_eq!(ask("203.0.113.9", "203.0.113.77").await, 429);
    assert_eq!(ask("198.51.100.1", "203.0.113.9").await, 404);
}

async fn first_bytes(house: &House, path: &str) -> Bytes {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let body = house.router.clone().oneshot(request).await.unwrap().into_body();
    body.into_data_stream().next().await.unwrap().unwrap()
}

#[tokio::test]
async fn large_documents_are_in_memory_once_however_many_ask() {
    let house = House::new();
    for path in [
        "/openapi.json",
        "/docs/swagger-ui-bundle.js",
        "/docs/index.html",
        "/assets/style.css",
        "/problems",
        "/problems/rate-limited",
    ] {
        let copies = [
            first_bytes(&house, path).await,
            first_bytes(&house, path).await,
            first_bytes(&house, path).await,
        ];
        let places: BTreeSet<_> = copies.iter().map(|bytes| bytes.as_ptr()).collect();
        assert_eq!(places.len(), 1, "{path} is copied");
        assert!(copies[0].len() > 500, "{path}");
    }
}

/// A body that fails the test if it is read.
fn unread() -> Body {
    let asked =
        futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
            panic!("the body is asked for")
        });
    Body::from_stream(asked)
}

#[tokio::test]
async fn a_body_that_is_too_long_or_compressed_is_refused_before_it_is_asked_for() {
    let house = House::new();
    for (header, value, status, code) in [
        ("content-length", "65537", 413, "payload_too_large"),
        ("content-length", "99999999999999999999999", 413, "payload_too_large"),
        ("content-encoding", "gzip", 415, "unsupported_media_type"),
        ("content-encoding", "br", 415, "unsupported_media_type"),
        ("content-encoding", "identity, gzip", 415, "unsupported_media_type"),
    ] {
        for path in ["/v1/mfa/challenges", "/portal/answer", "/openapi.json"] {
            let request = Request::post(path)
                .header("authorization", format!("Bearer {KEY}"))
                .header("content-type", "application/json")
                .header("expect", "100-continue")
                .header(header, value)
                .body(unread())
                .unwrap();
            let response = house.router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{header}: {value} {path}");
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["code"], code);
        }
    }
    let plain = house.knock("POST", "/v1/mfa/challenges").key(KEY);
    let plain = plain.header("content-encoding", "identity").json(&serde_json::json!({}));
    assert_eq!(plain.send().await.status, 422);
}
