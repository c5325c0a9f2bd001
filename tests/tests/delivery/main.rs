//! What leaves the service, told of real processes: codes and events, their receivers, and everything
//! that can happen in between.
//!
//! Nodes take the whole machine, so these tests run one after the other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]
#![allow(clippy::print_stdout, reason = "a test tells what it measured")]

mod deaths;
mod expiry;
mod guessing;
mod limits;
mod outage;
mod story;
mod targets;
mod webhooks;

use std::collections::BTreeMap;

use countersign_tests::client::Answer;
use countersign_tests::cluster::{Cluster, Plan};
use countersign_tests::phone;
use countersign_tests::receiver::Receiver;
use tokio::sync::{Mutex, MutexGuard};

static MACHINE: Mutex<()> = Mutex::const_new(());

/// The machine for one test alone.
async fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().await
}

/// Nodes whose text messages come to the receiver.
fn plan(nodes: usize, receiver: &Receiver) -> Plan {
    let arguments = ["--shutdown-grace", "500ms", "--disk-reserve", "64MiB"];
    Plan {
        shards: if nodes == 1 { 2 } else { 16 },
        arguments: arguments.map(str::to_owned).into(),
        environment: phone::environment(receiver),
        ..Plan::of(nodes)
    }
}

/// The same, started and with every limit lifted.
async fn unlimited(nodes: usize, receiver: &Receiver) -> Cluster {
    let cluster = Cluster::start(plan(nodes, receiver)).await;
    phone::without_limits(&cluster.client(0)).await;
    cluster
}

/// How often each status or problem was answered.
fn tally(answers: impl IntoIterator<Item = Option<Answer>>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        let name = match &answer {
            None => "none".to_owned(),
            Some(answer) if answer.status.is_success() => answer.status.as_u16().to_string(),
            Some(answer) => answer.code().to_owned(),
        };
        *tally.entry(name).or_insert(0) += 1;
    }
    tally
}

/// Demands a refusal with this status and problem.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let found = (answer.status.as_u16(), answer.code());
    assert_eq!(found, (status, code), "{}", answer.body);
}

/// What a variable says a number is, or what it is otherwise.
fn number_from(variable: &str, otherwise: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
