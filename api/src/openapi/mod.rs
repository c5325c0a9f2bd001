//! The OpenAPI 3.1 document: what the handlers' annotations say, completed by what holds for all
//! of them, so that no handler has to repeat it and none can forget it.
//!
//! Added here: the ways to fail with an example each, the scope that a call needs, the headers of
//! every request and answer, and that every field of an answer is always present.

mod enums;
mod rules;
mod shapes;

use countersign_core::factor::webauthn::failure::CeremonyFailure;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi;

use self::rules::rules;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::request::Need;

/// What the document says before any route is added.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "Multi-factor authentication for your own login: your server checks the password, \
            asks `createChallenge` whether a second factor is needed, and `verifyChallenge` whether \
            its proof is right.\n\nEvery write takes an `Idempotency-Key`: repeated within 24 hours, \
            the same request has the same answer, through any node. Failures are \
            `application/problem+json` (RFC 9457); their codes are explained at [/problems](/problems).\n\n\
            Answers may have more fields in time, and where `x-extensible-enum` lists words, more of \
            them: pass over what you do not know.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemBody, FieldError)),
    security(("apiKey" = [])),
    tags(
        (name = "Login", description = "Ask whether a login needs a second factor, and answer."),
        (name = "Users", description = "Who your users are. Ids are your own."),
        (name = "TOTP", description = "Enroll authenticator apps (RFC 6238)."),
        (name = "SMS and email", description = "Enroll numbers and addresses that codes are sent to."),
        (name = "WebAuthn", description = "Register and show security keys and passkeys (W3C WebAuthn Level 3)."),
        (name = "Factors", description = "What a user enrolled."),
        (name = "Recovery codes", description = "For when a factor is lost."),
        (name = "Hosted pages", description = "Let this service ask the user, and fetch what came of it."),
        (name = "Trusted devices", description = "Browsers in which a user is remembered."),
        (name = "Status", description = "A user's situation; reset and unlock."),
        (name = "Policy", description = "What your tenant demands of its users."),
        (name = "Settings", description = "Names that apps show, and how tokens are made."),
        (name = "Statistics", description = "What happened lately, counted over all users."),
        (name = "Audit", description = "Why every decision was taken, in a hash chain."),
        (name = "Webhooks", description = "Be told what the audit log tells, signed (Standard Webhooks)."),
        (name = "API keys", description = "Who may call."),
        (name = "Tenants", description = "Organisations that never see each other. Root key only."),
        (name = "Cluster", description = "Nodes and shards."),
        (name = "Tokens", description = "Keys that verify access tokens."),
        (name = "Operations", description = "Health, readiness, metrics."),
        (name = "Documentation", description = "This document and its pages."),
    )
)]
pub(crate) struct Contract;

/// The document with all that holds for every operation.
pub(crate) fn complete(document: &openapi::OpenApi) -> Value {
    // The document is plain data and always serialises.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    shapes::complete(&mut document);
    document["servers"] = json!([{ "url": "/", "description": "The server that gave you this." }]);
    document["components"]["securitySchemes"] = json!({
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "csk_…",
            "description": "An API key of your tenant.",
        }
    });
    document["components"]["headers"] = json!({
        "RequestId": {
            "description": "The request's id: yours if you sent one, else a fresh one.",
            "schema": { "type": "string" },
        },
        "RetryAfter": {
            "description": "Seconds to wait.",
            "schema": { "type": "integer" },
        },
        "Allow": {
            "description": "The methods that this address answers.",
            "schema": { "type": "string" },
        },
    });
    document["components"]["parameters"] = json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Repeated within 24 hours with the same request, it has the same answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "example": "4f1c2b0e-6a0e-4d1e-9a53-2f0f6f0c7d11",
        },
        "RequestId": {
            "name": "X-Request-Id", "in": "header", "required": false,
            "description": "Your own id of the request: up to 128 visible ASCII characters. \
                Anything else is passed over.",
            "schema": { "type": "string" },
        },
    });
    for (path, method, operation) in operations(&mut document) {
        describe(&path, &method, operation);
    }
    document
}

/// Every operation with its path and its method.
fn operations(document: &mut Value) -> impl Iterator<Item = (String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object_mut().into_iter().flatten();
        methods.map(move |(method, operation)| (path.clone(), method.clone(), operation))
    })
}

fn describe(path: &str, method: &str, operation: &mut Value) {
    let Some(rules) = operation["operationId"].as_str().and_then(rules) else { return };
    let is_write = method != "get";
    let needs = match rules.needs {
        Some(Need::Scope(scope)) => format!("Needs the scope `{}`.", scope.as_str()),
        Some(Need::Root) => "Needs a root key.".to_owned(),
        None => "Needs no key.".to_owned(),
    };
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{description}\n\n{needs}").trim().into();
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    if is_write {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    parameters.push(json!({ "$ref": "#/components/parameters/RequestId" }));
    operation["parameters"] = parameters.into();

    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for response in responses.values_mut() {
        response["headers"]["X-Request-Id"] = json!({ "$ref": "#/components/headers/RequestId" });
    }
    for code in rules.codes(path, is_write) {
        add_problem(responses, code);
    }
}

/// Adds a way to fail: one response a status, one example a code.
fn add_problem(responses: &mut Map<String, Value>, code: Code) {
    let status = code.status();
    let response = responses.entry(status.as_str()).or_insert_with(|| {
        json!({
            "description": status.canonical_reason().unwrap_or_default(),
            "headers": { "X-Request-Id": { "$ref": "#/components/headers/RequestId" } },
            "content": {
                "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                    "examples": {},
                },
            },
        })
    });
    let problem = example(code);
    if problem.retry_after_seconds.is_some() {
        response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" });
    }
    if code == Code::MethodNotAllowed {
        response["headers"]["Allow"] = json!({ "$ref": "#/components/headers/Allow" });
    }
    let body = problem.body("req_0c7ig9t6h8kq5v2m3n4p1r0s2g");
    response["content"]["application/problem+json"]["examples"][code.as_str()] =
        json!({ "summary": code.title(), "value": body });
}

/// What a problem of this code looks like.
fn example(code: Code) -> Problem {
    let plain = Problem::new(code, code.title());
    match code {
        Code::ValidationFailed => {
            Problem::validation(vec![FieldError::new("/name", "must have 1 to 100 characters")])
        }
        Code::InvalidCode => Problem { attempts_remaining: Some(4), ..plain },
        Code::AuthenticatorClockOff => Problem { clock_offset_seconds: Some(90), ..plain },
        Code::InvalidAssertion => Problem { failure: Some(CeremonyFailure::Signature), ..plain },
        Code::TooManyAttempts => Problem { retry_after_seconds: Some(30), ..plain },
        Code::TooManySends | Code::RateLimited => {
            Problem { retry_after_seconds: Some(30), ..plain }
        }
        Code::OverloadedUser | Code::Unavailable => {
            Problem { retry_after_seconds: Some(1), ..plain }
        }
        _ => plain,
    }
}
