//! What a receiver gets, and how it knows that it is ours.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

/// What a receiver does, written apart from what it checks.
fn verifies(received: &Received, secret: &Secret, signature: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).unwrap();
    mac.update(received.field("webhook-id").unwrap().as_bytes());
    mac.update(b".");
    mac.update(received.field("webhook-timestamp").unwrap().as_bytes());
    mac.update(b".");
    mac.update(&received.body);
    let tag = BASE64.decode(signature.strip_prefix("v1,").unwrap().as_bytes()).unwrap();
    mac.verify_slice(&tag).is_ok()
}

#[tokio::test]
async fn an_event_arrives_signed_and_named() {
    let mut receiver = Receiver::answering(OK).await;
    assert_eq!(post(&poster(&loopback()), &receiver.url()).await, Ok(200));
    let received = receiver.next().await;
    assert!(received.head.starts_with("POST /hook?token=hidden HTTP/1.1\r\n"), "{received:?}");
    assert_eq!(received.field("host"), Some(receiver.address.to_string().as_str()));
    assert_eq!(received.field("content-type"), Some("application/json"));
    let agent = format!("Countersign/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(received.field("user-agent"), Some(agent.as_str()));
    let sent = posting(&receiver.url());
    assert_eq!(received.field("webhook-id"), Some(sent.id.to_string().as_str()));
    assert_eq!(received.field("webhook-timestamp"), Some("1700000001"));
    assert!(verifies(&received, &sent.secrets[0], received.field("webhook-signature").unwrap()));
    let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(body["type"], "mfa.factor.enrolled");
    assert_eq!(body["timestamp"], "2023-11-14T22:13:20.500Z");
    assert_eq!(body["data"]["id"], "evt_3_17");
}

#[tokio::test]
async fn while_a_secret_is_replaced_either_one_verifies() {
    let mut receiver = Receiver::answering(OK).await;
    let (old, new) = (Secret::new(vec![1; 32]), Secret::new(vec![2; 32]));
    let posting = Posting { secrets: vec![old.clone(), new.clone()], ..posting(&receiver.url()) };
    assert_eq!(poster(&loopback()).post(&posting).await, Ok(200));
    let received = receiver.next().await;
    let signatures: Vec<&str> = received.field("webhook-signature").unwrap().split(' ').collect();
    assert_eq!(signatures.len(), 2);
    assert!(verifies(&received, &old, signatures[0]));
    assert!(verifies(&received, &new, signatures[1]));
    assert!(!verifies(&received, &new, signatures[0]));
}

#[tokio::test]
async fn nothing_leaves_unsigned() {
    let receiver = Receiver::answering(OK).await;
    let posting = Posting { secrets: Vec::new(), ..posting(&receiver.url()) };
    assert_eq!(poster(&loopback()).post(&posting).await, unreachable("unsigned"));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_second_attempt_has_the_same_name_and_body_and_its_own_time() {
    let mut receiver = Receiver::answering(OK).await;
    let poster = poster(&loopback());
    let first = posting(&receiver.url());
    let again = Posting { now: first.now.plus_millis(60_000), ..first.clone() };
    assert_eq!(poster.post(&first).await, Ok(200));
    assert_eq!(poster.post(&again).await, Ok(200));
    let (first, again) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.field("webhook-id"), again.field("webhook-id"));
    assert_eq!(first.body, again.body);
    assert_eq!(again.field("webhook-timestamp"), Some("1700000061"));
    assert_ne!(first.field("webhook-signature"), again.field("webhook-signature"));
}
