//! Forms that no page of ours sent.

use super::browser::{Browser, HOST, ORIGIN, enrolled};
use crate::house::{Answer, House};

/// Sends the form that ends a session, with these headers.
async fn sent(browser: &Browser<'_>, headers: &[(&str, &str)], body: &str) -> Answer {
    let path = browser.at("/portal/finish");
    let mut knock = browser.house.knock("POST", &path).header("host", HOST);
    knock = knock.header("cookie", &browser.cookie);
    for (name, value) in headers {
        knock = knock.header(name, value);
    }
    knock.raw("application/x-www-form-urlencoded", body).send().await
}

/// Nothing was asked of the core, and the page is one for a person.
fn assert_forged(house: &House, before: usize, answer: &Answer) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("didn’t come from this page"), "{}", answer.text());
    assert_eq!(house.gateway.asked.lock().unwrap().len(), before);
}

fn asked(house: &House) -> usize {
    house.gateway.asked.lock().unwrap().len()
}

#[tokio::test]
async fn a_form_without_the_sessions_token_does_nothing() {
    let house = House::new();
    let browser = Browser::sent(&house, "MANAGE", None).await;
    let other = Browser::sent(&house, "MANAGE", None).await;
    let before = asked(&house);
    let others = other.body("/portal/finish", &[]);
    for body in ["token=", "token=x&once=y", &others] {
        assert_forged(&house, before, &sent(&browser, &[("origin", ORIGIN)], body).await);
    }
    // One without any token cannot be read.
    let answer = sent(&browser, &[("origin", ORIGIN)], "once=y").await;
    assert_eq!((answer.status.as_u16(), asked(&house)), (400, before));
    let own = browser.body("/portal/finish", &[]);
    assert_eq!(sent(&browser, &[("origin", ORIGIN)], &own).await.status, 200);
}

#[tokio::test]
async fn a_form_from_another_origin_does_nothing_even_with_the_token() {
    let house = House::new();
    let browser = Browser::sent(&house, "MANAGE", None).await;
    let body = browser.body("/portal/finish", &[]);
    let before = asked(&house);
    for headers in [
        [("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        [("origin", "null"), ("sec-fetch-site", "same-origin")],
        [("origin", "http://localhost:8081"), ("sec-fetch-site", "same-origin")],
        [("origin", "https://localhost:8080"), ("sec-fetch-site", "same-origin")],
        [("origin", ORIGIN), ("sec-fetch-site", "cross-site")],
        [("origin", ORIGIN), ("sec-fetch-site", "same-site")],
        [("origin", ORIGIN), ("sec-fetch-site", "none")],
    ] {
        assert_forged(&house, before, &sent(&browser, &headers, &body).await);
    }
    // A browser that says neither is an old one; the token is enough.
    assert_eq!(sent(&browser, &[], &body).await.status, 200);
}

#[tokio::test]
async fn the_pages_of_keys_take_the_token_from_a_header_that_no_form_has() {
    let house = House::new();
    let browser = Browser::sent(&house, "ENROLL", None).await;
    let fields = browser.hidden("/portal/finish");
    let (_, token) = fields.iter().find(|(name, _)| name == "token").unwrap();
    let before = asked(&house);
    let knock = |headers: &[(&str, &str)]| {
        let path = browser.at("/portal/key/create");
        let mut knock = house.knock("POST", &path).header("host", HOST);
        knock = knock.header("cookie", &browser.cookie).raw("application/json", "{}");
        for (name, value) in headers {
            knock = knock.header(name, value);
        }
        knock.send()
    };
    for headers in [
        &[("origin", ORIGIN)][..],
        &[("origin", ORIGIN), ("x-portal-token", "x")],
        &[("origin", "https://evil.example"), ("x-portal-token", token)],
    ] {
        let answer = knock(headers).await;
        assert_eq!((answer.status.as_u16(), asked(&house)), (403, before), "{headers:?}");
    }
    let answer = knock(&[("origin", ORIGIN), ("x-portal-token", token)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["rp"]["id"], "localhost");
}

#[tokio::test]
async fn the_token_tells_nothing_of_the_secret_that_it_comes_from() {
    let house = House::new();
    let browser = Browser::sent(&house, "MANAGE", None).await;
    let secret = browser.cookie.rsplit_once('.').unwrap().1;
    assert!(!browser.page.contains(secret), "a page never shows what the cookie hides");
}

/// Whether an answer leads to a page of the session, and so to none of another host.
fn stays(browser: &Browser<'_>, answer: &Answer) -> bool {
    answer.header("location").strip_prefix(&browser.base).is_some_and(|rest| !rest.contains('.'))
}

#[tokio::test]
async fn a_page_leads_nowhere_but_to_pages_of_ours() {
    let house = House::new();
    let (app, _) = enrolled(&house).await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/../v1",
        "portal",
        "/add?x=//evil.example",
        "/%2f%2fevil.example",
        "javascript:alert(1)",
    ] {
        let mut browser = Browser::sent(&house, "MANAGE", None).await;
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        browser.go(&format!("/portal/verify?next={encoded}")).await;
        house.clock.advance(30_000);
        let code = app.code(house.now());
        let answer = browser.send("/portal/answer", &[("code", &code)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert!(stays(&browser, &answer), "{next}: {}", answer.header("location"));
        // Nor does a form whose hidden field somebody changed.
        let mut browser = Browser::sent(&house, "MANAGE", None).await;
        browser.go("/portal/verify").await;
        house.clock.advance(30_000);
        let code = app.code(house.now());
        let body = browser.body("/portal/answer", &[("code", &code)]);
        let body = body.replace("next=%2F", &format!("next={encoded}"));
        let answer = browser.send_raw("/portal/answer", body).await;
        assert!(stays(&browser, &answer), "{next}: {}", answer.header("location"));
    }
}

#[tokio::test]
async fn the_same_form_sent_twice_is_one_request_and_a_changed_one_another() {
    let house = House::new();
    let (_, _) = enrolled(&house).await;
    let challenge = super::browser::challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&challenge)).await;
    let keys = || {
        let asked = house.gateway.asked.lock().unwrap();
        let keys: Vec<_> = asked.iter().filter_map(|(caller, ..)| caller.idempotency).collect();
        keys
    };
    let before = keys().len();
    let one = browser.body("/portal/answer", &[("code", "000000")]);
    let other = browser.body("/portal/answer", &[("code", "000001")]);
    for body in [&one, &one, &other] {
        browser.send_raw("/portal/answer", body.clone()).await;
    }
    // What only looks needs no key; a refused answer is looked at again.
    let mut answers = keys().split_off(before);
    answers.dedup();
    let distinct: std::collections::BTreeSet<_> = answers.iter().map(|it| it.key).collect();
    assert!(distinct.len() >= 2, "{answers:?}");
    let of = |body: &str| {
        let pairs = url::form_urlencoded::parse(body.as_bytes());
        let once = pairs.into_owned().find(|(name, _)| name == "once");
        once.unwrap().1
    };
    assert_eq!(of(&one), of(&other), "one page, one name; the typed code tells them apart");
}
