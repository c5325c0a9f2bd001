//! What a body may be, and how an idempotency key is bound to it.

use serde_json::{Value, json};

use crate::house::{House, KEY};
use crate::table::{Needs, ROUTES, Route, answer_all};

#[tokio::test]
async fn an_unknown_field_is_refused_by_every_route_that_takes_a_body() {
    let house = House::new();
    answer_all(&house);
    let writes = ROUTES.iter().filter(|route| route.is_write() && route.needs != Needs::Nothing);
    for route in writes {
        let body = if route.body.is_empty() { "{}" } else { route.body };
        let mut body: Value = serde_json::from_str(body).unwrap();
        body["misspelt~/"] = json!(1);
        let knock = house.knock(route.method, &route.path()).key(crate::house::ROOT_KEY);
        let answer = knock.json(&body).send().await;
        assert_eq!(answer.pointers(), ["/misspelt~0~1"], "{route:?}");
    }
    assert!(house.gateway.asked.lock().unwrap().is_empty());
    assert!(house.gateway.changed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_field_is_named_however_deep_it_is() {
    let house = House::new();
    let location = json!({"userId": "ann", "context": {"location": {"planet": "Mars"}}});
    let answer = house.post("/v1/mfa/challenges", &location).await;
    assert_eq!(answer.pointers(), ["/context/location/planet"]);
    let rule = json!({"groups": [{"group": "a", "requirement": "OPTIONAL"}, {"grup": "b"}]});
    assert_eq!(house.patch("/v1/mfa/policy", &rule).await.pointers(), ["/groups/1/grup"]);
}

#[tokio::test]
async fn a_missing_field_and_a_wrong_type_are_named() {
    let house = House::new();
    let verify = "/v1/users/ann/mfa/totp/verify";
    assert_eq!(house.post(verify, &json!({})).await.pointers(), ["/code"]);
    assert_eq!(house.post(verify, &json!({"code": 492039})).await.pointers(), ["/code"]);
    for other in [json!(["492039", null, null]), json!("492039"), json!(7), Value::Null] {
        assert_eq!(house.post(verify, &other).await.pointers(), [""], "{other}");
    }
    let rule = json!({"groups": [{"group": "a"}]});
    let missing = house.patch("/v1/mfa/policy", &rule).await.pointers();
    assert_eq!(missing, ["/groups/0/requirement"]);
    let word = json!({"requirement": "required"});
    assert_eq!(house.patch("/v1/mfa/policy", &word).await.pointers(), ["/requirement"]);
}

#[tokio::test]
async fn the_detail_spells_the_field_as_it_was_sent() {
    let house = House::new();
    let answer = house.post("/v1/mfa/challenges", &json!({"userId": "ann", "purpos": 1})).await;
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("`purpos` is unknown"), "{detail}");
    let answer = house.post("/v1/mfa/challenges", &json!([])).await;
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("The body "), "{answer:?}");
}

#[tokio::test]
async fn a_code_of_the_wrong_type_is_not_repeated() {
    let house = House::new();
    let answer = house.post("/v1/users/ann/mfa/totp/verify", &json!({"code": 492039})).await;
    assert!(!answer.text().contains("492039"), "{}", answer.text());
}

#[tokio::test]
async fn what_is_not_json_is_an_invalid_request() {
    let house = House::new();
    for body in ["{", "", "{} {}", "code=1", "\u{feff}{}", r#"{"code":}"#] {
        let knock = house.knock("POST", "/v1/users/ann/mfa/totp/verify").key(KEY);
        let answer = knock.raw("application/json", body).send().await;
        assert_eq!(answer.status, 400, "{body:?}");
        assert_eq!(answer.problem(), "invalid_request");
    }
    let knock = house.knock("POST", "/v1/users/ann/mfa/totp/verify").key(KEY);
    let answer = knock.raw("application/json", [b'"', 0xff, b'"']).send().await;
    assert_eq!(answer.problem(), "invalid_request");
    let knock = house.knock("POST", "/v1/users/ann/mfa/totp/verify").key(KEY);
    let answer = knock.raw("application/json", b"{\"code\":\"49\xff2039\"}").send().await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.problem(), "invalid_request");
}

