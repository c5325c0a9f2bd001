//! The program as an operator meets it: started as a process, spoken to over HTTP and by signals.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "another process has no clock to be paused")]

mod audit;
mod cluster;
mod configuration;
mod data_directory;
mod dev_session;
mod in_process;
mod running;
mod shutdown;
