//! Opening links, and what a browser holds from then on.

use super::browser::{Browser, HOST, link};
use crate::house::House;

#[tokio::test]
async fn a_link_gives_a_cookie_that_scripts_cannot_read_and_leads_on_without_itself() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    let answer = house.knock("GET", &link).header("host", HOST).send().await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/portal");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let cookie = answer.header("set-cookie");
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/portal; Max-Age=1800; HttpOnly; SameSite=Lax");
    // The browser's secret is not the link's.
    let of_link = link.rsplit_once('.').unwrap().1;
    assert!(value.starts_with("countersign_portal=pts_") && !value.contains(of_link));
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_tls_alone() {
    let house = House::with(|options| {
        options.public_url = Some("https://mfa.acme.example".to_owned());
    });
    let body = serde_json::json!({
        "userId": "ann", "purpose": "MANAGE", "returnUrl": "http://localhost:8080/",
    });
    let url = house.post("/v1/portal/sessions", &body).await.json()["url"].clone();
    let path = url.as_str().unwrap().strip_prefix("https://mfa.acme.example").unwrap();
    let answer = house.knock("GET", path).send().await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Secure-countersign_portal=pts_"), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    // The name without the prefix could have been set by anybody on the way.
    let plain = cookie.split(';').next().unwrap().replace("__Secure-", "");
    let answer = house.knock("GET", "/portal").header("cookie", &plain).send().await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_link_that_was_opened_leads_its_own_browser_on_and_tells_others_so() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    let mut browser = Browser::new(&house);
    browser.open(&link).await;
    browser.open(&link).await;
    browser.shows("Security settings");
    let mut other = Browser::new(&house);
    let answer = other.get(&link).await;
    assert_eq!(answer.status, 410);
    assert!(answer.text().contains("opened before"), "{}", answer.text());
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn whoever_only_looks_ahead_uses_no_link_up() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    assert_eq!(house.knock("HEAD", &link).header("host", HOST).send().await.status, 503);
    for header in ["sec-purpose", "purpose"] {
        let knock = house.knock("GET", &link).header("host", HOST);
        let answer = knock.header(header, "prefetch;prerender").send().await;
        assert_eq!(answer.status, 503, "{header}");
    }
    Browser::new(&house).open(&link).await;
}

#[tokio::test]
async fn a_link_that_is_too_old_or_none_at_all_has_a_page_that_says_so() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    house.clock.advance(600_000);
    let mut browser = Browser::new(&house);
    let late = browser.get(&link).await;
    assert_eq!(late.status, 410);
    assert!(late.text().contains("took a little too long"), "{}", late.text());
    assert!(late.text().contains("href=\"http://localhost:8080\""), "{}", late.text());
    let (id, _) = link.split_once('.').unwrap();
    let secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";
    for odd in [
        "/portal/open/x".to_owned(),
        format!("{id}.default.{secret}"),
        format!("{id}.other.{secret}"),
        format!("{id}.nobody.{secret}"),
        format!("{link}x"),
    ] {
        let answer = browser.get(&odd).await;
        assert_eq!(answer.status, 404, "{odd}");
        assert!(answer.text().contains("doesn’t work"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_browser_without_a_session_sees_no_page_of_one() {
    let house = House::new();
    let browser = Browser::sent(&house, "MANAGE", None).await;
    let (name, value) = browser.cookie.split_once('=').unwrap();
    let (id, rest) = value.split_once('.').unwrap();
    let (tenant, _) = rest.split_once('.').unwrap();
    let guess = "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";
    for cookie in [
        String::new(),
        format!("{name}="),
        format!("{name}={id}.{tenant}.{guess}"),
        format!("{name}={}", value.replace(".default.", ".other.")),
        format!("{name}={}", value.replace(".default.", ".nobody.")),
        format!("other={value}"),
    ] {
        for path in ["/portal", "/portal/add", "/portal/devices", "/portal/recovery-codes"] {
            let knock = house.knock("GET", path).header("host", HOST).header("cookie", &cookie);
            let answer = knock.send().await;
            assert_eq!(answer.status, 404, "{cookie} {path}");
            assert!(answer.text().contains("Nothing is open here"), "{}", answer.text());
        }
    }
    let other = format!("x=1; {}; y=2", browser.cookie);
    let knock = house.knock("GET", "/portal").header("host", HOST).header("cookie", &other);
    assert_eq!(knock.send().await.status, 200);
}

#[tokio::test]
async fn a_session_that_ended_says_so_and_leads_back() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    let held = browser.cookie.clone();
    browser.leave("/portal/finish", &[]).await;
    assert_eq!(browser.cookie, "countersign_portal=", "the browser holds nothing any more");
    browser.cookie = held;
    let answer = browser.get("/portal").await;
    assert_eq!(answer.status, 410);
    assert!(answer.text().contains("finished here"), "{}", answer.text());
}

#[tokio::test]
async fn there_is_no_page_but_those_that_there_are() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    for path in ["/portal/none", "/portal/add/fax", "/portal/open"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    assert_eq!(browser.get("/portal/").await.header("location"), "/portal");
}