#[tokio::test]
async fn no_complaint_speaks_of_rust_or_repeats_what_was_sent() {
    let house = House::new();
    answer_all(&house);
    for route in ROUTES.iter().filter(|route| !route.body.is_empty() && route.body != "{}") {
        let whole: Value = serde_json::from_str(route.body).unwrap();
        for name in whole.as_object().unwrap().keys() {
            for odd in [json!({"hush": "hush"}), json!([["hush"]]), json!(7654321.5)] {
                let mut body = whole.clone();
                body[name] = odd;
                let knock = house.knock(route.method, &route.path()).key(crate::house::ROOT_KEY);
                let answer = knock.json(&body).send().await;
                let (pointers, text) = (answer.pointers(), answer.text());
                assert!(pointers[0].starts_with(&format!("/{name}")), "{route:?}: {text}");
                for word in ["invalid type", "invalid value", "struct", "u32", "map", "7654321"] {
                    assert!(!text.contains(word), "{route:?}: {text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_content_type_must_be_json() {
    let house = House::new();
    answer_all(&house);
    let body = r#"{"code":"492039"}"#;
    for wrong in ["", "text/plain", "application/x-www-form-urlencoded", "text/json", "json"] {
        let knock = house.knock("POST", "/v1/users/ann/mfa/totp/verify").key(KEY);
        let answer = knock.raw(wrong, body).send().await;
        assert_eq!(answer.problem(), "invalid_request", "{wrong}");
    }
    for right in ["application/json", "Application/JSON; charset=utf-8", "application/x+json"] {
        let knock = house.knock("POST", "/v1/users/ann/mfa/totp/verify").key(KEY);
        assert_eq!(knock.raw(right, body).send().await.status, 200, "{right}");
    }
    let patch = house.knock("PATCH", "/v1/mfa/policy").key(KEY);
    assert_eq!(patch.raw("application/merge-patch+json", "{}").send().await.status, 200);
}

#[tokio::test]
async fn a_body_may_be_left_out_where_all_its_fields_may() {
    let house = House::new();
    let answer = house.knock("POST", "/v1/users/ann/mfa/totp").key(KEY).send().await;
    assert_eq!(answer.status, 201);
    let answer = house.knock("POST", "/v1/mfa/challenges").key(KEY).send().await;
    assert_eq!(answer.problem(), "invalid_request");
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let house = House::new();
    let padded = |length: usize| {
        let mut body = br#"{"name":"Phone"}"#.to_vec();
        body.resize(length, b' ');
        body
    };
    let path = "/v1/users/ann/mfa/totp";
    let send = |body| house.knock("POST", path).key(KEY).raw("application/json", body).send();
    assert_eq!(send(padded(64 * 1024)).await.status, 201);
    let answer = send(padded(64 * 1024 + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.problem(), "payload_too_large");
}

#[tokio::test]
async fn a_value_sent_twice_is_refused() {
    let house = House::new();
    let knock = house.knock("POST", "/v1/users/ann/mfa/totp/verify").key(KEY);
    let answer = knock.raw("application/json", r#"{"code":"111111","code":"222222"}"#).send().await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn an_idempotency_key_must_be_one_and_printable() {
    let house = House::new();
    answer_all(&house);
    let with = |key: &str| {
        house.knock("POST", "/v1/users/ann/mfa/unlock").key(KEY).header("idempotency-key", key)
    };
    for fine in ["k", "a b~!", &"x".repeat(255)] {
        assert_eq!(with(fine).send().await.status, 204, "{fine}");
    }
    for odd in ["", &"x".repeat(256), "caf\u{e9}", "a\tb"] {
        assert_eq!(with(odd).send().await.problem(), "invalid_request", "{odd:?}");
    }
    let twice = with("one").header("idempotency-key", "two").send().await;
    assert_eq!(twice.problem(), "invalid_request");
}

#[tokio::test]
async fn an_idempotency_key_is_bound_to_method_path_and_body() {
    let house = House::new();
    answer_all(&house);
    let idempotency = async |method, path, body: &str| {
        let knock = house.knock(method, path).key(KEY).header("idempotency-key", "once");
        knock.raw("application/json", body).send().await;
        house.gateway.last().0.idempotency.unwrap()
    };
    let first = idempotency("POST", "/v1/users/ann/mfa/totp", "{}").await;
    assert_eq!(first, idempotency("POST", "/v1/users/ann/mfa/totp", "{}").await);
    let others = [
        idempotency("POST", "/v1/users/bob/mfa/totp", "{}").await,
        idempotency("POST", "/v1/users/ann/mfa/totp", "{ }").await,
        idempotency("DELETE", "/v1/users/ann/mfa/devices", "{}").await,
        idempotency("POST", "/v1/users/ann/mfa/unlock", "{}").await,
    ];
    for other in others {
        assert_eq!(first.key, other.key);
        assert_ne!(first.request, other.request);
    }
}

#[tokio::test]
async fn every_write_hands_its_idempotency_key_on() {
    let house = House::new();
    answer_all(&house);
    // A preview writes nothing, so there is no answer to keep.
    let writes = |route: &&Route| route.is_write() && !route.template.ends_with("/preview");
    for route in ROUTES.iter().filter(writes) {
        let seen = || {
            let asked = house.gateway.asked.lock().unwrap();
            let changed = house.gateway.changed.lock().unwrap();
            let callers = asked.iter().map(|it| it.0.clone());
            let nodes = house.gateway.nodes.lock().unwrap();
            let redelivered = house.gateway.redelivered.lock().unwrap();
            let others = changed.iter().map(|it| &it.0).chain(nodes.iter().map(|it| &it.0));
            let others = others.chain(redelivered.iter().map(|it| &it.0));
            let callers: Vec<_> = callers.chain(others.cloned()).collect();
            callers.into_iter().filter(|caller| caller.idempotency.is_some()).count()
        };
        let before = seen();
        let knock = house.knock(route.method, &route.path()).key(crate::house::ROOT_KEY);
        let knock = knock.header("idempotency-key", "once");
        let knock =
            if route.body.is_empty() { knock } else { knock.raw("application/json", route.body) };
        knock.send().await;
        assert_eq!(seen(), before + 1, "{route:?}");
    }
}
