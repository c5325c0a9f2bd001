//! Webhooks: made, changed, rotated, removed; and the inbox that only `dev` has.

use std::sync::Arc;

use countersign_api::{Inbox, InboxMessage, WebhookTargets};
use countersign_core::message::Channel;
use serde_json::{Value, json};

use crate::house::{House, NOW, OTHER_KEY};

const HOOKS: &str = "/v1/webhooks";

async fn made(house: &House) -> Value {
    let body = json!({"url": "https://acme.example/mfa", "events": ["mfa.alert.*"],
        "description": "Security team"});
    let made = house.post(HOOKS, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once_and_lives_through_its_changes() {
    let house = House::new();
    let webhook = made(&house).await;
    let secret = webhook["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let path = format!("{HOOKS}/{}", webhook["id"].as_str().unwrap());
    let read = house.get(&path).await.json();
    assert_eq!(read["enabled"], true);
    assert_eq!(read["secret"], Value::Null);
    let changed = house.patch(&path, &json!({"enabled": false, "description": null})).await;
    assert_eq!(changed.json()["disabledReason"], "REQUESTED");
    assert_eq!(changed.json()["description"], Value::Null);
    assert_eq!(changed.json()["url"], "https://acme.example/mfa", "what is left out stays");
    let again = house.patch(&path, &json!({"enabled": true})).await.json();
    assert_eq!((&again["enabled"], &again["disabledReason"]), (&json!(true), &Value::Null));
    let rotated = house.post(&format!("{path}/rotate-secret"), &json!({})).await.json();
    assert_ne!(rotated["secret"], webhook["secret"]);
    assert_eq!(house.delete(&path).await.status, 204);
    assert_eq!(house.get(&path).await.problem(), "not_found");
    assert_eq!(house.delete(&path).await.problem(), "not_found");
}

#[tokio::test]
async fn what_a_webhook_cannot_be_is_said_at_its_field() {
    let house = House::new();
    for (body, pointer, part) in [
        (json!({"url": "http://acme.example/", "events": ["mfa.*"]}), "/url", "https://"),
        (json!({"url": "https://127.0.0.1/", "events": ["mfa.*"]}), "/url", "private"),
        (json!({"url": "https://acme.example/", "events": []}), "/events", "1 to 50"),
        (json!({"url": "https://acme.example/", "events": ["MFA"]}), "/events/0", "mfa.*"),
        (json!({"url": "https://acme.example/", "events": ["*.x"]}), "/events/0", "mfa.*"),
    ] {
        let refused = house.post(HOOKS, &body).await;
        assert_eq!(refused.problem(), "validation_failed", "{body}");
        let error = refused.json()["errors"][0].clone();
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["detail"].as_str().unwrap().contains(part), "{body}: {error}");
    }
    let open = House::with(|options| options.webhooks = WebhookTargets { allow_private: true });
    let inside = json!({"url": "http://127.0.0.1:9000/hook", "events": ["mfa.*"]});
    assert_eq!(open.post(HOOKS, &inside).await.status, 201);
}

#[tokio::test]
async fn a_webhook_of_another_tenant_is_not_there() {
    let house = House::new();
    let webhook = made(&house).await;
    let path = format!("{HOOKS}/{}", webhook["id"].as_str().unwrap());
    assert_eq!(house.knock("GET", &path).key(OTHER_KEY).send().await.problem(), "not_found");
    let deliveries = format!("{path}/deliveries");
    assert_eq!(house.knock("GET", &deliveries).key(OTHER_KEY).send().await.problem(), "not_found");
}

struct One;

impl Inbox for One {
    fn messages(&self) -> Vec<InboxMessage> {
        vec![InboxMessage {
            id: "dlv_1".to_owned(),
            at: NOW,
            channel: Channel::Sms,
            to: "+14155552671".to_owned(),
            subject: None,
            text: "492039 is your code.".to_owned(),
            html: None,
            code: "492039".to_owned(),
        }]
    }
}

#[tokio::test]
async fn the_inbox_is_there_in_dev_alone() {
    let pages = ["/dev/messages", "/dev/inbox", "/dev/inbox.js", "/dev/inbox.css"];
    let serving = House::new();
    for page in pages {
        assert_eq!(serving.get(page).await.problem(), "not_found", "{page}");
    }
    let dev = House::with(|options| options.inbox = Some(Arc::new(One)));
    for page in pages {
        assert_eq!(dev.get(page).await.status, 200, "{page}");
    }
    let messages = dev.get("/dev/messages?to=%2B14155552671").await.json();
    assert_eq!(messages["data"][0]["code"], "492039");
    assert_eq!(dev.get("/dev/messages?to=nobody").await.json()["data"], json!([]));
    let policy = dev.get("/dev/inbox").await.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
}
