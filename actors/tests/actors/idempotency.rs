//! The same key and the same request: the same answer, and one commit.

use countersign_actors::gateway::{Caller, GatewayError, Question};
use countersign_actors::testing::Fate;
use countersign_core::challenge::{CHALLENGE_LIFETIME_MS, CHALLENGES_OPEN, Purpose};
use countersign_core::command::{Command, Query};
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{KeyId, TenantId};
use countersign_core::policy::Requirement;
use countersign_core::proposal::KeptAnswer;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_core::time::DAY_MS;
use tokio::task::JoinSet;

use crate::support::{LONG, World, key, put, repeating, start_time};

fn begin() -> Question {
    Question::Do(begin_command())
}

fn begin_command() -> Command {
    Command::BeginTotp {
        name: None,
        parameters: Parameters::default(),
        account_name: None,
        resume: None,
    }
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
async fn a_kept_answer_is_for_the_api_key_that_asked() {
    let world = World::new().await;
    let by = |number| Caller { key: Some(KeyId::from_bytes([number; 16])), ..repeating(1, 1) };
    let first = world.ask(by(1), "bob", begin()).await.unwrap();
    assert_eq!(world.ask(by(2), "bob", begin()).await, Err(GatewayError::IdempotencyKeyReused));
    assert_eq!(world.ask(by(1), "bob", begin()).await.unwrap(), first);
    let id: TenantId = "default".parse().unwrap();
    let change = |who| {
        let command = TenantCommand::CreateApiKey {
            name: "ci".to_owned(),
            scopes: std::collections::BTreeSet::new(),
            expires_at: None,
        };
        world.service.change_tenant(who, id.clone(), command, LONG)
    };
    let made = change(by(1)).await.unwrap();
    assert_eq!(change(by(2)).await, Err(GatewayError::IdempotencyKeyReused));
    assert_eq!(change(by(1)).await.unwrap(), made);
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
async fn a_refusal_that_changed_nothing_stays_the_answer_to_its_request() {
    let world = World::new().await;
    let erase = || world.ask(repeating(1, 1), "bob", Question::Do(Command::Erase));
    let refused = Ok(Reply::Refused(Refusal::UserNotFound));
    assert_eq!(erase().await, refused);
    assert!(!world.replica.peek(&key("bob")).value.exists(), "the answer alone was committed");
    // Repeated late, and through another node, it does not erase whoever came since.
    world.put("bob", "came since").await.unwrap();
    assert_eq!(erase().await, refused);
    let other = world.another().await;
    let again = other.ask(repeating(1, 1), "bob", Question::Do(Command::Erase)).await;
    assert_eq!(again, refused);
    assert_eq!(world.name_of("bob").await.as_deref(), Some("came since"));
    assert_eq!(world.replica.applied().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_without_a_key_commits_nothing() {
    let world = World::new().await;
    let refused = Ok(Reply::Refused(Refusal::UserNotFound));
    assert_eq!(world.act("bob", Command::Erase).await, refused);
    assert!(world.replica.applied().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_that_says_when_to_come_again_is_judged_anew() {
    let world = World::new().await;
    world.act("bob", begin_command()).await.unwrap();
    for n in 0..5 {
        let wrong = world.ask(repeating(10 + n, 1), "bob", confirm("000000")).await.unwrap();
        assert!(matches!(wrong, Reply::Refused(Refusal::InvalidCode { .. })), "{wrong:?}");
    }
    let locked = world.ask(repeating(1, 1), "bob", confirm("000000")).await.unwrap();
    assert!(matches!(locked, Reply::Refused(Refusal::TooManyAttempts { .. })), "{locked:?}");
    world.act("bob", Command::Unlock).await.unwrap();
    let judged = world.ask(repeating(1, 1), "bob", confirm("000000")).await.unwrap();
    assert!(matches!(judged, Reply::Refused(Refusal::InvalidCode { .. })), "{judged:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_for_too_many_open_challenges_is_judged_anew() {
    let world = World::new().await;
    world.change_policy(|policy| policy.requirement = Requirement::Required);
    world.put("bob", "Bob").await.unwrap();
    let create = || Command::CreateChallenge {
        purpose: Purpose::Login,
        context: LoginContext::default(),
        device_token: None,
    };
    for _ in 0..CHALLENGES_OPEN {
        let opened = world.act("bob", create()).await.unwrap();
        assert!(matches!(opened, Reply::Challenge(_)), "{opened:?}");
    }
    let ask = || world.ask(repeating(1, 1), "bob", Question::Do(create()));
    let refused = ask().await.unwrap();
    assert!(matches!(refused, Reply::Refused(Refusal::TooManyOpen { .. })), "{refused:?}");
    world.clock.advance(CHALLENGE_LIFETIME_MS);
    let opened = ask().await.unwrap();
    assert!(matches!(opened, Reply::Challenge(_)), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tenant_that_was_not_there_when_its_removal_was_asked_for_stays() {
    let world = World::new().await;
    let id: TenantId = "acme".parse().unwrap();
    let change = |who, command| world.service.change_tenant(who, id.clone(), command, LONG);
    let refused = change(repeating(1, 1), TenantCommand::Remove).await.unwrap();
    assert!(matches!(refused, TenantReply::Refused(Refusal::NotFound(_))), "{refused:?}");
    let create = TenantCommand::Create { name: "Acme".to_owned(), key: None, root: false };
    let made = change(repeating(2, 2), create).await.unwrap();
    assert!(matches!(made, TenantReply::Created { .. }), "{made:?}");
    assert_eq!(change(repeating(1, 1), TenantCommand::Remove).await.unwrap(), refused);
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

/// An answer to another request under the key of [`repeating`]`(1, 1)`, as another node kept it.
fn kept_elsewhere() -> KeptAnswer {
    let tenant = TenantId::default_tenant();
    let key = repeating(1, 1).idempotency.unwrap().answer_key(&tenant, "user:bob");
    let expires_at = start_time().plus_millis(DAY_MS);
    KeptAnswer { key, request: [2; 32], reply: Vec::new(), expires_at }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_another_node_commits_meanwhile_is_found_by_the_log() {
    let world = World::new().await;
    world.put("bob", "known").await.unwrap();
    world.replica.judge(|_| Fate::Hold);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.ask(repeating(1, 1), "bob", confirm("000000")).await }
    });
    world.holding(1).await;
    world.replica.keep(kept_elsewhere());
    world.replica.release();
    assert_eq!(asked.await.unwrap(), Err(GatewayError::IdempotencyKeyReused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_that_another_node_commits_meanwhile_is_found_before_a_refusal_is_released() {
    let world = World::new().await;
    world.act("bob", begin_command()).await.unwrap();
    // The first refusal of a locked user is recorded, the next ones are not.
    for n in 0..6 {
        world.ask(repeating(10 + n, 1), "bob", confirm("000000")).await.unwrap();
    }
    world.replica.open_barrier(false);
    let asked = tokio::spawn({
        let world = world.clone();
        async move { world.ask(repeating(1, 1), "bob", confirm("000000")).await }
    });
    world.at_barrier(1).await;
    // The other node left the row alone.
    world.replica.keep(kept_elsewhere());
    world.replica.open_barrier(true);
    assert_eq!(asked.await.unwrap(), Err(GatewayError::IdempotencyKeyReused));
}
