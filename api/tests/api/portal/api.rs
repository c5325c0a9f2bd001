//! `/v1/portal`.

use countersign_actors::gateway::Question;
use countersign_core::command::Command;
use countersign_core::portal::PortalCommand;
use serde_json::{Value, json};

use super::browser::{Browser, HOST, ORIGIN, challenge, enrolled, leads_to, link, result};
use crate::house::{House, KEY, OTHER_KEY};

async fn asked(house: &House, body: &Value) -> crate::house::Answer {
    house.knock("POST", "/v1/portal/sessions").key(KEY).header("host", HOST).json(body).send().await
}

#[tokio::test]
async fn a_link_leads_to_the_configured_address_or_else_to_this_machine() {
    let body = json!({"userId": "ann", "purpose": "MANAGE", "returnUrl": ORIGIN});
    for (public_url, host, origin) in [
        (Some("https://mfa.acme.example"), "10.0.0.7:8081", "https://mfa.acme.example"),
        (None, "localhost:8080", "http://localhost:8080"),
        (None, "127.0.0.1:8080", "http://127.0.0.1:8080"),
        (None, "app.localhost:8080", "http://app.localhost:8080"),
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
    // Any other host could be written by anybody.
    for host in ["mfa.acme.example", "10.0.0.7:8081", "evil.example", "u@localhost", "localhost/x"]
    {
        let knock = house.knock("POST", "/v1/portal/sessions").key(KEY).header("host", host);
        let answer = knock.json(&body).send().await;
        assert_eq!(answer.problem(), "invalid_request", "{host}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("`public_url`"), "{host}");
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

#[tokio::test]
async fn the_pages_know_where_a_browser_is_and_the_application_may_say_it() {
    let house = House::with(|options| {
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let header = countersign_api::ForwardedHeader::XForwardedFor;
        options.trusted_proxies = countersign_api::TrustedProxies { networks, header };
    });
    let mut body = json!({
        "userId": "ann", "purpose": "MANAGE", "returnUrl": ORIGIN,
        "context": {"ipAddress": "2001:db8::7", "userAgent": "Browser/1"},
    });
    let answer = asked(&house, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let (_, _, question) = house.gateway.last();
    let Question::Do(Command::Portal(command)) = question else { panic!("{question:?}") };
    let PortalCommand::Create { browser, .. } = *command else { panic!("{command:?}") };
    assert_eq!(browser.ip_address, "2001:db8::7".parse().ok());
    assert_eq!(browser.user_agent.as_deref(), Some("Browser/1"));

    let url = answer.json()["url"].as_str().unwrap().to_owned();
    let link = url.strip_prefix(ORIGIN).unwrap();
    let knock = house.knock("POST", link).header("host", HOST).header("origin", ORIGIN);
    let knock = knock.from("10.0.0.1").header("x-forwarded-for", "192.0.2.66, 203.0.113.9");
    let opened = knock.send().await;
    assert_eq!(opened.status, 303, "{}", opened.text());
    let first = opened.header("location").to_owned();
    assert_eq!(house.gateway.last().0.address, "203.0.113.9".parse().ok());
    let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = house.knock("GET", &first).header("host", HOST).header("cookie", &cookie);
    assert_eq!(page.from("198.51.100.9").send().await.status, 200);
    assert_eq!(house.gateway.last().0.address, "198.51.100.9".parse().ok());

    body["context"] = json!({"deviceToken": "x"});
    assert_eq!(asked(&house, &body).await.problem(), "validation_failed");
}
