//! No secret that was used is on disk or in a log in plain text.
//!
//! The node is killed, not stopped, so that the write-ahead log, which is never compressed, still
//! holds everything that was written.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use std::path::Path;

use countersign_tests::app::App;
use countersign_tests::house::{CLUSTER_SECRET, House, MASTER_KEY, ROOT_KEY};
use countersign_tests::phone::{self, Phone, SIGNING_SECRET, wrong_for};
use countersign_tests::receiver::Receiver;
use serde_json::{Value, json};
use tokio::time::Instant;

/// What must not be found, and what it is.
type Secrets = Vec<(String, Vec<u8>)>;

fn note(secrets: &mut Secrets, what: &str, value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("{what} is missing"));
    secrets.push((what.to_owned(), text.as_bytes().to_vec()));
}

async fn use_everything(house: &House) -> Secrets {
    let client = house.client();
    let mut secrets: Secrets = vec![
        ("root key".into(), ROOT_KEY.into()),
        ("master key".into(), MASTER_KEY.into()),
        ("master key bytes".into(), data_encoding::BASE64.decode(MASTER_KEY.as_bytes()).unwrap()),
        ("cluster secret".into(), CLUSTER_SECRET.into()),
    ];

    // A pending enrollment, begun under an idempotency key, so that its answer is kept.
    let answer = client
        .send(reqwest::Method::POST, "/v1/users/ann/mfa/totp", Some(json!({})), Some("once"))
        .await
        .unwrap()
        .ok();
    note(&mut secrets, "enrollment secret", &answer["secret"]);
    let raw = data_encoding::BASE32_NOPAD.decode(answer["secret"].as_str().unwrap().as_bytes());
    secrets.push(("enrollment secret bytes".into(), raw.unwrap()));

    let app = App::numbered(9);
    let factor = client.import("ann", &app).await.unwrap();
    secrets.push(("imported secret".into(), app.base32().into()));
    secrets.push(("imported secret bytes".into(), app.bytes().to_vec()));

    let codes = client.post("/v1/users/ann/mfa/recovery-codes", json!({})).await.ok();
    for code in codes["codes"].as_array().unwrap() {
        note(&mut secrets, "recovery code", code);
        let plain = code.as_str().unwrap().replace('-', "");
        secrets.push(("recovery code without dashes".into(), plain.into()));
    }
    let challenge = client.challenge("ann").await.unwrap();
    client.recover(&challenge, codes["codes"][0].as_str().unwrap()).await.unwrap().ok();

    let wrong = app.wrong_code();
    let challenge = client.challenge("ann").await.unwrap();
    let refused = client.verify(&challenge, &factor, &wrong).await.unwrap();
    assert_eq!(refused.code(), "invalid_code");
    let code = app.code(0);
    let body = json!({
        "challengeId": challenge, "factorId": factor, "code": code, "rememberDevice": true,
    });
    let verified = client
        .send(reqwest::Method::POST, "/v1/mfa/challenges/verify", Some(body), Some("twice"))
        .await
        .unwrap()
        .ok();
    secrets.push(("code".into(), code.into()));
    note(&mut secrets, "device token", &verified["deviceToken"]);
    note(&mut secrets, "access token", &verified["tokens"]["accessToken"]);

    let body = json!({ "name": "robot", "scopes": ["mfa"] });
    let key = client.post("/v1/api-keys", body).await.ok();
    note(&mut secrets, "API key", &key["key"]);
    // A wrong key, a malformed body and a malformed path must not be echoed into the log either.
    let stranger = client.with_key("csk_THIS-KEY-IS-WRONG-BUT-SECRET-ALL-THE-SAME");
    assert_eq!(stranger.get("/v1/users").await.status, 401);
    secrets.push(("wrong API key".into(), b"csk_THIS-KEY-IS-WRONG".to_vec()));
    let odd = json!({ "code": "31415926535", "surprise": "SECRET-IN-AN-UNKNOWN-FIELD" });
    assert_eq!(client.post("/v1/users/ann/mfa/totp/verify", odd).await.status, 422);
    secrets.push(("an unknown field's value".into(), b"SECRET-IN-AN-UNKNOWN-FIELD".to_vec()));
    secrets
}

fn files_below(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn neither_disk_nor_log_holds_a_secret_that_was_used() {
    let mut house = House::founded().await;
    let secrets = use_everything(&house).await;
    house.kill();
    let mut files = Vec::new();
    files_below(&house.data_dir(), &mut files);
    let mut seen_user = false;
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        seen_user |= holds(&bytes, b"ann");
        for (what, secret) in &secrets {
            assert!(!holds(&bytes, secret), "{what} is in {}", file.display());
        }
    }
    // The search sees what is there: the user's id is no secret and must be found.
    assert!(seen_user, "the data directory does not even hold the user's id");
    let log = house.log();
    assert!(log.lines().count() > 10, "the log is suspiciously short:\n{log}");
    for (what, secret) in &secrets {
        assert!(!holds(log.as_bytes(), secret), "{what} is in the log");
    }
}

