//! Three nodes that act as one: the rows of the chapter on clusters in the book of pitfalls, each
//! told of real processes.
//!
//! A cluster takes the whole machine, so these tests run one after the other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

#[path = "cluster/attacks.rs"]
mod attacks;
#[path = "cluster/balancer.rs"]
mod balancer;
#[path = "cluster/chaos.rs"]
mod chaos;
#[path = "cluster/copies.rs"]
mod copies;
#[path = "cluster/deaths.rs"]
mod deaths;
#[path = "cluster/keys.rs"]
mod keys;
#[path = "cluster/membership.rs"]
mod membership;
#[path = "cluster/partitions.rs"]
mod partitions;
#[path = "cluster/portal.rs"]
mod portal;
#[path = "cluster/same_answer.rs"]
mod same_answer;
#[path = "cluster/statistics.rs"]
mod statistics;
#[path = "cluster/stopping.rs"]
mod stopping;

use std::time::Duration;

use countersign_tests::client::Client;
use countersign_tests::cluster::{Cluster, Plan};
use reqwest::Method;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout};

static MACHINE: Mutex<()> = Mutex::const_new(());

/// The machine for one test alone.
async fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().await
}

fn plan(nodes: usize) -> Plan {
    let arguments = ["--shutdown-grace", "500ms", "--disk-reserve", "64MiB"];
    Plan { arguments: arguments.map(str::to_owned).into(), ..Plan::of(nodes) }
}

/// How long it takes until a write of every one of so many users succeeds through a node.
async fn served(client: &Client, users: u32, within: Duration) -> Duration {
    let begun = Instant::now();
    for user in 0..users {
        loop {
            let path = format!("/v1/users/served-{user}");
            let asked = client.send(Method::PUT, &path, Some(json!({})), None);
            let answer = timeout(Duration::from_secs(1), asked).await.ok().flatten();
            if answer.as_ref().is_some_and(|answer| answer.status.is_success()) {
                break;
            }
            let late = begun.elapsed() > within;
            assert!(!late, "no service for served-{user} within {within:?}: {answer:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }
    begun.elapsed()
}

/// The nodes that a node counts as members, by name, and the voters of each shard.
async fn membership_of(cluster: &Cluster, node: usize) -> (Vec<String>, Vec<String>) {
    let status = cluster.status(node).await.expect("a status");
    let names = status["nodes"].as_array().unwrap().iter();
    let names = names.map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    let shards = status["shards"].as_array().unwrap().iter();
    let voters = shards.map(|shard| format!("{} {}", shard["id"], shard["voters"])).collect();
    (names, voters)
}
