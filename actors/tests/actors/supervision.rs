//! A failing actor costs its user a reload and nobody else anything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use countersign_actors::gateway::GatewayError;
use countersign_actors::testing::{Fate, FixedVault};
use countersign_core::command::Command;
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{ChallengeId, UserHash};
use countersign_core::reply::Reply;
use countersign_core::secret::Secret;
use countersign_core::vault::{Sealed, Vault, VaultError};

use crate::support::{LONG, SHARD, World, changes, options, put};

/// A vault that panics when it seals something of mallory's.
#[derive(Default)]
struct PanickingVault {
    armed: AtomicBool,
}

impl Vault for PanickingVault {
    fn seal(&self, context: &[u8], nonce: [u8; 24], plain: &[u8]) -> Sealed {
        let mallory = context.windows(7).any(|window| window == b"mallory");
        if mallory && self.armed.load(Ordering::SeqCst) {
            panic!("sealing fails for this user");
        }
        FixedVault.seal(context, nonce, plain)
    }

    fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Secret, VaultError> {
        FixedVault.open(context, sealed)
    }

    fn challenge_id(&self, user: UserHash, random: [u8; 8]) -> ChallengeId {
        FixedVault.challenge_id(user, random)
    }

    fn challenge_user(&self, id: ChallengeId) -> UserHash {
        FixedVault.challenge_user(id)
    }

    fn fingerprint(&self, context: &[u8], plain: &[u8]) -> [u8; 16] {
        FixedVault.fingerprint(context, plain)
    }
}

fn begin() -> Command {
    Command::BeginTotp {
        name: None,
        parameters: Parameters::default(),
        account_name: None,
        resume: None,
    }
}

async fn world() -> (World, Arc<PanickingVault>) {
    let vault = Arc::new(PanickingVault { armed: AtomicBool::new(true) });
    let world = World::with(options(), Arc::clone(&vault) as Arc<dyn Vault>).await;
    (world, vault)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_panicking_user_actor_harms_nobody() {
    let (world, vault) = world().await;
    let others: Vec<String> = (0..50).map(|n| format!("user_{n}")).collect();
    for user in others.iter().map(String::as_str).chain(["mallory"]) {
        world.put(user, "before").await.unwrap();
    }
    let loads = world.replica.loads();

    let failed = world.act("mallory", begin()).await;
    assert!(matches!(failed, Err(GatewayError::Internal(_))), "an error, no hang: {failed:?}");
    for user in &others {
        assert!(matches!(world.act(user, begin()).await, Ok(Reply::TotpEnrollment(_))));
    }
    assert_eq!(world.replica.loads(), loads, "the others' actors are the same as before");

    // Her next request works at once, on a row read anew; once sealing works, so does the enrollment.
    world.put("mallory", "after").await.unwrap();
    assert_eq!(world.replica.loads(), loads + 1);
    assert_eq!(world.name_of("mallory").await.as_deref(), Some("after"));
    vault.armed.store(false, Ordering::SeqCst);
    assert!(matches!(world.act("mallory", begin()).await, Ok(Reply::TotpEnrollment(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_waits_behind_a_request_that_panics_is_answered_all_the_same() {
    let (world, _vault) = world().await;
    world
        .replica
        .judge(|proposal| if changes(proposal, "mallory") { Fate::Hold } else { Fate::Apply });
    let spawn = |command: Command| {
        let world = world.clone();
        tokio::spawn(async move { world.act("mallory", command).await })
    };
    let first = spawn(put("first"));
    world.holding(1).await;
    let fatal = spawn(begin());
    let behind: Vec<_> = (0..20).map(|n| spawn(put(&n.to_string()))).collect();
    world.replica.release();

    first.await.unwrap().unwrap();
    assert!(matches!(fatal.await.unwrap(), Err(GatewayError::Internal(_))));
    for request in behind {
        request.await.unwrap().unwrap();
    }
    assert_eq!(world.replica.applied().len(), 21, "each once, the fatal one never");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_whose_every_request_panics_gets_an_error_each_time() {
    let (world, _vault) = world().await;
    for _ in 0..20 {
        let failed = world.act("mallory", begin()).await;
        assert!(matches!(failed, Err(GatewayError::Internal(_))), "{failed:?}");
        world.put("bob", "fine").await.unwrap();
    }
    assert_eq!(world.service.actors(SHARD), 1, "only bob's is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_actor_that_fails_when_its_caller_has_gone_is_forgotten_too() {
    let world = World::new().await;
    let (begin, begun) = std::sync::mpsc::channel::<()>();
    let (fail, failing) = std::sync::mpsc::channel::<()>();
    let failing = Mutex::new(failing);
    world.replica.judge(move |_| {
        let _ = begin.send(());
        let _ = failing.lock().unwrap().recv_timeout(LONG);
        panic!("the log fails for this user");
    });
    let caller = tokio::spawn({
        let world = world.clone();
        async move { world.put("mallory", "unheard").await }
    });
    begun.recv_timeout(LONG).unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(world.service.actors(SHARD), 1);
    fail.send(()).unwrap();
    world.actors(0).await;
}
