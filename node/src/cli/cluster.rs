//! `countersign cluster`: what a node says about its cluster, and what is asked of it.

use std::fmt::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::say;
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Show nodes and shards as one node sees them.
    #[command(after_help = "\
Example:
  export COUNTERSIGN_KEY=csk_…
  countersign cluster status --url http://127.0.0.1:8080")]
    Status(Connection),
    /// Take a node out of the cluster, for good: its number is never used again.
    #[command(after_help = "\
Refused while the nodes that stay could not decide without it. A node that is to come back needs no
removal: start it again. To replace a lost disk, remove the node, then start one with --join.

Example:
  export COUNTERSIGN_KEY=csk_…
  countersign cluster remove n3 --url http://127.0.0.1:8080")]
    Remove(OneNode),
    /// Make a node hand over all shards that it leads, and lead none for a minute.
    #[command(after_help = "\
For work on a machine. Stopping a node with SIGTERM does the same by itself.

Example:
  export COUNTERSIGN_KEY=csk_…
  countersign cluster transfer-leadership n1 --url http://127.0.0.1:8080")]
    TransferLeadership(OneNode),
    /// Correct a shard's time after fast clocks moved it ahead.
    #[command(after_help = "\
The column TIME of `countersign cluster status` shows how far the time of each shard is ahead. It never
goes back by itself, so that nothing that has ended is open again. Setting it ends what is open in the
shard: whoever is in the middle of a login begins again. Locks and trusted devices keep the time that
they have left. See that the clocks are right first.

Example:
  export COUNTERSIGN_KEY=csk_…
  countersign cluster set-time all --url http://127.0.0.1:8080")]
    SetTime(OneShard),
}

#[derive(Args, Debug)]
pub(super) struct OneShard {
    /// The shard's number, or `all`.
    shard: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args, Debug)]
pub(super) struct OneNode {
    /// The node's number or name.
    node: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub(super) struct Connection {
    /// Where a node's API is.
    #[arg(long, env = "COUNTERSIGN_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An API key with the scope `cluster`; for `audit export` with the scope `audit`. Better in the
    /// variable: a command line is for all to see.
    #[arg(long, env = "COUNTERSIGN_KEY", hide_env_values = true)]
    key: String,
}

impl Connection {
    /// Where the node's API is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
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
    #[serde(default)]
    clock_offset_ms: Option<i64>,
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
    #[serde(default)]
    time_ahead_ms: i64,
}

pub(super) async fn run(command: ClusterCommand) -> Result<(), Error> {
    match command {
        ClusterCommand::Status(connection) => {
            say(table(&status(&connection).await?).trim_end());
            Ok(())
        }
        ClusterCommand::Remove(OneNode { node, connection }) => {
            let node = find(&status(&connection).await?, &node)?;
            ask(&connection, Method::DELETE, &format!("/v1/cluster/nodes/{node}")).await?;
            say(&format!("Node {node} is removed; its process ends by itself."));
            Ok(())
        }
        ClusterCommand::SetTime(OneShard { shard, connection }) => {
            for shard in shards(&status(&connection).await?, &shard)? {
                let path = format!("/v1/cluster/shards/{shard}/set-time");
                let body = ask(&connection, Method::POST, &path).await?;
                let set: TimeSet = understood(&connection.url, &body)?;
                match set.set_back_ms {
                    0 => say(&format!("The time of shard {shard} is right.")),
                    ms => {
                        say(&format!("Shard {shard} was {} ahead, and is right now.", offset(ms)))
                    }
                }
            }
            Ok(())
        }
        ClusterCommand::TransferLeadership(OneNode { node, connection }) => {
            let node = find(&status(&connection).await?, &node)?;
            let path = format!("/v1/cluster/nodes/{node}/transfer-leadership");
            let body = ask(&connection, Method::POST, &path).await?;
            let handed: HandedOver = understood(&connection.url, &body)?;
            say(&format!("Node {node} handed over {} shards, kept {}.", handed.moved, handed.kept));
            Ok(())
        }
    }
}

#[derive(Deserialize)]
struct HandedOver {
    moved: u32,
    kept: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimeSet {
    set_back_ms: i64,
}

/// The numbers of the shards that a person means.
fn shards(cluster: &Cluster, shard: &str) -> Result<Vec<u16>, Error> {
    let known = || cluster.shards.iter().map(|row| row.id);
    if shard == "all" {
        return Ok(known().collect());
    }
    let number = shard.parse().ok().filter(|number| known().any(|known| known == *number));
    let last = known().max().unwrap_or(0);
    let wrong =
        || Error::Usage(format!("there is no shard {shard}; there are 0 to {last}, or all"));
    number.map(|number| vec![number]).ok_or_else(wrong)
}

/// The number of the node that a person means.
fn find(cluster: &Cluster, node: &str) -> Result<String, Error> {
    let found = cluster.nodes.iter().find(|row| id_text(&row.id) == node || row.name == node);
    found.map(|row| id_text(&row.id)).ok_or_else(|| {
        let names: Vec<&str> = cluster.nodes.iter().map(|row| row.name.as_str()).collect();
        Error::Usage(format!("there is no node {node}; there are {}", names.join(", ")))
    })
}

async fn status(connection: &Connection) -> Result<Cluster, Error> {
    understood(&connection.url, &ask(connection, Method::GET, "/v1/cluster").await?)
}

pub(super) fn understood<T: DeserializeOwned>(url: &str, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::Request {
        url: url.to_owned(),
        reason: format!("an answer not understood: {error}"),
    })
}

pub(super) async fn ask(
    connection: &Connection,
    method: Method,
    path: &str,
) -> Result<String, Error> {
    let url = format!("{}{path}", connection.url.trim_end_matches('/'));
    let failed = |reason: String| Error::Request { url: url.clone(), reason };
    // The client takes the process's own provider and panics if there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(15))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let answer = client
        .request(method, &url)
        .bearer_auth(&connection.key)
        .send()
        .await
        .map_err(|error| failed(causes(&error)))?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| failed(causes(&error)))?;
    if !status.is_success() {
        return Err(failed(problem(status.as_u16(), &body)));
    }
    Ok(body)
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
            node.clock_offset_ms.map_or_else(|| "-".to_owned(), offset),
            node.api_address.clone(),
            node.peer_address.clone(),
        ]
    });
    text += &columns(&["NODE", "NAME", "STATE", "CLOCK", "API", "PEERS"], nodes);
    text.push('\n');
    let shards = cluster.shards.iter().map(|shard| {
        vec![
            shard.id.to_string(),
            shard.leader.as_ref().map_or_else(|| "-".to_owned(), id_text),
            shard.term.to_string(),
            shard.last_applied.to_string(),
            offset(shard.time_ahead_ms),
            list(&shard.voters),
            list(&shard.learners),
        ]
    });
    text + &columns(&["SHARD", "LEADER", "TERM", "APPLIED", "TIME", "VOTERS", "LEARNERS"], shards)
}

