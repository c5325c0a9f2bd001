//! `countersign audit`: takes an export of a tenant's audit log, and checks one without any server.
//!
//! An export holds the tenant's events and, for each shard, a signed checkpoint: how the tenant's
//! chain there begins and ends. Every event between the two must be there once, in order, and its
//! hash must follow from the one before; what people read in it (type, outcome, user, address, …)
//! must be what was chained. So nothing that the checkpoints do not cover is ever taken for checked.
//!
//! - [`export`]: asking a node for both;
//! - [`file`](mod@file): reading them from a file;
//! - [`checkpoint`]: signatures and keys;
//! - [`check`]: checking events against checkpoints.

mod check;
mod checkpoint;
mod export;
mod file;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use self::checkpoint::{Checkpoint, Keys};
use super::cluster::Connection;
use super::say;
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Write a tenant's whole audit log, with signed checkpoints, to stdout.
    ///
    /// Checkpoints come first, then events, the newest first, up to the checkpoints.
    #[command(after_help = "\
The key needs the scope `audit`.

Example:
  export COUNTERSIGN_KEY=csk_…
  countersign audit export --url http://127.0.0.1:8080 > audit.jsonl
  curl -s http://127.0.0.1:8080/.well-known/jwks.json > jwks.json")]
    Export(Connection),
    /// Check that no event of an export was altered, removed, moved or put in.
    ///
    /// The file holds one JSON object a line, as `countersign audit export` writes them: checkpoints
    /// as GET /v1/audit/checkpoints gives them, and events as GET /v1/audit does, in that order, or
    /// whole pages of both. All events of the tenant that are still kept are needed: a filtered
    /// export cannot be checked.
    #[command(after_help = "\
Example:
  countersign audit verify audit.jsonl --jwks jwks.json --checkpoints last-month.jsonl

Keep jwks.json and checkpoints away from the machines that make exports: whoever can write to a node's
disk can have altered rows signed, but not make them agree with a checkpoint that was taken before.")]
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The export.
    file: PathBuf,
    /// The service's public keys, as /.well-known/jwks.json gave them. May be given several times,
    /// for checkpoints that were signed by keys of other times.
    #[arg(long, required = true)]
    jwks: Vec<PathBuf>,
    /// Checkpoints that were taken earlier (GET /v1/audit/checkpoints, or an earlier export): the
    /// export must agree with them. May be given several times.
    #[arg(long)]
    checkpoints: Vec<PathBuf>,
}

pub(super) async fn run(command: AuditCommand) -> Result<(), Error> {
    match command {
        AuditCommand::Export(connection) => export::run(&connection).await,
        AuditCommand::Verify(args) => {
            say(&verify(&args)?);
            Ok(())
        }
    }
}

fn verify(args: &VerifyArgs) -> Result<String, Error> {
    let mut keys = Keys::default();
    for path in &args.jwks {
        keys.add(&file::text(path)?).map_err(|reason| file::failed(path, reason))?;
    }
    let export = file::read(&args.file)?;
    if export.events.is_empty() && export.checkpoints.is_empty() {
        return Err(Error::Audit(format!("{} holds no events", args.file.display())));
    }
    let signed = |checkpoints: &[file::Signed]| {
        let read = checkpoints.iter().map(|signed| Checkpoint::read(signed, &keys));
        read.collect::<Result<Vec<_>, _>>().map_err(Error::Audit)
    };
    let own = signed(&export.checkpoints)?;
    let mut earlier = Vec::new();
    for path in &args.checkpoints {
        earlier.extend(signed(&file::read(path)?.checkpoints)?);
    }
    check::check(&export.events, own, &earlier).map_err(Error::Audit)
}
