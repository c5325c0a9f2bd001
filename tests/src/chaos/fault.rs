//! What can be done to a cluster, by name.

use crate::cluster::{Cluster, Plan};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL to one node; it is started again later.
    Kill,
    /// SIGKILL to all nodes at once; they are started in any order.
    KillAll,
    /// SIGSTOP to one node, SIGCONT later.
    Pause,
    /// One node is cut off from all others.
    Isolate,
    /// What one node sends is lost; what is sent to it arrives.
    Asymmetric,
    /// One directed link is cut.
    OneWay,
    /// Two nodes do not reach each other, a third reaches both.
    Bridge,
    /// One node loses its power.
    Power,
    /// All nodes lose their power at once.
    PowerAll,
    /// One node's disk is full.
    DiskFull,
    /// One node comes back with a clock that is off by as much as machines' clocks may be.
    Skew,
    /// One node's clock jumps ahead by hours while it runs, and comes back.
    ClockJump,
    /// Every node in turn is stopped in order and started again.
    Rolling,
    /// One node's disk is lost for good; a new node takes its place.
    Replace,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Kill,
        Self::KillAll,
        Self::Pause,
        Self::Isolate,
        Self::Asymmetric,
        Self::OneWay,
        Self::Bridge,
        Self::Power,
        Self::PowerAll,
        Self::DiskFull,
        Self::Skew,
        Self::ClockJump,
        Self::Rolling,
        Self::Replace,
    ];

    /// Its name, as it is given on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillAll => "kill-all",
            Self::Pause => "pause",
            Self::Isolate => "isolate",
            Self::Asymmetric => "asymmetric",
            Self::OneWay => "one-way",
            Self::Bridge => "bridge",
            Self::Power => "power",
            Self::PowerAll => "power-all",
            Self::DiskFull => "disk-full",
            Self::Skew => "skew",
            Self::ClockJump => "clock-jump",
            Self::Rolling => "rolling",
            Self::Replace => "replace",
        }
    }

    /// The colour of its band in the picture.
    pub const fn colour(self) -> &'static str {
        match self {
            Self::Kill => "#e4572e",
            Self::KillAll => "#a4161a",
            Self::Pause => "#f4a259",
            Self::Isolate => "#2e86ab",
            Self::Asymmetric => "#5bc0eb",
            Self::OneWay => "#9bd1e5",
            Self::Bridge => "#35607a",
            Self::Power => "#8e44ad",
            Self::PowerAll => "#4a235a",
            Self::DiskFull => "#7f8c8d",
            Self::Skew => "#b7a800",
            Self::ClockJump => "#e0d000",
            Self::Rolling => "#27ae60",
            Self::Replace => "#795548",
        }
    }

    /// Whether this machine allows it.
    pub fn is_possible(self) -> bool {
        match self {
            Self::Isolate | Self::Asymmetric | Self::OneWay | Self::Bridge => Plan::can_cut_links(),
            Self::Power | Self::PowerAll | Self::DiskFull => Plan::can_cut_power(),
            Self::Skew | Self::ClockJump => Cluster::can_skew(),
            _ => true,
        }
    }

    /// Reads a list of names, or `all`.
    ///
    /// # Errors
    /// Names the word that is none.
    pub fn parse(list: &str) -> Result<Vec<Self>, String> {
        if list == "all" {
            return Ok(Self::ALL.to_vec());
        }
        let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
        words
            .map(|word| {
                let found = Self::ALL.into_iter().find(|fault| fault.name() == word);
                found.ok_or_else(|| format!("no such fault: {word}"))
            })
            .collect()
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
