//! What can happen to a cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::rig::Cluster;
use super::{shell, skew};

impl Cluster {
    /// SIGKILL: no warning, no flush. Does nothing to a node that does not run.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// SIGKILL to every node, before any of them could notice that another is gone.
    pub fn kill_all(&mut self) {
        for node in &self.nodes {
            node.signal(Signal::KILL);
        }
        for node in &mut self.nodes {
            node.kill();
        }
    }

    /// SIGTERM, and the exit code that follows; `None` if a signal ended it.
    ///
    /// # Panics
    /// If it does not end within a minute.
    pub async fn stop(&mut self, node: usize) -> Option<i32> {
        self.nodes[node].signal(Signal::TERM);
        self.wait_until_ended(node).await
    }

    /// SIGTERM to every node at once; their exit codes.
    ///
    /// # Panics
    /// If one does not end within a minute.
    pub async fn stop_all(&mut self) -> Vec<Option<i32>> {
        for node in &self.nodes {
            node.signal(Signal::TERM);
        }
        let mut codes = Vec::new();
        for node in 0..self.nodes.len() {
            codes.push(self.wait_until_ended(node).await);
        }
        codes
    }

    /// SIGTERM, the end, and the start with the same command line until it is ready.
    ///
    /// # Panics
    /// If it does not end with 0, or is not ready within a minute.
    pub async fn stop_and_restart(&mut self, node: usize) {
        assert_eq!(self.stop(node).await, Some(0), "{} did not stop in order", self.name(node));
        self.restart(node).await;
    }

    /// SIGSTOP: the node stands still and does not know it. Returns once every thread stands.
    pub fn pause(&mut self, node: usize) {
        self.nodes[node].freeze();
    }

    /// SIGCONT.
    pub fn resume(&mut self, node: usize) {
        self.nodes[node].thaw();
    }

    /// Whether a node was paused and not resumed.
    pub fn is_paused(&self, node: usize) -> bool {
        self.nodes[node].frozen
    }

    /// Drops what `from` sends to `to`; the other direction stays.
    ///
    /// # Panics
    /// If links cannot be cut here.
    pub fn cut(&mut self, from: usize, to: usize) {
        self.network.set_cut(from, to, true).unwrap();
    }

    /// Cuts the link between two nodes, both directions.
    ///
    /// # Panics
    /// If links cannot be cut here.
    pub fn part(&mut self, one: usize, other: usize) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Cuts a node off from all others. It is still reached from here.
    ///
    /// # Panics
    /// If links cannot be cut here.
    pub fn isolate(&mut self, node: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            self.part(node, other);
        }
    }

    /// Mends every link.
    pub fn mend(&mut self) {
        for from in 0..self.nodes.len() {
            for to in (0..self.nodes.len()).filter(|to| *to != from) {
                // Where links cannot be cut, none is.
                let _ = self.network.set_cut(from, to, false);
            }
        }
    }

    /// The power of these nodes goes, at one moment: they are stopped, and what they find when
    /// they are started again is what they had synced.
    ///
    /// # Panics
    /// If power cannot be cut here.
    pub fn cut_power(&mut self, nodes: &[usize]) {
        for node in nodes {
            // All first, so that none goes on while another is being stopped.
            self.nodes[*node].signal(Signal::STOP);
        }
        for node in nodes {
            self.nodes[*node].freeze();
        }
        for node in nodes {
            self.nodes[*node].disk.photograph().unwrap();
        }
        for node in nodes {
            self.nodes[*node].kill();
            self.nodes[*node].disk.after_power_cut().unwrap();
        }
    }

    /// Fills a node's disk until `leave` bytes are free.
    ///
    /// # Panics
    /// If the node has no disk of its own.
    pub fn fill_disk(&mut self, node: usize, leave: u64) {
        self.nodes[node].disk.fill(leave).unwrap();
    }

    /// Takes away what filled the disk.
    pub fn unfill_disk(&mut self, node: usize) {
        self.nodes[node].disk.unfill();
    }

    /// Sets a node's clock, whether it runs or not: so many seconds ahead, or behind if negative.
    /// Its timers stay true.
    ///
    /// # Panics
    /// If that cannot be written down.
    pub fn set_skew(&mut self, node: usize, seconds: i64) {
        self.nodes[node].set_skew(seconds);
    }

    /// Whether clocks can be set here.
    pub fn can_skew() -> bool {
        skew::library().is_some()
    }

    /// A copy of a node's data directory as it is now: of a stopped node, or, as the image of a
    /// virtual machine is taken, of a running one, which stands still meanwhile.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub fn copy_disk(&mut self, node: usize) -> PathBuf {
        self.made_copies += 1;
        let copy = self.folder.path().join(format!("copy-{}", self.made_copies));
        let running = self.runs(node);
        if running {
            self.pause(node);
        }
        let data = self.data_dir(node);
        shell::run("cp", &["-a", &data.to_string_lossy(), &copy.to_string_lossy()]).unwrap();
        if running {
            self.resume(node);
        }
        copy
    }

    /// Kills a node and puts a copy of its data directory back.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub fn put_back(&mut self, node: usize, copy: &Path) {
        self.kill(node);
        self.nodes[node].disk.wipe();
        let data = self.data_dir(node);
        shell::run("cp", &["-a", &copy.to_string_lossy(), &data.to_string_lossy()]).unwrap();
    }

    /// Starts a node with further failpoints, which it alone has.
    pub fn spawn_broken(&mut self, node: usize, failpoints: &str) {
        let mut plan = self.plan.clone();
        let own = plan.program.failpoints.iter().map(String::as_str).filter(|own| !own.is_empty());
        plan.program.failpoints = Some(own.chain([failpoints]).collect::<Vec<_>>().join(";"));
        self.nodes[node].spawn(&plan);
    }

    /// Takes away all that a node keeps. It is killed if it runs. It has its old name still, and
    /// would join by asking the others.
    pub fn wipe(&mut self, node: usize) {
        self.kill(node);
        self.nodes[node].disk.wipe();
        let seeds = self.seeds(node);
        self.nodes[node].join = Some(seeds);
    }

    /// Gives a node that does not run a name that none had before.
    pub fn rename(&mut self, node: usize) {
        assert!(!self.runs(node), "a running node keeps its name");
        let name = self.new_name();
        self.nodes[node].name = name;
    }

    /// Loses a node's disk for good and puts a new node in its place: the old one is taken out of
    /// the cluster through `through`, the new one joins under a new name. Waits until it is whole.
    ///
    /// # Panics
    /// If any of it does not succeed within a minute.
    pub async fn replace(&mut self, node: usize, through: usize) {
        let id = self.node_id(node).await.expect("a node of the cluster");
        self.wipe(node);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        let client = self.client(through);
        let path = format!("/v1/cluster/nodes/{id}");
        loop {
            let answer = client.send(reqwest::Method::DELETE, &path, None, None).await;
            match answer.as_ref().map(|answer| answer.status.as_u16()) {
                Some(204 | 404) => break,
                _ => assert!(
                    tokio::time::Instant::now() < deadline,
                    "{} was not taken out: {answer:?}",
                    self.name(node)
                ),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.rename(node);
        self.restart(node).await;
        self.wait_until_whole().await;
    }
}
