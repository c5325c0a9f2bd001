//! `countersign audit verify` on exports of a real node.

use std::path::Path;
use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};

use crate::running::{Running, call, program, ready, run, said, serve};

fn verify(dir: &Path, events: &[Value], more: &[&str]) -> Output {
    let file = dir.join("export.jsonl");
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    run(program().args(["audit", "verify"]).arg(file).args(more))
}

/// Events of a node on which something happened, and the pages in which they came.
async fn events(url: &str) -> (Vec<Value>, Vec<Value>) {
    for user in 0..12 {
        let body = Some(json!({"name": "Phone"}));
        let path = format!("{url}/v1/users/user-{user}/mfa/totp");
        assert_eq!(call(Method::POST, path, body).await.0, 201);
        let path = format!("{url}/v1/users/user-{user}/mfa/totp/verify");
        assert_eq!(call(Method::POST, path, Some(json!({"code": "000000"}))).await.0, 422);
    }
    let policy = Some(json!({"requirement": "REQUIRED"}));
    assert_eq!(call(Method::PATCH, format!("{url}/v1/mfa/policy"), policy).await.0, 200);
    let (mut events, mut pages) = (Vec::new(), Vec::new());
    let mut cursor = String::new();
    loop {
        let path = format!("{url}/v1/audit?limit=5{cursor}");
        let (status, page) = call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{page}");
        events.extend(page["data"].as_array().unwrap().iter().cloned());
        let next = page["nextCursor"].as_str().map(str::to_owned);
        pages.push(page);
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (events, pages),
        }
    }
}

#[tokio::test]
async fn an_export_verifies_and_any_alteration_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let (events, pages) = events(&url).await;
    assert!(events.len() >= 25, "{} events", events.len());

    for export in [&events, &pages] {
        let output = verify(dir.path(), export, &[]);
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with(&format!("{} rows of 4 shards verify", events.len())), "{text}");
    }

    // What people read.
    for (field, value) in [
        ("outcome", json!("SUCCESS")),
        ("reason", json!("nothing")),
        ("type", json!("mfa.factor.enrolled")),
        ("at", json!("2020-01-01T00:00:00.000Z")),
        ("userId", json!("somebody-else")),
        ("details", json!({"made": "up"})),
    ] {
        let mut altered = events.clone();
        let row = altered.iter_mut().find(|event| event[field] != value).unwrap();
        row[field] = value;
        let output = verify(dir.path(), &altered, &[]);
        assert_eq!(output.status.code(), Some(1), "{field}");
        assert!(said(&output).contains(field), "{field}: {}", said(&output));
    }

    // What is chained.
    let mut altered = events.clone();
    let middle = altered.iter_mut().find(|event| event["proof"]["sequence"] == 2).unwrap();
    let chained = middle["proof"]["chained"].as_str().unwrap().to_owned();
    let flipped = if chained.as_bytes()[8] == b'A' { "B" } else { "A" };
    middle["proof"]["chained"] = json!(format!("{}{flipped}{}", &chained[..8], &chained[9..]));
    let shard = middle["proof"]["shard"].clone();
    let output = verify(dir.path(), &altered, &[]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("shard {shard}: row 2 was altered");
    assert!(said(&output).contains(&expected), "{}", said(&output));

    // What is missing: an error, unless gaps are accepted.
    let removed = events.iter().filter(|event| event["proof"]["sequence"] != 2);
    let removed: Vec<Value> = removed.cloned().collect();
    let output = verify(dir.path(), &removed, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("row 2 is missing"), "{}", said(&output));
    let output = verify(dir.path(), &removed, &["--gaps"]);
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test]
async fn pages_neither_repeat_nor_hide_a_row_while_others_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let (before, _) = events(&url).await;
    let (_, first) = call(Method::GET, format!("{url}/v1/audit?limit=7"), None).await;
    for user in 0..6 {
        let path = format!("{url}/v1/users/later-{user}/mfa/totp");
        assert_eq!(call(Method::POST, path, Some(json!({}))).await.0, 201);
    }
    let mut seen: Vec<Value> = first["data"].as_array().unwrap().clone();
    let mut cursor = first["nextCursor"].as_str().map(str::to_owned);
    while let Some(next) = cursor {
        let path = format!("{url}/v1/audit?limit=7&cursor={next}");
        let (_, page) = call(Method::GET, path, None).await;
        seen.extend(page["data"].as_array().unwrap().iter().cloned());
        cursor = page["nextCursor"].as_str().map(str::to_owned);
    }
    let ids = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&seen), ids(&before));
    let times: Vec<&str> = seen.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "newest first: {times:?}");
    let strange = call(Method::GET, format!("{url}/v1/audit?cursor=strange"), None).await;
    assert_eq!((strange.0, strange.1["code"].as_str()), (422, Some("validation_failed")));
}
