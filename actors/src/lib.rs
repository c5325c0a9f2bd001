//! Who decides, one at a time.
//!
//! ```text
//! Service ─ NodeSupervisor ─ ShardSupervisor (while this node leads the shard)
//!                               ├─ user actor    (on demand, retired when idle)
//!                               ├─ tenant actor  (on demand, shard 0 only)
//!                               ├─ courier       (carries messages to people)
//!                               └─ herald        (tells webhooks what happened)
//! ```
//!
//! One actor a row makes its decisions in a row: it holds the row's state, asks the core, proposes
//! what the core decided and releases the reply once the replicated log has applied it. The actor
//! gives speed and order; it is not what makes a decision safe. That is the version check in the
//! log: two generations of an actor, or two nodes that both think they lead, can do no harm.
//!
//! What the actors need of the world stands in [`ports`]; what the API asks through, in
//! [`gateway`]. Start at [`Service`].

pub mod carrier;
pub mod gateway;
pub mod ports;
#[cfg(feature = "testing")]
pub mod testing;

mod backoff;
mod courier;
mod desk;
mod errand;
mod error;
mod gate;
mod herald;
mod idempotency;
mod metrics;
mod node_supervisor;
mod options;
mod router;
mod row_actor;
#[cfg(feature = "sabotage")]
mod sabotage;
mod service;
mod shard;
mod shard_supervisor;
mod tenant_row;
mod user_row;

pub use error::ServiceError;
pub use options::Options;
pub use service::{Ports, Service};
