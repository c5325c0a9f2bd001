//! Who may call what.

use axum::http::header;
use countersign_core::tenant::Scope;
use serde_json::json;

use crate::house::{House, KEY, NOW, OTHER_KEY, ROOT_KEY, key_of};
use crate::table::{Needs, ROUTES, Route, answer_all};

async fn status_with(house: &House, route: &Route, key: &str) -> u16 {
    let knock = house.knock(route.method, &route.path()).key(key);
    let knock =
        if route.body.is_empty() { knock } else { knock.raw("application/json", route.body) };
    knock.send().await.status.as_u16()
}

#[tokio::test]
async fn without_a_key_nothing_under_v1_answers() {
    let house = House::new();
    for route in ROUTES.iter().filter(|route| route.needs != Needs::Nothing) {
        let answer = house.knock(route.method, &route.path()).send().await;
        assert_eq!(answer.status, 401, "{route:?}");
        assert_eq!(answer.problem(), "unauthenticated");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
    }
    assert!(house.gateway.asked.lock().unwrap().is_empty());
    assert!(house.gateway.changed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_a_known_key_is_refused() {
    let house = House::new();
    let path = "/v1/users/ann";
    for authorization in [
        "Bearer csk_unknown-key-0000000000000000000000",
        "Bearer ",
        "Bearer",
        "Basic dXNlcjpwYXNz",
        KEY,
        &format!("Bearer {}", KEY.to_uppercase()),
        &format!("Bearer {KEY}x"),
        &format!("Bearer x{KEY}"),
    ] {
        let answer = house.knock("GET", path).header("authorization", authorization).send().await;
        assert_eq!(answer.status, 401, "{authorization}");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), r#"Bearer error="invalid_token""#);
        assert!(!answer.text().contains("csk_unknown"), "{}", answer.text());
    }
    // The scheme is compared without regard to case (RFC 9110 section 11.1).
    let answer =
        house.knock("GET", path).header("authorization", &format!("bearer {KEY}")).send().await;
    assert_eq!(answer.problem(), "user_not_found");
}

#[tokio::test]
async fn a_key_ends_at_the_very_time_that_it_names() {
    let house = House::new();
    house.directory.tenants.lock().unwrap()[0].api_keys[1].expires_at = Some(NOW.plus_millis(1));
    assert_eq!(house.get("/v1/users/ann").await.status, 404);
    house.clock.advance(1);
    assert_eq!(house.get("/v1/users/ann").await.problem(), "unauthenticated");
}

#[tokio::test]
async fn every_route_answers_the_scope_that_it_needs_and_no_other() {
    let house = House::with(|options| {
        options.metrics = Some(std::sync::Arc::new(|| "up 1\n".to_owned()));
    });
    answer_all(&house);
    for route in ROUTES {
        let Needs::Scope(needed) = route.needs else { continue };
        for scope in Scope::ALL.into_iter().filter(|scope| *scope != needed) {
            let answer = house.knock(route.method, &route.path()).key(&key_of(scope)).send().await;
            assert_eq!(answer.status, 403, "{route:?} with {scope:?}");
            assert_eq!(answer.problem(), "forbidden");
            assert!(answer.text().contains(needed.as_str()), "{}", answer.text());
        }
    }
    assert!(house.gateway.asked.lock().unwrap().is_empty());
    for route in ROUTES {
        let Needs::Scope(needed) = route.needs else { continue };
        let status = status_with(&house, route, &key_of(needed)).await;
        assert_eq!(status, route.status, "{route:?}");
    }
}

#[tokio::test]
async fn tenants_answer_the_root_key_alone() {
    let house = House::new();
    for route in ROUTES.iter().filter(|route| route.needs == Needs::Root) {
        assert_eq!(status_with(&house, route, KEY).await, 403, "{route:?}");
        assert_eq!(status_with(&house, route, ROOT_KEY).await, route.status, "{route:?}");
    }
}

#[tokio::test]
async fn a_tenant_never_sees_anothers_user() {
    let house = House::new();
    house.put("/v1/users/ann", &json!({})).await;
    assert_eq!(house.get("/v1/users/ann").await.status, 200);
    let other = house.knock("GET", "/v1/users/ann").key(OTHER_KEY).send().await;
    assert_eq!(other.problem(), "user_not_found");
    for (caller, _, _) in house.gateway.asked.lock().unwrap().iter() {
        let expected = if caller.key.unwrap().as_bytes()[0] == 99 { "other" } else { "default" };
        assert_eq!(caller.tenant.as_str(), expected);
    }
}

#[tokio::test]
async fn a_caller_without_a_key_learns_nothing_of_its_path_or_body() {
    let house = House::new();
    let answer =
        house.knock("POST", "/v1/users/a%20b/mfa/totp").raw("text/plain", "x").send().await;
    assert_eq!(answer.problem(), "unauthenticated");
}

#[tokio::test]
async fn a_node_that_lost_touch_looks_no_key_up() {
    let house = House::new();
    house.gateway.health.lock().unwrap().current = false;
    for route in ROUTES.iter().filter(|route| route.needs != Needs::Nothing) {
        for key in [ROOT_KEY, "csk_unknown-key-0000000000000000000000"] {
            let answer = house.knock(route.method, &route.path()).key(key).send().await;
            assert_eq!(answer.status, 503, "{route:?}");
            assert_eq!(answer.problem(), "unavailable");
        }
    }
    let keys = house.knock("GET", "/.well-known/jwks.json").send().await;
    assert_eq!(keys.problem(), "unavailable", "a verifier would keep an old set");
    assert!(house.gateway.asked.lock().unwrap().is_empty());
    assert!(house.gateway.changed.lock().unwrap().is_empty());

    house.gateway.health.lock().unwrap().current = true;
    assert_eq!(house.get("/v1/settings").await.status, 200);
}

#[tokio::test]
async fn who_shows_no_key_costs_no_look_at_the_cluster() {
    let house = House::new();
    house.gateway.health.lock().unwrap().current = false;
    for authorization in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer secret", KEY] {
        let knock = house.knock("GET", "/v1/users/ann").header("authorization", authorization);
        assert_eq!(knock.send().await.status, 401, "{authorization}");
    }
    assert_eq!(house.knock("GET", "/v1/users/ann").send().await.status, 401);
    assert_eq!(house.knock("GET", "/healthz").send().await.status, 200);
    assert_eq!(*house.gateway.asked_if_current.lock().unwrap(), 0);
}
