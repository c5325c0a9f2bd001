//! `make chaos`: real processes, random faults, a verdict.

#![allow(clippy::print_stdout, reason = "a program tells how it went")]
#![allow(clippy::expect_used, reason = "a rig stops at what should not be")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use countersign_tests::chaos::{Fault, Options, report, run};
use countersign_tests::cluster::Program;

/// Starts a cluster, lets clients work on it while faults happen, and judges all that was noted.
#[derive(Parser)]
struct Arguments {
    /// For how long faults are made, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Repeats the faults of an earlier run; random unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Which faults: `all`, or names with commas between.
    #[arg(long, default_value = "all")]
    faults: String,
    /// How many nodes.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// How many clients.
    #[arg(long, default_value_t = 12)]
    workers: usize,
    /// Where the report goes.
    #[arg(long, default_value = "target/chaos")]
    report: PathBuf,
    /// Runs the sabotaged binary, broken at these failpoints.
    #[arg(long)]
    failpoints: Option<String>,
    /// Ends with the first broken promise.
    #[arg(long)]
    stop_when_broken: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let faults = match Fault::parse(&arguments.faults) {
        Ok(faults) => faults,
        Err(reason) => {
            println!("chaos: error: {reason}");
            return ExitCode::from(2);
        }
    };
    let seed = arguments.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("chaos: seed {seed}, {} s", arguments.seconds);
    std::fs::create_dir_all(&arguments.report).expect("the report's folder");
    let options = Options {
        faults,
        nodes: arguments.nodes,
        workers: arguments.workers,
        program: match &arguments.failpoints {
            Some(failpoints) => Program::sabotaged(failpoints),
            None => Program::shipped(),
        },
        stop_when_broken: arguments.stop_when_broken,
        keep_logs: Some(arguments.report.clone()),
        ..Options::new(arguments.seconds, seed)
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome = runtime.block_on(run(options.clone()));
    report::write(&arguments.report, &options, &outcome).expect("the report");
    println!("chaos: {}", report::summary(&outcome));
    println!("chaos: report in {}", arguments.report.display());
    if outcome.violations.is_empty() {
        println!("chaos: passed");
        return ExitCode::SUCCESS;
    }
    println!("chaos: FAILED; again with --seed {seed}");
    ExitCode::FAILURE
}
