//! Who decides, one at a time.

pub mod gateway;
pub mod ports;
