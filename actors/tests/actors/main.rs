//! The actors over a shard in memory. Each file is one promise; none sleeps to see something
//! happen.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod admission;
mod codes;
mod idempotency;
mod leadership;
mod retirement;
mod supervision;
mod support;
