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
    /// Hashes computed and signatures checked at once behind each gate, at least 1: as many as there
    /// are cores.
    pub gate_permits: usize,
    /// How many may wait for their turn before each gate. More are refused with
    /// [`crate::gateway::GatewayError::Overloaded`].
    pub gate_queue: usize,
    /// Messages that a shard hands to providers at once, half of them for each channel, so that a
    /// dead provider of one holds the other up in nothing.
    pub sends_per_shard: usize,
    /// Messages that a shard keeps in memory until their next attempt, half of them for each channel.
    /// The others stay in the store.
    pub sends_waiting: usize,
    /// How long one attempt to send a message may take, but never beyond the end of its code.
    pub send_timeout: Duration,
    /// Events that a shard posts to endpoints at once.
    pub postings_per_shard: usize,
    /// Events that a shard posts to the endpoints of one tenant at once, so that those of another
    /// have room beside endpoints that are slow or do not answer.
    pub postings_per_tenant: usize,
    /// Events that a shard posts to one endpoint at once; one to an endpoint that just failed.
    pub postings_per_webhook: usize,
    /// How long one attempt to post an event may take, should the poster set no limit of its own.
    pub post_timeout: Duration,
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
            sends_per_shard: 16,
            sends_waiting: 256,
            send_timeout: Duration::from_secs(15),
            postings_per_shard: 32,
            postings_per_tenant: 16,
            postings_per_webhook: 8,
            post_timeout: Duration::from_secs(60),
        }
    }
}
