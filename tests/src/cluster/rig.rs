//! The cluster: founding, growing, stopping, asking.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::disk::Disk;
use super::network::Network;
use super::node::Node;
use super::plan::Plan;
use super::sweep;
use crate::client::Client;
use crate::house::ROOT_KEY;

/// How long a node may take to become ready before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nodes that make one cluster. They are numbered from 0; what happens to one happens by its
/// number. Everything ends when this is dropped.
pub struct Cluster {
    // In the order in which they must go: processes, then what they use.
    pub(super) nodes: Vec<Node>,
    pub(super) network: Network,
    pub(super) folder: TempDir,
    pub(super) plan: Plan,
    made: usize,
    pub(super) made_copies: usize,
}

impl Cluster {
    /// Founds a cluster with the first node, lets the others join, and waits until all are ready.
    ///
    /// # Panics
    /// If a node is not ready within a minute; the message has its log.
    pub async fn start(plan: Plan) -> Self {
        let mut cluster = Self::prepare(plan);
        // One after the other: the first must be there before any can ask it.
        for node in 0..cluster.plan.nodes {
            cluster.make_node();
            cluster.restart(node).await;
        }
        cluster.wait_until_whole().await;
        cluster
    }

    fn prepare(plan: Plan) -> Self {
        sweep::sweep();
        let folder = tempfile::Builder::new()
            .prefix(&format!("{}{}-", sweep::FOLDER, std::process::id()))
            .tempdir()
            .unwrap();
        let network = Network::new(plan.place).unwrap();
        Self { nodes: Vec::new(), network, folder, plan, made: 0, made_copies: 0 }
    }

    fn make_node(&mut self) {
        let home = self.network.add().unwrap();
        self.made += 1;
        let name = format!("n{}", self.made);
        let folder = self.folder.path().join(&name);
        let disk = Disk::new(&folder, self.plan.storage).unwrap();
        let join = (!self.nodes.is_empty()).then(|| self.seeds(self.nodes.len()));
        self.nodes.push(Node::new(name, home, disk, join, &folder));
    }

    /// The addresses of all nodes but one.
    pub(super) fn seeds(&self, but: usize) -> String {
        let others = self.nodes.iter().enumerate().filter(|(number, _)| *number != but);
        others.map(|(_, node)| node.home.peer.as_str()).collect::<Vec<_>>().join(",")
    }

    /// A name that no node had before.
    pub(super) fn new_name(&mut self) -> String {
        self.made += 1;
        format!("n{}", self.made)
    }

    /// Adds one node more and waits until it is ready and a voter everywhere. Answers its number.
    pub async fn add(&mut self) -> usize {
        let number = self.nodes.len();
        self.make_node();
        self.restart(number).await;
        self.wait_until_whole().await;
        number
    }

    /// How many nodes there are, running or not.
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none; there never are.
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How it was set up.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where the APIs of all nodes are, by their number.
    pub fn urls(&self) -> Vec<String> {
        (0..self.nodes.len()).map(|node| self.url(node)).collect()
    }

    /// Where a node's API is.
    pub fn url(&self, node: usize) -> String {
        format!("http://{}", self.nodes[node].home.api)
    }

    /// Speaks to a node with the root key.
    pub fn client(&self, node: usize) -> Client {
        Client::new(&self.url(node), ROOT_KEY)
    }

    /// A node's name within the cluster.
    pub fn name(&self, node: usize) -> &str {
        &self.nodes[node].name
    }

    /// All that a node printed, over all its lives.
    pub fn log(&self, node: usize) -> String {
        self.nodes[node].log()
    }

    /// A node's data directory.
    pub fn data_dir(&self, node: usize) -> PathBuf {
        self.nodes[node].disk.data()
    }

    /// The id of a node's process while it runs.
    pub fn process_id(&self, node: usize) -> Option<u32> {
        self.nodes[node].process_id()
    }

    /// Whether a node's process was started and not ended by a call here.
    pub fn runs(&self, node: usize) -> bool {
        self.nodes[node].runs()
    }

    /// Whether a node that was started has ended by itself. It does not count as running from
    /// then on.
    pub fn has_ended(&mut self, node: usize) -> bool {
        self.nodes[node].ended().is_some()
    }

    /// Starts a node with the command line that it always has. Does not wait.
    pub fn spawn(&mut self, node: usize) {
        self.nodes[node].spawn(&self.plan);
    }

    /// Starts a node with the command line that it always has, and waits until it is ready.
    ///
    /// # Panics
    /// If it is not within a minute.
    pub async fn restart(&mut self, node: usize) {
        self.spawn(node);
        self.wait_until_ready(node).await;
    }

