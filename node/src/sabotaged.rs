//! The program with deliberate faults: the same in all, but the failpoints that the variable
//! `FAILPOINTS` names are armed before anything starts. It exists so that the proof can show that
//! it finds what it looks for, and is built only with the feature `sabotage`.

use std::process::ExitCode;

#[path = "main.rs"]
mod program;

fn main() -> ExitCode {
    let _armed = fail::FailScenario::setup();
    program::main()
}
