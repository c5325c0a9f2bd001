//! The OpenAPI document as a document, and the pages to browse it.

use std::collections::BTreeSet;

use axum::http::header;
use serde_json::Value;

use crate::house::House;
use crate::schema::properties;

async fn document() -> Value {
    House::new().knock("GET", "/openapi.json").send().await.json()
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &'_ Value)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (path.clone(), method.clone())).collect::<Vec<_>>()
    };
    let all = paths.iter().flat_map(of);
    all.map(|(path, method)| (path.clone(), &document["paths"][&path][&method])).collect()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some(), "{reference}");
    }
}

/// Clients are made from a copy, so that whoever works on one needs no Rust.
#[test]
fn the_copy_that_clients_are_made_from_is_current() {
    let copy = include_str!("../../../clients/openapi.json");
    let document = format!("{:#}\n", countersign_api::document());
    assert!(copy == document, "run: make clients");
}

#[tokio::test]
async fn rows_of_a_page_are_no_copy_of_their_schema() {
    let document = document().await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let lists: Vec<_> = schemas.iter().filter(|(name, _)| name.ends_with("List")).collect();
    assert!(lists.len() >= 8);
    for (name, list) in lists {
        let row = list["properties"]["data"]["items"]["$ref"].as_str();
        let expected = format!("#/components/schemas/{}", name.strip_suffix("List").unwrap());
        assert_eq!(row, Some(expected.as_str()));
    }
}

#[tokio::test]
async fn every_operation_has_a_good_name_a_tag_and_a_summary() {
    let document = document().await;
    let tags = document["tags"].as_array().unwrap();
    let mut names = BTreeSet::new();
    for (path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} twice");
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name}");
        let tag = &operation["tags"][0];
        assert!(tags.iter().any(|known| known["name"] == *tag), "{path}: {tag}");
        for parameter in path.split(['{', '}']).skip(1).step_by(2) {
            let declared = operation["parameters"].as_array().unwrap();
            let declared = declared.iter().any(|it| it["name"] == parameter && it["in"] == "path");
            assert!(declared, "{name}: {parameter}");
        }
    }
}

