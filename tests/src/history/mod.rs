//! What clients asked and were told, and the search for an order that explains it.
//!
//! Every operation is noted with its invocation and its return. An operation without an answer is
//! *unknown*: it may have taken effect at any time since, or never, and is never taken for failed.
//! Per user, stateright's linearizability tester looks for one order of all operations that a
//! single, perfect server could have answered in the same way ([`model`]); if there is none, a
//! promise was broken.

pub mod check;
pub mod model;
pub mod tape;

pub use self::check::{Fault, check};
pub use self::model::{Op, Ret, UserModel};
pub use self::tape::{Attempt, Record, Tape};
