//! How much the actors take on at once. Every queue has a bound here; a mailbox has none of its
//! own.

use std::time::Duration;

/// Bounds and times of a [`crate::Service`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Requests that may wait for one row, the one being decided included. More are refused with
    /// [`crate::gateway::GatewayError::OverloadedUser`].
    pub pending_per_row: usize,
    /// Requests that may wait in one shard. More are refused with
    /// [`crate::gateway::GatewayError::Overloaded`].
    pub pending_per_shard: u32,
    /// Actors that a shard keeps while nothing is asked of them. It may have more for as long as
    /// more rows are busy, at most `pending_per_shard`. An idle actor costs some ten kilobytes,
    /// most of it mailboxes; making one anew costs a read of its row.
    pub cached_per_shard: usize,
    /// How long an actor stays after its last question, give or take a quarter.
    pub idle: Duration,
    /// How long a proposal may take before its outcome counts as unknown. It is waited for even
    /// when the caller has given up: the next decision wants to know.
    pub propose_timeout: Duration,
    /// How often a question is decided anew when the row turns out to have changed.
    pub attempts: u32,
    /// Hashes computed at once, at least 1: as many as there are cores.
    pub gate_permits: usize,
    /// Hashes that may wait for their turn. More are refused with
    /// [`crate::gateway::GatewayError::Overloaded`].
    pub gate_queue: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pending_per_row: 256,
            pending_per_shard: 4_096,
            cached_per_shard: 256,
            idle: Duration::from_secs(60),
            propose_timeout: Duration::from_secs(10),
            attempts: 4,
            gate_permits: std::thread::available_parallelism().map_or(2, usize::from),
            gate_queue: 64,
        }
    }
}
