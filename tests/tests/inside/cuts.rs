//! Links that are cut in one direction, or between two of three.

use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::ids::ShardId;
use countersign_core::reply::Reply;
use countersign_tests::inside::{Cluster, Doors, Plan, Work, until};
use tokio::time::Instant;

use crate::{alone, flawless};

/// How soon the others must serve all shards.
const SERVICE: Duration = Duration::from_secs(10);

fn plan() -> Plan {
    Plan { request_timeout: Duration::from_secs(2), ..Plan::default() }
}

/// Waits until each shard's user takes a name through a node.
async fn served(cluster: &Cluster, by: usize, shown: &str) {
    for shard in cluster.shards() {
        let (door, name) = (cluster.door(by), cluster.user_of(shard, 0));
        until(&format!("shard {shard} is served through node {by}"), SERVICE, async || {
            matches!(door.put(&name, shown).await, Ok(Reply::User(_)))
        })
        .await;
    }
}

/// Cuts a leader off in one direction. The others must serve soon, and it must tell nothing old.
async fn one_way(cut: impl Fn(&Cluster, usize, usize)) {
    let cluster = Cluster::of(3, plan()).await;
    cluster.balanced().await;
    served(&cluster, 0, "old").await;
    let victim = cluster.leader(0, ShardId::SYSTEM).unwrap();
    let others: Vec<usize> = (0..3).filter(|place| *place != victim).collect();
    for other in &others {
        cut(&cluster, victim, *other);
    }
    let begun = Instant::now();
    served(&cluster, others[0], "new").await;
    let took = begun.elapsed();
    assert!(took < SERVICE, "service took {took:?}");
    // Each of these was acknowledged as new by now.
    let door = cluster.door(victim);
    let asked = cluster.shards().map(|shard| {
        let (door, name) = (door.clone(), cluster.user_of(shard, 0));
        async move { door.shown(&name).await }
    });
    for answer in futures::future::join_all(asked).await {
        let unavailable = matches!(answer, Err(GatewayError::Unavailable(_)));
        assert!(unavailable, "the node that is cut off answers {answer:?}");
    }
    until("the node that is cut off knows that it is", Duration::from_secs(10), async || {
        matches!(door.current().await, Err(GatewayError::Unavailable(_)))
    })
    .await;
    served(&cluster, others[1], "newer").await;

    cluster.links().heal_all();
    cluster.whole().await;
    for shard in cluster.shards() {
        let shown = door.shown(&cluster.user_of(shard, 0)).await;
        assert_eq!(shown, Ok(Some("newer".to_owned())), "shard {shard}");
    }
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_not_heard_is_replaced_and_tells_nothing_old() {
    let _machine = alone().await;
    one_way(|cluster, victim, other| cluster.links().cut(victim, other)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_does_not_hear_is_replaced_and_tells_nothing_old() {
    let _machine = alone().await;
    one_way(|cluster, victim, other| cluster.links().cut(other, victim)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_reach_each_other_by_a_third_alone_do_not_hinder_it_or_depose_each_other() {
    let _machine = alone().await;
    let cluster = Cluster::of(3, plan()).await;
    cluster.balanced().await;
    let one = cluster.leader(0, ShardId::SYSTEM).unwrap();
    let [other, bridge] = [(one + 1) % 3, (one + 2) % 3];
    cluster.links().part(one, other);
    served(&cluster, bridge, "bridged").await;
    // It has a quorum for what it leads, but does not know which policies are current, so it can
    // answer nothing: it must not go on to lead.
    let soon = Duration::from_secs(15);
    until("the node out of touch with shard 0's leader leads nothing", soon, async || {
        !cluster.health(other).current && cluster.led(bridge).get(&other) == Some(&0)
    })
    .await;
    let terms = || -> u64 { cluster.health(bridge).shards.iter().map(|shard| shard.term).sum() };
    let before = terms();
    let doors = Doors::default();
    doors.set(vec![cluster.door(bridge)]);
    let work = Work::start(&doors, 3);
    // Ten times as long as an election takes.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        work.more(20).await;
    }
    let worked = work.stop().await;
    flawless(&worked);
    // A planned handover costs a term too; one for each shard is plenty.
    let climbed = terms() - before;
    assert!(climbed <= 4, "{climbed} terms in six seconds");
    cluster.links().heal_all();
    cluster.whole().await;
    worked.ledger.holds(&cluster.doors()).await;
    cluster.agree(&[0, 1, 2]).await;
    cluster.balanced().await;
}
