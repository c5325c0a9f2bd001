//! Whole runs against a small server of the contract, which can be told to err.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_core::factor::totp::{CodeCheck, check};
use countersign_core::secret::Secret;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

use super::super::supply::PARAMETERS;
use super::*;

/// What the server does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    AcceptsAnything,
    ForgetsWrongCodes,
    AnswersForAnother,
    NeverReady,
    LowRisk,
}

#[derive(Default)]
struct User {
    secret: Vec<u8>,
    last_step: Option<u64>,
    wrong_codes: u32,
    enrolled: bool,
}

struct Fake {
    fault: Fault,
    users: Mutex<HashMap<String, User>>,
}

type Shared = State<Arc<Fake>>;

fn factor(user: &str) -> Value {
    json!({"id": format!("fac_{user}"), "type": "TOTP", "status": "ACTIVE", "primary": true})
}

fn problem(status: u16, more: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(more)).into_response()
}

async fn import(State(fake): Shared, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    assert_eq!(body["period"], PARAMETERS.period_seconds);
    let secret = BASE32_NOPAD.decode(body["secret"].as_str().unwrap().as_bytes()).unwrap();
    let user = User { secret, enrolled: true, ..User::default() };
    fake.users.lock().unwrap().insert(id.clone(), user);
    (StatusCode::CREATED, Json(factor(&id))).into_response()
}

async fn begin(State(fake): Shared, Path(id): Path<String>) -> Response {
    let secret: Vec<u8> = id.bytes().cycle().take(20).collect();
    let text = BASE32_NOPAD.encode(&secret);
    fake.users.lock().unwrap().insert(id.clone(), User { secret, ..User::default() });
    let uri = format!("otpauth://totp/x?secret={text}");
    let body = json!({"factorId": format!("fac_{id}"), "secret": text, "qrCodeUri": uri,
                      "qrCodeSvg": "<svg/>", "expiresAt": "2026-01-01T00:00:00.000Z"});
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn confirm(State(fake): Shared, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let mut users = fake.users.lock().unwrap();
    let user = users.get_mut(&id).unwrap();
    match judge(user, body["code"].as_str().unwrap()) {
        CodeCheck::Fresh(step) => user.last_step = Some(step),
        _ => return problem(422, json!({"code": "invalid_code"})),
    }
    user.enrolled = true;
    Json(factor(&id)).into_response()
}

fn judge(user: &User, code: &str) -> CodeCheck {
    let secret = Secret::new(user.secret.clone());
    check(&PARAMETERS, &secret, user.last_step, code, WallClock.now())
}

async fn challenge(State(fake): Shared, Json(body): Json<Value>) -> Response {
    if fake.fault == Fault::NeverReady {
        return problem(503, json!({"code": "unavailable"}));
    }
    let id = body["userId"].as_str().unwrap();
    assert!(fake.users.lock().unwrap()[id].enrolled);
    let required = fake.fault != Fault::LowRisk;
    let challenge = json!({"id": format!("chl_{id}"), "purpose": "LOGIN",
                           "expiresAt": "2026-01-01T00:00:00.000Z",
                           "recoveryCodesAvailable": false, "factors": [factor(id)]});
    Json(json!({"mfaRequired": required, "reason": "USER_ENROLLED", "triggers": [],
                "challenge": if required { challenge } else { Value::Null },
                "enrollmentRequired": false, "gracePeriodEndsAt": null, "tokens": null}))
    .into_response()
}

async fn verify(State(fake): Shared, Json(body): Json<Value>) -> Response {
    let id = body["challengeId"].as_str().unwrap().strip_prefix("chl_").unwrap();
    assert_eq!(body["factorId"], format!("fac_{id}"));
    let mut users = fake.users.lock().unwrap();
    let user = users.get_mut(id).unwrap();
    match judge(user, body["code"].as_str().unwrap()) {
        CodeCheck::Fresh(step) => user.last_step = Some(step),
        CodeCheck::Spent => return problem(422, json!({"code": "code_already_used"})),
        CodeCheck::Wrong if fake.fault == Fault::AcceptsAnything => {}
        CodeCheck::Wrong => {
            user.wrong_codes += u32::from(fake.fault != Fault::ForgetsWrongCodes);
            let remaining = 5 - user.wrong_codes;
            return problem(422, json!({"code": "invalid_code", "attemptsRemaining": remaining}));
        }
    }
    user.wrong_codes = 0;
    let named = if fake.fault == Fault::AnswersForAnother { "somebody-else" } else { id };
    Json(json!({"verified": true, "userId": named, "factorId": format!("fac_{id}"),
                "tokens": {"accessToken": "a.b.c", "tokenType": "Bearer", "expiresIn": 300},
                "deviceToken": null, "deviceTokenExpiresAt": null}))
    .into_response()
}

async fn status(State(fake): Shared, Path(id): Path<String>) -> Response {
    let users = fake.users.lock().unwrap();
    Json(json!({"enabled": true, "factorCount": 1, "factors": {"TOTP": 1},
                "primaryFactorId": format!("fac_{id}"), "lockedUntil": null,
                "failedAttempts": users[&id].wrong_codes}))
    .into_response()
}

async fn erase(State(fake): Shared, Path(id): Path<String>) -> Response {
    match fake.users.lock().unwrap().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => problem(404, json!({"code": "user_not_found"})),
    }
}

async fn policy_page() -> Json<Value> {
    Json(json!({"requirement": "OPTIONAL", "allowedFactors": ["TOTP"],
                "lockout": {"maxAttempts": 5, "hardLimit": 100}}))
}

