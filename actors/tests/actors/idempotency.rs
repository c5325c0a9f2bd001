//! The same key and the same request: the same answer, and one commit.

use countersign_actors::gateway::{GatewayError, Question};
use countersign_actors::testing::Fate;
use countersign_core::command::{Command, Query};
use countersign_core::factor::totp::Parameters;
use countersign_core::proposal::KeptAnswer;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::secret::Secret;
use countersign_core::tenant::TenantReply;
use countersign_core::time::DAY_MS;
use tokio::task::JoinSet;

use crate::support::{LONG, World, key, put, repeating, start_time};

fn begin() -> Question {
    Question::Do(Command::BeginTotp {
        name: None,
        parameters: Parameters::default(),
        account_name: None,
    })
}

fn confirm(code: &str) -> Question {
    let code = Secret::from(code.to_owned());
    Question::Do(Command::ConfirmTotp { code, name: None, challenge: None })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repeated_request_gets_the_same_answer_through_any_node() {
    let world = World::new().await;
    let first = world.ask(repeating(1, 1), "bob", begin()).await.unwrap();
    assert!(matches!(first, Reply::TotpEnrollment(_)));
    assert_eq!(world.ask(repeating(1, 1), "bob", begin()).await.unwrap(), first);
    let other = world.another().await;
    assert_eq!(other.ask(repeating(1, 1), "bob", begin()).await.unwrap(), first);
    assert_eq!(world.replica.applied().len(), 1);
    // Without the key it is another enrollment.
    let Question::Do(command) = begin() else { panic!("a command") };
    assert_ne!(world.act("bob", command).await.unwrap(), first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_request_under_the_key_is_refused() {
    let world = World::new().await;
    world.ask(repeating(1, 1), "bob", begin()).await.unwrap();
    let other = world.ask(repeating(1, 2), "bob", Question::Do(put("other"))).await;
    assert_eq!(other, Err(GatewayError::IdempotencyKeyReused));
    assert_eq!(world.replica.applied().len(), 1);
    // Another key is another matter, and so is the key for another user.
    world.ask(repeating(2, 2), "bob", Question::Do(put("other"))).await.unwrap();
    world.ask(repeating(1, 2), "ann", Question::Do(put("other"))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_requests_with_one_key_commit_once_over_two_nodes() {
    let world = World::new().await;
    let other = world.another().await;
    let mut requests = JoinSet::new();
    for n in 0..100 {
        let world = if n % 2 == 0 { world.clone() } else { other.clone() };
        requests.spawn(async move { world.ask(repeating(1, 1), "bob", begin()).await.unwrap() });
    }
    let mut answers = Vec::new();
    while let Some(answer) = requests.join_next().await {
        answers.push(answer.unwrap());
    }
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.replica.applied().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_whose_outcome_was_unknown_gets_the_committed_answer_when_repeated() {
    let world = World::new().await;
    world.replica.judge(|_| Fate::LoseAnswer);
    let lost = world.ask(repeating(1, 1), "bob", begin()).await;
    assert!(matches!(lost, Err(GatewayError::Unavailable(_))));
    world.replica.judge(|_| Fate::Apply);
    let Reply::TotpEnrollment(found) = world.ask(repeating(1, 1), "bob", begin()).await.unwrap()
    else {
        panic!("the enrollment is told");
    };
    assert_eq!(world.replica.applied().len(), 1);
    let pending = world.replica.peek(&key("bob")).value.pending;
    assert_eq!(pending[0].id, found.factor_id, "it is the one that was committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_code_sent_again_under_its_key_costs_one_attempt() {
    let world = World::new().await;
    world.ask(repeating(1, 1), "bob", begin()).await.unwrap();
    let first = world.ask(repeating(2, 2), "bob", confirm("000000")).await.unwrap();
    assert!(matches!(first, Reply::Refused(Refusal::InvalidCode { .. })), "{first:?}");
    for _ in 0..10 {
        assert_eq!(world.ask(repeating(2, 2), "bob", confirm("000000")).await.unwrap(), first);
    }
    assert_eq!(world.replica.peek(&key("bob")).value.lockout.failed_attempts, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_that_changed_nothing_is_judged_anew() {
    let world = World::new().await;
    world.put("bob", "known").await.unwrap();
    let refused = world.ask(repeating(1, 1), "bob", confirm("000000")).await.unwrap();
    assert_eq!(refused, Reply::Refused(Refusal::NoPendingEnrollment));
    world.ask(repeating(2, 2), "bob", begin()).await.unwrap();
    let judged = world.ask(repeating(1, 1), "bob", confirm("000000")).await.unwrap();
    assert!(matches!(judged, Reply::Refused(Refusal::InvalidCode { .. })), "{judged:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_is_kept_for_a_day() {
    let world = World::new().await;
    let first = world.ask(repeating(1, 1), "bob", begin()).await.unwrap();
    world.clock.advance(DAY_MS - 1);
    assert_eq!(world.ask(repeating(1, 1), "bob", begin()).await.unwrap(), first);
    world.clock.advance(1);
    assert_ne!(world.ask(repeating(1, 1), "bob", begin()).await.unwrap(), first);
    assert_eq!(world.replica.applied().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kept_answer_shows_no_secret_and_opens_for_its_own_row_alone() {
    let world = World::new().await;
    let Reply::TotpEnrollment(enrollment) =
        world.ask(repeating(1, 1), "bob", begin()).await.unwrap()
    else {
        panic!("an enrollment");
    };
    let kept = world.replica.applied()[0].answer.clone().unwrap();
    let secret = enrollment.secret.expose();
    assert!(!kept.reply.windows(secret.len()).any(|window| window == secret));

    // Moved under ann's key, it is a fault, not an answer.
    let ann = repeating(1, 1).idempotency.unwrap();
    let tenant = countersign_core::ids::TenantId::default_tenant();
    let moved = KeptAnswer { key: ann.answer_key(&tenant, "user:ann"), ..kept };
    world.replica.keep(moved);
    let answer = world.ask(repeating(1, 1), "ann", begin()).await;
    assert!(matches!(answer, Err(GatewayError::Internal(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn making_a_tenant_twice_under_one_key_makes_it_once_and_shows_the_same_api_key() {
    let world = World::new().await;
    let create = || {
        let command = countersign_core::tenant::TenantCommand::Create {
            name: "Acme".to_owned(),
            key: None,
            root: false,
        };
        let id = "acme".parse().unwrap();
        world.service.change_tenant(repeating(1, 1), id, command, LONG)
    };
    let first = create().await.unwrap();
    assert!(matches!(first, TenantReply::Created { .. }), "{first:?}");
    assert_eq!(create().await.unwrap(), first);
    assert_eq!(world.replica.applied().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_query_keeps_no_answer_even_if_a_key_came_with_it() {
    let world = World::new().await;
    let ask = || world.ask(repeating(1, 1), "bob", Question::Tell(Query::RecoveryCodes));
    world.put("bob", "known").await.unwrap();
    assert!(matches!(ask().await.unwrap(), Reply::RecoveryStatus { .. }));
    assert_eq!(world.replica.applied().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_another_node_commits_meanwhile_is_found_before_a_refusal_is_released() {
    let world = World::new().await;
    world.put("bob", "known").await.unwrap();
    world.replica.open_barrier(false);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.ask(repeating(1, 1), "bob", confirm("000000")).await }
    });
    world.at_barrier(1).await;
    // The other node kept an answer to another request under this key, and left the row alone.
    let tenant = countersign_core::ids::TenantId::default_tenant();
    let key = repeating(1, 1).idempotency.unwrap().answer_key(&tenant, "user:bob");
    let expires_at = start_time().plus_millis(DAY_MS);
    world.replica.keep(KeptAnswer { key, request: [2; 32], reply: Vec::new(), expires_at });
    world.replica.open_barrier(true);
    assert_eq!(asked.await.unwrap(), Err(GatewayError::IdempotencyKeyReused));
}
