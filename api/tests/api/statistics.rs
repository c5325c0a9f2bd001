//! What happened lately, and whom a change of policy would affect.

use countersign_core::statistics::Window;
use serde_json::{Value, json};

use crate::house::{House, OTHER_KEY};

#[tokio::test]
async fn a_window_is_an_hour_unless_a_day_is_asked_for() {
    let house = House::new();
    assert_eq!(house.get("/v1/statistics").await.json()["window"], "1h");
    assert_eq!(house.get("/v1/statistics?window=24h").await.json()["slotSeconds"], 900);
    house.knock("GET", "/v1/statistics?window=1h").key(OTHER_KEY).send().await;
    let asked = house.gateway.counted.lock().unwrap().clone();
    let asked: Vec<(&str, Window)> = asked.iter().map(|(id, it)| (id.as_str(), *it)).collect();
    let (hour, day) = (Window::Hour, Window::Day);
    assert_eq!(asked, [("default", hour), ("default", day), ("other", hour)]);
    for odd in ["window=2h", "window=", "since=1h", "limit=3"] {
        let answer = house.get(&format!("/v1/statistics?{odd}")).await;
        let name = odd.split_once('=').unwrap().0;
        assert_eq!(answer.pointers(), [format!("/{name}")], "{odd}");
    }
}

#[tokio::test]
async fn the_slots_stand_beside_their_sum() {
    let body = House::new().get("/v1/statistics").await.json();
    assert_eq!(body["slots"].as_array().unwrap().len(), 2);
    assert_eq!(body["slots"][1]["at"], "2026-01-31T12:00:00.000Z");
    assert_eq!(body["slots"][0]["logins"], 0);
    for place in [&body["slots"][1], &body["total"]] {
        assert_eq!((&place["logins"], &place["failures"]), (&json!(3), &json!(1)));
    }
    assert_eq!(body["countedSince"], Value::Null);
}

#[tokio::test]
async fn a_preview_tells_whom_a_change_would_affect_and_changes_nothing() {
    let house = House::new();
    house.put("/v1/users/ann", &json!({"groups": ["admins"]})).await;
    house.put("/v1/users/bob", &json!({})).await;
    let import = json!({"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"});
    assert_eq!(house.post("/v1/users/bob/mfa/totp/import", &import).await.status, 201);
    let other = house.knock("PUT", "/v1/users/eve").key(OTHER_KEY).json(&json!({}));
    assert_eq!(other.send().await.status, 201);
    let before = house.get("/v1/mfa/policy").await.json();

    let preview = "/v1/mfa/policy/preview";
    let required = house.post(preview, &json!({"requirement": "REQUIRED"})).await.json();
    assert_eq!((&required["users"], &required["scanned"]), (&json!(2), &json!(2)));
    assert_eq!(required["complete"], true);
    // Bob is asked either way; Ann has nothing and would have to enroll.
    assert_eq!(required["affected"], 1);
    assert_eq!(required["challenged"], json!({"before": 1, "after": 1}));
    assert_eq!(required["mustEnroll"], json!({"before": 0, "after": 1}));
    assert_eq!(required["notAsked"], json!({"before": 1, "after": 0}));
    assert_eq!(required["withoutUsableFactor"], json!({"before": 1, "after": 1}));

    let rule = json!({"groups": [{"group": "admins", "requirement": "REQUIRED"}],
                      "gracePeriod": {"value": 7, "unit": "DAYS"}});
    let graced = house.post(preview, &rule).await.json();
    assert_eq!(graced["inGrace"], json!({"before": 0, "after": 1}));
    let keys = json!({"allowedFactors": ["WEBAUTHN"], "requirement": "RISK_BASED"});
    let keys = house.post(preview, &keys).await.json();
    assert_eq!(keys["challengedAtRisk"], json!({"before": 0, "after": 2}));
    assert_eq!(keys["withoutUsableFactor"], json!({"before": 1, "after": 2}));
    assert_eq!(house.get("/v1/mfa/policy").await.json(), before);
    assert!(house.gateway.changed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_preview_is_refused_as_the_change_would_be() {
    let house = House::new();
    for body in [
        json!({"allowedFactors": []}),
        json!({"version": 99}),
        json!({"lockout": {"hardLimit": 2}}),
        json!({"gracePeriod": {"value": 400}}),
        json!({"requirement": null}),
    ] {
        let preview = house.post("/v1/mfa/policy/preview", &body).await;
        let change = house.patch("/v1/mfa/policy", &body).await;
        assert_ne!(change.status, 200, "{body}");
        assert_eq!(preview.status, change.status, "{body}: {}", preview.text());
        assert_eq!(preview.json()["errors"], change.json()["errors"], "{body}");
    }
}
