//! `make prove`: every deliberately broken build must be caught.

#![allow(clippy::print_stdout, reason = "a program tells how it went")]
#![allow(clippy::expect_used, reason = "a rig stops at what should not be")]

use std::process::ExitCode;

use clap::Parser;
use countersign_tests::sabotage;

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
    let mut missed = 0;
    let mut table =
        vec!["| broken build | caught after | by |".to_owned(), "| --- | --- | --- |".to_owned()];
    for broken in sabotage::ALL {
        if !words.iter().any(|word| broken.name.contains(word)) {
            continue;
        }
        println!("prove: {}: {}", broken.name, broken.what);
        let caught = runtime.block_on(broken.look(arguments.seconds, arguments.seed));
        let seconds = caught.after.as_secs_f64();
        let row = match &caught.by {
            Some(by) => {
                let first = by.lines().next().unwrap_or_default();
                let short: String = first.chars().take(90).collect();
                format!("| {}: {} | {seconds:.1} s | {short} |", broken.name, broken.what)
            }
            None => {
                missed += 1;
                format!("| {}: {} | NOT within {seconds:.1} s | |", broken.name, broken.what)
            }
        };
        println!("prove: {row}");
        table.push(row);
    }
    println!("\n{}", table.join("\n"));
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
