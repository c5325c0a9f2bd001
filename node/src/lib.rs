//! Countersign, the node: it puts storage, Raft, actors and the HTTP layer together, starts them
//! in order and ends them in order.
//!
//! ```text
//! cli ── config ── node ─┬─ opening, founding   what happens once in a node's and a cluster's life
//!                        ├─ raft, network       one group a shard, over all nodes
//!                        ├─ cluster             who belongs to it, who leads, who is there
//!                        ├─ leadership, replica from groups to actors
//!                        ├─ clock, shard_time   what time it is
//!                        ├─ gateway, listing    from the API to actors and rows, on any node
//!                        ├─ retention, snapshots, telemetry: what runs beside
//!                        └─ server              HTTP, begun last and ended first
//! ```
//!
//! A node can be started within another program: [`Node::start`]. The command line is [`cli`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bench;
pub mod cli;
pub mod config;
pub mod delivery;

mod clock;
mod cluster;
mod demo;
mod directory;
mod entropy;
mod error;
mod founding;
mod gateway;
mod geoip;
mod leadership;
mod limits;
mod listing;
mod metric_help;
mod network;
mod node;
mod opening;
mod outbox;
mod raft;
mod replica;
mod retention;
mod root_key;
mod server;
mod shard_time;
mod snapshots;
mod steward;
mod telemetry;

pub use clock::{SystemClock, WallClock};
pub use config::Config;
pub use entropy::SystemEntropy;
pub use error::{EXIT_ADDRESS, EXIT_DATA, EXIT_FAILED, EXIT_USAGE, Error};
pub use network::{Dial, Stream, TcpDial};
pub use node::{Node, World};
