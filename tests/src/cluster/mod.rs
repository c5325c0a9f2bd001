//! Nodes as processes that make one cluster, and everything that can happen to them.
//!
//! [`Cluster::start`] founds a cluster of real processes of the binary and waits until every node
//! is ready. What happens to them afterwards is a method each: SIGKILL, SIGTERM, SIGSTOP, a cut
//! link, a lost disk, a power cut, a full disk, a clock that is off, one node more.
//!
//! Where a node lives is a choice of the [`Plan`]: on the loopback device, or in a network
//! namespace of its own, so that single directed links can be cut; in a plain folder, or on a file
//! system in a file, so that power can be cut and the disk can be full. Both need root; where it
//! is missing, [`Plan::can_cut_links`] and [`Plan::can_cut_power`] say so.
//!
//! Nothing outlives its cluster: processes die with it, namespaces, bridges and mounts are named
//! after the process that made them, and what a killed run left behind is swept up by the next.

mod disk;
mod faults;
mod network;
mod node;
mod plan;
mod rig;
mod shell;
mod skew;
mod sweep;

pub use self::network::Place;
pub use self::plan::{Plan, Program, Storage};
pub use self::rig::Cluster;
