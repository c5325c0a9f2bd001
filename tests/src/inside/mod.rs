//! A cluster within this very process: nodes as the library starts them, on links that a test can
//! cut in one direction, each with a clock of its own.
//!
//! Beside the rig of processes ([`crate::cluster`]) it sees more: what each node has applied, under
//! which state hash, and what its gateway says without HTTP in between. It sees less of crashes: a
//! node that ends without order here ([`Cluster::crash`]) loses its memory and all that it had under
//! way, as if it were killed, but what it wrote stays, synced or not. Only the rig of processes takes
//! power away.
//!
//! Each node has a runtime of its own, so that ending one leaves nothing of it behind, and what is
//! asked of a node is asked on its own threads. Nothing here waits for a time to pass; it waits for
//! something to be so, and says what was not if it takes too long.

mod clock;
mod cluster;
mod door;
mod links;
mod member;
mod wire;
mod work;

pub use clock::SkewedClock;
pub use cluster::{Cluster, Plan, until};
pub use door::{Door, caller, user};
pub use links::{LinkDial, Links};
pub use work::{Doors, Ledger, Work, Worked};