/// What six digits are called that were sent for the same purpose. Six digits alone are found in many
/// places by chance, two codes of one purpose in hardly any.
type SentCodes = Vec<(&'static str, [String; 2])>;

/// Sends codes of every kind, and asks what can be asked; the codes, and all that was answered.
async fn send_codes(house: &House, receiver: &Receiver) -> (SentCodes, Vec<String>) {
    let client = house.client();
    let mut answers = Vec::new();
    let (mut confirming, mut login, mut void, mut wrong) = (vec![], vec![], vec![], vec![]);
    for (serial, user) in [(1, "cal"), (2, "deb")] {
        let phone = Phone::of(user, serial);
        let mut note = |answer: countersign_tests::client::Answer| {
            answers.push(answer.body.to_string());
            answer
        };
        let asked_at = Instant::now();
        note(phone.begin(&client).await).ok();
        note(phone.ask(&client).await).ok();
        let code = phone.code(receiver, asked_at).await;
        let factor = note(phone.confirm(&client, &code).await).ok();
        let factor = factor["id"].as_str().unwrap().to_owned();
        confirming.push(code);

        let challenge = client.challenge(user).await.unwrap();
        for last in [false, true] {
            let asked_at = Instant::now();
            note(phone.ask_for_login(&client, &challenge, &factor).await).ok();
            let code = phone.code(receiver, asked_at).await;
            if !last {
                void.push(code);
                continue;
            }
            let guess = wrong_for(&code);
            note(client.verify(&challenge, &factor, &guess).await.unwrap());
            note(client.verify(&challenge, &factor, &code).await.unwrap()).ok();
            note(client.verify(&challenge, &factor, &code).await.unwrap());
            wrong.push(guess);
            login.push(code);
        }
        for path in ["", "/mfa/factors", "/mfa/status"] {
            note(client.get(&format!("/v1/users/{user}{path}")).await).ok();
        }
    }
    for path in ["/v1/audit?limit=200", "/metrics", "/v1/webhooks"] {
        answers.push(client.get(path).await.ok().to_string());
    }
    let both = |codes: Vec<String>| codes.try_into().unwrap();
    let codes = vec![
        ("codes that confirmed", both(confirming)),
        ("codes that answered a challenge", both(login)),
        ("codes that became void", both(void)),
        ("wrong codes", both(wrong)),
    ];
    (codes, answers)
}

/// Whether a code is somewhere and not just a part of a longer number.
fn holds_code(haystack: &[u8], code: &str) -> bool {
    let needle = code.as_bytes();
    haystack.windows(needle.len()).enumerate().any(|(at, window)| {
        let digit = |place: Option<usize>| {
            place.and_then(|place| haystack.get(place)).is_some_and(u8::is_ascii_digit)
        };
        window == needle && !digit(at.checked_sub(1)) && !digit(Some(at + needle.len()))
    })
}

#[tokio::test]
async fn no_answer_log_metric_or_file_holds_a_code_that_was_sent_or_what_signs() {
    let receiver = Receiver::start().await;
    let mut environment = phone::environment(&receiver);
    environment.push(("COUNTERSIGN_WEBHOOKS_ALLOW_PRIVATE".into(), "true".into()));
    let mut house = House::founded_with(environment).await;
    phone::without_limits(&house.client()).await;
    let hook = json!({ "url": receiver.url("/hook?secret=IN-THE-ADDRESS"), "events": ["mfa.*"] });
    let hook = house.client().post("/v1/webhooks", hook).await.ok();
    let mut secrets: Secrets = vec![("SMS token".into(), SIGNING_SECRET.into())];
    note(&mut secrets, "webhook secret", &hook["secret"]);
    for (what, secret) in secrets.clone() {
        let text = String::from_utf8(secret).unwrap();
        let bytes = data_encoding::BASE64.decode(text.trim_start_matches("whsec_").as_bytes());
        secrets.push((format!("{what} bytes"), bytes.unwrap()));
    }
    let (codes, answers) = send_codes(&house, &receiver).await;
    let posted = receiver.wait_for(phone::PATIENCE, |one| one.path == "/hook").await;
    assert!(posted.is_some(), "no event was posted");

    // Left behind: one that waits, for the log holds its message.
    house.kill();
    let mut files = Vec::new();
    files_below(&house.data_dir(), &mut files);
    let read =
        |file: &std::path::PathBuf| (file.display().to_string(), std::fs::read(file).unwrap());
    let mut places: Vec<(String, Vec<u8>)> = files.iter().map(read).collect();
    let found = |what: &str| places.iter().any(|(_, bytes)| holds(bytes, what.as_bytes()));
    assert!(found("cal") && found("+14152000001"), "the search does not see what is there");
    let log = house.log();
    for number in ["+14152000001", "4152000002", "IN-THE-ADDRESS"] {
        assert!(!log.contains(number), "{number} is in the log");
    }
    places.push(("the log".into(), log.into_bytes()));
    places.extend(answers.into_iter().map(|answer| ("an answer".to_owned(), answer.into_bytes())));
    let posted = receiver.those(|one| one.path == "/hook");
    places.extend(posted.iter().map(|one| ("an event".into(), one.body.to_string().into_bytes())));
    for (place, bytes) in &places {
        for (what, secret) in &secrets {
            assert!(!holds(bytes, secret), "{what} is in {place}");
        }
        for (what, codes) in &codes {
            let all = codes.iter().all(|code| holds_code(bytes, code));
            assert!(!all, "{what} are in {place}");
        }
    }
    // An answer is about one person, and short: there a single code is enough. Only metrics are full
    // of numbers.
    for (place, bytes) in places.iter().filter(|(place, _)| place.starts_with("an ")) {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("# TYPE") {
            continue;
        }
        for code in codes.iter().flat_map(|(_, codes)| codes) {
            assert!(!holds_code(bytes, code), "a code is in {place}: {text}");
        }
    }
}
