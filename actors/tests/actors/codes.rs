//! Once, and counted: many requests at once, over two nodes that both believe they lead.

use countersign_actors::gateway::{GatewayError, Question, Target};
use countersign_core::challenge::{CHALLENGE_LIFETIME_MS, ChallengeStatus, Purpose};
use countersign_core::command::{Command, Proof, Query};
use countersign_core::event::UserEvent;
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{ChallengeId, FactorId};
use countersign_core::policy::Requirement;
use countersign_core::proposal::Change;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::{LoginContext, Trigger};
use countersign_core::secret::Secret;
use countersign_core::time::HOUR_MS;
use tokio::task::JoinSet;

use crate::support::{LONG, SHARD, World, caller, start_time};

const SECRET: &[u8] = b"12345678901234567890";

async fn enroll(world: &World) -> FactorId {
    let secret = Secret::new(SECRET.to_vec());
    let import = Command::ImportTotp { secret, parameters: Parameters::default(), name: None };
    match world.act("bob", import).await.unwrap() {
        Reply::Factor { factor, .. } => factor.id,
        other => panic!("an imported factor, not {other:?}"),
    }
}

async fn challenge(world: &World) -> ChallengeId {
    let create = Command::CreateChallenge {
        purpose: Purpose::Login,
        context: LoginContext::default(),
        device_token: None,
    };
    match world.act("bob", create).await.unwrap() {
        Reply::Challenge(answer) => answer.challenge.unwrap().id,
        other => panic!("a challenge, not {other:?}"),
    }
}

fn right_code() -> Secret {
    let parameters = Parameters::default();
    parameters.code(&Secret::new(SECRET.to_vec()), parameters.step_at(start_time()))
}

fn verify(challenge: ChallengeId, factor: FactorId, code: Secret) -> Question {
    Question::Do(Command::Verify {
        challenge,
        proof: Proof::Code { factor, code },
        remember_device: None,
    })
}

/// Sends 200 answers at once, over two nodes, each to one of `challenges`.
async fn storm(
    world: &World,
    challenges: &[ChallengeId],
    factor: FactorId,
    code: Secret,
) -> Vec<Result<Reply, GatewayError>> {
    let other = world.another().await;
    let mut requests = JoinSet::new();
    for n in 0..200 {
        let service = if n % 2 == 0 { &world.service } else { &other.service }.clone();
        let (challenge, code) = (challenges[n % challenges.len()], code.clone());
        requests.spawn(async move {
            let target = Target::Challenge(challenge);
            service.ask(SHARD, caller(), target, verify(challenge, factor, code), LONG).await
        });
    }
    requests.join_all().await
}

fn count(answers: &[Result<Reply, GatewayError>], fits: impl Fn(&Reply) -> bool) -> usize {
    answers.iter().flatten().filter(|reply| fits(reply)).count()
}

