//! A peer with a key that nobody registered: somebody has a node's disk and the master key, and with
//! them the cluster's authority, and makes a certificate for that node with a key of their own.

use std::time::Duration;

use crate::cluster::{Cluster, Plan, Program};

/// For how long the others must keep it out.
const LOOK: Duration = Duration::from_secs(10);

/// Tells the story. The intruder needs the binary with failpoints, whatever the others run.
///
/// # Errors
/// If the intruder is served.
///
/// # Panics
/// If the cluster cannot be started.
pub async fn unknown_key(program: Program) -> Result<(), String> {
    let mut cluster = Cluster::start(Plan { program, ..Plan::of(3) }).await;
    cluster.kill(2);
    cluster.spawn_broken(2, "node::forges_key=return");
    match cluster.try_wait_until_ready(2, LOOK).await {
        Err(_) => Ok(()),
        Ok(()) => Err("unknown key: a peer whose key nobody registered was let in".to_owned()),
    }
}
