//! What a cluster is made of.

use std::path::{Path, PathBuf};

use super::network::Place;
use super::{disk, network};

/// The binary that the nodes run.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What the variable `FAILPOINTS` says; the shipped binary does not read it.
    pub failpoints: Option<String>,
}

impl Program {
    /// The binary that this very build made.
    ///
    /// # Panics
    /// If it is not beside this program.
    pub fn shipped() -> Self {
        Self { path: built("countersign"), failpoints: None }
    }

    /// The binary with the test-only switch, broken as `failpoints` says.
    ///
    /// # Panics
    /// If it is not beside this program; `make prove` builds it.
    pub fn sabotaged(failpoints: &str) -> Self {
        Self { path: built("countersign-sabotaged"), failpoints: Some(failpoints.to_owned()) }
    }
}

/// A binary of this build: beside this program, or, for a test, one folder up.
fn built(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let beside = this.ancestors().skip(1).take(2).map(|folder: &Path| folder.join(name));
    beside
        .clone()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{name} is missing: build the whole workspace"))
}

/// Where a node keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In a folder.
    Folder,
    /// On an ext4 file system of its own, in a sparse file of so many bytes.
    Image(u64),
}

/// How a cluster is set up.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many nodes it begins with.
    pub nodes: usize,
    /// How many shards it has.
    pub shards: u16,
    /// Where its nodes live.
    pub place: Place,
    /// Where they keep their data.
    pub storage: Storage,
    /// What they log.
    pub log_level: String,
    /// What they run.
    pub program: Program,
    /// Further arguments of `serve`, the same for every node.
    pub arguments: Vec<String>,
    /// Further variables of every node; `{name}` in a value stands for the node's name.
    pub environment: Vec<(String, String)>,
}

impl Plan {
    /// Nodes on the loopback device with their data in folders.
    pub fn of(nodes: usize) -> Self {
        Self {
            nodes,
            shards: 16,
            place: Place::Loopback,
            storage: Storage::Folder,
            log_level: "info".to_owned(),
            program: Program::shipped(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// The same with links that can be cut, where this machine allows it.
    #[must_use]
    pub fn with_links(mut self) -> Self {
        if Self::can_cut_links() {
            self.place = Place::Namespaces;
        }
        self
    }

    /// The same with power that can be cut and disks of `bytes` bytes that can be full, where this
    /// machine allows it.
    #[must_use]
    pub fn with_disks(mut self, bytes: u64) -> Self {
        if Self::can_cut_power() {
            self.storage = Storage::Image(bytes);
        }
        self
    }

    /// Whether this machine allows network namespaces with rules that drop packets.
    pub fn can_cut_links() -> bool {
        network::possible()
    }

    /// Whether this machine allows to mount a file system in a file.
    pub fn can_cut_power() -> bool {
        disk::possible()
    }
}
