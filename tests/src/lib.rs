//! The proof: real nodes, attacked from outside.
//!
//! What is asserted here is asserted of the shipped binary, over HTTP, as its users see it: a
//! process is started, killed without warning and started again, and what it acknowledged before
//! must hold after.
//!
//! - [`cluster`]: nodes as processes that make one cluster, and what can happen to them.
//! - [`house`]: a node as a process, with a data directory and a log.
//! - [`client`]: the HTTP contract, as far as the scenarios speak it.
//! - [`app`]: an authenticator app in a person's hand.
//! - [`ledger`]: what was acknowledged, and the check that it still holds.
//! - [`etcd`]: three etcd members and a client for them, to measure against.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rig stops at what should not be"
)]

pub mod app;
pub mod client;
pub mod cluster;
pub mod etcd;
pub mod house;
pub mod ledger;
