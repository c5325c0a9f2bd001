//! No secret that was used is on disk or in a log in plain text.
//!
//! The node is killed, not stopped, so that the write-ahead log, which is never compressed, still
//! holds everything that was written.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use std::path::Path;

use countersign_tests::app::App;
use countersign_tests::house::{CLUSTER_SECRET, House, MASTER_KEY, ROOT_KEY};
use serde_json::{Value, json};

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
