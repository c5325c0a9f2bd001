//! Sent codes, submitted often and guessed at, through three nodes.

use countersign_tests::client::Client;
use countersign_tests::phone::{Phone, wrong_for};
use countersign_tests::receiver::Receiver;
use futures::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::{alone, refused, tally, unlimited};

const PARALLEL: usize = 200;
const VERIFY: &str = "/v1/mfa/challenges/verify";

#[tokio::test]
async fn of_two_hundred_submissions_of_one_sent_code_over_three_nodes_one_is_accepted() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = unlimited(3, &receiver).await;
    let clients: Vec<Client> = (0..3).map(|node| cluster.client(node)).collect();
    let phone = Phone::of("ann", 1);
    let factor = phone.enroll(&clients[0], &receiver).await;

    // One challenge, answered often.
    let (challenge, code) = phone.challenge(&clients[1], &receiver, &factor).await;
    let many = (0..PARALLEL).map(|number| clients[number % 3].verify(&challenge, &factor, &code));
    let expected = [("200", 1), ("code_already_used", PARALLEL - 1)];
    let expected = expected.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(tally(join_all(many).await), expected);

    // Many challenges, each answered with the one code.
    let (challenge, code) = phone.challenge(&clients[2], &receiver, &factor).await;
    let others = join_all((0..20).map(|number| clients[number % 3].challenge("ann"))).await;
    let challenges: Vec<String> = others.into_iter().flatten().chain([challenge]).collect();
    let many = challenges.iter().enumerate();
    let many = many.map(|(number, one)| clients[number % 3].verify(one, &factor, &code));
    let expected = [("200", 1), ("code_already_used", challenges.len() - 1)];
    let expected = expected.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(tally(join_all(many).await), expected);

    // A confirmation likewise.
    let (other, asked_at) = (Phone::of("bea", 2), Instant::now());
    other.begin(&clients[0]).await.ok();
    other.ask(&clients[1]).await.ok();
    let code = other.code(&receiver, asked_at).await;
    let many = (0..60).map(|number| other.confirm(&clients[number % 3], &code));
    let tally = tally(join_all(many).await.into_iter().map(Some));
    assert_eq!(tally.get("200"), Some(&1), "{tally:?}");
    let factors = clients[0].get("/v1/users/bea/mfa/factors").await.ok();
    assert_eq!(factors["data"].as_array().map(Vec::len), Some(1), "{factors}");
}

#[tokio::test]
async fn of_two_hundred_guesses_over_new_codes_new_challenges_and_three_nodes_five_are_read() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = unlimited(3, &receiver).await;
    let clients: Vec<Client> = (0..3).map(|node| cluster.client(node)).collect();
    all_at_once(&clients, &receiver).await;
    one_after_the_other(&clients, &receiver).await;
}

async fn all_at_once(clients: &[Client], receiver: &Receiver) {
    let phone = Phone::of("carl", 3);
    let factor = phone.enroll(&clients[0], receiver).await;
    let (first, code) = phone.challenge(&clients[1], receiver, &factor).await;
    let more = join_all((0..5).map(|number| clients[number % 3].challenge("carl"))).await;
    let challenges: Vec<String> = more.into_iter().flatten().chain([first]).collect();
    let wrong = wrong_for(&code);
    let guesses = (0..PARALLEL).map(|number| {
        clients[number % 3].verify(&challenges[number % challenges.len()], &factor, &wrong)
    });
    let new_codes = (0..6)
        .map(|number| phone.ask_for_login(&clients[number % 3], &challenges[number], &factor));
    let (guessed, asked) = tokio::join!(join_all(guesses), join_all(new_codes));
    let guessed = tally(guessed);
    let read = guessed.get("invalid_code").copied().unwrap_or(0);
    assert_eq!(read, 5, "{guessed:?}");
    assert!(!guessed.contains_key("200"), "{guessed:?}");
    assert!(asked.iter().all(|answer| [202, 429].contains(&answer.status.as_u16())), "{asked:?}");
    let status = clients[2].get("/v1/users/carl/mfa/status").await.ok();
    assert_eq!(status["failedAttempts"], 5, "{status}");
    assert!(status["lockedUntil"].is_string(), "{status}");

    // Locked: nothing is read, and nothing is sent that could be guessed at.
    let codes: Vec<String> =
        phone.messages(receiver).iter().filter_map(|m| m.code().map(str::to_owned)).collect();
    let fresh = clients[0].challenge("carl").await.unwrap();
    for (number, code) in codes.iter().enumerate() {
        let right = clients[number % 3].verify(&fresh, &factor, code).await.unwrap();
        refused(&right, 429, "too_many_attempts");
    }
    refused(&phone.ask_for_login(&clients[1], &fresh, &factor).await, 429, "too_many_attempts");

    clients[2].post("/v1/users/carl/mfa/unlock", json!({})).await.ok();
    let (challenge, code) = phone.challenge(&clients[0], receiver, &factor).await;
    clients[1].verify(&challenge, &factor, &code).await.unwrap().ok();
}