    /// Waits until a node says that it can serve.
    ///
    /// # Panics
    /// If it ends, or is not ready within a minute.
    pub async fn wait_until_ready(&mut self, node: usize) {
        if let Err(reason) = self.try_wait_until_ready(node, PATIENCE).await {
            panic!("{reason}\n{}", tail(&self.log(node)));
        }
    }

    /// Waits until a node says that it can serve, or tells why it does not.
    ///
    /// # Errors
    /// If it ends, or is not ready within `patience`.
    pub async fn try_wait_until_ready(
        &mut self,
        node: usize,
        patience: Duration,
    ) -> Result<(), String> {
        let client = self.client(node);
        let deadline = Instant::now() + patience;
        while !client.is_ready().await {
            let name = self.nodes[node].name.clone();
            if let Some(status) = self.nodes[node].ended() {
                return Err(format!("{name} ended with {status}"));
            }
            if Instant::now() >= deadline {
                return Err(format!("{name} was not ready within {patience:?}"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Waits until a node ends by itself; its exit code.
    ///
    /// # Panics
    /// If it does not within a minute.
    pub async fn wait_until_ended(&mut self, node: usize) -> Option<i32> {
        let Some(code) = self.nodes[node].end(PATIENCE).await else {
            panic!("{} did not end\n{}", self.nodes[node].name, tail(&self.log(node)));
        };
        code
    }

    /// What a node says of the cluster (`GET /v1/cluster`); `None` if it says nothing.
    pub async fn status(&self, node: usize) -> Option<Value> {
        let client = self.client(node);
        let asked = client.send(reqwest::Method::GET, "/v1/cluster", None, None);
        let answer = tokio::time::timeout(Duration::from_secs(2), asked).await.ok()??;
        answer.status.is_success().then_some(answer.body)
    }

    /// The cluster's id of a node, as any other node tells it.
    pub async fn node_id(&self, node: usize) -> Option<u64> {
        let name = self.name(node).to_owned();
        for asked in 0..self.nodes.len() {
            let Some(status) = self.status(asked).await else { continue };
            let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
            if let Some(found) = nodes.iter().find(|node| node["name"] == name.as_str()) {
                return found["id"].as_u64();
            }
        }
        None
    }

    /// The node that leads a shard, as the first node that runs tells it.
    pub async fn leader_of(&self, shard: u64) -> Option<usize> {
        let asked = (0..self.nodes.len()).find(|node| self.runs(*node))?;
        let status = self.status(asked).await?;
        let shard = status["shards"].as_array()?.iter().find(|one| one["id"] == shard)?;
        let nodes = status["nodes"].as_array()?.iter();
        let leader = nodes.into_iter().find(|node| node["id"] == shard["leader"])?;
        (0..self.nodes.len()).find(|node| leader["name"] == self.name(*node))
    }

    /// Megabytes that a node's process has in memory.
    pub fn resident_mib(&self, node: usize) -> Option<u64> {
        let path = format!("/proc/{}/status", self.process_id(node)?);
        let status = std::fs::read_to_string(path).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
    }

    /// How many shards a node leads, as it tells itself.
    pub async fn shards_led(&self, node: usize) -> usize {
        let Some(status) = self.status(node).await else { return 0 };
        let Some(id) = self.node_id(node).await else { return 0 };
        let shards = status["shards"].as_array().cloned().unwrap_or_default();
        shards.iter().filter(|shard| shard["leader"].as_u64() == Some(id)).count()
    }

    /// Waits until every running node is ready, and every shard has all nodes as voters and no
    /// learner.
    ///
    /// # Panics
    /// If that is not so within a minute.
    pub async fn wait_until_whole(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for node in 0..self.nodes.len() {
            if self.runs(node) {
                self.wait_until_ready(node).await;
            }
        }
        let mut last = None;
        while Instant::now() < deadline {
            for node in 0..self.nodes.len() {
                if self.runs(node)
                    && let Some(status) = self.status(node).await
                {
                    if self.is_whole(&status) {
                        return;
                    }
                    last = Some(status);
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("not every shard has every node as a voter:\n{last:#?}");
    }

    fn is_whole(&self, status: &Value) -> bool {
        let count = |value: &Value| value.as_array().map_or(0, Vec::len);
        let shards = status["shards"].as_array().cloned().unwrap_or_default();
        shards.len() == usize::from(self.plan.shards)
            && shards.iter().all(|shard| {
                count(&shard["voters"]) == self.nodes.len() && count(&shard["learners"]) == 0
            })
    }
}

/// The end of a log.
pub(super) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
