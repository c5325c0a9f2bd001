//! The tape on which everything is noted while it happens.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::time::Instant;

use super::model::{Op, Ret};

/// One operation of one client, over all its attempts.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// About whom.
    pub user: String,
    /// What.
    pub op: Op,
    /// Its place among all invocations and returns.
    pub invoked: u64,
    /// The place of the return; `None` if no answer came.
    pub returned: Option<u64>,
    /// The answer; `None` if none came, and it is unknown whether it took effect.
    pub ret: Option<Ret>,
    /// Microseconds since the tape began.
    pub from_us: u64,
    /// Microseconds since the tape began.
    pub to_us: u64,
    /// The nodes that were asked, in turn.
    pub nodes: Vec<usize>,
}

/// One request to one node.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Attempt {
    /// The node.
    pub node: usize,
    /// Microseconds since the tape began.
    pub from_us: u64,
    /// Microseconds since the tape began.
    pub to_us: u64,
    /// The status; 0 if no answer came.
    pub status: u16,
    /// Whether the answer says that a proof was accepted.
    pub verified: bool,
}

/// What was noted.
pub struct Tape {
    began: Instant,
    order: AtomicU64,
    records: Mutex<Vec<Record>>,
    attempts: Mutex<Vec<Attempt>>,
    violations: Mutex<Vec<String>>,
    secrets: Mutex<BTreeSet<String>>,
}

impl Default for Tape {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            order: AtomicU64::new(0),
            records: Mutex::default(),
            attempts: Mutex::default(),
            violations: Mutex::default(),
            secrets: Mutex::default(),
        }
    }
}

impl Tape {
    /// Microseconds since the tape began.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The next place in the order of invocations and returns. What returned before something
    /// else was invoked has a lower place.
    pub fn place(&self) -> u64 {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// Notes an operation.
    pub fn record(&self, record: Record) {
        self.records.lock().unwrap().push(record);
    }

    /// Notes a request.
    pub fn attempt(&self, attempt: Attempt) {
        self.attempts.lock().unwrap().push(attempt);
    }

    /// Notes that a promise was broken.
    pub fn violation(&self, what: String) {
        eprintln!("BROKEN: {what}");
        self.violations.lock().unwrap().push(what);
    }

    /// Notes what must be in no log.
    pub fn secret(&self, secret: &str) {
        self.secrets.lock().unwrap().insert(secret.to_owned());
    }

    /// All operations so far.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    /// All requests so far.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    /// All broken promises so far.
    pub fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    /// Whether a promise was broken so far.
    pub fn is_broken(&self) -> bool {
        !self.violations.lock().unwrap().is_empty()
    }

    /// All secrets so far.
    pub fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().iter().cloned().collect()
    }
}
