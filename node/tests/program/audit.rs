//! `countersign audit export` and `verify` against a real node that two tenants share.

use std::path::Path;
use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};

use crate::running::{ROOT_KEY, Running, call, call_as, program, ready, run, said, serve};

/// What a tenant's export holds.
#[derive(Clone)]
struct Export {
    checkpoints: Vec<Value>,
    events: Vec<Value>,
}

impl Export {
    /// Takes one with the program.
    fn take(url: &str, key: &str) -> Self {
        let output = run(program().args(["audit", "export", "--url", url, "--key", key]));
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let (checkpoints, events) = lines.partition(|line| line.get("signature").is_some());
        Self { checkpoints, events }
    }

    fn with(&self, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.events);
        changed
    }

    fn write(&self, file: &Path) {
        let lines: Vec<String> =
            self.checkpoints.iter().chain(&self.events).map(Value::to_string).collect();
        std::fs::write(file, lines.join("\n")).unwrap();
    }

    /// Checks it against the node's keys.
    fn verify(&self, dir: &Path, more: &[&str]) -> Output {
        let file = dir.join("export.jsonl");
        self.write(&file);
        let keys = dir.join("jwks.json");
        run(program().args(["audit", "verify"]).arg(file).arg("--jwks").arg(keys).args(more))
    }

    fn refused(&self, dir: &Path, what: &str) -> String {
        let output = self.verify(dir, &[]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{what}: nothing is said to be checked");
        said(&output)
    }
}

/// Two tenants whose events lie in the same shards, in turns. The second one's key.
async fn two_tenants(dir: &Path, url: &str) -> String {
    let (status, tenant) =
        call(Method::POST, format!("{url}/v1/tenants"), Some(json!({"name": "Other"}))).await;
    assert_eq!(status, 201, "{tenant}");
    let other = tenant["apiKey"]["key"].as_str().unwrap();
    for user in 0..9 {
        for (key, begun) in [(ROOT_KEY, json!({"name": "Phone"})), (other, json!({}))] {
            let path = format!("{url}/v1/users/user-{user}/mfa/totp");
            assert_eq!(call_as(key, Method::POST, path.clone(), Some(begun)).await.0, 201);
            let wrong = Some(json!({"code": "000000"}));
            let path = format!("{path}/verify");
            assert_eq!(call_as(key, Method::POST, path, wrong).await.0, 422);
        }
    }
    let path = format!("{url}/v1/users/user-3");
    assert!(call(Method::DELETE, path, None).await.0 < 300);
    let policy = Some(json!({"requirement": "REQUIRED"}));
    assert_eq!(call(Method::PATCH, format!("{url}/v1/mfa/policy"), policy).await.0, 200);
    let (_, keys) = call(Method::GET, format!("{url}/.well-known/jwks.json"), None).await;
    std::fs::write(dir.join("jwks.json"), keys.to_string()).unwrap();
    other.to_owned()
}

#[tokio::test]
async fn a_tenant_that_shares_its_shards_verifies_its_own_export_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let other = two_tenants(dir.path(), &url).await;
    for key in [ROOT_KEY, &other] {
        let export = Export::take(&url, key);
        assert_eq!(export.checkpoints.len(), 4, "one a shard");
        let output = export.verify(dir.path(), &[]);
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with(&format!("{} rows checked", export.events.len())), "{text}");
        // Its rows are numbered by themselves: nothing tells how many others have.
        for shard in 0..4 {
            let of = |event: &&Value| event["proof"]["shard"] == shard;
            let own = export.events.iter().filter(of).rev();
            let places = own.map(|event| event["proof"]["sequence"].as_u64().unwrap());
            assert!(places.eq(1..=export.events.iter().filter(of).count() as u64));
        }
    }
    // Pages as they come from the API are taken as well.
    let export = Export::take(&url, ROOT_KEY);
    let pages = export.events.chunks(5).map(|page| json!({"data": page, "nextCursor": null}));
    let pages = Export { events: pages.collect(), ..export.clone() };
    assert!(pages.verify(dir.path(), &[]).status.success());

    // Whatever is done to one row, and wherever: it is found.
    let swap = |export: &Export, one: usize, two: usize| export.with(|rows| rows.swap(one, two));
    for at in 0..export.events.len() {
        let dir = dir.path();
        export.with(|rows| drop(rows.remove(at))).refused(dir, &format!("drop {at}"));
        let twice = export.with(|rows| rows.insert(at, rows[at].clone()));
        twice.refused(dir, &format!("duplicate {at}"));
        if at > 0 {
            swap(&export, at - 1, at).refused(dir, &format!("reorder {at}"));
        }
        // As somebody would who knows how the chain is made, but has no key.
        let invented = export.with(|rows| {
            let mut row = rows[at].clone();
            row["proof"]["sequence"] = json!(row["proof"]["sequence"].as_u64().unwrap() + 1);
            rows.insert(at, row);
        });
        invented.refused(dir, &format!("insert {at}"));
        let altered = export.with(|rows| {
            let chained = rows[at]["proof"]["chained"].as_str().unwrap().to_owned();
            let flipped = if chained.as_bytes()[8] == b'A' { "B" } else { "A" };
            rows[at]["proof"]["chained"] =
                json!(format!("{}{flipped}{}", &chained[..8], &chained[9..]));
        });
        altered.refused(dir, &format!("change {at}"));
        let shown = export.with(|rows| rows[at]["outcome"] = json!("UNKNOWN"));
        assert!(shown.refused(dir, "change what is read").contains("outcome"), "{at}");
        // What only erasing a user takes away.
        if !export.events[at]["proof"]["annex"].is_null() {
            let without = export.with(|rows| {
                for field in ["userId", "ipAddress"] {
                    rows[at][field] = Value::Null;
                }
                rows[at]["proof"]["annex"] = Value::Null;
            });
            assert!(without.refused(dir, "without the user").contains("erased"), "{at}");
        }
    }
}

