//! Sessions on the hosted pages: what a browser may do with one, and above all what it may not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod acts;
mod browser;
mod freshness;
mod links;
mod places;
mod results;
#[path = "../story/mod.rs"]
mod story;
