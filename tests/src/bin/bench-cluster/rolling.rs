//! Each node in turn: SIGTERM, the end, the restart, ready; under load.

use std::time::Duration;

use countersign_tests::cluster::Cluster;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::load::{BenchReport, Load};
use crate::options::Options;
use crate::{balance, tell};

/// What was measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rolling {
    /// From SIGTERM to the process's end, milliseconds, for each node.
    pub(crate) stopped_ms: Vec<f64>,
    /// From its start until ready, milliseconds, for each node.
    pub(crate) ready_ms: Vec<f64>,
    /// Nodes that did not end with 0.
    pub(crate) disorderly: u32,
    /// The workload that ran meanwhile.
    pub(crate) load: BenchReport,
}

/// Restarts every node once.
pub(crate) async fn measure(cluster: &mut Cluster, options: &Options) -> Rolling {
    crate::start_all(cluster).await;
    let rate = options.rate.to_string();
    let arguments = ["--scenario", "login", "--concurrency", "32", "--duration", "24h", "--rate"];
    let load = Load::start(&cluster.urls(), &[&arguments[..], &[&rate]].concat());
    // Its users are prepared by then.
    sleep(Duration::from_secs(5)).await;

    let (mut stopped_ms, mut ready_ms, mut disorderly) = (Vec::new(), Vec::new(), 0);
    for node in 0..cluster.len() {
        let started = Instant::now();
        let code = cluster.stop(node).await;
        disorderly += u32::from(code != Some(0));
        stopped_ms.push(millis(started.elapsed()));
        let started = Instant::now();
        cluster.restart(node).await;
        ready_ms.push(millis(started.elapsed()));
        tell(&format!("rolling restart: node {} of {} is back", node + 1, cluster.len()));
        cluster.wait_until_whole().await;
        balance::wait_until_even(cluster).await;
    }
    load.interrupt();
    Rolling { stopped_ms, ready_ms, disorderly, load: load.report().await }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
