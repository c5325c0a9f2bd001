//! What is told of a decision can be put together with the request that asked for it, on whichever
//! node the decision was made.

use std::io;
use std::sync::{Arc, Mutex};

use countersign_actors::gateway::{Caller, Question};
use countersign_actors::testing::FixedVault;
use countersign_core::command::Command;
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{ChallengeId, UserHash};
use countersign_core::secret::Secret;
use countersign_core::vault::{Sealed, Vault, VaultError};

use crate::support::{World, caller, options};

/// Tells the log of what it seals, as a part deep inside a decision may.
struct TalkativeVault;

impl Vault for TalkativeVault {
    fn seal(&self, context: &[u8], nonce: [u8; 24], plain: &[u8]) -> Sealed {
        tracing::warn!("something is being sealed");
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

/// A log in memory.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// One thread, so that the log of this test is that of its actors too, and of nobody else's.
#[tokio::test]
async fn a_line_from_inside_a_decision_carries_the_requests_id() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(subscriber);
    let world = World::with(options(), Arc::new(TalkativeVault)).await;
    for request_id in ["req_first", "req_second"] {
        let caller = Caller { request_id: request_id.to_owned(), ..caller() };
        let parameters = Parameters::default();
        let begin = Command::BeginTotp { name: None, parameters, account_name: None, resume: None };
        world.ask(caller, "bob", Question::Do(begin)).await.unwrap();
    }
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let told: Vec<&str> = text.lines().filter(|line| line.contains("being sealed")).collect();
    assert_eq!(told.len(), 2, "{text}");
    // The same actor decided both, each under the id of its own request.
    assert!(told[0].contains("req_first") && !told[0].contains("req_second"), "{text}");
    assert!(told[1].contains("req_second") && !told[1].contains("req_first"), "{text}");
}
