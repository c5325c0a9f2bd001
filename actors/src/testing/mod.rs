//! The world in memory, for tests: a replica that applies like the real one and fails when told
//! to, a clock that stands still, reproducible randomness, a vault with a fixed key.
//!
//! Behind the feature `testing`, and never for production: nothing here survives the process, and
//! nothing here is secret.

mod memory;
mod outbox;
mod provider;
mod replica;
mod vault;
mod waiting;
mod world;

pub use provider::{Provider, Reception};
pub use replica::{Fate, MemoryReplica};
pub use vault::FixedVault;
pub use world::{FixedDirectory, ManualClock, Nowhere, RunningClock, SeededSource};
