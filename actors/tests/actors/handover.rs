//! A shard is given up in order: what was asked before is answered, what is asked after is not
//! begun, and nobody is left without knowing which it was.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::{GatewayError, Question, Target};
use countersign_actors::ports::Replica;
use countersign_actors::testing::Fate;
use countersign_core::command::{Command, Query};
use countersign_core::proposal::Change;
use countersign_core::reply::{Refusal, Reply};
use futures::future::join_all;
use futures::poll;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{LONG, SHARD, World, caller, put};

const ELSEWHERE: GatewayError = GatewayError::NotLeading { leader: None };

/// Asks until the shard takes up nothing any more.
async fn refusing(world: &World) {
    let refused = async {
        while world.tell("nobody", Query::User).await != Err(ELSEWHERE) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, refused).await.unwrap();
}

/// Begins to give the shard up, in a task.
fn retiring(world: &World, within: Duration) -> tokio::task::JoinHandle<bool> {
    let service = world.service.clone();
    tokio::spawn(async move { service.retire(SHARD, within).await })
}

/// The users whose rows were changed.
fn changed(world: &World) -> Vec<String> {
    let of = |change: &Change| match change {
        Change::User { key, .. } => Some(key.user.as_str().to_owned()),
        _ => None,
    };
    world.replica.applied().iter().filter_map(|proposal| of(&proposal.change)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_asked_before_is_answered_and_what_is_asked_after_is_not_begun() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let names: Vec<String> = (0..20).map(|n| format!("user_{}", n % 10)).collect();
    let mut before: Vec<_> = names.iter().map(|name| Box::pin(world.put(name, "before"))).collect();
    for asked in &mut before {
        assert!(poll!(asked).is_pending(), "asked, and not answered yet");
    }
    // Half of them are in the log, the other half wait for those in their actors' mailboxes.
    world.holding(10).await;
    let retired = retiring(&world, LONG);
    refusing(&world).await;
    assert_eq!(world.put("late", "after").await, Err(ELSEWHERE));
    assert!(!retired.is_finished(), "it waits for what was asked before");
    assert!(world.replica.applied().is_empty());

    world.replica.release();
    for answer in join_all(before).await {
        assert!(matches!(answer, Ok(Reply::User(_))), "{answer:?}");
    }
    assert!(retired.await.unwrap());
    assert_eq!(world.replica.applied().len(), 20);
    assert!(!world.service.leads(SHARD));
    assert_eq!(world.put("late", "after").await, Err(ELSEWHERE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whenever_it_comes_a_retirement_fails_nothing_and_loses_nothing() {
    for round in 0..40_u32 {
        let world = World::new().await;
        world.put("known", "known").await.unwrap();
        let start = Arc::new(Barrier::new(101));
        let mut asked = JoinSet::new();
        for n in 0..100_u32 {
            let (world, start) = (world.clone(), Arc::clone(&start));
            asked.spawn(async move {
                start.wait().await;
                let name = format!("user_{n}");
                let answer = match n % 4 {
                    0 | 1 => world.put(&name, "once").await,
                    2 => world.tell("known", Query::User).await,
                    // Refused without a commit, so released by the barrier.
                    _ => {
                        world
                            .act("known", Command::UseRecoveryCode { code: "-".to_owned().into() })
                            .await
                    }
                };
                (name, n % 4 < 2, answer)
            });
        }
        start.wait().await;
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
        }
        assert!(world.service.retire(SHARD, LONG).await, "round {round}");
        // From here on the log must not grow: another node may lead.
        let log = world.replica.applied().len();

        let (mut done, mut not_done) = (BTreeSet::new(), BTreeSet::new());
        while let Some(answer) = asked.join_next().await {
            let (name, writes, answer) = answer.unwrap();
            match answer {
                Ok(_) if writes => assert!(done.insert(name)),
                Ok(_) => {}
                Err(GatewayError::NotLeading { leader: None }) => assert!(not_done.insert(name)),
                Err(other) => panic!("round {round}: {other:?}"),
            }
        }
        assert_eq!(world.replica.applied().len(), log, "round {round}");
        let changed = changed(&world);
        let mut once: Vec<&String> = changed.iter().filter(|name| *name != "known").collect();
        once.sort();
        assert_eq!(once, done.iter().collect::<Vec<_>>(), "round {round}: done once or not at all");
        assert!(once.iter().all(|name| !not_done.contains(*name)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_that_does_not_end_in_time_is_dropped_and_its_outcome_called_open() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let first = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "in the log").await }
    });
    world.holding(1).await;
    let second = tokio::spawn({
        let service = world.service.clone();
        let target = Target::User("bob".parse().unwrap());
        async move { service.ask(SHARD, caller(), target, Question::Do(put("behind")), LONG).await }
    });
    assert!(!world.service.retire(SHARD, Duration::from_millis(1)).await);
    let first = first.await.unwrap();
    assert!(matches!(first, Err(GatewayError::Unavailable(_))), "{first:?}");
    assert_eq!(second.await.unwrap(), Err(ELSEWHERE), "nothing was proposed for it");
    assert!(!world.service.leads(SHARD));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_that_has_gone_is_waited_for_too() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "gone").await }
    });
    world.holding(1).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    let retired = retiring(&world, LONG);
    refusing(&world).await;
    assert!(!retired.is_finished(), "what is in the log would be committed under another leader");
    world.replica.release();
    assert!(retired.await.unwrap());
    assert_eq!(changed(&world), ["bob"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shard_that_was_given_up_can_be_led_again() {
    let world = World::new().await;
    assert!(world.service.retire(SHARD, LONG).await);
    assert!(world.service.retire(SHARD, LONG).await, "nothing is owed by a shard not led");
    world.lead().await;
    world.put("bob", "again").await.unwrap();
    let unknown = world.tell("ann", Query::User).await;
    assert_eq!(unknown, Ok(Reply::Refused(Refusal::UserNotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn leading_anew_while_the_earlier_term_retires_takes_the_shard_on() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "earlier term").await }
    });
    world.holding(1).await;
    let retired = retiring(&world, LONG);
    refusing(&world).await;
    // A term that begins drops whatever the earlier one was at.
    world.service.lead(Arc::clone(&world.replica) as Arc<dyn Replica>).await.unwrap();
    assert!(matches!(asked.await.unwrap(), Err(GatewayError::Unavailable(_))));
    retired.await.unwrap();
    assert!(world.service.leads(SHARD), "the earlier term takes nothing of the new one along");
    world.replica.release();
    world.put("bob", "later term").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_retirement_that_is_broken_off_leaves_no_shard_that_takes_up_nothing() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "in the log").await }
    });
    world.holding(1).await;
    let retired = retiring(&world, LONG);
    refusing(&world).await;
    assert!(world.service.leads(SHARD));
    retired.abort();
    assert!(matches!(asked.await.unwrap(), Err(GatewayError::Unavailable(_))));
    assert!(!world.service.leads(SHARD));
}
