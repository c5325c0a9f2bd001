//! The audit log, as a caller reads it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::Client;

/// All events that a query selects, oldest first. Empty if the node did not answer in time.
pub async fn all(client: &Client, query: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut cursor = None;
    loop {
        let mut path = format!("/v1/audit?limit=200&{query}");
        if let Some(cursor) = &cursor {
            path = format!("{path}&cursor={cursor}");
        }
        let asked = client.send(reqwest::Method::GET, &path, None, None);
        let answer = tokio::time::timeout(Duration::from_secs(5), asked).await.ok().flatten();
        let Some(answer) = answer.filter(|answer| answer.status.is_success()) else { break };
        events.extend(answer.body["data"].as_array().cloned().unwrap_or_default());
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    events.reverse();
    events
}

/// Waits until a query selects something that is wanted. `None` if it does not within `patience`.
pub async fn wait_for(
    client: &Client,
    query: &str,
    patience: Duration,
    wanted: impl Fn(&Value) -> bool,
) -> Option<Value> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = all(client, query).await.into_iter().find(&wanted) {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        sleep(Duration::from_millis(30)).await;
    }
}
