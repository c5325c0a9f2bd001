//! The proof: real nodes, attacked from outside.
//!
//! What is asserted here is asserted of the shipped binary, over HTTP, as its users see it: a
//! process is started, killed without warning and started again, and what it acknowledged before
//! must hold after.
//!
//! - [`chaos`]: a cluster at work to which everything happens, and the verdict.
//! - [`cluster`]: nodes as processes that make one cluster, and what can happen to them.
//! - [`history`]: what clients asked and were told, and the search for an order that explains it.
//! - [`house`]: a node as a process, with a data directory and a log.
//! - [`inside`]: nodes of one cluster within this very process, on links that can be cut.
//! - [`client`]: the HTTP contract, as far as the scenarios speak it.
//! - [`app`]: an authenticator app in a person's hand.
//! - [`phone`]: a telephone in a person's hand.
//! - [`receiver`]: who takes text messages and events, and what can go wrong there.
//! - [`audit`]: the audit log, as a caller reads it.
//! - [`workload`]: clients at work, as applications and attackers would be.
//! - [`scenarios`]: stories of a cluster that are told more than once.
//! - [`sabotage`]: builds that are broken on purpose, and what finds each.
//! - [`ledger`]: what was acknowledged, and the check that it still holds.
//! - [`etcd`]: three etcd members and a client for them, to measure against.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a rig stops at what should not be"
)]

pub mod app;
pub mod audit;
pub mod chaos;
pub mod client;
pub mod cluster;
pub mod etcd;
pub mod history;
pub mod house;
pub mod inside;
pub mod key;
pub mod ledger;
pub mod phone;
pub mod receiver;
pub mod sabotage;
pub mod scenarios;
pub mod workload;
