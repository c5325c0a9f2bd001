//! One node: its process, its disk, its clock.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::disk::Disk;
use super::network::Home;
use super::plan::{Plan, Program};
use super::{shell, skew};
use crate::house::{CLUSTER_SECRET, MASTER_KEY, ROOT_KEY};

/// A node that may or may not run.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) home: Home,
    pub(super) disk: Disk,
    /// Whom an empty node asks; founds the cluster if `None`.
    pub(super) join: Option<String>,
    pub(super) frozen: bool,
    /// Says by how many seconds its clock is off.
    skew: PathBuf,
    log: PathBuf,
    process: Option<Child>,
}

impl Node {
    pub(super) fn new(
        name: String,
        home: Home,
        disk: Disk,
        join: Option<String>,
        folder: &Path,
    ) -> Self {
        let (log, skew) = (folder.join("node.log"), folder.join("skew"));
        let node = Self { name, home, disk, join, frozen: false, skew, log, process: None };
        node.set_skew(0);
        node
    }

    /// Sets its clock: so many seconds ahead, or behind if negative. At once.
    pub(super) fn set_skew(&self, seconds: i64) {
        // In place: the process has it mapped.
        let mut file = File::options().create(true).write(true).truncate(false).open(&self.skew);
        let file = file.as_mut().expect("a file for the clock");
        file.write_all(&seconds.to_ne_bytes()).expect("a file for the clock");
    }

    pub(super) const fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// The process's id while it runs.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// All that it printed, over all its lives.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Starts the process. The thread that calls this must outlive the node: the kernel kills the
    /// process when it ends, so that no node is left behind.
    pub(super) fn spawn(&mut self, plan: &Plan) {
        assert!(!self.runs(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let Program { path, failpoints } = &plan.program;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(namespace) = &self.home.namespace {
            // Not `ip netns exec`: that also makes a mount namespace, which would keep the disks
            // of all other nodes mounted.
            command.args(["nsenter", &format!("--net=/run/netns/{namespace}")]);
        }
        command.arg(path).args(["serve", "--name", &self.name]).arg("--data-dir");
        command.arg(self.disk.data());
        command.args(["--api-listen", &self.home.api, "--peer-listen", &self.home.peer]);
        command.args(["--log-level", &plan.log_level]);
        match &self.join {
            Some(seeds) => command.args(["--join", seeds]),
            None => command.args(["--bootstrap", "--shards", &plan.shards.to_string()]),
        };
        command.args(&plan.arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("COUNTERSIGN_")) {
            command.env_remove(name);
        }
        command
            .env("PATH", shell::path())
            .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
            .env("COUNTERSIGN_ROOT_KEY", ROOT_KEY)
            .env("COUNTERSIGN_CLUSTER_SECRET", CLUSTER_SECRET);
        for (name, value) in &plan.environment {
            command.env(name, value.replace("{name}", &self.name));
        }
        if let Some(failpoints) = failpoints {
            command.env("FAILPOINTS", failpoints);
        }
        if let Some(library) = skew::library() {
            command.env("LD_PRELOAD", library).env("SKEW_FILE", &self.skew);
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", path.display()));
        self.process = Some(process);
    }

    pub(super) fn signal(&self, signal: Signal) {
        let Some(process) = &self.process else { return };
        let id = i32::try_from(process.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// SIGKILL: no warning, no flush. Does nothing to a node that does not run.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        self.frozen = false;
    }

    /// How it ended, if it ended by itself.
    pub(super) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        let status = self.process.as_mut()?.try_wait().unwrap()?;
        self.process = None;
        Some(status)
    }

    /// Waits until it ends by itself; the exit code, or `None` if it did not within `patience`.
    pub(super) async fn end(&mut self, patience: Duration) -> Option<Option<i32>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended() {
                return Some(status.code());
            }
            if Instant::now() >= deadline {
                return None;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGSTOP, and the wait until every thread has stopped: a system call that is under way ends
    /// first.
    pub(super) fn freeze(&mut self) {
        self.signal(Signal::STOP);
        self.frozen = true;
        let Some(id) = self.process_id() else { return };
        let stopped = || {
            let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten();
            tasks.flatten().all(|task| {
                let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
                matches!(state, Some('T' | 't' | 'Z' | 'X') | None)
            })
        };
        for _ in 0..400 {
            if stopped() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{} did not stop", self.name);
    }

    /// SIGCONT.
    pub(super) fn thaw(&mut self) {
        self.signal(Signal::CONT);
        self.frozen = false;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
