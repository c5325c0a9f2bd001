//! Webhooks: made, changed, rotated, removed; their deliveries; and what they are told.

use countersign_api::WebhookTargets;
use countersign_api::event::webhook_body;
use countersign_core::tenant::TenantCommand;
use serde_json::{Value, json};

use crate::gateway::{DELIVERY, audit_row};
use crate::house::{House, KEY, OTHER_KEY};

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

#[tokio::test]
async fn everything_that_is_wrong_with_a_webhook_is_told_at_once_and_a_change_is_judged_as_well() {
    let house = House::new();
    let wrong = json!({"url": "ftp://acme.example/", "events": ["mfa.*"], "description": ""});
    assert_eq!(house.post(HOOKS, &wrong).await.pointers(), ["/url", "/description"]);
    assert_eq!(
        house.post(HOOKS, &json!({"url": "https://a.example/"})).await.pointers(),
        ["/events"]
    );
    let path = format!("{HOOKS}/{}", made(&house).await["id"].as_str().unwrap());
    let asked = house.gateway.changed.lock().unwrap().len();
    for (patch, pointer) in [
        (json!({"url": "https://169.254.169.254/latest/meta-data"}), "/url"),
        (json!({"url": "https://[::ffff:127.0.0.1]/"}), "/url"),
        (json!({"url": "https://u:p@acme.example/"}), "/url"),
        (json!({"url": null}), "/url"),
        (json!({"events": null}), "/events"),
        (json!({"enabled": null}), "/enabled"),
        (json!({"description": "a\nb"}), "/description"),
        (json!({"secret": "whsec_mine"}), "/secret"),
    ] {
        assert_eq!(house.patch(&path, &patch).await.pointers(), [pointer], "{patch}");
    }
    assert_eq!(house.gateway.changed.lock().unwrap().len(), asked, "none reached the core");
    for events in
        [json!([]), json!(["mfa..x"]), json!(["mfa.*.x"]), json!([".mfa"]), json!(["a b"])]
    {
        let answer = house.patch(&path, &json!({ "events": events })).await;
        assert!(answer.pointers()[0].starts_with("/events"), "{events}");
    }
    for events in [json!(["*"]), json!(["mfa.fac*"]), json!(["mfa.factor.*", "mfa.user.locked"])] {
        let answer = house.patch(&path, &json!({ "events": events })).await;
        assert_eq!(answer.json()["events"], events);
    }
}

#[tokio::test]
async fn webhooks_are_listed_oldest_first_page_by_page_without_secrets() {
    let house = House::new();
    let mut ids = vec![house.get(HOOKS).await.json()["data"][0]["id"].clone()];
    for _ in 0..3 {
        house.clock.advance(1_000);
        ids.push(made(&house).await["id"].clone());
    }
    let mut seen = Vec::new();
    let mut path = format!("{HOOKS}?limit=2");
    loop {
        let page = house.get(&path).await;
        assert!(!page.text().contains("whsec_"), "{}", page.text());
        let page = page.json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("{HOOKS}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn an_old_secret_signs_for_a_day_unless_the_caller_says_otherwise() {
    let house = House::new();
    let path = format!("{HOOKS}/{}/rotate-secret", made(&house).await["id"].as_str().unwrap());
    for (body, seconds) in [
        (json!({}), 86_400),
        (json!({"overlapSeconds": 0}), 0),
        (json!({"overlapSeconds": 604_800}), 604_800),
    ] {
        assert_eq!(house.post(&path, &body).await.status, 200, "{body}");
        let (_, _, command) = house.gateway.changed.lock().unwrap().last().cloned().unwrap();
        let TenantCommand::RotateWebhookSecret { overlap_seconds, .. } = command else { panic!() };
        assert_eq!(overlap_seconds, seconds);
    }
    for odd in [json!(604_801), json!(-1), json!("day"), json!(1.5)] {
        let answer = house.post(&path, &json!({ "overlapSeconds": odd })).await;
        assert_eq!(answer.pointers(), ["/overlapSeconds"], "{odd}");
    }
}

#[tokio::test]
async fn deliveries_show_how_they_stand_and_come_in_pages() {
    let house = House::new();
    let webhook = made(&house).await;
    let path = format!("{HOOKS}/{}/deliveries", webhook["id"].as_str().unwrap());
    let page = house.get(&format!("{path}?limit=3&cursor=abc")).await.json();
    assert_eq!(page["nextCursor"], "next");
    let expected = json!({
        "id": DELIVERY.to_string(), "eventId": "evt_3_42", "eventType": "mfa.challenge.failed",
        "status": "PENDING", "attempts": 2, "since": "2026-01-31T12:00:00.000Z",
        "lastAttemptAt": "2026-01-31T12:00:05.000Z", "nextAttemptAt": "2026-01-31T12:01:05.000Z",
        "lastStatus": 503, "lastError": null,
    });
    assert_eq!(page["data"], json!([expected]));
    let (tenant, id, cursor, limit) = house.gateway.deliveries.lock().unwrap()[0].clone();
    assert_eq!(
        (tenant.as_str(), id.to_string()),
        ("default", webhook["id"].as_str().unwrap().to_owned())
    );
    assert_eq!((cursor.as_deref(), limit), (Some("abc"), 3));
    assert_eq!(house.get(&format!("{path}?limit=201")).await.pointers(), ["/limit"]);
}

#[tokio::test]
async fn a_delivery_is_tried_anew_by_its_own_webhooks_tenant_alone() {
    let house = House::new();
    let webhook = made(&house).await;
    let path = |delivery: &str| {
        format!("{HOOKS}/{}/deliveries/{delivery}/redeliver", webhook["id"].as_str().unwrap())
    };
    let own = path(&DELIVERY.to_string());
    let knock = house.knock("POST", &own).key(KEY).header("idempotency-key", "once");
    let accepted = knock.send().await;
    assert_eq!((accepted.status.as_u16(), accepted.json()), (202, json!({})));
    let (caller, _, delivery) = house.gateway.redelivered.lock().unwrap()[0].clone();
    assert!(caller.idempotency.is_some() && delivery == DELIVERY);
    // Neither another tenant's webhook nor an id that names nothing gets as far.
    assert_eq!(house.knock("POST", &own).key(OTHER_KEY).send().await.problem(), "not_found");
    assert_eq!(house.post(&path("dlv_x"), &json!({})).await.problem(), "not_found");
    assert_eq!(house.gateway.redelivered.lock().unwrap().len(), 1);
    let unknown = path("dlv_04208104208104208104208104");
    assert_eq!(house.post(&unknown, &json!({})).await.problem(), "not_found");
}

#[tokio::test]
async fn an_event_is_told_as_the_audit_log_shows_it_without_what_verifies_it_offline() {
    let house = House::new();
    let mut shown = house.get("/v1/audit").await.json()["data"][0].clone();
    let body = webhook_body(&audit_row());
    assert_eq!(body["type"], "mfa.challenge.failed");
    assert_eq!(body["timestamp"], "2026-01-31T12:00:00.000Z");
    shown.as_object_mut().unwrap().remove("proof").unwrap();
    assert_eq!(body["data"], shown);
    assert_eq!(body.as_object().unwrap().len(), 3);
    assert_eq!(
        body.to_string(),
        webhook_body(&audit_row()).to_string(),
        "the same bytes each time"
    );
}