#[tokio::test]
async fn every_operation_shows_how_it_can_fail_with_examples() {
    let document = document().await;
    for (path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let mut wanted = vec!["500"];
        if path.starts_with("/v1/") {
            wanted.extend(["401", "403", "503"]);
        }
        for status in wanted {
            assert!(responses.contains_key(status), "{path}: {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let content = &response["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{path}");
            for (code, example) in content["examples"].as_object().unwrap() {
                assert_eq!(example["value"]["code"], *code);
                assert_eq!(example["value"]["status"].to_string(), *status, "{path} {code}");
            }
            assert!(!content["examples"].as_object().unwrap().is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn every_address_says_what_it_answers_to_a_method_that_does_not_fit() {
    let document = document().await;
    for (path, operation) in operations(&document) {
        let response = &operation["responses"]["405"];
        assert!(response["headers"]["Allow"].is_object(), "{path}");
        let examples = &response["content"]["application/problem+json"]["examples"];
        assert!(examples["method_not_allowed"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn request_shapes_allow_no_unknown_fields() {
    let document = document().await;
    for (path, operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let Some(name) = body["$ref"].as_str() else { continue };
        let schema = document.pointer(name.strip_prefix('#').unwrap()).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{path}: {name}");
    }
}

#[tokio::test]
async fn patches_may_leave_fields_out_but_not_set_them_to_null() {
    let document = document().await;
    for name in ["UpdatePolicy", "UpdateSettings", "UpdateLockout", "UpdateTriggers"] {
        let schema = &document["components"]["schemas"][name];
        assert_eq!(schema.get("required"), None, "{name}");
        assert!(!schema.to_string().contains("null"), "{schema}");
    }
    let body = |path: &str, method: &str| &document["paths"][path][method]["requestBody"];
    assert_eq!(body("/v1/mfa/policy", "patch")["required"], false);
    assert_eq!(body("/v1/mfa/challenges", "post")["required"], true);
}

#[tokio::test]
async fn every_field_of_an_answer_is_always_present() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["ChallengeAnswer"]["required"].as_array().unwrap().len(), 7);
    assert_eq!(schemas["FactorList"]["required"], serde_json::json!(["data", "nextCursor"]));
    let codes = &schemas["Problem"]["properties"]["code"]["x-extensible-enum"];
    assert_eq!(codes.as_array().unwrap().len(), countersign_api::problem::Code::ALL.len());
}

/// The names of all schemas that a part of the operations leads to.
fn reached(document: &Value, part: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, operation) in operations(document) {
        references(&operation[part], &mut found);
    }
    loop {
        let before = found.len();
        for reference in found.clone() {
            references(document.pointer(&reference[1..]).unwrap(), &mut found);
        }
        if found.len() == before {
            return found;
        }
    }
}

fn has_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key(name) || members.values().any(|member| has_member(member, name))
        }
        Value::Array(items) => items.iter().any(|item| has_member(item, name)),
        _ => false,
    }
}

/// A client made from an older document takes words and fields that are newer than itself; in what
/// it asks a wrong word is seen before it is sent.
#[tokio::test]
async fn words_and_fields_of_answers_may_become_more_and_those_of_requests_are_all_that_there_are()
{
    let document = document().await;
    let (asked, answered) = (reached(&document, "requestBody"), reached(&document, "responses"));
    for reference in &answered {
        let schema = document.pointer(&reference[1..]).unwrap();
        assert!(!has_member(schema, "enum"), "{reference}: {schema}");
        assert!(
            !has_member(schema, "additionalProperties") || schema["additionalProperties"] != false
        );
    }
    for reference in &asked {
        let schema = document.pointer(&reference[1..]).unwrap();
        assert!(!has_member(schema, "x-extensible-enum"), "{reference}: {schema}");
        let is_object = schema["type"] == "object";
        assert!(!is_object || !answered.contains(reference), "{reference} is asked and answered");
    }
    let schemas = &document["components"]["schemas"];
    let known = &schemas["FactorType"];
    assert_eq!(known["x-extensible-enum"], serde_json::json!(["TOTP", "SMS", "EMAIL", "WEBAUTHN"]));
    let said = "Known values: `TOTP`, `SMS`, `EMAIL`, `WEBAUTHN`. More may be added.";
    assert!(known["description"].as_str().unwrap().ends_with(said), "{known}");
    let wished = &schemas["UpdatePolicy"]["properties"]["allowedFactors"]["items"];
    assert_eq!(wished["enum"], known["x-extensible-enum"]);
    let rule = &schemas["GroupRuleInput"]["properties"]["allowedFactors"]["items"];
    assert_eq!(rule, wished);
    let purpose = &schemas["CreateChallenge"]["properties"]["purpose"];
    assert_eq!(purpose["enum"], serde_json::json!(["LOGIN", "STEP_UP", null]));
    assert_eq!(purpose["type"], serde_json::json!(["string", "null"]));
}

/// What no schema may be called where classes and modules are made of schemas: keywords of Go, Java,
/// C#, PHP, Python and TypeScript that are no rare words.
const KEYWORDS: &str = " abstract and any array as assert async await base bool boolean break byte \
    callable case catch char checked class clone const continue debugger decimal declare default \
    defer def del delegate die do double echo elif else empty enum error eval event except exit \
    explicit export extends extern false final finally fixed float fn for foreach from func function \
    global go goto if implements implicit import in include instanceof int interface internal is \
    isset iterable lambda let list lock long map match mixed module namespace native never new nil \
    none nonlocal not null number object operator or out override package params parent pass print \
    private protected public raise range readonly record ref require return sbyte sealed select self \
    short sizeof static strictfp string struct super switch symbol synchronized this throw throws \
    trait transient true try type typeof uint ulong unchecked undefined unknown unsafe unset use using \
    var virtual void volatile while with xor yield ";

#[tokio::test]
async fn no_name_of_a_schema_clashes_in_a_generated_client() {
    let document = document().await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut seen = BTreeSet::new();
    for (name, schema) in schemas {
        // File names are of one case in places, and words are parted by other means.
        assert!(seen.insert(name.to_lowercase().replace('_', "")), "{name} twice but for its case");
        assert!(!KEYWORDS.contains(&format!(" {} ", name.to_lowercase())), "{name} is a keyword");
        // Go's `NewThing()` makes a `Thing`, and a `NullableThing` may be null.
        for (before, after) in
            [("New", ""), ("Nullable", ""), ("NewNullable", ""), ("New", "WithDefaults")]
        {
            let of = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            assert!(!of.is_some_and(|of| schemas.contains_key(of)), "{name} is a function's name");
        }
        // C#: members cannot be called as their class is.
        for property in properties(&document, schema) {
            assert_ne!(property.to_lowercase(), name.to_lowercase(), "{name}.{property}");
        }
        // Go: constants of all enums have one name space.
        assert_eq!(schema.get("enum"), None, "{name}");
    }
}

#[tokio::test]
async fn the_document_names_a_server_and_every_operation_an_answer_that_is_good() {
    let document = document().await;
    assert_eq!(document["servers"][0]["url"], "/");
    for (path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{path}");
        assert!(!operation["description"].as_str().unwrap_or_default().is_empty(), "{path}");
    }
}

/// A request is never refused for the name that its caller gives it.
#[tokio::test]
async fn any_request_id_may_be_brought() {
    let document = document().await;
    let schema = &document["components"]["parameters"]["RequestId"]["schema"];
    assert_eq!(*schema, serde_json::json!({ "type": "string" }));
}

#[tokio::test]
async fn the_docs_are_pages_and_scripts_of_this_server() {
    let house = House::new();
    let page = house.knock("GET", "/docs").send().await;
    assert_eq!(house.knock("GET", "/docs/").send().await.text(), page.text());
    assert_eq!(page.status, 200);
    assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(!page.text().contains("://"), "{}", page.text());
    // Every script of the page is served, and none is in the page itself.
    let scripts: Vec<&str> = page.text().split("<script src=\"/docs/").skip(1).collect();
    assert_eq!(page.text().matches("<script").count(), scripts.len());
    assert!(scripts.len() >= 3);
    for script in scripts {
        let (name, _) = script.split_once('"').unwrap();
        let file = house.knock("GET", &format!("/docs/{name}")).send().await;
        assert_eq!(file.status, 200, "{name}");
        assert!(file.header(header::CONTENT_TYPE).contains("javascript"), "{name}");
    }
    let start = house.knock("GET", "/docs/swagger-initializer.js").send().await;
    assert!(start.text().contains("/openapi.json") && !start.text().contains("petstore"));
    let style = house.knock("GET", "/docs/swagger-ui.css").send().await;
    assert!(style.header(header::CONTENT_TYPE).starts_with("text/css"));
}