async fn serve(fault: Fault) -> (String, Arc<Fake>) {
    let fake = Arc::new(Fake { fault, users: Mutex::default() });
    let app = Router::new()
        .route("/healthz", get(|| async {}))
        .route("/metrics", get(|| async { "countersign_storage_syncs_total 9\n" }))
        .route("/v1/mfa/policy", get(policy_page))
        .route("/v1/users/{id}", axum::routing::delete(erase))
        .route("/v1/users/{id}/mfa/totp/import", post(import))
        .route("/v1/users/{id}/mfa/totp", post(begin))
        .route("/v1/users/{id}/mfa/totp/verify", post(confirm))
        .route("/v1/users/{id}/mfa/status", get(status))
        .route("/v1/mfa/challenges", post(challenge))
        .route("/v1/mfa/challenges/verify", post(verify))
        .with_state(Arc::clone(&fake));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, fake)
}

fn args(base: String, scenario: Scenario) -> BenchArgs {
    BenchArgs {
        urls: vec![base],
        key: Secret::from("csk_test".to_owned()),
        scenario,
        users: 20,
        concurrency: 4,
        duration: Duration::from_millis(300),
        warmup: Duration::from_millis(20),
        rate: None,
        json: true,
        cleanup: false,
    }
}

async fn report_of(args: &BenchArgs) -> Report {
    let progress = Progress::new(true);
    let prepared = prepare(args, &progress).await.unwrap();
    measure(args, prepared, &progress).await.unwrap()
}

#[tokio::test]
async fn a_server_that_keeps_its_promises_passes_every_scenario() {
    for scenario in [Scenario::Login, Scenario::Verify, Scenario::Enroll, Scenario::Mixed] {
        let (base, _) = serve(Fault::None).await;
        let report = report_of(&args(base, scenario)).await;
        assert!(report.passed && report.completed > 0, "{report}");
        assert!(report.errors.is_empty() && report.wrong_answers.is_empty(), "{report}");
        assert_eq!(report.fsyncs.map(|fsyncs| fsyncs.total), Some(0));
    }
}

#[tokio::test]
async fn a_wrong_answer_ends_the_run_and_fails_it() {
    for (fault, scenario, told) in [
        (Fault::AcceptsAnything, Scenario::Mixed, "200 instead of 422"),
        (Fault::ForgetsWrongCodes, Scenario::Mixed, "attemptsRemaining is Some(5) and not Some(4)"),
        (Fault::AnswersForAnother, Scenario::Login, "the user is the challenge's"),
        (Fault::LowRisk, Scenario::Verify, "an enrolled user must verify"),
    ] {
        let (base, _) = serve(fault).await;
        let long = Duration::from_secs(60);
        let args = BenchArgs { duration: long, rate: Some(50), ..args(base, scenario) };
        let started = Instant::now();
        let report = report_of(&args).await;
        assert!(started.elapsed() < long);
        assert!(!report.passed, "{report}");
        assert!(report.wrong_answers[0].contains(told), "{told} in:\n{report}");
    }
}

#[tokio::test]
async fn a_server_without_a_quorum_is_an_error_and_no_success() {
    let (base, _) = serve(Fault::NeverReady).await;
    let report =
        report_of(&BenchArgs { users: 1, concurrency: 1, ..args(base, Scenario::Login) }).await;
    assert!(report.wrong_answers.is_empty());
    assert!(!report.passed && report.completed == 0);
}

#[tokio::test]
async fn a_rate_is_kept_and_the_users_are_erased_if_asked() {
    let (base, fake) = serve(Fault::None).await;
    let paced = BenchArgs { rate: Some(100), cleanup: true, ..args(base, Scenario::Login) };
    let report = report_of(&paced).await;
    assert!(report.passed, "{report}");
    // 0.3 s at 100 a second, the last ones still under way when it ended or not.
    assert!((20..=31).contains(&report.completed), "{report}");
    assert!(report.users.erased);
    assert!(fake.users.lock().unwrap().is_empty());
}

#[tokio::test]
async fn users_without_a_code_are_joined_by_new_ones_and_counted() {
    let (base, _) = serve(Fault::None).await;
    let args = args(base, Scenario::Login);
    let progress = Progress::new(true);
    let mut prepared = prepare(&args, &progress).await.unwrap();
    // As if nobody had been prepared.
    let client = Client::new(&args.urls, &args.key, "empty".to_owned()).unwrap();
    prepared.population = Population::new(client, Box::new(WallClock), None, false);
    let report = measure(&args, prepared, &progress).await.unwrap();
    assert!(report.passed && report.users.added_while_measuring > 0, "{report}");
}

#[test]
fn enough_users_are_prepared_for_the_codes_that_the_run_will_spend() {
    let plain = args("http://a".to_owned(), Scenario::Login);
    let asked = BenchArgs {
        users: 1_000,
        duration: Duration::from_secs(10),
        warmup: Duration::from_secs(2),
        ..plain
    };
    // 1,000 imports a second: 600 logins a second for 12 s, 2 codes a user.
    assert_eq!(users_for(&asked, 1_000.0), 3_600 + 4);
    assert_eq!(users_for(&BenchArgs { rate: Some(10), ..asked.clone() }, 1_000.0), 1_000);
    let enroll = BenchArgs { scenario: Scenario::Enroll, ..asked };
    assert_eq!(users_for(&enroll, 1_000.0), 1_000);
}
