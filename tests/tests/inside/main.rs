//! Nodes of one cluster within this process: what each has applied and says, under cut links, wrong
//! clocks, changes of members and snapshots. What real processes show is in `cluster.rs`.
//!
//! Each test stands for itself, but they share two cores with all their nodes, so they run one after
//! the other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod clocks;
mod cuts;
mod growth;
mod handing_over;
mod joining;
mod links;
mod snapshots;
mod tenants;

use countersign_tests::inside::Worked;
use tokio::sync::{Mutex, MutexGuard};

static MACHINE: Mutex<()> = Mutex::const_new(());

/// The machine for one test alone.
async fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().await
}

/// Asserts that every question was answered, and rightly.
fn flawless(worked: &Worked) {
    assert!(worked.wrong.is_empty(), "{}", worked.wrong.join("\n"));
    let count = worked.failures.len();
    assert!(count == 0, "{count} failed, {} done:\n{}", worked.done, worked.failures.join("\n"));
}
