//! `countersign dev`: what it prints works when it is pasted.

use std::process::Command;

use crate::running::{Running, client, program, run, said};

/// The five lines of the greeting.
fn session(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("Paste these five lines")?;
    let (_, rest) = rest.split_once("\n\n")?;
    let (session, _) = rest.split_once("\n\n").or_else(|| rest.rsplit_once('\n'))?;
    let lines: Vec<&str> = session.lines().filter(|line| !line.is_empty()).collect();
    (lines.len() == 5).then(|| lines.join("\n") + "\n")
}

fn shells() -> impl Iterator<Item = &'static str> {
    ["bash", "sh"].into_iter().filter(|shell| {
        Command::new(shell)
            .args(["-c", "command -v curl"])
            .output()
            .is_ok_and(|o| o.status.success())
    })
}

#[test]
fn the_pasted_session_enrolls_logs_in_and_is_refused_the_replay() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
    let dev = Running::start(&mut command);
    let session = dev.says(session);
    let mut pasted = 0;
    for shell in shells() {
        let file = dir.path().join(format!("session.{shell}"));
        std::fs::write(&file, &session).unwrap();
        let output = run(Command::new(shell).arg(&file));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{shell}: {text}\n{}", said(&output));
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert_eq!(lines.len(), 4, "{shell}: {text}");
        assert_eq!(lines[0]["status"], "ACTIVE", "{shell}: {text}");
        assert_eq!(lines[1]["mfaRequired"], true, "{shell}: {text}");
        assert_eq!(lines[2]["verified"], true, "{shell}: {text}");
        assert_eq!(lines[3]["code"], "code_already_used", "{shell}: {text}");
        pasted += 1;
        // User names have the second in them.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
    assert!(pasted > 0, "there is no shell with curl here");
}

#[test]
fn dev_keeps_its_data_and_its_keys() {
    let home = tempfile::tempdir().unwrap();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut command = program();
        command.args(["dev", "--listen", "127.0.0.1:0"]).env("XDG_DATA_HOME", home.path());
        let mut dev = Running::start(&mut command);
        let key = dev.says(|said| {
            session(said)?;
            let line = said.lines().find(|line| line.trim_start().starts_with("Key"))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        });
        keys.push(key);
        dev.terminate();
        assert!(dev.ended().success(), "{}", dev.log());
    }
    assert!(home.path().join("countersign/dev/db").is_dir());
    assert_eq!(keys[0], keys[1]);
}

/// Starts `dev` on a data directory. Answers its address and key as well.
fn dev_at(dir: &std::path::Path) -> (Running, String, String) {
    let mut command = program();
    command.args(["dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir);
    let dev = Running::start(&mut command);
    let (url, key) = dev.says(|said| {
        session(said)?;
        let word = |name: &str| {
            let line = said.lines().find(|line| line.trim_start().starts_with(name))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        };
        Some((word("API")?.strip_suffix("/v1")?.to_owned(), word("Key")?))
    });
    (dev, url, key)
}

/// The origins of the default tenant.
async fn origins(url: &str, key: &str) -> serde_json::Value {
    let request = client().get(format!("{url}/v1/settings"));
    let answer = request.bearer_auth(key).send().await.expect("an answer");
    let answer: serde_json::Value = answer.json().await.expect("settings");
    answer["origins"].clone()
}

#[tokio::test]
async fn passkeys_work_at_the_address_of_this_start_until_another_is_chosen() {
    let dir = tempfile::tempdir().unwrap();
    // Twice: the free port is another one the second time.
    for _ in 0..2 {
        let (mut dev, url, key) = dev_at(dir.path());
        assert!(url.starts_with("http://localhost:"), "{url}");
        assert_eq!(origins(&url, &key).await, serde_json::json!([url]));
        dev.terminate();
        assert!(dev.ended().success(), "{}", dev.log());
    }
    let chosen = "https://acme.example";
    let (mut dev, url, key) = dev_at(dir.path());
    let patch = serde_json::json!({ "rpId": "acme.example", "origins": [chosen] });
    let settings = client().patch(format!("{url}/v1/settings")).bearer_auth(&key).json(&patch);
    assert!(settings.send().await.expect("an answer").status().is_success());
    dev.terminate();
    assert!(dev.ended().success(), "{}", dev.log());
    let (_dev, url, key) = dev_at(dir.path());
    assert_eq!(origins(&url, &key).await, serde_json::json!([chosen]));
}

#[test]
fn ephemeral_leaves_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let mut command = program();
    let elsewhere = tmp.path().join("of-another-command");
    command
        .args(["dev", "--ephemeral", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", tmp.path())
        .env("COUNTERSIGN_DATA_DIR", &elsewhere);
    let mut dev = Running::start(&mut command);
    dev.says(session);
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 1);
    dev.terminate();
    assert!(dev.ended().success(), "{}", dev.log());
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_cannot_be_made_is_a_data_directory_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = run(program().args(["dev", "--data-dir"]).arg(file.join("below")));
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("below"), "{}", said(&output));
}

#[test]
fn dev_logs_as_it_is_told_to() {
    let mut command = program();
    command.args(["dev", "--ephemeral", "--listen", "127.0.0.1:0"]).args([
        "--log-format",
        "json",
        "--log-level",
        "info",
    ]);
    let dev = Running::start(&mut command);
    dev.says(session);
    dev.logs("\"level\":\"INFO\"");
    let log = dev.log();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(line["message"].is_string(), "{line}");
    }
    let output = run(program().args(["dev", "--ephemeral", "--log-format", "xml"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("text or json"), "{}", said(&output));
}

/// An answer over a socket, head and body.
fn exchange(url: &str, request: &str) -> String {
    use std::io::{Read, Write};
    let address = url.strip_prefix("http://").unwrap().replace("localhost", "127.0.0.1");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_client_that_asks_first_is_not_told_to_send_a_body_that_is_too_long() {
    let dir = tempfile::tempdir().unwrap();
    let (_dev, url, key) = dev_at(dir.path());
    let ask = |length: usize| {
        format!(
            "POST /v1/mfa/challenges HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\nexpect: 100-continue\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n"
        )
    };
    let refused = exchange(&url, &ask(65_537));
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
    // One that fits is asked for.
    let fits = exchange(&url, &(ask(2) + "{}"));
    assert!(fits.starts_with("HTTP/1.1 100") && fits.contains("HTTP/1.1 422"), "{fits}");
}

#[test]
fn every_metric_of_a_node_has_a_help_text() {
    let dir = tempfile::tempdir().unwrap();
    let (_dev, url, key) = dev_at(dir.path());
    for path in ["/v1/settings", "/v1/users/nobody"] {
        exchange(
            &url,
            &format!(
                "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
                 connection: close\r\n\r\n"
            ),
        );
    }
    let metrics =
        exchange(&url, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let of = |what: &str| -> std::collections::BTreeSet<String> {
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(what));
        lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let types = of("# TYPE ");
    assert!(types.len() > 15, "{metrics}");
    assert_eq!(types, of("# HELP "));
    // Alerts are counted from the start, so that the first of its kind is an increase.
    assert!(metrics.contains("countersign_alerts_total{alert=\"brute_force\"} 0"), "{metrics}");
}
