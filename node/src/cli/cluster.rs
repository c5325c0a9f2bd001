//! `countersign cluster`: what a node says about its cluster.

use std::fmt::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::say;
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Show nodes and shards as one node sees them.
    #[command(after_help = "\
Example:
  countersign cluster status --url http://127.0.0.1:8080 --key csk_…")]
    Status(Connection),
}

#[derive(Args)]
pub(super) struct Connection {
    /// Where a node's API is.
    #[arg(long, env = "COUNTERSIGN_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An API key with the scope `cluster`.
    #[arg(long, env = "COUNTERSIGN_KEY", hide_env_values = true)]
    key: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    cluster_id: String,
    version: String,
    nodes: Vec<NodeRow>,
    shards: Vec<ShardRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeRow {
    id: serde_json::Value,
    name: String,
    api_address: String,
    peer_address: String,
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShardRow {
    id: u16,
    leader: Option<serde_json::Value>,
    term: u64,
    last_applied: u64,
    voters: Vec<serde_json::Value>,
    learners: Vec<serde_json::Value>,
}

pub(super) async fn run(command: ClusterCommand) -> Result<(), Error> {
    match command {
        ClusterCommand::Status(connection) => {
            say(table(&ask(&connection).await?).trim_end());
            Ok(())
        }
    }
}

async fn ask(connection: &Connection) -> Result<Cluster, Error> {
    let url = format!("{}/v1/cluster", connection.url.trim_end_matches('/'));
    let failed = |reason: String| Error::Request { url: url.clone(), reason };
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let answer = client
        .get(&url)
        .bearer_auth(&connection.key)
        .send()
        .await
        .map_err(|error| failed(causes(&error)))?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| failed(causes(&error)))?;
    if !status.is_success() {
        return Err(failed(problem(status.as_u16(), &body)));
    }
    serde_json::from_str(&body)
        .map_err(|error| failed(format!("an answer not understood: {error}")))
}

/// An error with what caused it: the outermost alone says only that a request failed.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// What a problem document (RFC 9457) says.
fn problem(status: u16, body: &str) -> String {
    let said: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let detail = said.as_ref().and_then(|said| said.get("detail")).and_then(|said| said.as_str());
    format!("{status} {}", detail.unwrap_or("without an explanation"))
}

fn table(cluster: &Cluster) -> String {
    let mut text = format!("cluster {}  version {}\n\n", cluster.cluster_id, cluster.version);
    let nodes = cluster.nodes.iter().map(|node| {
        let id = id_text(&node.id);
        vec![
            id,
            node.name.clone(),
            node.state.clone(),
            node.api_address.clone(),
            node.peer_address.clone(),
        ]
    });
    text += &columns(&["NODE", "NAME", "STATE", "API", "PEERS"], nodes);
    text.push('\n');
    let shards = cluster.shards.iter().map(|shard| {
        vec![
            shard.id.to_string(),
            shard.leader.as_ref().map_or_else(|| "-".to_owned(), id_text),
            shard.term.to_string(),
            shard.last_applied.to_string(),
            list(&shard.voters),
            list(&shard.learners),
        ]
    });
    text + &columns(&["SHARD", "LEADER", "TERM", "APPLIED", "VOTERS", "LEARNERS"], shards)
}

fn id_text(id: &serde_json::Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn list(ids: &[serde_json::Value]) -> String {
    if ids.is_empty() {
        return "-".to_owned();
    }
    ids.iter().map(id_text).collect::<Vec<_>>().join(",")
}

/// Rows under a head, each column as wide as its widest cell.
fn columns(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    rows.iter().fold(String::new(), |text, row| {
        let line = row
            .iter()
            .zip(&widths)
            .fold(String::new(), |line, (cell, width)| format!("{line}{cell:<width$}  "));
        text + line.trim_end() + "\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_becomes_two_tables() {
        let cluster: Cluster = serde_json::from_str(
            r#"{"clusterId":"clu_x","version":"0.1.0","nodes":[{"id":1,"name":"n1",
            "apiAddress":"127.0.0.1:8080","peerAddress":"127.0.0.1:7080","state":"UP"}],
            "shards":[{"id":0,"leader":1,"term":2,"lastApplied":12,"voters":[1],"learners":[]},
            {"id":1,"leader":null,"term":2,"lastApplied":3,"voters":[1],"learners":[]}]}"#,
        )
        .unwrap();
        let expected = "\
cluster clu_x  version 0.1.0

NODE  NAME  STATE  API             PEERS
1     n1    UP     127.0.0.1:8080  127.0.0.1:7080

SHARD  LEADER  TERM  APPLIED  VOTERS  LEARNERS
0      1       2     12       1       -
1      -       2     3        1       -
";
        assert_eq!(table(&cluster), expected);
    }
}
