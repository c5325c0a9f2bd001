//! Asking a cluster as an SDK does.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Answer, Client};
use crate::history::{Attempt, Tape};

/// How long one node may take to answer.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long an operation may take over all its attempts.
const OPERATION: Duration = Duration::from_secs(10);

/// One request, over all its attempts.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Request {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, key: None }
    }

    /// A POST with an idempotency key.
    pub fn post(path: impl Into<String>, body: Value, key: String) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body), key: Some(key) }
    }

    /// A DELETE with an idempotency key.
    pub fn delete(path: impl Into<String>, key: String) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: None, key: Some(key) }
    }
}

/// What came of a request.
pub struct Asked {
    /// The answer; `None` if it is unknown whether the request took effect.
    pub answer: Option<Answer>,
    /// The nodes that were asked, in turn.
    pub nodes: Vec<usize>,
}

/// Speaks to every node of a cluster.
#[derive(Clone)]
pub struct Sdk {
    clients: Arc<Vec<Client>>,
    tape: Arc<Tape>,
}

/// Whether an answer says what became of the request.
fn is_definite(answer: &Answer) -> bool {
    match answer.status.as_u16() {
        408 | 500..=599 => false,
        429 => answer.code() == "too_many_attempts",
        _ => true,
    }
}

impl Sdk {
    /// Speaks to the nodes at `urls` with `key`.
    pub fn new(urls: &[String], key: &str, tape: Arc<Tape>) -> Self {
        let clients = urls.iter().map(|url| Client::new(url, key)).collect();
        Self { clients: Arc::new(clients), tape }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.clients.len()
    }

    /// Where everything is noted.
    pub const fn tape(&self) -> &Arc<Tape> {
        &self.tape
    }

    /// Asks one node once. `None` if no answer came.
    pub async fn once(&self, node: usize, request: &Request) -> Option<Answer> {
        let Request { method, path, body, key } = request.clone();
        let from_us = self.tape.now_us();
        let asked = self.clients[node].send(method, &path, body, key.as_deref());
        let answer = timeout(ATTEMPT, asked).await.ok().flatten();
        let status = answer.as_ref().map_or(0, |answer| answer.status.as_u16());
        let verified = answer
            .as_ref()
            .is_some_and(|answer| answer.status.is_success() && answer.body["verified"] == true);
        let to_us = self.tape.now_us();
        self.tape.attempt(Attempt { node, from_us, to_us, status, verified });
        answer
    }

    /// Asks the node `first`, and the others in turn while there is no word on what became of the
    /// request, until its time is over.
    pub async fn ask(&self, first: usize, request: &Request) -> Asked {
        let deadline = Instant::now() + OPERATION;
        let mut nodes = Vec::new();
        for attempt in 0.. {
            let node = (first + attempt) % self.nodes();
            nodes.push(node);
            let answer = self.once(node, request).await;
            if answer.as_ref().is_some_and(is_definite) {
                return Asked { answer, nodes };
            }
            if Instant::now() >= deadline {
                break;
            }
            let most = 20u64 << attempt.min(4);
            let pause = rand::rng().random_range(most / 2..=most);
            sleep(Duration::from_millis(pause)).await;
        }
        Asked { answer: None, nodes }
    }
}
