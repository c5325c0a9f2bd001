//! A leader that stood still answers nothing from memory when it goes on.
//!
//! While it stands still, others take over and change what it remembers. Questions that were sent
//! to it meanwhile wait in its socket, so that it finds them in the very moment in which it still
//! believes that it leads.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::client::{Answer, Client};
use crate::cluster::{Cluster, Plan, Program};

/// Users, so that every shard has some.
const USERS: u64 = 32;
/// How often the story is told.
const ROUNDS: u64 = 6;

/// Tells the story.
///
/// # Errors
/// Names the answer that was older than what had been acknowledged.
///
/// # Panics
/// If the cluster cannot be started, or does not serve within half a minute.
pub async fn stale_leader(program: Program) -> Result<(), String> {
    let mut cluster = Cluster::start(Plan { program, ..Plan::of(3) }).await;
    for round in 0..ROUNDS {
        let still = usize::try_from(round).unwrap() % 3;
        // Asked once, so that it has them all in memory.
        let warm = (0..USERS).map(|user| import(cluster.client(still), user, 2 * round));
        futures::future::join_all(warm).await;
        cluster.pause(still);
        let other = cluster.client((still + 1) % 3);
        let changes = (0..USERS).map(|user| import(other.clone(), user, 2 * round + 1));
        futures::future::join_all(changes).await;
        let client = cluster.client(still);
        let asked = (0..USERS).map(|user| {
            let client = client.clone();
            tokio::spawn(async move { factors(&client, user).await })
        });
        let asked: Vec<_> = asked.collect();
        sleep(Duration::from_millis(100)).await;
        cluster.resume(still);
        for (user, asked) in asked.into_iter().enumerate() {
            let answer = asked.await.unwrap();
            let Some(answer) = answer.filter(|answer| answer.status.is_success()) else { continue };
            let count = u64::try_from(answer.body["data"].as_array().map_or(0, Vec::len)).unwrap();
            if count != 2 * round + 2 {
                return Err(format!(
                    "stale: of {} apps of stale-{user}, a leader that had stood still told {count}",
                    2 * round + 2
                ));
            }
        }
        cluster.wait_until_ready(still).await;
    }
    Ok(())
}

/// Takes over an app, however often that has to be tried.
async fn import(client: Client, user: u64, app: u64) {
    let path = format!("/v1/users/stale-{user}/mfa/totp/import");
    let secret = App::numbered(9_000 + user * 64 + app).base32();
    let body = json!({ "secret": secret, "digits": 8, "period": 120 });
    let key = format!("{user}-{app}");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let asked = client.send(Method::POST, &path, Some(body.clone()), Some(&key));
        let answer = tokio::time::timeout(Duration::from_secs(2), asked).await.ok().flatten();
        if answer.as_ref().is_some_and(|answer| answer.status.is_success()) {
            return;
        }
        assert!(Instant::now() < deadline, "{path}: {answer:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn factors(client: &Client, user: u64) -> Option<Answer> {
    let path = format!("/v1/users/stale-{user}/mfa/factors");
    client.send(Method::GET, &path, None, None).await
}