/// A difference between clocks, as people read it.
fn offset(ahead_ms: i64) -> String {
    let (sign, ms) = (if ahead_ms < 0 { '-' } else { '+' }, ahead_ms.unsigned_abs());
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{sign}{ms}ms"),
        1..120 => format!("{sign}{seconds}s"),
        120..7_200 => format!("{sign}{}m", seconds / 60),
        _ => format!("{sign}{}h", seconds / 3_600),
    }
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
            "apiAddress":"127.0.0.1:8080","peerAddress":"127.0.0.1:7080","state":"UP",
            "clockOffsetMs":-3},{"id":2,"name":"n2","apiAddress":"127.0.0.1:8081",
            "peerAddress":"127.0.0.1:7081","state":"UP","clockOffsetMs":21600000},{"id":3,"name":"n3",
            "apiAddress":"127.0.0.1:8082","peerAddress":"127.0.0.1:7082","state":"DOWN"}],
            "shards":[{"id":0,"leader":1,"term":2,"lastApplied":12,"voters":[1],"learners":[],
            "timeAheadMs":21600000},
            {"id":1,"leader":null,"term":2,"lastApplied":3,"voters":[1],"learners":[]}]}"#,
        )
        .unwrap();
        let expected = "\
cluster clu_x  version 0.1.0

NODE  NAME  STATE  CLOCK  API             PEERS
1     n1    UP     -3ms   127.0.0.1:8080  127.0.0.1:7080
2     n2    UP     +6h    127.0.0.1:8081  127.0.0.1:7081
3     n3    DOWN   -      127.0.0.1:8082  127.0.0.1:7082

SHARD  LEADER  TERM  APPLIED  TIME  VOTERS  LEARNERS
0      1       2     12       +6h   1       -
1      -       2     3        +0ms  1       -
";
        assert_eq!(table(&cluster), expected);
        assert_eq!(shards(&cluster, "all").unwrap(), [0, 1]);
        assert_eq!(shards(&cluster, "1").unwrap(), [1]);
        for wrong in ["2", "-1", "", "1,2"] {
            assert!(shards(&cluster, wrong).is_err(), "{wrong}");
        }
    }
}
