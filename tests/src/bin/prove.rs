//! `make prove`: every deliberately broken build must be caught.

#![allow(clippy::print_stdout, reason = "a program tells how it went")]
#![allow(clippy::expect_used, reason = "a rig stops at what should not be")]

use std::process::ExitCode;

use clap::Parser;
use countersign_tests::sabotage::{self, Finding};

/// Lets the rig look at builds that are broken on purpose, and tells what caught each and when.
#[derive(Parser)]
struct Arguments {
    /// For how long each is looked at, in seconds.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Chooses faults and what clients do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only those whose name has one of these words in it, with commas between.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let words: Vec<&str> = arguments.only.split(',').collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut unproven = 0;
    let mut table =
        vec!["| broken build | caught after | by |".to_owned(), "| --- | --- | --- |".to_owned()];
    for broken in sabotage::ALL {
        if !words.iter().any(|word| broken.name.contains(word)) {
            continue;
        }
        println!("prove: {}: {}", broken.name, broken.what);
        // A rig that dies says nothing of the build, and must not keep the others from being looked at.
        let finding = Finding::of(|| {
            let look = broken.look(arguments.seconds, arguments.seed);
            runtime.block_on(look)
        });
        let row = format!("| {}: {} | {}", broken.name, broken.what, finding.row());
        unproven += usize::from(!finding.is_proof());
        println!("prove: {row}");
        table.push(row);
    }
    println!("\n{}", table.join("\n"));
    if unproven == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