fn refused(reply: &Reply) -> Option<&Refusal> {
    match reply {
        Reply::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_wrong_codes_at_once_evaluate_at_most_max_attempts() {
    let world = World::new().await;
    let factor = enroll(&world).await;
    let mut challenges = Vec::new();
    for _ in 0..20 {
        challenges.push(challenge(&world).await);
    }
    let (right, first) = (right_code(), if right_code().expose()[0] == b'0' { "1" } else { "0" });
    let wrong = Secret::from(format!("{first}{}", &right.expose_str()[1..]));
    let answers = storm(&world, &challenges, factor, wrong).await;
    let evaluated =
        count(&answers, |reply| matches!(refused(reply), Some(Refusal::InvalidCode { .. })));
    let locked =
        count(&answers, |reply| matches!(refused(reply), Some(Refusal::TooManyAttempts { .. })));
    assert_eq!(evaluated, 5, "the first five are told apart from the rest");
    assert!(locked > 0);
    assert_eq!(count(&answers, |reply| refused(reply).is_none()), 0);
    let counted: usize = world
        .replica
        .applied()
        .iter()
        .map(|proposal| match &proposal.change {
            Change::User { events, .. } => {
                events.iter().filter(|one| matches!(one, UserEvent::AttemptFailed { .. })).count()
            }
            _ => 0,
        })
        .sum();
    assert_eq!(counted, 5);
    // Even the right code is not read now.
    let right = verify(challenges[19], factor, right_code());
    let answer = world.ask(caller(), "bob", right).await.unwrap();
    assert!(matches!(refused(&answer), Some(Refusal::TooManyAttempts { .. })), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_submissions_of_one_right_code_succeed_once() {
    for challenges in [1, 20] {
        let world = World::new().await;
        let factor = enroll(&world).await;
        let mut open = Vec::new();
        for _ in 0..challenges {
            open.push(challenge(&world).await);
        }
        let answers = storm(&world, &open, factor, right_code()).await;
        assert_eq!(count(&answers, |reply| matches!(reply, Reply::Verified(_))), 1);
        assert_eq!(answers.len(), 200);
        let signed_with_the_key_in_force = |reply: &Reply| match reply {
            Reply::Verified(verified) => verified.tokens.signing_key == "fixed",
            _ => false,
        };
        assert_eq!(count(&answers, signed_with_the_key_in_force), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_challenge_that_nobody_made_is_not_found() {
    let world = World::new().await;
    let factor = enroll(&world).await;
    let invented = ChallengeId::from_bytes([7; 16]);
    let target = Target::Challenge(invented);
    let question = verify(invented, factor, right_code());
    let answer = world.service.ask(SHARD, caller(), target, question, LONG).await;
    assert_eq!(answer, Ok(Reply::Refused(Refusal::ChallengeNotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recovery_codes_are_hashed_behind_the_gate_and_spent_once() {
    let world = World::new().await;
    world.change_policy(|policy| policy.recovery_codes_count = 1);
    enroll(&world).await;
    let Reply::RecoveryCodes(codes) =
        world.act("bob", Command::GenerateRecoveryCodes).await.unwrap()
    else {
        panic!("recovery codes");
    };
    let used = || world.act("bob", Command::UseRecoveryCode { code: codes[0].clone() });
    let (first, second) = tokio::join!(used(), used());
    let good = [first, second]
        .iter()
        .flatten()
        .filter(|reply| matches!(reply, Reply::RecoveryCodeUsed { remaining: 0 }))
        .count();
    assert_eq!(good, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_address_that_keeps_failing_is_a_sign_of_risk() {
    let world = World::new().await;
    world.change_policy(|policy| policy.requirement = Requirement::RiskBased);
    enroll(&world).await;
    let address = "203.0.113.7".parse().unwrap();
    world.directory.set_failures(address, 1_000);
    let context = LoginContext { ip_address: Some(address), ..LoginContext::default() };
    let create = Command::CreateChallenge { purpose: Purpose::Login, context, device_token: None };
    let Reply::Challenge(answer) = world.act("bob", create).await.unwrap() else {
        panic!("a challenge");
    };
    assert!(answer.triggers.contains(&Trigger::SuspiciousIp), "{:?}", answer.triggers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn codes_and_tokens_go_by_real_time_although_the_shards_time_is_hours_ahead() {
    let world = World::new().await;
    let factor = enroll(&world).await;
    world.replica.set_last_now(start_time().plus_millis(6 * HOUR_MS));
    let asked = challenge(&world).await;
    let parameters = Parameters::default();
    let ahead = parameters.step_at(start_time().plus_millis(6 * HOUR_MS));
    let of_then = parameters.code(&Secret::new(SECRET.to_vec()), ahead);
    let answer = |code| {
        let target = Target::Challenge(asked);
        world.service.ask(SHARD, caller(), target, verify(asked, factor, code), LONG)
    };
    let refused = answer(of_then).await;
    assert!(matches!(refused, Ok(Reply::Refused(Refusal::InvalidCode { .. }))), "{refused:?}");
    let Ok(Reply::Verified(verified)) = answer(right_code()).await else {
        panic!("a code that is right now is refused");
    };
    assert_eq!(verified.tokens.issued_at, start_time());
    let spent = answer(right_code()).await;
    assert_eq!(spent, Ok(Reply::Refused(Refusal::CodeAlreadyUsed)));
    // What is ahead is told to whoever leads next.
    let last = world.replica.applied().pop().unwrap();
    assert_eq!(last.now.millis_since(last.clock), 6 * HOUR_MS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ends_are_told_by_real_time_although_the_shards_time_is_hours_ahead() {
    let world = World::new().await;
    enroll(&world).await;
    world.replica.set_last_now(start_time().plus_millis(6 * HOUR_MS));
    let asked = challenge(&world).await;
    let shown = world
        .service
        .ask(
            SHARD,
            caller(),
            Target::Challenge(asked),
            Question::Tell(Query::Challenge(asked)),
            LONG,
        )
        .await;
    let Ok(Reply::ChallengeState(shown)) = shown else { panic!("{shown:?}") };
    assert_eq!(shown.expires_at, start_time().plus_millis(CHALLENGE_LIFETIME_MS));
    assert_eq!(shown.status, ChallengeStatus::Pending);
    let begin = Command::BeginTotp {
        name: None,
        parameters: Parameters::default(),
        account_name: None,
        resume: None,
    };
    let Ok(Reply::TotpEnrollment(begun)) = world.act("bob", begin).await else {
        panic!("an enrollment");
    };
    assert!(begun.expires_at <= start_time().plus_millis(HOUR_MS), "{:?}", begun.expires_at);
    assert!(begun.expires_at > start_time());
}
