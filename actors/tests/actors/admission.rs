//! Mailboxes have no bound; what is sent to them has.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Options;
use countersign_actors::gateway::{GatewayError, Question, Target};
use countersign_actors::testing::Fate;
use tokio::task::JoinSet;

use crate::support::{LONG, SHARD, World, caller, changes, options, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_on_one_user_is_bounded_and_the_others_are_answered_meanwhile() {
    let world = World::new().await;
    world
        .replica
        .judge(|proposal| if changes(proposal, "mallory") { Fate::Hold } else { Fate::Apply });
    let mut flood = JoinSet::new();
    for n in 0..10_000 {
        let world = world.clone();
        flood.spawn(async move { world.put("mallory", &n.to_string()).await });
    }
    world.holding(1).await;

    // A thousand requests of others are answered while not one of mallory's is.
    let mut others = JoinSet::new();
    for n in 0..1_000 {
        let world = world.clone();
        others.spawn(async move { world.put(&format!("user_{}", n % 100), "fine").await });
    }
    while let Some(answer) = others.join_next().await {
        answer.unwrap().unwrap();
    }
    for _ in 0..10_000 - 256 {
        assert_eq!(flood.join_next().await.unwrap().unwrap(), Err(GatewayError::OverloadedUser));
    }
    assert!(!world.replica.applied().iter().any(|proposal| changes(proposal, "mallory")));

    // What was let in is answered, all of it.
    world.replica.release();
    for _ in 0..256 {
        flood.join_next().await.unwrap().unwrap().unwrap();
    }
    assert!(flood.is_empty());
    let hers = world.replica.applied().into_iter().filter(|one| changes(one, "mallory")).count();
    assert_eq!(hers, 256);
    world.put("mallory", "there is room again").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shard_takes_so_many_requests_and_no_more() {
    let options = Options { pending_per_shard: 10, ..options() };
    let world = World::with(options, Arc::new(countersign_actors::testing::FixedVault)).await;
    world.replica.judge(|_| Fate::Hold);
    let mut held = JoinSet::new();
    for n in 0..10 {
        let world = world.clone();
        held.spawn(async move { world.put(&format!("user_{n}"), "slow").await });
    }
    world.holding(10).await;
    assert_eq!(world.put("late", "refused").await, Err(GatewayError::Overloaded));
    world.replica.release();
    while let Some(answer) = held.join_next().await {
        answer.unwrap().unwrap();
    }
    world.put("late", "welcome").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_that_gives_up_keeps_its_place_until_the_actor_is_done_with_it() {
    let options = Options { pending_per_row: 3, ..options() };
    let world = World::with(options, Arc::new(countersign_actors::testing::FixedVault)).await;
    world.replica.judge(|_| Fate::Hold);
    let impatient = |name: &'static str| {
        let service = world.service.clone();
        async move {
            let target = Target::User("mallory".parse().unwrap());
            let within = Duration::from_millis(1);
            service.ask(SHARD, caller(), target, Question::Do(put(name)), within).await
        }
    };
    let first = tokio::spawn({
        let world = world.clone();
        async move { world.put("mallory", "first").await }
    });
    world.holding(1).await;
    for _ in 0..2 {
        assert!(matches!(impatient("gone").await, Err(GatewayError::Unavailable(_))));
    }
    for _ in 0..10 {
        assert_eq!(impatient("gone").await, Err(GatewayError::OverloadedUser));
    }
    world.replica.release();
    first.await.unwrap().unwrap();
    world.put("mallory", "second").await.unwrap();
    assert_eq!(world.replica.applied().len(), 2, "nothing was done for those who had gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shutting_down_answers_what_was_asked_and_refuses_the_rest() {
    let world = World::new().await;
    world.replica.judge(|proposal| if changes(proposal, "bob") { Fate::Hold } else { Fate::Apply });
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "asked before").await }
    });
    world.holding(1).await;
    let stopping = tokio::spawn({
        let service = world.service.clone();
        async move { service.shutdown(LONG).await }
    });
    let refused = async {
        let not_leading = GatewayError::NotLeading { leader: None };
        while world.put("ann", "asked after").await.err() != Some(not_leading.clone()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, refused).await.unwrap();
    assert!(!stopping.is_finished());
    world.replica.release();
    asked.await.unwrap().unwrap();
    assert!(stopping.await.unwrap(), "all was answered");
    assert!(!world.service.leads(SHARD));
}
