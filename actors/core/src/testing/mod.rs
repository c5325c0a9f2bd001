//! What tests of several crates share. Never in what ships.

pub mod authenticator;
