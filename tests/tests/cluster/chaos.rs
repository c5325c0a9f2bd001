//! Chaos, with a seed that is the same each time. `make chaos` runs longer ones.

use countersign_tests::chaos::{Options, report, run};

use crate::alone;

#[tokio::test]
async fn three_quarters_of_a_minute_of_chaos_break_no_promise() {
    let _machine = alone().await;
    let outcome = run(Options::new(45, 20_260)).await;
    println!("{}", report::summary(&outcome));
    assert!(outcome.violations.is_empty(), "{}", outcome.violations.join("\n"));
    assert!(outcome.bands.len() >= 4, "only {} faults were made", outcome.bands.len());
    assert!(outcome.users >= 50, "only {} people lived", outcome.users);
}
