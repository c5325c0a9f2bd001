//! Nodes within this very process, as other programs and the cluster's tests run them.

use std::time::Duration;

use countersign::{Config, Error, Node};
use countersign_core::secret::Secret;

const PATIENCE: Duration = Duration::from_secs(30);

fn config(dir: &std::path::Path) -> Config {
    let root_key = Some(Secret::from(crate::running::ROOT_KEY.to_owned()));
    Config { root_key, shards: 2, ..Config::local(dir.to_owned(), [9; 32]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_run_in_one_process_and_start_again() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for round in 0..2 {
        let mut nodes = Vec::new();
        for dir in &dirs {
            let node = Node::start(config(dir.path())).await.unwrap();
            assert!(node.ready(PATIENCE).await, "round {round}");
            nodes.push(node);
        }
        assert_ne!(nodes[0].address(), nodes[1].address());
        for node in &nodes {
            let url = format!("http://{}", node.address());
            let path = format!("{url}/v1/users/ann");
            let (status, _) =
                crate::running::call(reqwest::Method::PUT, path, Some(serde_json::json!({}))).await;
            assert_eq!(status, if round == 0 { 201 } else { 200 });
        }
        for node in nodes {
            node.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_belongs_to_one_node_at_a_time_and_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let first = Node::start(config(dir.path())).await.unwrap();
    let second = Node::start(config(dir.path())).await;
    assert!(matches!(second, Err(Error::DataDir { .. })));
    first.stop().await;
    let third = Node::start(config(dir.path())).await.unwrap();
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_made_root_key_is_announced_by_the_founding_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut announced = Vec::new();
    for _ in 0..2 {
        let config = Config { root_key: None, ..config(dir.path()) };
        let node = Node::start_with(config, |key| announced.push(key.clone())).await.unwrap();
        node.stop().await;
    }
    assert_eq!(announced.len(), 1);
}
