//! Chaos: a cluster at work, to which everything happens that a seed chooses, and the verdict.
//!
//! [`run`] starts a cluster and a crowd of clients. One fault follows another: each is done to the
//! cluster, held for a while, undone, and service must come back. At the end everything is looked
//! at again through every node, and [`verdict`] judges all that was noted against the promises.
//! The schedule follows from the seed alone; how the cluster behaves under it does not, so that a
//! seed repeats the faults, not every outcome.

mod clock;
pub mod fault;
pub mod report;
pub mod run;
pub mod schedule;
pub mod timeline;
pub mod verdict;

pub use self::fault::Fault;
pub use self::run::{Band, Options, Outcome, run};
