//! `countersign bench`: loads a running node or cluster as an application would, over HTTP, with
//! right codes that it computes itself, and tells how many operations a second there were and how
//! long each took.
//!
//! A load generator that takes any answer for a good one measures nothing: here every answer is
//! read strictly and compared with what the users' own history demands, and a wrong one ends the
//! run with exit code 1. A request without an answer (no node reachable, 503 until the deadline) is
//! an error that is counted, since the outcome is open and nothing was answered wrongly.
//!
//! ```text
//! args        what was asked for
//! run         set-up, warm-up, measuring, end
//! population  the users, prepared before and topped up between operations
//! supply      which user has an unspent code now (pure)
//! operation   login, verify, enroll, status, wrong code: what is sent, what must come back
//! client      HTTP: addresses in turn, retries under one idempotency key, one deadline
//! connections kept open, one request at a time each
//! answer      strict reading
//! interruptions  when requests waited, and how long
//! record      histograms and counts, one per worker, added up at the end
//! report      the table and the JSON
//! ```
//!
//! Nothing here reads the server's data or shares its code paths but the TOTP computation. It must
//! never submit a spent code, and never print a code, a secret or the key.

mod answer;
mod args;
mod client;
mod connections;
mod failure;
mod fsyncs;
mod interruptions;
mod operation;
mod population;
mod progress;
mod record;
mod report;
mod run;
mod supply;
mod wire;

pub use self::args::{BenchArgs, Scenario};
pub use self::run::run;
