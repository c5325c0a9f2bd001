//! The program: reads the command line, does what it says, ends with an exit code that tells how
//! it went.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use countersign::cli::Cli;

/// A login makes some thousand small allocations; the system's allocator spends a tenth of a
/// node's time on them and gives back little of what a burst took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) fn main() -> ExitCode {
    // What this program writes is for nobody else on the machine: keys, data, exports.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let cli = Cli::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("countersign")
        .build()
        .map_err(anyhow::Error::from)
        .map(|runtime| runtime.block_on(cli.run()));
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => end(&failure, failure.exit_code()),
        Err(error) => end(&error, countersign::EXIT_FAILED),
    }
}

/// Says on stderr why it failed.
fn end(reason: &dyn std::fmt::Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "countersign: {reason}");
    ExitCode::from(code)
}
