//! Nodes that die without warning, one by one and all at once.

use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::cluster::{Cluster, Program};
use countersign_tests::ledger::Ledger;
use countersign_tests::scenarios;
use futures::future::join_all;

use crate::{alone, plan, served};

/// Leaders killed in a row. `KILLS=100` makes it the long one.
const KILLS: usize = 20;

#[tokio::test]
async fn service_is_back_after_each_of_twenty_leaders_killed_in_a_row() {
    let _machine = alone().await;
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut cluster = Cluster::start(plan(3)).await;
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    let mut times = Vec::new();
    for kill in 0..kills {
        let mut victim = kill % 3;
        for node in 0..3 {
            if cluster.shards_led(node).await > cluster.shards_led(victim).await {
                victim = node;
            }
        }
        cluster.kill(victim);
        let client = cluster.client((victim + 1) % 3);
        times.push(served(&client, 24, Duration::from_secs(15)).await);
        cluster.restart(victim).await;
    }
    times.sort_unstable();
    println!("service back: median {:?}, worst {:?}", times[kills / 2], times[kills - 1]);
}

#[tokio::test]
async fn all_nodes_killed_at_once_come_back_in_any_order_with_all_that_was_acknowledged() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let mut number = 0;
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let client = cluster.client(order[0]);
        let mut ledgers: Vec<Ledger> = (number..number + 30).map(Ledger::new).collect();
        number += 30;
        let lives = ledgers.iter_mut().map(|ledger| ledger.live(&client, false));
        let killer = async {
            tokio::time::sleep(Duration::from_millis(150 + 5 * number)).await;
            cluster.kill_all();
        };
        tokio::join!(join_all(lives), killer);
        for node in order {
            cluster.spawn(node);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        cluster.wait_until_whole().await;
        let facts: usize = ledgers.iter().map(Ledger::len).sum();
        assert!(facts > 10, "only {facts} facts were acknowledged");
        for node in order {
            let client = cluster.client(node);
            served(&client, 24, Duration::from_secs(10)).await;
            join_all(ledgers.iter().map(|ledger| ledger.check(&client))).await;
        }
    }
}

#[tokio::test]
async fn two_of_three_dead_means_refusal_and_never_verified() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let app = App::numbered(1);
    let factor = cluster.client(0).import("ann", &app).await.unwrap();
    let challenge = cluster.client(1).challenge("ann").await.unwrap();
    cluster.kill(0);
    cluster.kill(1);
    let answer = cluster.client(2).verify(&challenge, &factor, &app.code(0)).await.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.body);
    cluster.spawn(0);
    cluster.spawn(1);
    cluster.wait_until_whole().await;
    let answer = cluster.client(2).verify(&challenge, &factor, &app.code(0)).await.unwrap();
    // What had no answer may have been done.
    assert!(answer.status == 200 || answer.code() == "code_already_used", "{}", answer.body);
}

#[tokio::test]
async fn a_change_that_is_slow_to_commit_is_not_decided_on_twice() {
    let _machine = alone().await;
    scenarios::slow_commit(Program::shipped()).await.unwrap();
}

#[tokio::test]
async fn a_leader_that_stood_still_answers_nothing_from_memory() {
    let _machine = alone().await;
    scenarios::stale_leader(Program::shipped()).await.unwrap();
}

#[tokio::test]
async fn a_changed_password_ends_what_was_begun_with_the_old_one() {
    let _machine = alone().await;
    scenarios::password_change(Program::shipped()).await.unwrap();
}
