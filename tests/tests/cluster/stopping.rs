//! Stopping in order: nothing fails, nobody leaves.

use std::time::Duration;

use countersign_tests::cluster::Cluster;

use crate::balancer::Traffic;
use crate::{alone, membership_of, plan, served};

#[tokio::test]
async fn a_restart_of_each_node_in_turn_fails_no_request() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let traffic = Traffic::start(&cluster, 6).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    for node in 0..3 {
        cluster.stop_and_restart(node).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (done, failures) = traffic.stop().await;
    assert!(done > 100, "only {done} requests were made");
    assert!(failures.is_empty(), "{} of {done}:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn a_shutdown_never_changes_membership() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let before = membership_of(&cluster, 0).await;
    assert_eq!(before.0.len(), 3);
    assert_eq!(cluster.stop(2).await, Some(0));
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    assert_eq!(membership_of(&cluster, 0).await, before, "after one node stopped");
    assert_eq!(cluster.stop(1).await, Some(0));
    assert_eq!(cluster.stop(0).await, Some(0));
    for node in [2, 0, 1] {
        cluster.spawn(node);
    }
    cluster.wait_until_whole().await;
    for node in 0..3 {
        assert_eq!(membership_of(&cluster, node).await, before, "as node {node} tells it");
    }
}

#[tokio::test]
async fn a_planned_stop_warns_of_nothing() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    // While the cluster forms, Raft may report a change of voters that the next leader completes.
    cluster.wait_until_whole().await;
    let formed: Vec<usize> = (0..3).map(|node| cluster.log(node).lines().count()).collect();
    let warned = |cluster: &Cluster| -> Vec<String> {
        let logs = formed.iter().enumerate().map(|(node, lines)| (cluster.log(node), *lines));
        logs.flat_map(|(log, lines)| log.lines().skip(lines).map(str::to_owned).collect::<Vec<_>>())
            .filter(|line| line.contains(" WARN ") || line.contains(" ERROR "))
            .collect()
    };
    for node in 0..3 {
        cluster.stop_and_restart(node).await;
    }
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    assert!(warned(&cluster).is_empty(), "in turn: {:#?}", warned(&cluster));
    assert_eq!(cluster.stop_all().await, [Some(0); 3]);
    assert!(warned(&cluster).is_empty(), "all at once: {:#?}", warned(&cluster));
}
