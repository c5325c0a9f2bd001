//! What Countersign knows and decides.
//!
//! This crate is pure: no clock, no randomness, no I/O, no async. A decision is a total function,
//! [`decide::decide`]: the user's state, a command and a context go in; a reply, the events and
//! the audit entries come out. [`evolve::evolve`] is the only way in which a state changes, on the
//! leader that decided as on every replica that applies.
//!
//! Wherever a check is demanded by a standard, the clause is cited beside it.

pub mod address;
pub mod alerts;
pub mod audit;
mod browser;
pub mod challenge;
pub mod codec;
pub mod command;
pub mod context;
pub mod country;
pub mod decide;
pub mod decision;
pub mod device;
pub mod email;
pub mod entropy;
pub mod event;
pub mod evolve;
pub mod factor;
pub mod ids;
pub mod lockout;
pub mod message;
pub mod outbox;
pub mod phone;
pub mod policy;
pub mod portal;
pub mod preview;
pub mod proposal;
pub mod query;
pub mod real_time;
pub mod reply;
pub mod risk;
pub mod secret;
pub mod sending;
pub mod set_time;
pub mod settings;
pub mod statistics;
pub mod system;
pub mod tenant;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod typed;
pub mod user;
pub mod vault;
pub mod webhook;
