//! Enrolling, sending and confirming by SMS and email, and what a caller is told on the way. The
//! core decides; nothing is sent.

use serde_json::{Value, json};

use crate::house::House;

const SMS: &str = "/v1/users/ann/mfa/sms";
const EMAIL: &str = "/v1/users/ann/mfa/email";

#[tokio::test]
async fn a_number_waits_for_its_code_and_the_code_is_in_no_answer() {
    let house = House::new();
    let begun = house.post(SMS, &json!({"phoneNumber": "+14155552671", "name": "Phone"})).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    assert_eq!(begun.json()["maskedDestination"], "+•••••••71");
    let sent = house.post(&format!("{SMS}/send"), &json!({})).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    let body = sent.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["expiresAt", "factorId", "maskedDestination", "resendAvailableAt"]);
    assert_eq!(body["factorId"], begun.json()["factorId"]);
    let wrong = house.post(&format!("{SMS}/verify"), &json!({"code": "000000"})).await;
    assert_eq!((wrong.status.as_u16(), wrong.problem().as_str()), (422, "invalid_code"));
}

#[tokio::test]
async fn the_next_code_has_to_be_waited_for_and_the_answer_says_how_long() {
    let house = House::new();
    house.post(SMS, &json!({"phoneNumber": "+14155552671"})).await;
    house.post(&format!("{SMS}/send"), &json!({})).await;
    let early = house.post(&format!("{SMS}/send"), &json!({})).await;
    assert_eq!((early.status.as_u16(), early.problem().as_str()), (429, "too_many_sends"));
    assert_eq!(early.json()["retryAfterSeconds"], 30);
    assert_eq!(early.header("retry-after"), "30");
}

#[tokio::test]
async fn a_number_that_cannot_be_sent_to_is_named_with_the_reason() {
    let house = House::new();
    for (number, part) in [
        ("4155552671", "E.164"),
        ("+1 415 call me", "E.164"),
        ("+999123456789", "numbering plan"),
        ("+19005552671", "premium"),
        ("+1 800 555 2671", "toll-free"),
        ("+44 7012 345678", "personal"),
    ] {
        let refused = house.post(SMS, &json!({"phoneNumber": number})).await;
        assert_eq!(refused.problem(), "validation_failed", "{number}");
        let error: Value = refused.json()["errors"][0].clone();
        assert_eq!(error["pointer"], "/phoneNumber", "{number}");
        assert!(error["detail"].as_str().unwrap().contains(part), "{number}: {error}");
    }
}

#[tokio::test]
async fn an_address_must_be_verified_before_it_is_a_factor() {
    let house = House::new();
    let refused = house.post(EMAIL, &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (422, "email_not_verified"));
    let profile = json!({"email": "ann@acme.example", "emailVerified": true});
    house.put("/v1/users/ann", &profile).await;
    let begun = house.post(EMAIL, &json!({"name": "Mailbox"})).await;
    assert_eq!(begun.json()["maskedDestination"], "a•••@acme.example");
}

#[tokio::test]
async fn sending_needs_something_to_send_to() {
    let house = House::new();
    house.put("/v1/users/ann", &json!({})).await;
    for path in [SMS, EMAIL] {
        let refused = house.post(&format!("{path}/send"), &json!({})).await;
        assert_eq!(refused.problem(), "no_pending_enrollment");
    }
}

#[tokio::test]
async fn a_policy_blocks_countries_and_shows_all_its_limits() {
    let house = House::new();
    let patch = json!({"sends": {"blockedCountries": ["US"], "perPrefixPerHour": 7,
        "conversion": {"minPercent": 5}}});
    let patched = house.patch("/v1/mfa/policy", &patch).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    let sends = patched.json()["sends"].clone();
    assert_eq!(sends["blockedCountries"], json!(["US"]));
    assert_eq!(sends["perPrefixPerHour"], 7);
    assert_eq!(sends["conversion"], json!({"enabled": true, "minSends": 30, "minPercent": 5}));
    assert_eq!(sends["perDay"], 20, "what is left out stays");
    let read = house.get("/v1/mfa/policy").await;
    assert_eq!(read.json()["sends"], sends);
    let refused = house.post(SMS, &json!({"phoneNumber": "+14155552671"})).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "factor_not_allowed"));
    let odd = house.patch("/v1/mfa/policy", &json!({"sends": {"allowedCountries": ["usa"]}})).await;
    assert_eq!(odd.json()["errors"][0]["pointer"], "/sends/allowedCountries/0");
}

#[tokio::test]
async fn words_must_carry_the_code_and_null_goes_back_to_ours() {
    let house = House::new();
    let house = &house;
    let set =
        async |messages: Value| house.patch("/v1/settings", &json!({ "messages": messages })).await;
    let own = "{{code}} is your {{issuer}} code.";
    assert_eq!(set(json!({"smsText": own})).await.json()["messages"]["smsText"], own);
    for (messages, part) in [
        (json!({"smsText": "hello"}), "{{code}}"),
        (json!({"smsText": "{{code}} {{name}}"}), "braces"),
        (json!({"emailSubject": "a\nBcc: b@c.example"}), "one line"),
    ] {
        let refused = set(messages.clone()).await;
        assert_eq!(refused.problem(), "validation_failed", "{messages}");
        let detail = refused.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(part), "{messages}: {detail}");
    }
    assert_eq!(set(json!({"smsText": null})).await.json()["messages"]["smsText"], Value::Null);
    let alerts = house.patch("/v1/settings", &json!({"alerts": {"addressUsers": 0}})).await;
    assert_eq!(alerts.json()["alerts"]["addressUsers"], 0);
    assert_eq!(alerts.json()["alerts"]["bruteForceAttempts"], 10);
}
