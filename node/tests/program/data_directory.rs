//! The data directory: whose it is, what opens it, what it keeps.

use crate::running::{Running, call, ready, run, said, serve, serve_at};
use reqwest::Method;
use serde_json::json;

#[test]
fn an_empty_directory_needs_to_be_told_how_to_begin() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&mut serve(dir.path()));
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("holds no data yet") && text.contains("--bootstrap"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was left behind");
}

#[test]
fn a_node_without_the_clusters_secret_does_not_ask_to_join() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(serve(dir.path()).args(["--join", "127.0.0.1:7082"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("COUNTERSIGN_CLUSTER_SECRET"), "{}", said(&output));
}

#[test]
fn a_second_process_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let (_first, _) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    let second = run(serve(dir.path()).arg("--bootstrap"));
    assert_eq!(second.status.code(), Some(3));
    assert!(said(&second).contains("in use by process"), "{}", said(&second));
}

#[test]
fn an_address_in_use_has_its_own_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let output = run(serve_at(dir.path(), &address).arg("--bootstrap"));
    assert_eq!(output.status.code(), Some(4));
    assert!(said(&output).contains(&address), "{}", said(&output));
}

#[tokio::test]
async fn a_wrong_master_key_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let body = json!({"email": "ann@example.com"});
    let (status, _) = call(Method::PUT, format!("{url}/v1/users/ann"), Some(body)).await;
    assert_eq!(status, 201);
    first.terminate();
    assert!(first.ended().success());

    let other = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let output = run(serve(dir.path()).env("COUNTERSIGN_MASTER_KEY", other));
    assert_eq!(output.status.code(), Some(3));
    let text = said(&output);
    assert!(text.contains("master key is not the one"), "{text}");
    assert!(!text.contains(other), "{text}");

    let (_again, url) = Running::serving(&mut serve(dir.path()));
    ready(&url).await;
    let (status, user) = call(Method::GET, format!("{url}/v1/users/ann"), None).await;
    assert_eq!((status, user["email"].as_str()), (200, Some("ann@example.com")));
}

#[tokio::test]
async fn a_restart_keeps_everything_and_ignores_bootstrap() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster_ids = Vec::new();
    for round in 0..3 {
        let (mut node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
        ready(&url).await;
        for earlier in 0..round {
            let path = format!("{url}/v1/users/of-round-{earlier}/mfa/status");
            let (status, _) = call(Method::GET, path, None).await;
            assert_eq!(status, 200, "the user of round {earlier} in round {round}");
        }
        let path = format!("{url}/v1/users/of-round-{round}");
        let (status, _) = call(Method::PUT, path, Some(json!({}))).await;
        assert_eq!(status, 201);
        let (_, cluster) = call(Method::GET, format!("{url}/v1/cluster"), None).await;
        cluster_ids.push(cluster["clusterId"].as_str().unwrap().to_owned());
        // In order, then without order.
        if round == 0 {
            node.terminate();
            assert!(node.ended().success(), "{}", node.log());
        } else {
            node.kill();
        }
    }
    cluster_ids.dedup();
    assert_eq!(cluster_ids.len(), 1, "one cluster: {cluster_ids:?}");
}

#[tokio::test]
async fn a_founding_that_is_killed_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    // Kills at growing distances from the start, so that some fall between the steps.
    for millis in [0, 20, 40, 60, 80, 100, 130, 160, 200, 250] {
        let mut node = Running::start(serve(dir.path()).arg("--bootstrap"));
        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
        node.kill();
    }
    let (_node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let (status, _) = call(Method::PUT, format!("{url}/v1/users/ann"), Some(json!({}))).await;
    assert_eq!(status, 201);
}

#[test]
fn a_root_key_is_made_and_shown_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = serve(dir.path());
    command.arg("--bootstrap").env_remove("COUNTERSIGN_ROOT_KEY");
    let (mut node, _) = Running::serving(&mut command);
    let key =
        node.says(|said| said.lines().find(|line| line.starts_with("csk_")).map(str::to_owned));
    assert_eq!(key.len(), "csk_".len() + 52);
    assert!(!node.log().contains(&key));
    node.terminate();
    assert!(node.ended().success());
    let (again, _) = Running::serving(&mut command);
    assert!(!again.log().contains("csk_"));
}

/// Every file and folder below `dir`, with its mode.
fn modes(dir: &std::path::Path) -> Vec<(std::path::PathBuf, u32)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        found.push((folder.clone(), std::fs::metadata(&folder).unwrap().permissions().mode()));
        // RocksDB takes files away meanwhile.
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                found.push((entry.path(), metadata.permissions().mode()));
            }
        }
    }
    found
}

#[tokio::test]
async fn the_data_directory_is_closed_to_other_users_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let plain = serve(&data);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(plain.get_program());
    command.args(plain.get_args()).arg("--bootstrap");
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (_node, url) = Running::serving(&mut command);
    ready(&url).await;
    let open: Vec<_> = modes(&data).into_iter().filter(|(_, mode)| mode & 0o077 != 0).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn lost_root_keys_are_replaced_by_a_start_with_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    node.terminate();
    assert!(node.ended().success());
    let new = "csk_new-new-new-new-new-new-new-new-new-new";
    // Without the flag the variable means the first start alone.
    let ask = |url: String, key: &'static str| async move {
        let asked = crate::running::client().get(format!("{url}/v1/tenants")).bearer_auth(key);
        asked.send().await.unwrap().status().as_u16()
    };
    let (mut node, url) = Running::serving(serve(dir.path()).env("COUNTERSIGN_ROOT_KEY", new));
    ready(&url).await;
    assert_eq!(ask(url, new).await, 401);
    node.terminate();
    assert!(node.ended().success());

    let mut replace = serve(dir.path());
    replace.arg("--replace-root-key").env("COUNTERSIGN_ROOT_KEY", new);
    for _ in 0..2 {
        let (mut node, url) = Running::serving(&mut replace);
        ready(&url).await;
        let deadline = std::time::Instant::now() + crate::running::PATIENCE;
        while ask(url.clone(), new).await != 200 {
            assert!(std::time::Instant::now() < deadline, "{}", node.log());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(ask(url, crate::running::ROOT_KEY).await, 401);
        assert!(!node.log().contains(new), "the key is in the log");
        node.terminate();
        assert!(node.ended().success());
    }
    let without =
        run(serve(dir.path()).arg("--replace-root-key").env_remove("COUNTERSIGN_ROOT_KEY"));
    assert_eq!(without.status.code(), Some(2));
    assert!(said(&without).contains("COUNTERSIGN_ROOT_KEY"), "{}", said(&without));
}
