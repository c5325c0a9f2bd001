//! Opening links, and what a browser holds from then on.

use countersign_actors::gateway::Question;
use countersign_core::command::Command;
use countersign_core::portal::PortalCommand;
use serde_json::json;

use super::browser::{Browser, HOST, ORIGIN, challenge, enrolled, left, link};
use crate::house::{Answer, House};

/// Sends the form of a link's page.
async fn opened(house: &House, link: &str, headers: &[(&str, &str)]) -> Answer {
    let mut knock = house.knock("POST", link).header("host", HOST);
    for (name, value) in headers {
        knock = knock.header(name, value);
    }
    knock.raw("application/x-www-form-urlencoded", "").send().await
}

#[tokio::test]
async fn a_link_gives_a_cookie_that_scripts_cannot_read_and_leads_on_without_itself() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    let answer = opened(&house, &link, &[("origin", ORIGIN)]).await;
    assert_eq!(answer.status, 303);
    let (id, _) = link.strip_prefix("/portal/open/").unwrap().split_once('.').unwrap();
    assert_eq!(answer.header("location"), format!("/portal/{id}"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let cookie = answer.header("set-cookie");
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/portal; Max-Age=1800; HttpOnly; SameSite=Lax");
    // The browser's secret is not the link's.
    let of_link = link.rsplit_once('.').unwrap().1;
    assert!(value.starts_with(&format!("countersign_portal_{id}={id}.")), "{value}");
    assert!(!value.contains(of_link));
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_very_host_alone() {
    let house = House::with(|options| {
        options.public_url = Some("https://mfa.acme.example".to_owned());
    });
    let body = serde_json::json!({
        "userId": "ann", "purpose": "MANAGE", "returnUrl": "http://localhost:8080/",
    });
    let url = house.post("/v1/portal/sessions", &body).await.json()["url"].clone();
    let path = url.as_str().unwrap().strip_prefix("https://mfa.acme.example").unwrap();
    let answer = opened(&house, path, &[]).await;
    let (cookie, attributes) = answer.header("set-cookie").split_once("; ").unwrap();
    assert!(cookie.starts_with("__Host-countersign_portal_pts_"), "{cookie}");
    assert_eq!(attributes, "Path=/; Secure; Max-Age=1800; HttpOnly; SameSite=Lax");
    // The name without the prefix could have been set by anybody on the way.
    let first = answer.header("location");
    for (cookie, status) in [(cookie.to_owned(), 200), (cookie.replace("__Host-", ""), 404)] {
        let answer = house.knock("GET", first).header("cookie", &cookie).send().await;
        assert_eq!(answer.status, status, "{cookie}");
    }
}

#[tokio::test]
async fn two_sessions_of_one_browser_do_not_take_each_others_forms() {
    let house = House::new();
    let one = Browser::sent(&house, "MANAGE", None).await;
    let other = Browser::sent(&house, "ENROLL", None).await;
    // The browser holds both, and a page of each is open.
    let both = format!("{}; {}", one.cookie, other.cookie);
    for mut tab in [one, other] {
        tab.cookie = both.clone();
        let answer = tab.send("/portal/finish", &[]).await;
        left(&answer);
        let (id, _) = answer.header("set-cookie").split_once('=').unwrap();
        assert!(tab.base.ends_with(id.strip_prefix("countersign_portal_").unwrap()), "{id}");
    }
}

/// A neighbour within the domain can plant a cookie, and one with a longer path is sent first.
#[tokio::test]
async fn a_planted_cookie_does_not_lead_into_a_strangers_session() {
    let house = House::new();
    let own = Browser::sent(&house, "ENROLL", None).await;
    let stranger = Browser::sent(&house, "ENROLL", None).await;
    let (own_name, _) = own.cookie.split_once('=').unwrap();
    let (_, strangers) = stranger.cookie.split_once('=').unwrap();
    let planted = format!("{}; {own_name}={strangers}; {}", stranger.cookie, own.cookie);
    let body = own.body("/portal/add/app", &[]);
    let mut browser = Browser { cookie: planted, ..own };
    house.gateway.asked.lock().unwrap().clear();
    let answer = browser.send_raw("/portal/add/app", body).await;
    assert_eq!(answer.header("location"), format!("{}/add/app", browser.base));
    let asked = house.gateway.asked.lock().unwrap();
    let portals = asked.iter().filter_map(|(_, _, question)| match question {
        Question::Do(Command::Portal(command)) => match &**command {
            PortalCommand::Act { portal, .. } => Some(portal.to_string()),
            _ => None,
        },
        _ => None,
    });
    let portals: Vec<_> = portals.collect();
    assert!(!portals.is_empty());
    assert!(portals.iter().all(|portal| browser.base.ends_with(portal)), "{portals:?}");
}

#[tokio::test]
async fn a_cookie_of_one_session_shows_no_page_of_another() {
    let house = House::new();
    let mut one = Browser::sent(&house, "MANAGE", None).await;
    let other = Browser::sent(&house, "MANAGE", None).await;
    let (name, _) = one.cookie.split_once('=').unwrap();
    let (_, value) = other.cookie.split_once('=').unwrap();
    for cookie in [other.cookie.clone(), format!("{name}={value}")] {
        one.cookie = cookie;
        let answer = one.get("/portal").await;
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("Nothing is open here"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_link_that_was_opened_leads_its_own_browser_on_and_tells_others_so() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    let mut browser = Browser::new(&house);
    browser.open(&link).await;
    assert_eq!(browser.get(&link).await.header("location"), browser.base);
    browser.open(&link).await;
    browser.shows("Security settings");
    let mut other = Browser::new(&house);
    for answer in [other.get(&link).await, other.send_raw(&link, String::new()).await] {
        assert_eq!(answer.status, 410);
        assert!(answer.text().contains("opened before"), "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
}

/// As scanners of mail do, and browsers that fetch ahead.
#[tokio::test]
async fn whoever_only_looks_uses_no_link_up() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    for method in ["HEAD", "GET"] {
        for header in [("accept", "*/*"), ("sec-purpose", "prefetch;prerender")] {
            let knock = house.knock(method, &link).header("host", HOST);
            let answer = knock.header(header.0, header.1).send().await;
            assert_eq!(answer.status, 200, "{method} {header:?}");
            assert_eq!(answer.header("set-cookie"), "");
        }
    }
    Browser::new(&house).open(&link).await;
}

#[tokio::test]
async fn a_link_opens_by_itself_only_for_whoever_comes_from_a_page_of_the_application() {
    let house = House::new();
    let origins = json!({"origins": [ORIGIN, "https://login.acme.example"]});
    assert_eq!(house.patch("/v1/settings", &origins).await.status, 200);
    let link = link(&house, "MANAGE", None).await;
    for (site, before, at_once) in [
        (Some("same-origin"), None, true),
        (Some("cross-site"), Some("https://login.acme.example/"), true),
        (Some("same-site"), Some("https://login.acme.example/sign-in?x=1"), true),
        (None, Some("http://localhost:8080/"), true),
        // A stranger's page, which leads here with a link of its own.
        (Some("cross-site"), Some("https://evil.example/"), false),
        (Some("cross-site"), Some("https://login.acme.example.evil.example/"), false),
        (Some("cross-site"), Some("https://login.acme.example@evil.example/"), false),
        (Some("same-site"), Some("https://neighbour.acme.example/"), false),
        (Some("same-site"), None, false),
        (Some("cross-site"), None, false),
        (Some("cross-site"), Some("null"), false),
        // A mail program.
        (Some("none"), None, false),
        (None, None, false),
    ] {
        let mut knock = house.knock("GET", &link).header("host", HOST);
        for (name, value) in [("sec-fetch-site", site), ("referer", before)] {
            if let Some(value) = value {
                knock = knock.header(name, value);
            }
        }
        let answer = knock.send().await;
        assert_eq!(answer.text().contains("data-at-once"), at_once, "{site:?} {before:?}");
        assert!(answer.text().contains("<form method=\"post\""), "{}", answer.text());
    }
}

/// An answer that was lost on its way is given again to the page that asked, and to no other.
#[tokio::test]
async fn a_form_of_a_links_page_that_is_sent_again_is_the_same_one() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    let mut browser = Browser::new(&house);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let page = browser.get(&link).await.text().to_owned();
        let (_, rest) = page.split_once("name=\"once\" value=\"").unwrap();
        let body = format!("once={}", rest.split_once('"').unwrap().0);
        keys.push([body.clone(), body]);
    }
    let mut kept = Vec::new();
    for body in keys.iter().flatten() {
        let knock = house.knock("POST", &link).header("host", HOST).header("origin", ORIGIN);
        knock.raw("application/x-www-form-urlencoded", body.clone()).send().await;
        kept.push(house.gateway.last().0.idempotency.unwrap());
    }
    assert_eq!(kept[0], kept[1]);
    assert_eq!(kept[2], kept[3]);
    assert_ne!(kept[0].key, kept[2].key);
    opened(&house, &link, &[("origin", ORIGIN)]).await;
    assert_eq!(house.gateway.last().0.idempotency, None);
}

#[tokio::test]
async fn no_page_of_somebody_else_opens_a_link() {
    let house = House::new();
    let link = link(&house, "MANAGE", None).await;
    for headers in [
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        [("origin", ORIGIN), ("sec-fetch-site", "same-site")],
        [("origin", "null"), ("sec-fetch-site", "same-origin")],
    ] {
        let answer = opened(&house, &link, &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    Browser::new(&house).open(&link).await;
}

/// Loading ahead, going back and loading again are GETs, and so is what a link on another page does.
#[tokio::test]
async fn no_get_changes_anything() {
    let house = House::new();
    let fresh = link(&house, "MANAGE", None).await;
    let (_, factor) = enrolled(&house).await;
    let chl = challenge(&house).await;
    let factor = format!("/portal/factors/{factor}");
    let mut browsers = Vec::new();
    for (purpose, challenge) in
        [("MANAGE", None), ("ENROLL", None), ("CHALLENGE", Some(chl.as_str()))]
    {
        browsers.push(Browser::sent(&house, purpose, challenge).await);
    }
    house.gateway.asked.lock().unwrap().clear();
    for browser in &mut browsers {
        for path in [
            fresh.as_str(),
            "/portal",
            "/portal/",
            "/portal/ways",
            "/portal/ways?next=/add",
            "/portal/verify",
            "/portal/verify?next=/add&with=recovery",
            "/portal/add",
            "/portal/add/app",
            "/portal/add/phone",
            "/portal/add/phone?change=1",
            "/portal/add/email",
            "/portal/add/key",
            "/portal/recovery-codes",
            factor.as_str(),
            "/portal/devices",
        ] {
            browser.get(path).await;
        }
        for path in ["/portal/answer", "/portal/send", "/portal/finish", "/portal/key/get"] {
            assert_eq!(browser.get(path).await.status, 405, "{path}");
        }
    }
    let asked = house.gateway.asked.lock().unwrap();
    assert!(asked.len() > 20);
    for (_, _, question) in asked.iter() {
        let looks = match question {
            Question::Tell(_) => true,
            Question::Do(Command::Portal(command)) => {
                matches!(**command, PortalCommand::ShowEnrollment { .. })
            }
            Question::Do(_) => false,
        };
        assert!(looks, "{question:?}");
    }
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
        for answer in [browser.get(&odd).await, browser.send_raw(&odd, String::new()).await] {
            assert_eq!(answer.status, 404, "{odd}");
            assert!(answer.text().contains("doesn’t work"), "{}", answer.text());
        }
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
            let path = browser.at(path);
            let knock = house.knock("GET", &path).header("host", HOST).header("cookie", &cookie);
            let answer = knock.send().await;
            assert_eq!(answer.status, 404, "{cookie} {path}");
            assert!(answer.text().contains("Nothing is open here"), "{}", answer.text());
        }
    }
    let other = format!("x=1; {}; y=2", browser.cookie);
    let path = browser.at("/portal");
    let knock = house.knock("GET", &path).header("host", HOST).header("cookie", &other);
    assert_eq!(knock.send().await.status, 200);
    // An address that names no session is a page of none.
    for path in ["/portal", "/portal/"] {
        let knock = house.knock("GET", path).header("host", HOST).header("cookie", &other);
        let answer = knock.send().await;
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("Nothing is open here"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_session_that_ended_says_so_and_leads_back() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    let held = browser.cookie.clone();
    browser.leave("/portal/finish", &[]).await;
    assert!(browser.cookie.ends_with('='), "the browser holds nothing any more");
    browser.cookie = held;
    let answer = browser.get("/portal").await;
    assert_eq!(answer.status, 410);
    assert!(answer.text().contains("finished here"), "{}", answer.text());
}

#[tokio::test]
async fn there_is_no_page_but_those_that_there_are() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    for path in ["/portal/none", "/portal/add/fax", "/portal/open/"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    assert_eq!(browser.get("/portal/").await.status, 200);
}
