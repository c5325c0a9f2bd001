//! `/v1/portal`.

use serde_json::{Value, json};

use super::browser::{Browser, HOST, ORIGIN, challenge, enrolled, leads_to, link, result};
use crate::house::{House, KEY, OTHER_KEY};

async fn asked(house: &House, body: &Value) -> crate::house::Answer {
    house.knock("POST", "/v1/portal/sessions").key(KEY).header("host", HOST).json(body).send().await
}

#[tokio::test]
async fn a_link_leads_to_the_configured_address_or_else_to_the_host_that_was_asked() {
    let body = json!({"userId": "ann", "purpose": "MANAGE", "returnUrl": ORIGIN});
    for (public_url, host, origin) in [
        (Some("https://mfa.acme.example"), "10.0.0.7:8081", "https://mfa.acme.example"),
        (None, "localhost:8080", "http://localhost:8080"),
        (None, "127.0.0.1:8080", "http://127.0.0.1:8080"),
        (None, "mfa.acme.example", "https://mfa.acme.example"),
        (None, "MFA.acme.example:8443", "https://mfa.acme.example:8443"),
    ] {
        let house = House::with(|options| options.public_url = public_url.map(str::to_owned));
        let knock = house.knock("POST", "/v1/portal/sessions").key(KEY).header("host", host);
        let answer = knock.json(&body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let url = answer.json()["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with(&format!("{origin}/portal/open/pts_")), "{url}");
        assert_eq!(answer.json()["expiresAt"], "2026-01-31T12:10:00.000Z");
    }
    let house = House::new();
    for host in ["a.example/evil", "u@a.example", "a.example?x", "a b"] {
        let knock = house.knock("POST", "/v1/portal/sessions").key(KEY).header("host", host);
        assert_eq!(knock.json(&body).send().await.problem(), "invalid_request", "{host}");
    }
}

#[tokio::test]
async fn the_way_back_is_an_address_of_an_origin_that_the_settings_name() {
    let house = House::new();
    for back in [
        "https://evil.example/",
        "http://localhost:8080.evil.example/",
        "http://localhost:8080@evil.example/",
        "http://user@localhost:8080/",
        "http:\\\\evil.example/localhost:8080",
        "//localhost:8080/",
        "/back",
        "javascript:alert(1)//localhost:8080",
        "http://localhost:8080/?countersign_result=mine",
        "",
    ] {
        let body = json!({"userId": "ann", "purpose": "MANAGE", "returnUrl": back});
        assert_eq!(asked(&house, &body).await.pointers(), ["/returnUrl"], "{back}");
    }
}

/// A single-page application whose OAuth library watches its address takes any `code` for its own.
#[tokio::test]
async fn the_code_comes_back_under_a_name_of_ours_or_on_request_as_code() {
    let house = House::new();
    for (asked_for, comes_as) in [
        (None, "countersign_result"),
        (Some("countersign_result"), "countersign_result"),
        (Some("code"), "code"),
    ] {
        let mut body = json!({"userId": "ann", "purpose": "MANAGE", "returnUrl": ORIGIN});
        if let Some(name) = asked_for {
            body["resultParameter"] = name.into();
        }
        let answer = asked(&house, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let url = answer.json()["url"].as_str().unwrap().to_owned();
        let mut browser = Browser::new(&house);
        browser.open(url.strip_prefix(ORIGIN).unwrap()).await;
        let answer = browser.send("/portal/finish", &[]).await;
        let address = leads_to(&answer);
        let code = address.strip_prefix(&format!("{ORIGIN}/?{comes_as}=")).unwrap();
        assert_eq!(result(&house, code).await["status"], "COMPLETED", "{asked_for:?}");
    }
    // Where it is another's name, the application's own parameter of that name stays.
    let mut body = json!({
        "userId": "ann", "purpose": "MANAGE", "returnUrl": format!("{ORIGIN}/?code=mine"),
    });
    assert_eq!(asked(&house, &body).await.status, 201);
    body["resultParameter"] = "code".into();
    assert_eq!(asked(&house, &body).await.pointers(), ["/returnUrl"]);
    body["resultParameter"] = "other".into();
    assert_eq!(asked(&house, &body).await.pointers(), ["/resultParameter"]);
}

#[tokio::test]
async fn a_purpose_and_a_challenge_have_to_fit() {
    let house = House::new();
    enrolled(&house).await;
    let chl = challenge(&house).await;
    let body = |purpose: &str, challenge: Option<&str>| {
        let mut body = json!({"userId": "ann", "purpose": purpose, "returnUrl": ORIGIN});
        if let Some(challenge) = challenge {
            body["challengeId"] = challenge.into();
        }
        body
    };
    assert_eq!(asked(&house, &body("CHALLENGE", None)).await.pointers(), ["/challengeId"]);
    assert_eq!(asked(&house, &body("MANAGE", Some(&chl))).await.pointers(), ["/challengeId"]);
    assert_eq!(asked(&house, &body("ENROLL", Some(&chl))).await.problem(), "conflict");
    let unknown = asked(&house, &body("CHALLENGE", Some("chl_none"))).await;
    assert_eq!(unknown.problem(), "challenge_not_found");
    let mut others = body("CHALLENGE", Some(&chl));
    others["userId"] = "bob".into();
    assert_eq!(asked(&house, &others).await.problem(), "challenge_not_found");
    house.clock.advance(300_000);
    let late = asked(&house, &body("CHALLENGE", Some(&chl))).await;
    assert_eq!(late.problem(), "challenge_expired");
}

#[tokio::test]
async fn a_result_is_fetched_once_and_by_its_own_tenant() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    let code = browser.leave("/portal/finish", &[]).await;
    let other = house.knock("POST", "/v1/portal/results").key(OTHER_KEY);
    let other = other.json(&json!({ "code": &code })).send().await;
    assert_eq!(other.problem(), "not_found");
    let answer = result(&house, &code).await;
    assert_eq!(
        answer,
        json!({
            "status": "COMPLETED", "purpose": "MANAGE", "userId": "ann", "challengeId": null,
            "factorId": null, "tokens": null, "deviceToken": null, "deviceTokenExpiresAt": null,
        })
    );
    let again = house.post("/v1/portal/results", &json!({ "code": &code })).await;
    assert_eq!(again.problem(), "not_found");
}

#[tokio::test]
async fn what_is_no_code_is_as_unknown_as_one_that_nobody_has() {
    let house = House::new();
    let open = link(&house, "MANAGE", None).await;
    let pass = open.strip_prefix("/portal/open/").unwrap();
    let stranger = "pcd_0c1g60o30c1g60o30c1g60o30c.0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";
    for code in ["", "x", "pcd_", pass, &pass.replace("pts_", "pcd_"), stranger] {
        let answer = house.post("/v1/portal/results", &json!({ "code": code })).await;
        assert_eq!(answer.problem(), "not_found", "{code}");
    }
}
