//! A node comes back with an older copy of its disk, while another node is down. Twenty enrollments
//! that it acknowledged are not on the copy: with it, a majority could form that has none of them.

use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::cluster::{Cluster, Plan, Program};

/// Users who enroll after the copy was made.
const USERS: u64 = 20;
/// For how long nobody may be told that they never enrolled.
const LOOK: Duration = Duration::from_secs(8);

/// How the copy comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// Of a stopped node, which was started again.
    Stopped,
    /// Of a running node, as the image of a virtual machine is taken.
    Running,
}

/// Tells the story: nodes 0 and 2 acknowledge what node 1 has not heard of; node 2 comes back as it
/// was before, meets node 0, and then, with node 0 gone, node 1.
///
/// # Errors
/// Names what was lost, or that the node with the older disk was let in.
///
/// # Panics
/// If the cluster cannot be started.
pub async fn older_disk(program: Program, copied: Copied) -> Result<(), String> {
    let arguments = ["--shutdown-grace", "500ms", "--disk-reserve", "64MiB"];
    let arguments = arguments.map(str::to_owned).into();
    let mut cluster = Cluster::start(Plan { program, arguments, ..Plan::of(3) }).await;
    if copied == Copied::Stopped {
        cluster.kill(2);
    }
    let copy = cluster.copy_disk(2);
    if copied == Copied::Stopped {
        cluster.restart(2).await;
    }
    cluster.kill(1);
    for user in 0..USERS {
        enroll(&cluster, user).await?;
    }
    // The image of a running node is older than this by far when it is put back.
    sleep(Duration::from_secs(3)).await;
    cluster.put_back(2, &copy);
    cluster.spawn(2);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !cluster.has_ended(2) {
        if cluster.client(2).is_ready().await || tokio::time::Instant::now() > deadline {
            return Err("older disk: a node with an older copy of its disk was let in".to_owned());
        }
        sleep(Duration::from_millis(100)).await;
    }
    let log = cluster.log(2);
    if !(log.contains("older copy of itself") && log.contains("countersign cluster remove")) {
        return Err(format!("older disk: the node does not say what to do:\n{log}"));
    }
    // It never goes on with that disk, also where nobody remembers it.
    cluster.kill(0);
    cluster.spawn(1);
    cluster.spawn(2);
    let code = cluster.wait_until_ended(2).await;
    if code != Some(3) {
        return Err(format!("older disk: the node ended with {code:?}"));
    }
    let until = tokio::time::Instant::now() + LOOK;
    while tokio::time::Instant::now() < until {
        for user in 0..USERS {
            let path = format!("/v1/users/older-{user}/mfa/factors");
            let client = cluster.client(1);
            let asked = client.send(reqwest::Method::GET, &path, None, None);
            let answer = tokio::time::timeout(Duration::from_secs(1), asked).await.ok().flatten();
            if let Some(answer) =
                answer.filter(|answer| answer.status.is_success() || answer.status == 404)
            {
                return Err(format!("older disk: of older-{user} a minority told {}", answer.body));
            }
        }
    }
    // The two sound disks have everything.
    cluster.restart(0).await;
    for user in 0..USERS {
        let path = format!("/v1/users/older-{user}/mfa/factors");
        let answer = cluster.client(0).get(&path).await;
        let count = answer.body["data"].as_array().map_or(0, Vec::len);
        if count != 1 {
            return Err(format!("older disk: older-{user} has {count} factors"));
        }
    }
    Ok(())
}

/// Takes over an app through node 0, however often that has to be tried.
async fn enroll(cluster: &Cluster, user: u64) -> Result<(), String> {
    let path = format!("/v1/users/older-{user}/mfa/totp/import");
    let secret = App::numbered(8_000 + user).base32();
    let body = serde_json::json!({ "secret": secret, "digits": 8, "period": 120 });
    for _ in 0..200 {
        let key = format!("older-{user}");
        let client = cluster.client(0);
        let asked = client.send(reqwest::Method::POST, &path, Some(body.clone()), Some(&key));
        let answer = tokio::time::timeout(Duration::from_secs(2), asked).await.ok().flatten();
        if answer.is_some_and(|answer| answer.status.is_success()) {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err(format!("older disk: older-{user} could not enroll"))
}
