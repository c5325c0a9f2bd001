//! Who may come, who may come back, and what is said to those who may not.

use std::time::Duration;

use countersign::config::Beginning;
use countersign::{Config, Error, Node};
use countersign_actors::gateway::{GatewayError, NodeRemoval};
use countersign_core::secret::Secret;
use countersign_tests::inside::{Cluster, Plan, until};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

use crate::alone;

/// What a node says that is not let in.
async fn refused(cluster: &mut Cluster, place: usize, config: Config) -> String {
    match cluster.start_with(place, config).await {
        Err(Error::Join(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(()) => panic!("it was let in"),
    }
}

/// What a node says that asks for as long as it will, on a clock that does not wait.
async fn asks_in_vain(cluster: &Cluster, place: usize, config: Config) -> String {
    let world = cluster.world(place);
    let asked = spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        let start = Box::pin(Node::start_in(world, config, |_| {}));
        runtime.expect("a runtime").block_on(start).err()
    });
    match asked.await.unwrap() {
        Some(Error::Join(reason)) => reason,
        Some(other) => panic!("{other}"),
        None => panic!("it was let in"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_node_answers_nothing_and_never_comes_back_as_itself() {
    let _machine = alone().await;
    let plan = Plan { request_timeout: Duration::from_secs(2), ..Plan::default() };
    let mut cluster = Cluster::of(3, plan).await;
    cluster.door(0).put("ann", "here").await.unwrap();
    let (id, door) = (cluster.node(2).id(), cluster.door(2));
    assert_eq!(cluster.door(0).remove_node(id).await, Ok(NodeRemoval::Removed));
    let told = tokio::time::timeout(Duration::from_secs(10), cluster.node(2).expelled()).await;
    assert!(told.is_ok(), "it does not notice");
    // It runs on, and whoever asks it learns nothing old.
    cluster.door(0).put("ann", "changed").await.unwrap();
    let answer = door.shown("ann").await;
    assert!(matches!(answer, Err(GatewayError::Unavailable(_))), "{answer:?}");
    let current = door.current().await;
    assert!(matches!(current, Err(GatewayError::Unavailable(_))), "{current:?}");
    // Nor does it come back with what it has.
    cluster.stop(2).await;
    cluster.whole().await;
    cluster.start(2).await;
    let told = tokio::time::timeout(Duration::from_secs(10), cluster.node(2).expelled()).await;
    assert!(told.is_ok(), "it does not notice after a restart");
    let answer = cluster.door(2).shown("ann").await;
    assert!(matches!(answer, Err(GatewayError::Unavailable(_))), "{answer:?}");
    cluster.stop(2).await;
    let members = cluster.health(0).nodes.len();
    assert_eq!(members, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_node_comes_back_under_its_name_only_after_the_old_one_was_removed() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan::default()).await;
    cluster.door(0).put("ann", "here").await.unwrap();
    let old = cluster.node(2).id();
    cluster.wipe(2).await;
    let config = cluster.config(2, cluster.joining());
    let reason = refused(&mut cluster, 2, config.clone()).await;
    assert!(reason.contains("named n2") && reason.contains("remove it first"), "{reason}");
    assert_eq!(cluster.door(0).remove_node(old).await, Ok(NodeRemoval::Removed));
    // With the very directory that was refused.
    cluster.start_with(2, config).await.unwrap();
    cluster.whole().await;
    assert!(cluster.node(2).id() > old, "an id was given twice");
    assert_eq!(cluster.door(2).shown("ann").await, Ok(Some("here".to_owned())));
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_refused_says_why_and_joins_once_it_is_right() {
    let _machine = alone().await;
    let mut cluster = Cluster::found(Plan::default()).await;
    let place = cluster.settle();
    let right = cluster.config(place, cluster.joining());

    let mut wrong = right.clone();
    wrong.cluster_secret = Some(Secret::from("another secret that is long enough".to_owned()));
    let reason = refused(&mut cluster, place, wrong).await;
    assert!(reason.contains("secret"), "{reason}");

    let mut none = right.clone();
    none.cluster_secret = None;
    let missing = cluster.start_with(place, none).await;
    assert!(matches!(missing, Err(Error::NoClusterSecret)), "{missing:?}");

    let nobody = Config { beginning: Beginning::Join(vec!["127.0.0.1:1".into()]), ..right.clone() };
    let reason = asks_in_vain(&cluster, place, nobody).await;
    assert!(reason.contains("no seed") && reason.contains("127.0.0.1:1"), "{reason}");

    cluster.start_with(place, right).await.unwrap();
    cluster.whole().await;
    assert_eq!(cluster.health(0).nodes.len(), 2, "a refused node was noted as a member");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_master_key_is_refused_and_joins_later_with_the_right_one() {
    let _machine = alone().await;
    let mut cluster = Cluster::found(Plan::default()).await;
    let place = cluster.settle();
    let right = cluster.config(place, cluster.joining());
    let wrong = Config { master_key: Secret::new(vec![8; 32]), ..right.clone() };
    let reason = refused(&mut cluster, place, wrong).await;
    assert!(reason.contains("master key"), "{reason}");
    cluster.start_with(place, right).await.unwrap();
    cluster.whole().await;
    assert_eq!(cluster.health(0).nodes.len(), 2);
}

/// It knows nobody who is left, and those who are left are in no registry that it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_while_all_others_were_replaced_is_brought_up_to_date() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan::default()).await;
    cluster.door(0).put("ann", "here").await.unwrap();
    cluster.crash(2).await;
    for gone in [0, 1] {
        // Two more for each that goes, so that there is a quorum without those that are down.
        while cluster.running().len() < 4 {
            let place = cluster.add().await;
            let id = cluster.node(place).id();
            let voters = || cluster.health(place).shards.into_iter().map(|shard| shard.voters);
            until("it votes", Duration::from_secs(30), async || {
                voters().all(|voters| voters.contains(&id))
            })
            .await;
        }
        let by = *cluster.running().last().unwrap();
        assert_eq!(cluster.remove(by, gone).await, Ok(NodeRemoval::Removed));
        let ids: Vec<u64> =
            cluster.running().into_iter().map(|place| cluster.node(place).id()).collect();
        until("it votes no more", Duration::from_secs(30), async || {
            let shards = cluster.health(by).shards;
            // The node that is down, and those that run.
            shards.iter().all(|shard| shard.voters.len() == ids.len() + 1)
        })
        .await;
    }
    let by = *cluster.running().last().unwrap();
    cluster.door(by).put("bob", "new").await.unwrap();
    let config = cluster.config(2, cluster.joining());
    cluster.start_with(2, config).await.unwrap();
    cluster.whole().await;
    assert_eq!(cluster.door(2).shown("bob").await, Ok(Some("new".to_owned())));
    cluster.agree(&cluster.running()).await;
}
