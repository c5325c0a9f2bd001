//! SIGKILL at any moment under load: what was acknowledged holds afterwards.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use std::time::Duration;

use countersign_tests::house::House;
use countersign_tests::ledger::Ledger;
use futures::future::join_all;

const ROUNDS: u64 = 8;
const USERS_A_ROUND: u64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_kill_holds_after_it() {
    let mut house = House::founded().await;
    let mut facts = 0;
    for round in 0..ROUNDS {
        let client = house.client();
        let mut ledgers: Vec<Ledger> =
            (0..USERS_A_ROUND).map(|user| Ledger::new(round * USERS_A_ROUND + user)).collect();
        let lives = ledgers
            .iter_mut()
            .zip(0u64..)
            .map(|(ledger, number)| ledger.live(&client, number % 3 == 0));
        // A different moment in each round; the first rounds come early, in the middle of enrolling.
        let killer = async {
            tokio::time::sleep(Duration::from_millis(40 + 150 * round)).await;
            house.kill();
        };
        tokio::join!(join_all(lives), killer);
        house.start().await;
        let client = house.client();
        join_all(ledgers.iter().map(|ledger| ledger.check(&client))).await;
        facts += ledgers.iter().map(Ledger::len).sum::<usize>();
    }
    // A rig that acknowledges nothing proves nothing.
    assert!(facts > 200, "only {facts} facts were acknowledged");
}
