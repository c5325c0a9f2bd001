//! A load balancer, as `/readyz` is meant for: requests go to nodes that were ready a moment ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countersign_tests::client::{Answer, Client};
use countersign_tests::cluster::Cluster;
use countersign_tests::house::ROOT_KEY;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How often readiness is asked for.
const EVERY: Duration = Duration::from_millis(50);

/// Clients behind a balancer, and what they could not get done.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    tasks: JoinSet<Vec<String>>,
}

struct Nodes {
    clients: Vec<Client>,
    ready: Vec<AtomicBool>,
    turn: AtomicU64,
}

impl Nodes {
    /// The next node that is ready; any, if none is.
    fn next(&self) -> usize {
        for _ in 0..self.clients.len() {
            let turn = usize::try_from(self.turn.fetch_add(1, Ordering::Relaxed)).unwrap();
            let node = turn % self.clients.len();
            if self.ready[node].load(Ordering::Relaxed) {
                return node;
            }
        }
        0
    }

    /// One request, to one node, once: a failure is a failure.
    async fn ask(&self, path: &str, body: Value, failures: &mut Vec<String>) -> Option<Answer> {
        let node = self.next();
        let answer = self.clients[node].try_post(path, body).await;
        match &answer {
            Some(answer) if answer.status.is_success() => {}
            _ => failures.push(format!("node {node}: POST {path}: {answer:?}")),
        }
        answer.filter(|answer| answer.status.is_success())
    }
}

impl Traffic {
    /// Sets so many clients to work: each opens challenges of its own user, one after the other.
    pub(crate) async fn start(cluster: &Cluster, clients: usize) -> Self {
        let nodes = Arc::new(Nodes {
            clients: cluster.urls().iter().map(|url| Client::new(url, ROOT_KEY)).collect(),
            ready: (0..cluster.len()).map(|_| AtomicBool::new(true)).collect(),
            turn: AtomicU64::new(0),
        });
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for node in 0..cluster.len() {
            let (nodes, stop) = (Arc::clone(&nodes), Arc::clone(&stop));
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let ready = nodes.clients[node].is_ready().await;
                    nodes.ready[node].store(ready, Ordering::Relaxed);
                    sleep(EVERY).await;
                }
                Vec::new()
            });
        }
        for client in 0..clients {
            let (nodes, stop) = (Arc::clone(&nodes), Arc::clone(&stop));
            let done = Arc::clone(&done);
            tasks.spawn(async move {
                let mut failures = Vec::new();
                for round in 0u64.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let user = format!("traffic-{client}-{}", round % 7);
                    let body = json!({ "userId": user, "purpose": "LOGIN", "context": {} });
                    let answer = nodes.ask("/v1/mfa/challenges", body, &mut failures).await;
                    done.fetch_add(u64::from(answer.is_some()), Ordering::Relaxed);
                    sleep(Duration::from_millis(5)).await;
                }
                failures
            });
        }
        Self { stop, done, tasks }
    }

    /// Stops. Answers how many requests succeeded, and those that did not.
    pub(crate) async fn stop(mut self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            failures.extend(ended.unwrap());
        }
        (self.done.load(Ordering::Relaxed), failures)
    }
}
