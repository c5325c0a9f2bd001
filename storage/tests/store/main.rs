//! The store, tried from outside: by openraft's own suite, by replicas that must agree, by
//! processes that are killed in the middle, and by a disk that loses its power.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod activity;
mod agreement;
mod audit;
mod child;
mod crash;
mod golden;
mod idempotency;
mod log;
mod opening;
mod outbox;
mod power;
mod pressure;
mod secrets;
mod set_time;
mod snapshots;
mod stage;
mod suite;
mod webhooks;
