//! The verdict: all that was noted, against the promises.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::run::Run;
use crate::client::Client;
use crate::history::{self, Record, Tape};
use crate::house::{CLUSTER_SECRET, MASTER_KEY, ROOT_KEY};

/// How long replicas may take to agree once all is quiet.
const AGREED_WITHIN: Duration = Duration::from_secs(30);

/// Judges a run whose clients have stopped. The cluster runs on.
pub(super) async fn judge(run: &mut Run) {
    run.cluster.wait_until_whole().await;
    run.crowd.look_back().await;
    histories(&run.tape, None);
    closed(run);
    agreement(run).await;
    audit(run).await;
    logs(run);
}

/// Looks for an order in the histories of some people, or of all.
pub(super) fn histories(tape: &Tape, people: Option<&[String]>) {
    let records = tape.records();
    let chosen: Vec<Record> = match people {
        None => records,
        Some(people) => {
            let people: BTreeSet<&String> = people.iter().collect();
            records.into_iter().filter(|record| people.contains(&record.user)).collect()
        }
    };
    let (_, faults) = history::check(&chosen);
    for fault in faults {
        let what =
            format!("order: nothing explains the history of {}:\n{}", fault.user, fault.story);
        if !tape.violations().contains(&what) {
            tape.violation(what);
        }
    }
}

/// Nothing is verified through a node that is cut off from a quorum.
fn closed(run: &Run) {
    let attempts = run.tape.attempts();
    for closed in &run.closed {
        for attempt in attempts.iter().filter(|attempt| attempt.node == closed.node) {
            let within = attempt.from_us >= closed.from_us && attempt.to_us <= closed.to_us;
            if within && attempt.verified {
                run.tape.violation(format!(
                    "closed: node {} verified at {} us, cut off from {} to {} us",
                    closed.node, attempt.to_us, closed.from_us, closed.to_us
                ));
            }
        }
    }
}

/// Once all is quiet, every node has applied the same, in the same term, under the same leader.
async fn agreement(run: &Run) {
    let deadline = Instant::now() + AGREED_WITHIN;
    loop {
        let mut views = BTreeSet::new();
        for node in 0..run.cluster.len() {
            let view = run.cluster.status(node).await.map(|status| {
                let shards = status["shards"].as_array().cloned().unwrap_or_default();
                let mut lines: Vec<String> = shards.iter().map(agreed_of).collect();
                lines.sort();
                lines.join("\n")
            });
            views.insert(view);
        }
        if views.len() == 1 && !views.contains(&None) {
            return;
        }
        if Instant::now() >= deadline {
            run.tape.violation(format!("agreement: the nodes differ: {views:#?}"));
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// What all nodes must tell alike of a shard.
fn agreed_of(shard: &Value) -> String {
    format!(
        "shard {} leader {} term {} applied {} voters {} learners {}",
        shard["id"],
        shard["leader"],
        shard["term"],
        shard["lastApplied"],
        shard["voters"],
        shard["learners"]
    )
}

/// The audit chains verify, and every node tells the same of them.
async fn audit(run: &Run) {
    let folder = tempfile::tempdir().unwrap();
    let mut first: Option<usize> = None;
    for node in 0..run.cluster.len() {
        let client = run.cluster.client(node);
        let events = match export(&client).await {
            Ok(events) => events,
            Err(reason) => {
                run.tape.violation(format!("audit: node {node}: {reason}"));
                continue;
            }
        };
        let count = events.len();
        if *first.get_or_insert(count) != count {
            run.tape.violation(format!(
                "audit: node {node} tells {count} events, the first node {first:?}"
            ));
        }
        let path = folder.path().join(format!("{node}.jsonl"));
        let keys = folder.path().join(format!("{node}.jwks.json"));
        let program = &run.cluster.plan().program.path;
        let exported = std::process::Command::new(program)
            .args(["audit", "export", "--url", &run.cluster.url(node), "--key", ROOT_KEY])
            .env_remove("FAILPOINTS")
            .output()
            .unwrap();
        std::fs::write(&path, exported.stdout).unwrap();
        let known = client.get("/.well-known/jwks.json").await;
        std::fs::write(&keys, known.body.to_string()).unwrap();
        let output = std::process::Command::new(program)
            .args(["audit", "verify", "--jwks"])
            .args([&keys, &path])
            .env_remove("FAILPOINTS")
            .output()
            .unwrap();
        if !output.status.success() {
            run.tape.violation(format!(
                "audit: the export of node {node} does not verify: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ));
        }
    }
}

/// All audit events of the tenant, one JSON text each.
async fn export(client: &Client) -> Result<Vec<String>, String> {
    let mut events = Vec::new();
    let mut cursor = None;
    loop {
        let mut path = "/v1/audit?limit=200".to_owned();
        if let Some(cursor) = &cursor {
            path = format!("{path}&cursor={cursor}");
        }
        let mut page = None;
        for _ in 0..20 {
            let asked = client.send(reqwest::Method::GET, &path, None, None).await;
            if let Some(answer) = asked.filter(|answer| answer.status.is_success()) {
                page = Some(answer.body);
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        let page = page.ok_or_else(|| format!("no answer to {path}"))?;
        let data = page["data"].as_array().ok_or("a page without data")?;
        events.extend(data.iter().map(Value::to_string));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(events),
        }
    }
}

/// No log holds a secret, and no node panicked.
fn logs(run: &Run) {
    let mut secrets = run.tape.secrets();
    secrets.extend([ROOT_KEY, MASTER_KEY, CLUSTER_SECRET].map(str::to_owned));
    let lengths: BTreeSet<usize> = secrets.iter().map(String::len).collect();
    let secrets: HashSet<&[u8]> = secrets.iter().map(String::as_bytes).collect();
    for node in 0..run.cluster.len() {
        let log = run.cluster.log(node);
        let name = run.cluster.name(node);
        for line in log.lines() {
            let bytes = line.as_bytes();
            let found = lengths
                .iter()
                .any(|length| bytes.windows(*length).any(|window| secrets.contains(window)));
            if found {
                run.tape.violation(format!("sealed: the log of {name} holds a secret: {line}"));
            }
            if line.contains("panicked at") {
                run.tape.violation(format!("panic: {name}: {line}"));
            }
        }
    }
}