#[tokio::test]
async fn nothing_is_checked_but_what_signed_checkpoints_cover() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let other = two_tenants(dir.path(), &url).await;
    let (dir, export) = (dir.path(), Export::take(&url, ROOT_KEY));
    let shard = |value: &Value| value["shard"].as_u64().or(value["proof"]["shard"].as_u64());

    // A whole chain is gone, with its checkpoint and without.
    let gone = shard(&export.events[0]);
    let mut without = export.with(|rows| rows.retain(|row| shard(row) != gone));
    let named = format!("shard {}: ", gone.unwrap());
    assert!(without.refused(dir, "a chain").contains(&(named.clone() + "row 1 is missing")));
    without.checkpoints.retain(|one| shard(one) != gone);
    assert!(without.refused(dir, "a chain").contains(&(named + "its checkpoint is missing")));
    let none = Export { checkpoints: Vec::new(), ..export.clone() };
    assert!(none.refused(dir, "no checkpoint").contains("no checkpoint"));

    // Checkpoints that nobody signed, or signed for somebody else.
    for (field, value) in
        [("sequence", json!(1)), ("hash", json!("00")), ("startSequence", json!(1))]
    {
        let mut altered = export.clone();
        altered.checkpoints[0][field] = value;
        assert!(altered.refused(dir, field).contains(field), "{field}");
    }
    let mut forged = export.clone();
    let jws = forged.checkpoints[0]["signature"].as_str().unwrap().to_owned();
    let middle = jws.find('.').unwrap() + 9;
    let letter = if jws.as_bytes()[middle] == b'A' { "B" } else { "A" };
    forged.checkpoints[0]["signature"] =
        json!(format!("{}{letter}{}", &jws[..middle], &jws[middle + 1..]));
    assert!(forged.refused(dir, "forged").contains("signature is wrong"));
    let others = Export::take(&url, &other);
    let mixed = Export { checkpoints: others.checkpoints.clone(), ..export.clone() };
    mixed.refused(dir, "another tenant's checkpoints");
    let both = Export {
        checkpoints: [export.checkpoints.clone(), others.checkpoints].concat(),
        ..export.clone()
    };
    assert!(both.refused(dir, "both").contains("mixed"));
    let unknown = dir.join("unknown.json");
    let (_, keys) = call(Method::GET, format!("{url}/.well-known/jwks.json"), None).await;
    let mut keys: Value = keys;
    keys["keys"][0]["kid"] = json!("another");
    std::fs::write(&unknown, keys.to_string()).unwrap();
    export.write(&dir.join("export.jsonl"));
    let output = run(program()
        .args(["audit", "verify"])
        .arg(dir.join("export.jsonl"))
        .arg("--jwks")
        .arg(&unknown));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));

    // An earlier export agrees with a later one, which it shows to be whole.
    let earlier = dir.join("earlier.jsonl");
    export.write(&earlier);
    let path = format!("{url}/v1/users/later/mfa/totp");
    assert_eq!(call(Method::POST, path, Some(json!({}))).await.0, 201);
    let later = Export::take(&url, ROOT_KEY);
    let more = ["--checkpoints", earlier.to_str().unwrap()];
    let output = later.verify(dir, &more);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("4 earlier checkpoints agree"), "{text}");
    // Rows that came after the checkpoints are covered by none.
    let ahead = Export { checkpoints: export.checkpoints.clone(), ..later.clone() };
    assert!(ahead.refused(dir, "after").contains("covered by no signature"));
    // An older export in a newer one's place.
    let newest = dir.join("newest.jsonl");
    later.write(&newest);
    let output = export.verify(dir, &["--checkpoints", newest.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("an earlier checkpoint ends with row"), "{}", said(&output));
}

#[tokio::test]
async fn pages_neither_repeat_nor_hide_a_row_while_others_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    two_tenants(dir.path(), &url).await;
    let before = Export::take(&url, ROOT_KEY).events;
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
