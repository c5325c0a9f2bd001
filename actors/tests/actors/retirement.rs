//! Actors come and go; requests do not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Options;
use countersign_actors::testing::{Fate, FixedVault};
use countersign_core::proposal::Change;
use tokio::task::JoinSet;

use crate::support::{SHARD, World, changes, options};

const USERS: usize = 24;
const TASKS: usize = 4;
const ROUNDS: usize = 25;

async fn fleeting(cached: usize) -> World {
    let options = Options { cached_per_shard: cached, idle: Duration::from_millis(1), ..options() };
    World::with(options, Arc::new(FixedVault)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn retiring_loses_no_message_and_no_event() {
    let world = fleeting(1).await;
    let mut tasks = JoinSet::new();
    for user in 0..USERS {
        for task in 0..TASKS {
            let world = world.clone();
            tasks.spawn(async move {
                for round in 0..ROUNDS {
                    let name = format!("{task}/{round}");
                    world.put(&format!("user_{user}"), &name).await.unwrap();
                    // A pause, so that the next request comes about when the actor is retired.
                    if round % 5 == 0 {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }

    let mut written: BTreeMap<String, u64> = BTreeMap::new();
    let mut version: BTreeMap<String, u64> = BTreeMap::new();
    for proposal in world.replica.applied() {
        let Change::User { key, .. } = &proposal.change else { continue };
        *written.entry(key.user.to_string()).or_default() += 1;
        let before = version.insert(key.user.to_string(), proposal.expected_version);
        assert!(before.is_none_or(|before| before < proposal.expected_version));
    }
    assert_eq!(written.len(), USERS);
    assert!(written.values().all(|count| *count == (TASKS * ROUNDS) as u64), "{written:?}");
    assert!(world.replica.loads() > 2 * USERS, "actors were retired and made anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn idle_actors_go_and_leave_nothing_behind() {
    let world = fleeting(1_000).await;
    for n in 0..50 {
        world.put(&format!("user_{n}"), "hello").await.unwrap();
    }
    world.actors(0).await;
    assert_eq!(world.name_of("user_7").await.as_deref(), Some("hello"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_busy_actor_is_not_retired() {
    let options = Options { cached_per_shard: 1, ..options() };
    let world = World::with(options, Arc::new(FixedVault)).await;
    world.put("bob", "before").await.unwrap();
    world.replica.judge(|proposal| if changes(proposal, "bob") { Fate::Hold } else { Fate::Apply });
    let busy = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "during").await }
    });
    world.holding(1).await;
    // Enough of others' requests to push out anybody who is not busy.
    for n in 0..50 {
        world.put(&format!("user_{n}"), "pushing").await.unwrap();
    }
    assert_eq!(world.service.actors(SHARD), 2, "bob's and the last one's");
    world.replica.release();
    busy.await.unwrap().unwrap();
    let loads = world.replica.loads();
    world.put("bob", "after").await.unwrap();
    assert_eq!(world.replica.loads(), loads, "his actor still remembers him");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_cache_bound_keeps_those_used_last() {
    let options = Options { cached_per_shard: 4, ..options() };
    let world = World::with(options, Arc::new(FixedVault)).await;
    for user in ["a", "b", "c", "d", "a", "e"] {
        world.put(user, "x").await.unwrap();
    }
    assert_eq!(world.service.actors(SHARD), 4);
    let loads = world.replica.loads();
    world.put("a", "y").await.unwrap();
    assert_eq!(world.replica.loads(), loads, "a was used after b, so b made room for e");
    world.put("b", "y").await.unwrap();
    assert_eq!(world.replica.loads(), loads + 1);
}
