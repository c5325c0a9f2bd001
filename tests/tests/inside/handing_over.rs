//! Leaderships that go elsewhere in order.

use std::time::Duration;

use countersign_tests::inside::{Cluster, Doors, Plan, Work, until};

use crate::{alone, flawless};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_hands_over_and_restarts_under_work_without_a_failed_question() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan { shards: 6, ..Plan::default() }).await;
    cluster.balanced().await;
    let doors = Doors::default();
    doors.set(cluster.doors());
    let work = Work::start(&doors, 4);
    work.more(50).await;
    let id = cluster.node(1).id();
    let handed = cluster.door(0).hand_over(id).await.unwrap();
    // What was kept, since nobody was ready for it in time, follows.
    assert_eq!(handed.moved + handed.kept, 2);
    until("node 1 leads nothing", Duration::from_secs(10), async || {
        [0, 2].iter().all(|by| cluster.led(*by).get(&1) == Some(&0))
    })
    .await;
    work.more(100).await;
    // What it was asked to hand over it takes again once it has restarted, and an even share of it.
    doors.set(vec![cluster.door(0), cluster.door(2)]);
    work.more(20).await;
    cluster.stop(1).await;
    work.more(50).await;
    cluster.start(1).await;
    cluster.whole().await;
    cluster.balanced().await;
    doors.set(cluster.doors());
    work.more(50).await;
    let worked = work.stop().await;
    flawless(&worked);
    worked.ledger.holds(&cluster.doors()).await;
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_crashed_comes_back_with_its_directory_and_nothing_acknowledged_is_lost() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan::default()).await;
    let doors = Doors::default();
    doors.set(cluster.doors());
    let work = Work::start(&doors, 4);
    work.more(50).await;
    doors.set(vec![cluster.door(0), cluster.door(1)]);
    cluster.crash(2).await;
    work.more(50).await;
    cluster.start(2).await;
    cluster.whole().await;
    // All at once: nobody is left who has it in memory.
    let worked = work.stop().await;
    assert!(worked.wrong.is_empty(), "{}", worked.wrong.join("\n"));
    for place in 0..3 {
        cluster.crash(place).await;
    }
    for place in 0..3 {
        cluster.start(place).await;
    }
    cluster.whole().await;
    worked.ledger.holds(&cluster.doors()).await;
    cluster.agree(&[0, 1, 2]).await;
}