async fn one_after_the_other(clients: &[Client], receiver: &Receiver) {
    let phone = Phone::of("dora", 4);
    let factor = phone.enroll(&clients[0], receiver).await;
    let mut remaining = 5;
    for guesses in [2, 2, 1] {
        // A new challenge and a new code each time; neither gives fresh guesses.
        let (challenge, code) = phone.challenge(&clients[0], receiver, &factor).await;
        for _ in 0..guesses {
            let wrong = clients[1].verify(&challenge, &factor, &wrong_for(&code)).await.unwrap();
            refused(&wrong, 422, "invalid_code");
            remaining -= 1;
        }
    }
    assert_eq!(remaining, 0);
    let challenge = clients[0].challenge("dora").await.unwrap();
    let wrong = clients[2].verify(&challenge, &factor, "000000").await.unwrap();
    refused(&wrong, 429, "too_many_attempts");

    // The last code was void after its wrong answers only if they were its own: it had one.
    clients[2].post("/v1/users/dora/mfa/unlock", json!({})).await.ok();
    let (challenge, code) = phone.challenge(&clients[0], receiver, &factor).await;
    clients[1].verify(&challenge, &factor, &code).await.unwrap().ok();
}

#[tokio::test]
async fn a_code_is_void_once_another_was_sent_and_spent_once_it_was_accepted() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = unlimited(1, &receiver).await;
    let client = cluster.client(0);
    let phone = Phone::of("eve", 5);
    let factor = phone.enroll(&client, &receiver).await;
    let (challenge, old) = phone.challenge(&client, &receiver, &factor).await;
    let asked_at = Instant::now();
    phone.ask_for_login(&client, &challenge, &factor).await.ok();
    let new = phone.code(&receiver, asked_at).await;
    refused(&client.verify(&challenge, &factor, &old).await.unwrap(), 410, "code_expired");

    // Spaces and dashes change nothing, now or later.
    let (left, right) = new.split_at(3);
    let spaced = format!(" {left}-{right} ");
    client.verify(&challenge, &factor, &spaced).await.unwrap().ok();
    let relayed = json!({
        "userId": "eve", "purpose": "LOGIN", "context": { "ipAddress": "203.0.113.9" },
    });
    let other = client.post("/v1/mfa/challenges", relayed).await.ok();
    let other = other["challenge"]["id"].as_str().unwrap();
    for again in [new.clone(), format!("{left} {right}")] {
        let body = json!({ "challengeId": other, "factorId": factor, "code": again });
        refused(&client.post(VERIFY, body).await, 422, "code_already_used");
    }
    let status = client.get("/v1/users/eve/mfa/status").await.ok();
    assert_eq!(status["failedAttempts"], 0, "neither was wrong: {status}");
    let query = "userId=eve&type=mfa.alert.possible_relay";
    let alerts = countersign_tests::audit::all(&client, query).await;
    assert!(!alerts.is_empty(), "a code that came again from elsewhere was not told");
    assert!(alerts[0]["details"]["summary"].is_string(), "{}", alerts[0]);

    // An equal code of another user is another.
    let stranger = Phone::of("fay", 6);
    let theirs = stranger.enroll(&client, &receiver).await;
    let (challenge, code) = stranger.challenge(&client, &receiver, &theirs).await;
    let foreign = client.verify(&challenge, &factor, &code).await.unwrap();
    assert!(foreign.status.is_client_error(), "{}", foreign.body);
    client.verify(&challenge, &theirs, &code).await.unwrap().ok();
}
