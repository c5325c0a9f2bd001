//! A node as a process.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::client::Client;

/// How long a node may take to become ready before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The master key of every node here: 32 bytes, base64.
pub const MASTER_KEY: &str = "dGhlIG1hc3RlciBrZXkgb2YgYSB0ZXN0IG5vZGUgISE=";
/// The root key of every node here.
pub const ROOT_KEY: &str = "csk_0123456789abcdefghijABCDEFGHIJ0123456789";
/// The cluster secret of every node here.
pub const CLUSTER_SECRET: &str = "a cluster secret that is long enough for a test";

/// A node with its data directory and its log. Killed when dropped.
pub struct House {
    dir: TempDir,
    port: u16,
    environment: Vec<(String, String)>,
    /// Whether it runs `dev` instead of `serve`.
    dev: bool,
    process: Option<Child>,
}

impl House {
    /// Starts a fresh node, founds a cluster of one, and waits until it is ready.
    pub async fn founded() -> Self {
        Self::founded_with(Vec::new()).await
    }

    /// The same with further variables; `{name}` in a value stands for the node's name.
    pub async fn founded_with(environment: Vec<(String, String)>) -> Self {
        Self::ready(environment, false).await
    }

    /// Starts `countersign dev` on a fresh directory, and waits until it is ready.
    pub async fn dev() -> Self {
        Self::ready(Vec::new(), true).await
    }

    async fn ready(environment: Vec<(String, String)>, dev: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut house = Self { dir, port: free_port(), environment, dev, process: None };
        house.start().await;
        house
    }

    /// Starts the node again with the very same command line, and waits until it is ready.
    pub async fn start(&mut self) {
        assert!(self.process.is_none(), "the node runs already");
        self.process = Some(self.spawn());
        self.wait_until_ready().await;
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("COUNTERSIGN_")) {
            command.env_remove(name);
        }
        let listen = format!("127.0.0.1:{}", self.port);
        if self.dev {
            command.args(["dev", "--listen", &listen]);
        } else {
            command.args(["serve", "--bootstrap", "--name", "n1", "--api-listen", &listen]).args([
                "--peer-listen",
                "127.0.0.1:0",
                "--log-level",
                "debug,openraft=warn",
            ]);
        }
        let own =
            self.environment.iter().map(|(name, value)| (name, value.replace("{name}", "n1")));
        command
            .arg("--data-dir")
            .arg(self.data_dir())
            .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
            .env("COUNTERSIGN_ROOT_KEY", ROOT_KEY)
            .env("COUNTERSIGN_CLUSTER_SECRET", CLUSTER_SECRET)
            .envs(own)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()))
    }

    async fn wait_until_ready(&mut self) {
        let client = self.client();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !client.is_ready().await {
            let exited = self.process.as_mut().and_then(|process| process.try_wait().unwrap());
            if let Some(status) = exited {
                panic!("the node exited with {status}:\n{}", self.log());
            }
            assert!(tokio::time::Instant::now() < deadline, "not ready in time:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL: no warning, no flush.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("a running node");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM, and the exit code that follows.
    pub async fn stop(&mut self) -> Option<i32> {
        let mut process = self.process.take().expect("a running node");
        let killed = Command::new("kill").arg(process.id().to_string()).status().unwrap();
        assert!(killed.success());
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = process.try_wait().unwrap() {
                return status.code();
            }
            assert!(tokio::time::Instant::now() < deadline, "did not stop:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Speaks to the node with the root key.
    pub fn client(&self) -> Client {
        Client::new(&self.url(), ROOT_KEY)
    }

    /// Where the node's API is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where its data is.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// All that it printed, over all its lives.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("node.log")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The binary that this very build made: two folders up from the test's own.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("countersign");
    assert!(path.exists(), "{} is missing: run the tests with --workspace", path.display());
    path
}
