//! The client against small servers that answer as told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap as Headers;
use axum::response::IntoResponse;
use axum::routing::post;

use super::super::wire::Factor;
use super::*;

const KEY: &str = "csk_0123456789abcdef0123456789abcdef";
const FACTOR: &str = r#"{"id":"fac_1","type":"TOTP","status":"ACTIVE","primary":true}"#;

/// A server that answers every POST with `status` and `body`, and the idempotency keys it saw.
async fn server(status: u16, body: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keys = Arc::clone(&seen);
    let answer = move |headers: Headers| async move {
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        keys.lock().unwrap().push(key);
        (http::StatusCode::from_u16(status).unwrap(), body).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/x", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, seen)
}

fn client(bases: &[&str]) -> Client {
    let bases: Vec<String> = bases.iter().map(|base| (*base).to_owned()).collect();
    Client::new(&bases, &Secret::from(KEY.to_owned()), "run".to_owned()).unwrap()
}

async fn ask(client: &Client) -> Result<Answer, Failure> {
    let request =
        Request { operation: "import", subject: "someone", method: Method::POST, path: "/x" };
    client.send_json(&request, &serde_json::json!({})).await
}

#[tokio::test]
async fn a_503_is_taken_to_the_next_address_under_the_same_idempotency_key() {
    let (first, first_saw) = server(503, r#"{"code":"unavailable"}"#).await;
    let (second, second_saw) = server(201, FACTOR).await;
    let client = client(&[&first, &second]);
    let factor: Factor = ask(&client).await.unwrap().json(201).unwrap();
    assert_eq!(factor.id, "fac_1");
    assert_eq!(*first_saw.lock().unwrap(), ["run-0"]);
    assert_eq!(*second_saw.lock().unwrap(), ["run-0"]);
    assert_eq!(client.sent_again(), SentAgain { unavailable: 1, ..SentAgain::default() });
}

#[tokio::test]
async fn a_node_that_is_not_there_is_passed_over() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let (there, saw) = server(201, FACTOR).await;
    let client = client(&[&nobody, &there]);
    for _ in 0..4 {
        ask(&client).await.unwrap().status(201).unwrap();
    }
    let mut keys = saw.lock().unwrap().clone();
    keys.dedup();
    assert_eq!(keys, ["run-0", "run-1", "run-2", "run-3"]);
}

#[tokio::test]
async fn addresses_are_used_in_turn() {
    let (first, first_saw) = server(201, FACTOR).await;
    let (second, second_saw) = server(201, FACTOR).await;
    let client = client(&[&first, &second]);
    for _ in 0..6 {
        ask(&client).await.unwrap();
    }
    assert_eq!(first_saw.lock().unwrap().len(), 3);
    assert_eq!(second_saw.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn an_answer_without_a_promised_field_is_wrong() {
    let (base, _) = server(201, r#"{"id":"fac_1","type":"TOTP","status":"ACTIVE"}"#).await;
    let failure = ask(&client(&[&base])).await.unwrap().json::<Factor>(201).err().unwrap();
    assert!(matches!(&failure, Failure::Wrong { found, .. } if found.contains("`primary`")));
    assert_eq!(failure.label(), None);
}

#[tokio::test]
async fn another_status_is_wrong_and_its_problem_is_told() {
    let (base, _) = server(409, r#"{"code":"conflict","detail":"no"}"#).await;
    let failure = ask(&client(&[&base])).await.unwrap().status(201).unwrap_err();
    assert!(failure.to_string().contains("409 conflict (no) instead of 201"), "{failure}");
}

#[tokio::test]
async fn being_turned_away_is_an_error_and_not_a_wrong_answer() {
    let (base, _) = server(429, r#"{"code":"overloaded_user"}"#).await;
    let failure = ask(&client(&[&base])).await.unwrap().status(201).unwrap_err();
    assert_eq!(failure.label(), Some("overloaded_user"));
    let (base, _) = server(429, r#"{"code":"too_many_attempts"}"#).await;
    let failure = ask(&client(&[&base])).await.unwrap().status(201).unwrap_err();
    assert_eq!(failure.label(), None);
}

#[tokio::test]
async fn a_field_of_another_type_is_wrong_and_its_value_stays_hidden() {
    let body = r#"{"id":"fac_1","type":"TOTP","status":"ACTIVE","primary":"JBSWY3DPEHPK3PXP"}"#;
    let (base, _) = server(201, body).await;
    let failure = ask(&client(&[&base])).await.unwrap().json::<Factor>(201).err().unwrap();
    assert!(failure.to_string().contains("a field of another type at line 1"), "{failure}");
    assert!(!failure.to_string().contains("JBSWY3DPEHPK3PXP"));
}

#[tokio::test]
async fn without_any_node_it_ends_at_the_deadline_unanswered() {
    let (base, saw) = server(503, r#"{"code":"unavailable"}"#).await;
    let started = Instant::now();
    let failure = ask(&client(&[&base])).await.err().unwrap();
    assert_eq!(failure.label(), Some("unanswered"));
    assert!(failure.to_string().contains("503 unavailable"), "{failure}");
    assert!(started.elapsed() <= Duration::from_millis(FLIGHT_MS.unsigned_abs()));
    let keys = saw.lock().unwrap();
    assert!(keys.len() > 3 && keys.iter().all(|key| key == "run-0"));
}

/// A server that takes a request and breaks the connection instead of answering.
async fn breaker() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.readable().await.unwrap();
            drop(stream);
        }
    });
    base
}

#[tokio::test]
async fn a_request_cut_off_is_taken_to_the_next_address_under_the_same_key() {
    let broken = breaker().await;
    let (there, saw) = server(201, FACTOR).await;
    let client = client(&[&broken, &there]);
    ask(&client).await.unwrap().status(201).unwrap();
    assert_eq!(*saw.lock().unwrap(), ["run-0"]);
    assert_eq!(client.sent_again(), SentAgain { cut: 1, ..SentAgain::default() });
    assert!(client.interruptions(Instant::now()).is_empty());
}

#[tokio::test]
async fn a_node_that_was_not_there_is_left_alone_for_a_moment() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let (there, _) = server(201, FACTOR).await;
    let client = client(&[&nobody, &there]);
    let started = Instant::now();
    for _ in 0..20 {
        ask(&client).await.unwrap().status(201).unwrap();
    }
    let most = 1 + started.elapsed().as_millis() as u64 / 250;
    assert!((1..=most).contains(&client.sent_again().refused), "{:?}", client.sent_again());
}
