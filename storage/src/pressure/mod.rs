//! What is counted over many users, in memory, from what this node applied.

mod addresses;

pub use self::addresses::COUNTED_MAX;
pub(crate) use self::addresses::{Failure, Failures, WINDOW_MS};
