//! The contract's routes against the router and its document.

use axum::http::header;
use serde_json::Value;

use crate::house::{House, ROOT_KEY};
use crate::schema::{complaints, properties};
use crate::table::{Needs, ROUTES, Route, answer_all};

async fn document(house: &House) -> Value {
    house.knock("GET", "/openapi.json").send().await.json()
}

fn operation<'a>(document: &'a Value, route: &Route) -> &'a Value {
    &document["paths"][route.template][route.method.to_lowercase()]
}

fn house() -> House {
    let house = House::with(|options| {
        options.metrics = Some(std::sync::Arc::new(|| "up 1\n".to_owned()));
    });
    answer_all(&house);
    house
}

#[tokio::test]
async fn every_route_of_the_contract_is_in_the_document() {
    let document = document(&House::new()).await;
    for route in ROUTES {
        assert!(operation(&document, route).is_object(), "{} {}", route.method, route.template);
    }
}

#[tokio::test]
async fn the_document_has_no_route_that_the_contract_lacks() {
    let document = document(&House::new()).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let known = ROUTES
                .iter()
                .any(|route| route.template == path && route.method.to_lowercase() == *method);
            // The index of the problems' pages is ours.
            assert!(known || path == "/problems", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_shape_that_the_document_gives() {
    let house = house();
    let document = document(&house).await;
    for route in ROUTES {
        let knock = house.knock(route.method, &route.path()).key(ROOT_KEY);
        let knock =
            if route.body.is_empty() { knock } else { knock.raw("application/json", route.body) };
        let answer = knock.send().await;
        assert_eq!(answer.status, route.status, "{route:?}: {}", answer.text());
        let response = &operation(&document, route)["responses"][route.status.to_string()];
        assert!(response.is_object(), "{route:?}");
        if !answer.header(header::CONTENT_TYPE).starts_with("application/json") {
            continue;
        }
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{route:?}");
        let wrong = complaints(&document, schema, &answer.json(), "");
        assert!(wrong.is_empty(), "{route:?}: {wrong:?}\n{}", answer.text());
        let known = properties(&document, schema);
        for name in answer.json().as_object().unwrap().keys() {
            // The document itself is of any shape.
            let any = route.template == "/openapi.json";
            assert!(any || known.contains(name), "{route:?}: {name} is not in the document");
        }
    }
}

/// Browsers refuse null where they know a word: what nobody wished for is left out, and the
/// document says that it may be.
#[tokio::test]
async fn options_for_a_browser_leave_out_what_nobody_wished_for() {
    let house = house();
    let document = document(&house).await;
    let schema = &document["components"]["schemas"]["PublicKeyCredentialCreationOptionsJSON"];
    let path = "/v1/users/ann/mfa/webauthn/registration-options";
    for (wish, wished) in [("{}", false), (r#"{"authenticatorAttachment":"platform"}"#, true)] {
        let knock = house.knock("POST", path).key(ROOT_KEY).raw("application/json", wish);
        let answer = knock.send().await.json();
        assert!(complaints(&document, schema, &answer, "").is_empty(), "{answer}");
        let selection = &answer["authenticatorSelection"];
        assert_eq!(selection.get("authenticatorAttachment").is_some(), wished, "{selection}");
    }
    let selection = &document["components"]["schemas"]["AuthenticatorSelection"];
    let attachment = &selection["properties"]["authenticatorAttachment"];
    assert!(!attachment.to_string().contains("null"), "{attachment}");
}

#[tokio::test]
async fn every_body_of_the_contract_fits_the_document() {
    let document = document(&House::new()).await;
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        let content = &operation(&document, route)["requestBody"]["content"]["application/json"];
        let body: Value = serde_json::from_str(route.body).unwrap();
        let wrong = complaints(&document, &content["schema"], &body, "");
        assert!(content.is_object() && wrong.is_empty(), "{route:?}: {wrong:?}");
    }
}

#[tokio::test]
async fn the_document_says_which_scope_is_needed() {
    let document = document(&House::new()).await;
    for route in ROUTES {
        let operation = operation(&document, route);
        let description = operation["description"].as_str().unwrap_or_default();
        match route.needs {
            Needs::Nothing => assert_eq!(operation["security"], serde_json::json!([{}])),
            Needs::Root => assert!(description.contains("root key"), "{description}"),
            Needs::Scope(scope) => {
                let needs = format!("Needs the scope `{}`.", scope.as_str());
                assert!(description.contains(&needs), "{route:?}: {description}");
            }
        }
    }
}

#[tokio::test]
async fn a_new_user_is_201_and_a_known_one_200() {
    let house = House::new();
    let body = serde_json::json!({"email": "ann@example.com"});
    assert_eq!(house.put("/v1/users/ann", &body).await.status, 201);
    assert_eq!(house.put("/v1/users/ann", &body).await.status, 200);
}
