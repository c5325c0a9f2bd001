//! What an actor remembers is never trusted further than the log goes.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Options;
use countersign_actors::gateway::{Caller, GatewayError, Question, Target};
use countersign_actors::testing::{Fate, FixedVault};
use countersign_core::command::{Command, Query};
use countersign_core::event::UserEvent;
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::ChallengeId;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::secret::Secret;
use countersign_core::time::HOUR_MS;
use countersign_core::user::Profile;
use tokio::task::JoinSet;

use crate::support::{LONG, SHARD, World, caller, key, options, put, start_time};

fn unavailable<T>(answer: &Result<T, GatewayError>) -> bool {
    matches!(answer, Err(GatewayError::Unavailable(_)))
}

fn import() -> Command {
    let secret = Secret::new(b"a shared secret of 20".to_vec());
    Command::ImportTotp { secret, parameters: Parameters::default(), name: None }
}

fn named(name: &str) -> Vec<UserEvent> {
    vec![UserEvent::ProfileSet(Profile {
        display_name: Some(name.to_owned()),
        ..Profile::default()
    })]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn resigning_drops_the_actors_at_once_and_callers_learn_whether_anything_was_proposed() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let mut waiting = JoinSet::new();
    for n in 0..20 {
        let world = world.clone();
        waiting.spawn(async move { world.put(&format!("user_{}", n % 10), "never").await });
    }
    world.holding(10).await;
    world.service.resign(SHARD);
    let (mut open, mut not_done) = (0, 0);
    while let Some(answer) = waiting.join_next().await {
        match answer.unwrap() {
            Err(GatewayError::Unavailable(_)) => open += 1,
            Err(GatewayError::NotLeading { leader: None }) => not_done += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((open, not_done), (10, 10), "half of them waited behind the other half");
    tokio::time::timeout(LONG, world.replica.holding_none()).await.unwrap();
    assert!(!world.service.leads(SHARD));
    assert_eq!(world.service.actors(SHARD), 0);
    let after = world.put("user_0", "not led").await;
    assert_eq!(after, Err(GatewayError::NotLeading { leader: None }));

    world.replica.release();
    world.lead().await;
    world.put("user_0", "led again").await.unwrap();
    assert_eq!(world.replica.applied().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn leading_anew_forgets_what_the_actors_remembered() {
    let world = World::new().await;
    world.put("bob", "first term").await.unwrap();
    world.replica.interfere(&key("bob"), named("somebody else's term"));
    let loads = world.replica.loads();
    world.lead().await;
    world.put("bob", "third term").await.unwrap();
    assert_eq!(world.replica.loads(), loads + 1, "read once, without a conflict before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conflict_reloads_the_row_and_decides_again() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    let other = world.another().await;
    let Reply::Factor { factor, .. } = other.act("bob", import()).await.unwrap() else {
        panic!("the other node imports a factor");
    };
    // The first node's actor still remembers bob without the factor.
    world.put("bob", "after").await.unwrap();
    let state = world.replica.peek(&key("bob")).value;
    assert_eq!(state.profile.display_name.as_deref(), Some("after"));
    assert_eq!(state.factors.first().map(|one| one.id), Some(factor.id), "and it is still there");
    assert_eq!(world.replica.applied().len(), 3, "the decision on the old row changed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_is_not_taken_from_a_row_that_has_changed_elsewhere() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    let other = world.another().await;
    let Reply::Factor { factor, .. } = other.act("bob", import()).await.unwrap() else {
        panic!("the other node imports a factor");
    };
    let rename = Command::RenameFactor { id: factor.id, name: Some("Phone".to_owned()) };
    let renamed = world.act("bob", rename).await.unwrap();
    assert!(matches!(renamed, Reply::Factor { .. }), "not factor_not_found: {renamed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_row_that_keeps_changing_ends_in_unavailable() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    let replica = Arc::downgrade(&world.replica);
    world.replica.judge(move |_| {
        // Somebody is always a moment earlier.
        if let Some(replica) = replica.upgrade() {
            replica.interfere(&key("bob"), named("earlier"));
        }
        Fate::Apply
    });
    assert!(unavailable(&world.put("bob", "too late").await));
    assert_eq!(world.replica.applied().len(), 1 + world.options.attempts as usize);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_proposal_that_was_not_taken_leaves_no_trace_in_memory() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    world.replica.judge(|_| Fate::NotLeader);
    let answer = world.put("bob", "not led").await;
    assert_eq!(answer, Err(GatewayError::NotLeading { leader: Some(2) }));
    assert_eq!(world.name_of("bob").await.as_deref(), Some("before"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unknown_outcome_drops_the_row_from_memory() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    let loads = world.replica.loads();
    world.replica.judge(|_| Fate::LoseAnswer);
    assert!(unavailable(&world.put("bob", "perhaps").await));
    world.replica.judge(|_| Fate::Apply);
    world.put("bob", "surely").await.unwrap();
    assert_eq!(world.replica.loads(), loads + 1, "read anew, so decided without a conflict");
    assert_eq!(world.replica.applied().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_does_not_answer_is_given_up_and_the_row_read_anew() {
    let options = Options { propose_timeout: Duration::from_millis(1), ..options() };
    let world = World::with(options, Arc::new(FixedVault)).await;
    world.put("bob", "before").await.unwrap();
    world.replica.judge(|_| Fate::Hold);
    assert!(unavailable(&world.put("bob", "unheard").await));
    world.replica.judge(|_| Fate::Apply);
    let loads = world.replica.loads();
    world.put("bob", "heard").await.unwrap();
    assert_eq!(world.replica.loads(), loads + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tenant_that_this_node_has_not_heard_of_may_come_later() {
    let world = World::new().await;
    let caller = Caller { tenant: "unheard_of".parse().unwrap(), ..caller() };
    let answer = world.ask(caller, "bob", Question::Do(put("early"))).await;
    assert!(unavailable(&answer), "{answer:?}");
    assert!(world.replica.applied().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_takes_effect_late_is_seen_by_the_next_question() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    world.replica.judge(|_| Fate::ApplyLate);
    assert!(unavailable(&world.put("bob", "late").await));
    // Read into memory while the change is still on its way.
    assert_eq!(world.name_of("bob").await.as_deref(), Some("before"));
    world.replica.release();
    assert_eq!(world.name_of("bob").await.as_deref(), Some("late"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reply_is_not_released_before_it_is_applied() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::Hold);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.put("bob", "held").await }
    });
    world.holding(1).await;
    // Whoever is quick comes first: a full round of another user's read passes meanwhile.
    assert_eq!(world.tell("ann", Query::User).await, Ok(Reply::Refused(Refusal::UserNotFound)));
    assert!(!asked.is_finished());
    world.replica.release();
    asked.await.unwrap().unwrap();
    assert_eq!(world.replica.applied().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_query_waits_for_the_barrier_and_shows_what_was_committed_before_it() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    world.replica.open_barrier(false);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.name_of("bob").await }
    });
    world.at_barrier(1).await;
    assert!(!asked.is_finished());
    world.replica.interfere(&key("bob"), named("meanwhile"));
    world.replica.open_barrier(true);
    assert_eq!(asked.await.unwrap().as_deref(), Some("meanwhile"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_without_a_commit_waits_for_the_barrier_too() {
    let world = World::new().await;
    world.replica.open_barrier(false);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.act("bob", Command::Unlock).await }
    });
    world.at_barrier(1).await;
    assert!(!asked.is_finished());
    world.replica.open_barrier(true);
    assert_eq!(asked.await.unwrap(), Ok(Reply::Refused(Refusal::UserNotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_confirmed_was_not_done_and_may_be_asked_elsewhere() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    world.replica.set_quorum(false);
    let elsewhere = Err(GatewayError::NotLeading { leader: None });
    assert_eq!(world.tell("bob", Query::User).await, elsewhere);
    assert_eq!(world.act("ann", Command::Unlock).await, elsewhere, "a refusal without a trace");
    let target = Target::Challenge(ChallengeId::from_bytes([7; 16]));
    let question = Question::Tell(Query::Challenge(ChallengeId::from_bytes([7; 16])));
    assert_eq!(world.service.ask(SHARD, caller(), target, question, LONG).await, elsewhere);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_goes_back_does_not_turn_time_back() {
    let world = World::new().await;
    let applied_by_another_leader = start_time().plus_millis(HOUR_MS);
    world.replica.set_last_now(applied_by_another_leader);
    world.clock.set(start_time().plus_millis(-HOUR_MS));
    let Reply::User(view) = world.put("bob", "slow clock").await.unwrap() else {
        panic!("a user is shown");
    };
    assert_eq!(view.created_at, applied_by_another_leader);
    assert_eq!(world.replica.applied()[0].now, applied_by_another_leader);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_erased_user_is_gone_and_may_begin_anew() {
    let world = World::new().await;
    world.put("bob", "before").await.unwrap();
    assert_eq!(world.act("bob", Command::Erase).await, Ok(Reply::Done));
    assert_eq!(world.name_of("bob").await, None);
    assert_eq!(
        world.act("bob", Command::Erase).await,
        Ok(Reply::Refused(Refusal::UserNotFound)),
        "the row is gone, not hidden"
    );
    let Reply::User(view) = world.put("bob", "after").await.unwrap() else {
        panic!("a user is shown");
    };
    assert!(view.created);
}
