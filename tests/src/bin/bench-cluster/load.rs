//! Logins: `countersign bench` as a process of its own, which checks every answer.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use countersign_tests::house::ROOT_KEY;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

/// How long the workload runs before it is measured.
const WARMUP: Duration = Duration::from_secs(3);

/// What `countersign bench --json` reports, as far as it is of interest here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BenchReport {
    /// Operations that succeeded.
    pub(crate) completed: u64,
    /// Their number a second.
    pub(crate) per_second: f64,
    /// Operations that failed for good, by what they met.
    pub(crate) errors: std::collections::BTreeMap<String, u64>,
    /// What the last one met.
    pub(crate) last_error: Option<String>,
    /// Why requests were sent again, each time counted.
    pub(crate) sent_again: SentAgain,
    /// Times in which requests waited.
    pub(crate) interruptions: Vec<Interruption>,
    /// Each kind of operation.
    pub(crate) operations: Vec<Operation>,
    /// The nodes' fsyncs.
    pub(crate) fsyncs: Option<Fsyncs>,
    /// Answers that the server must not give.
    pub(crate) wrong_answers: Vec<String>,
}

/// See the report of `countersign bench`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SentAgain {
    /// The connection was not taken.
    pub(crate) refused: u64,
    /// The connection broke while the answer was awaited.
    pub(crate) cut: u64,
    /// 502 to 504.
    pub(crate) unavailable: u64,
    /// No answer in time.
    pub(crate) late: u64,
}

/// See the report of `countersign bench`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Interruption {
    /// Seconds after measuring began.
    pub(crate) at_seconds: f64,
    /// From the first request that met it to the last one answered.
    pub(crate) lasted_ms: f64,
    /// Requests that met it.
    pub(crate) requests: u64,
    /// How long the slowest took.
    pub(crate) longest_ms: f64,
    /// Requests given up.
    pub(crate) unanswered: u64,
}

/// See the report of `countersign bench`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    /// Which one.
    pub(crate) name: String,
    /// How many succeeded.
    pub(crate) count: u64,
    /// Half took no longer, milliseconds.
    pub(crate) p50_ms: f64,
    /// All but one in a hundred took no longer, milliseconds.
    pub(crate) p99_ms: f64,
    /// The slowest, milliseconds.
    pub(crate) max_ms: f64,
}

/// See the report of `countersign bench`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fsyncs {
    /// On all nodes together.
    pub(crate) per_operation: f64,
}

/// A workload that runs.
pub(crate) struct Load(Child);

impl Load {
    /// Starts `countersign bench` against `urls` with these arguments.
    pub(crate) fn start(urls: &[String], arguments: &[&str]) -> Self {
        let process = Command::new(program())
            .args(["bench", "--json", "--url", &urls.join(",")])
            .args(arguments)
            .env("COUNTERSIGN_KEY", ROOT_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self(process)
    }

    /// Ends it early; see [`Load::report`].
    pub(crate) fn interrupt(&self) {
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            kill_process(id, Signal::INT).unwrap();
        }
    }

    /// Waits for its end and answers what it reports.
    ///
    /// # Panics
    /// If it reports nothing.
    pub(crate) async fn report(self) -> BenchReport {
        let output = self.0.wait_with_output().await.unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("countersign bench ended with {}: {error}", output.status)
        })
    }
}

/// Logins with so many clients, as many as the nodes answer.
pub(crate) async fn logins(urls: &[String], clients: u32, duration: Duration) -> BenchReport {
    let (clients, seconds) = (clients.to_string(), format!("{}s", duration.as_secs()));
    let warmup = format!("{}s", WARMUP.as_secs());
    let arguments = [
        "--scenario",
        "login",
        "--concurrency",
        &clients,
        "--duration",
        &seconds,
        "--warmup",
        &warmup,
    ];
    Load::start(urls, &arguments).report().await
}

/// The binary that this very build made, beside this program.
fn program() -> PathBuf {
    let path = std::env::current_exe().unwrap().with_file_name("countersign");
    assert!(path.exists(), "{} is missing: build the whole workspace", path.display());
    path
}
