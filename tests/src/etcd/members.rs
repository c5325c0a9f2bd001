//! Three members as processes.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connection::Connection;

/// How long three members may take to elect a leader and take a put.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many members there are.
const COUNT: usize = 3;

/// A cluster of three. Killed when dropped; the data directories stay where they are.
pub struct Members {
    dir: PathBuf,
    processes: Vec<Child>,
    clients: Vec<String>,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program is not installed.
    #[error("etcd is not installed (Debian: apt-get install etcd-server)")]
    NotInstalled,
    /// A file, a port or a process could not be had.
    #[error("etcd: {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It did not come up.
    #[error("etcd did not accept a put within {} s; see {}", PATIENCE.as_secs(), dir.display())]
    NotReady {
        /// Where the members' logs are.
        dir: PathBuf,
    },
}

/// What `etcd --version` says of itself, such as `3.4.23`; `None` if it is not installed.
pub fn version() -> Option<String> {
    let told = Command::new("etcd").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("etcd Version: ")).map(str::to_owned)
}

impl Members {
    /// Starts three fresh members on loopback with their data below `dir`, and waits until each
    /// takes a put.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(dir: &Path) -> Result<Self, StartError> {
        if version().is_none() {
            return Err(StartError::NotInstalled);
        }
        let ports = free_ports(2 * COUNT).map_err(system("free ports"))?;
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let (peers, clients) = ports.split_at(COUNT);
        let cluster = peers
            .iter()
            .enumerate()
            .map(|(number, port)| format!("m{number}={}", url(*port)))
            .collect::<Vec<_>>()
            .join(",");
        let mut members = Self {
            dir: dir.to_owned(),
            processes: Vec::new(),
            clients: clients.iter().map(|port| format!("127.0.0.1:{port}")).collect(),
        };
        for (number, (peer, client)) in peers.iter().zip(clients).enumerate() {
            let home = dir.join(format!("m{number}"));
            std::fs::create_dir_all(&home).map_err(system("a data directory"))?;
            let log = File::create(home.join("log")).map_err(system("a log file"))?;
            let errors = log.try_clone().map_err(system("a log file"))?;
            let mut command = Command::new("etcd");
            for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ETCD_")) {
                command.env_remove(name);
            }
            let process = command
                .args(["--name", &format!("m{number}"), "--logger", "zap"])
                .arg("--data-dir")
                .arg(home.join("data"))
                .args(["--listen-peer-urls", &url(*peer)])
                .args(["--initial-advertise-peer-urls", &url(*peer)])
                .args(["--listen-client-urls", &url(*client)])
                .args(["--advertise-client-urls", &url(*client)])
                .args(["--initial-cluster", &cluster, "--initial-cluster-state", "new"])
                .stdin(Stdio::null())
                .stdout(log)
                .stderr(errors)
                .spawn()
                .map_err(system("the process"))?;
            members.processes.push(process);
        }
        members.wait_until_ready().await?;
        Ok(members)
    }

    async fn wait_until_ready(&self) -> Result<(), StartError> {
        let deadline = Instant::now() + PATIENCE;
        for address in &self.clients {
            loop {
                if let Ok(mut connection) = Connection::open(address).await
                    && connection.put(b"ready", b"yes").await.is_ok()
                {
                    break;
                }
                if Instant::now() >= deadline {
                    return Err(StartError::NotReady { dir: self.dir.clone() });
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Where the members take clients, `host:port`.
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// The members' process ids.
    pub fn processes(&self) -> Vec<u32> {
        self.processes.iter().map(Child::id).collect()
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::System { what, source }
}

/// Ports that nobody used a moment ago.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // Held all at once, so that no port is handed out twice.
    let held =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn three_members_acknowledge_puts_with_rising_revisions() {
        if version().is_none() {
            eprintln!("skipped: etcd is not installed");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let members = Members::start(dir.path()).await.unwrap();
        let mut last = 0;
        for address in members.clients() {
            let mut connection = Connection::open(address).await.unwrap();
            let revision = connection.put(b"key", &[7; 192]).await.unwrap();
            assert!(revision > last, "{revision} after {last}");
            last = revision;
        }
    }
}
