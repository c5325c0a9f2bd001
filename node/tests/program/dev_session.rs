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
