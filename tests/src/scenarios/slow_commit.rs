//! A change that the log is slow to confirm is not decided on a second time.
//!
//! The followers of a leader stand still for longer than the leader waits for the log. What it
//! proposed lies in its log, uncommitted; what it decides next, it decides without knowing. When
//! the followers go on, both commit, and the log must let one of them win.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::client::{Answer, Client};
use crate::cluster::{Cluster, Plan, Program};

/// Longer than an actor waits for the log.
const SLOW: Duration = Duration::from_millis(10_500);
/// Users, so that the leader that is left has some of them.
const USERS: u64 = 12;

/// Tells the story.
///
/// # Errors
/// Names the user that has one authenticator app twice.
///
/// # Panics
/// If the cluster cannot be started.
pub async fn slow_commit(program: Program) -> Result<(), String> {
    let mut plan = Plan { program, ..Plan::of(3) };
    plan.arguments = vec!["--request-timeout".to_owned(), "30s".to_owned()];
    let mut cluster = Cluster::start(plan).await;
    cluster.pause(1);
    cluster.pause(2);
    let stalled = Instant::now();
    let client = cluster.client(0);
    let first = import_all(&client, "first");
    let second = async {
        sleep(SLOW.saturating_sub(stalled.elapsed())).await;
        import_all(&client, "second").await
    };
    let go_on = async {
        sleep((SLOW + Duration::from_secs(1)).saturating_sub(stalled.elapsed())).await;
        cluster.resume(1);
        cluster.resume(2);
    };
    tokio::join!(first, second, go_on);
    cluster.wait_until_ready(0).await;
    let client = cluster.client(0);
    for user in 0..USERS {
        let path = format!("/v1/users/slow-{user}/mfa/factors");
        let deadline = Instant::now() + Duration::from_secs(20);
        let factors = loop {
            let answer = client.send(Method::GET, &path, None, None).await;
            match answer {
                Some(answer) if answer.status.is_success() => break answer.body,
                Some(answer) if answer.status == 404 => break json!({ "data": [] }),
                _ => assert!(Instant::now() < deadline, "{path} has no answer"),
            }
            sleep(Duration::from_millis(50)).await;
        };
        let count = factors["data"].as_array().map_or(0, Vec::len);
        if count > 1 {
            return Err(format!("slow-{user} has one app {count} times: {factors}"));
        }
    }
    Ok(())
}

/// Lets every user take over the same app, with keys of this round.
async fn import_all(client: &Client, round: &str) -> Vec<Option<Answer>> {
    let imports = (0..USERS).map(|user| {
        let app = App::numbered(7_000 + user);
        async move {
            let path = format!("/v1/users/slow-{user}/mfa/totp/import");
            let body = json!({ "secret": app.base32(), "digits": 8, "period": 120 });
            let key = format!("{round}-{user}");
            client.send(Method::POST, &path, Some(body), Some(&key)).await
        }
    });
    futures::future::join_all(imports).await
}
