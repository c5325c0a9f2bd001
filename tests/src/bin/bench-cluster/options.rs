//! What was asked for.

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measure three nodes on this machine, beside three etcd members.
#[derive(Parser, Debug)]
#[command(name = "bench-cluster", max_term_width = 100)]
pub(crate) struct Options {
    /// What to measure, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::ALL)]
    pub(crate) parts: Vec<Part>,
    /// Numbers of clients, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    pub(crate) clients: Vec<u32>,
    /// Seconds that each rate is measured.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// Nodes to kill, one after the other.
    #[arg(long, default_value_t = 20)]
    pub(crate) kills: u32,
    /// Operations started a second while nodes are killed or restarted.
    #[arg(long, default_value_t = 200)]
    pub(crate) rate: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Logins a second.
    Logins,
    /// Puts into etcd a second.
    Etcd,
    /// Time to service after SIGKILL.
    Kills,
    /// Failed requests in a rolling restart.
    Rolling,
    /// Memory and disk.
    Sizes,
}

impl Part {
    const ALL: [Self; 5] = [Self::Logins, Self::Etcd, Self::Kills, Self::Rolling, Self::Sizes];
}

impl Options {
    /// Whether a part was asked for.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// How long each rate is measured.
    pub(crate) const fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
