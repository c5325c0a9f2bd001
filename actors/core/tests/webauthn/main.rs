//! Security keys and passkeys, each with a key in software: what is accepted, and every refusal of
//! W3C Web Authentication Level 3 sections 7.1 and 7.2.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod assertion;
mod ceremonies;
mod judges;
mod login;
mod person;
mod registration;
mod rules;
#[path = "../story/mod.rs"]
mod story;
