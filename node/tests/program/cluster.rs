//! What a node tells of itself: `countersign cluster status`, lists, metrics.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::running::{ROOT_KEY, Running, call, client, program, ready, run, said, serve};

#[tokio::test]
async fn status_shows_nodes_and_shards_as_tables() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let status =
        |key: &str| run(program().args(["cluster", "status", "--url", &url, "--key", key]));
    let output = status(ROOT_KEY);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("cluster clu_"), "{text}");
    let node = text.lines().find(|line| line.starts_with("1 ")).unwrap();
    assert!(node.contains("n1") && node.contains("UP") && node.contains(&url[7..]), "{text}");
    let (_, shards) = text.split_once("SHARD").unwrap();
    assert_eq!(shards.lines().skip(1).count(), 4, "{text}");

    // Through the environment, where it is in nobody's process list.
    let quiet =
        run(program().args(["cluster", "status", "--url", &url]).env("COUNTERSIGN_KEY", ROOT_KEY));
    assert!(quiet.status.success(), "{}", said(&quiet));

    let refused = status("csk_somebody-elses-key-somebody-elses-key");
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("401"), "{}", said(&refused));
    assert!(!said(&refused).contains("somebody"), "{}", said(&refused));
}

#[tokio::test]
async fn users_are_listed_once_each_over_all_shards_and_pages() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let expected: BTreeSet<String> = (0..23).map(|n| format!("user-{n}")).collect();
    for user in &expected {
        let (status, _) =
            call(Method::PUT, format!("{url}/v1/users/{user}"), Some(json!({}))).await;
        assert_eq!(status, 201);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = call(Method::GET, format!("{url}/v1/users?limit=4{cursor}"), None).await;
        let users = page["data"].as_array().unwrap();
        assert!(!users.is_empty() && users.len() <= 4);
        seen.extend(users.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), expected.len());
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn metrics_tell_of_leaders_and_syncs() {
    let dir = tempfile::tempdir().unwrap();
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let text = client().get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("{name} is missing:\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    for shard in 0..4 {
        let leads = value(&format!("countersign_raft_leader{{shard=\"{shard}\"}}"));
        assert!((leads - 1.0).abs() < f64::EPSILON, "shard {shard}");
    }
    assert!(value("countersign_storage_syncs_total") >= 1.0);
    assert!(value("countersign_raft_applied_index{shard=\"0\"}") >= 4.0);
}
