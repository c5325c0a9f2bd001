//! The HTTP layer from the outside, through its router: what a caller sends and what comes back.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod authority;
mod bodies;
mod cluster;
mod console;
mod contract;
mod conventions;
mod documentation;
mod gateway;
mod house;
mod inbox;
mod journeys;
mod listings;
mod messages;
mod metered;
mod pages;
mod portal;
mod problems;
mod qr_codes;
mod readiness;
mod schema;
mod secrets;
mod sent_codes;
mod statistics;
mod stranded;
mod strangers;
mod table;
mod tenants;
mod tokens;
mod values;
mod webhooks;
