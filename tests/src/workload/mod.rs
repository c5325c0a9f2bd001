//! Clients at work: what the applications of real users would do, and what attackers would.
//!
//! A [`person`] lives a short life whose every operation is noted for the search for an order. A
//! [`guesser`] tries wrong codes on as many challenges and nodes as it can, and counts how many
//! are read. A [`racer`] submits one right code many times at once, through every node, and again
//! later. All speak to the cluster as an SDK does ([`sdk`]): another node if one does not answer,
//! the same idempotency key over all attempts.

pub mod crowd;
pub mod guesser;
pub mod person;
pub mod racer;
pub mod sdk;

pub use self::crowd::{Crowd, prepare};
pub use self::sdk::{Request, Sdk};
