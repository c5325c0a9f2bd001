//! The command line: what can be said, and who does it.

mod audit;
mod cluster;
mod dev;
mod keys;
mod openapi;
mod running;
mod serve;
mod totp;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench;
use crate::error::Error;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; the reason is on stderr
  2  the command line or the configuration is wrong
  3  the data directory is locked, corrupt, sealed with another master key, an older copy of itself, or
     of a node that was removed from its cluster
  4  the address to listen on is in use";

/// Countersign: a self-hosted multi-factor authentication service.
///
/// One binary runs the service, makes its keys, checks its audit log and measures it.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node of one's own to try things out: no configuration, data kept, key printed.
    Dev(dev::DevArgs),
    /// Run a node of a cluster.
    Serve(Box<serve::ServeArgs>),
    /// Make the keys that a cluster needs.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Take and check audit exports.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// See how a cluster is.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Print the current code of a TOTP secret, as an authenticator app would show it.
    Totp(totp::TotpArgs),
    /// Print the OpenAPI document, which a running node serves at /openapi.json.
    Openapi,
    /// Measure a running node or cluster with real requests.
    Bench(bench::BenchArgs),
}

impl Cli {
    /// Does what was asked. Answers the exit code.
    ///
    /// # Errors
    /// If it cannot be done; [`Error::exit_code`] tells the exit code.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Dev(args) => Box::pin(dev::run(args)).await?,
            Command::Serve(args) => Box::pin(serve::run(*args)).await?,
            Command::Keys(command) => keys::run(&command)?,
            Command::Audit(command) => audit::run(command).await?,
            Command::Cluster(command) => cluster::run(command).await?,
            Command::Totp(args) => totp::run(&args)?,
            Command::Openapi => openapi::run(),
            Command::Bench(args) => return Box::pin(run_bench(args)).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn run_bench(args: bench::BenchArgs) -> Result<ExitCode, Failure> {
    bench::run(args).await.map_err(Failure::Bench)
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command's own reason.
    #[error(transparent)]
    Command(#[from] Error),
    /// The measurement's reason.
    #[error("{0:#}")]
    Bench(anyhow::Error),
}

impl Failure {
    /// The exit code.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Command(error) => error.exit_code(),
            Self::Bench(_) => crate::error::EXIT_FAILED,
        }
    }
}

/// Prints to stdout. Nobody listening any more is not an error.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n"));
    let _ = out.flush();
}
