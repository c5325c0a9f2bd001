//! Who leads which shard.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_tests::cluster::Cluster;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How long leaders may take to be spread evenly; then it goes on as it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The leader of each shard by the cluster's node id, as a running node tells it; `None` if no node
/// tells or a shard has no leader.
pub(crate) async fn leaders(cluster: &Cluster) -> Option<BTreeMap<u16, u64>> {
    for node in (0..cluster.len()).filter(|node| cluster.runs(*node)) {
        if let Some(status) = cluster.status(node).await {
            return leaders_in(&status);
        }
    }
    None
}

fn leaders_in(status: &Value) -> Option<BTreeMap<u16, u64>> {
    let shards = status["shards"].as_array()?;
    shards
        .iter()
        .map(|shard| Some((u16::try_from(shard["id"].as_u64()?).ok()?, shard["leader"].as_u64()?)))
        .collect()
}

/// Waits until every running node leads as many shards as any other, give or take one. Answers
/// whether that came to be.
pub(crate) async fn wait_until_even(cluster: &Cluster) -> bool {
    let running = (0..cluster.len()).filter(|node| cluster.runs(*node)).count();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(leaders) = leaders(cluster).await {
            let mut led: BTreeMap<u64, usize> = BTreeMap::new();
            for leader in leaders.values() {
                *led.entry(*leader).or_default() += 1;
            }
            let (most, least) = (led.values().max(), led.values().min());
            if led.len() == running
                && most.zip(least).is_some_and(|(most, least)| most - least <= 1)
            {
                return true;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    crate::tell("leaders were not spread evenly within a minute; going on");
    false
}
