//! The actors over a shard in memory, one file a promise. Where two nodes are needed, two services
//! work on the same replica, as nodes that both believe they lead. Tests wait for what is to
//! happen, never for time to pass.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod admission;
mod codes;
mod courier;
mod handover;
mod herald;
mod idempotency;
mod leadership;
mod portal_flood;
mod retirement;
mod station;
mod supervision;
mod support;
mod telling;
