//! A client that knows every node, and asks any of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_actors::gateway::{Caller, Idempotency, Question, Target};
use countersign_core::command::Command;
use countersign_core::ids::{ShardId, TenantId};
use countersign_core::reply::{Refusal, Reply};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::board::Board;
use crate::clock::SkewedClock;
use crate::peers::Connection;
use crate::transcript::Transcript;
use crate::wire::{Answer, Ask, Request};

/// How long a client lets a node try.
const WITHIN: Duration = Duration::from_millis(1_000);
/// How long it waits for the answer.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// A client.
pub(crate) struct Client {
    /// How many nodes there are.
    pub(crate) nodes: u64,
    /// Decides what it does.
    pub(crate) random: ChaCha8Rng,
    /// The right time.
    pub(crate) clock: SkewedClock,
    /// Held while a request is under way that makes a node hash.
    ///
    /// Hashes run on threads of their own, and simulated time waits for them; but which of two
    /// ends first only real time decides. One at a time, they leave no trace in a run.
    pub(crate) hashing: Arc<Mutex<()>>,
    /// Whether to come to an end.
    pub(crate) finish: Arc<AtomicBool>,
    /// Where things are told.
    pub(crate) transcript: Transcript,
}

/// A request that can be made again.
#[derive(Clone)]
pub(crate) struct Repeatable {
    /// What it asks.
    pub(crate) question: Question,
    /// Under which key.
    pub(crate) idempotency: Idempotency,
}

impl Client {
    /// Whether it is time to end.
    pub(crate) fn finishing(&self) -> bool {
        self.finish.load(Ordering::SeqCst)
    }

    /// Any node.
    pub(crate) fn any_node(&mut self) -> u64 {
        self.random.random_range(1..=self.nodes)
    }

    /// A request under a fresh idempotency key.
    pub(crate) fn repeatable(&mut self, question: Question) -> Repeatable {
        let key = self.random.random();
        Repeatable { question, idempotency: Idempotency { key, request: key } }
    }

    /// Thinks for up to `most_ms`.
    pub(crate) async fn think(&mut self, most_ms: u64) {
        sleep(Duration::from_millis(self.random.random_range(1..=most_ms))).await;
    }

    /// Asks one node once. `None` if the outcome is unknown or the node could not help.
    pub(crate) async fn ask(
        &self,
        node: u64,
        board: &Board,
        target: Target,
        question: Question,
        idempotency: Option<Idempotency>,
    ) -> Option<Reply> {
        let caller = Caller {
            tenant: TenantId::default_tenant(),
            key: None,
            request_id: "req".to_owned(),
            address: None,
            idempotency,
        };
        let within_ms = u64::try_from(WITHIN.as_millis()).unwrap();
        let told = name(&question);
        let _hashing = match hashes(&question) {
            true => Some(self.hashing.lock().await),
            false => None,
        };
        let ask = Request::Ask(Ask { caller, target, question, within_ms, forwarded: false });
        let answer = Connection::new(ShardId::SYSTEM, node).call(&ask, PATIENCE).await;
        let reply = match answer {
            Ok(Answer::Reply(Ok(reply))) => Ok(reply),
            Ok(Answer::Reply(Err(error))) => Err(error.to_string()),
            Ok(_) => Err("an answer to another question".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let outcome = match &reply {
            Ok(Reply::Refused(refusal)) => refusal.to_string(),
            Ok(reply) => kind(reply).to_owned(),
            Err(error) => error.clone(),
        };
        self.transcript.note(format!("{} through node {node}: {told}: {outcome}", board.key.user));
        let reply = reply.ok()?;
        if matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })) && idempotency.is_none() {
            board.wrong_code();
        }
        Some(reply)
    }

    /// Asks through one node after another, under one idempotency key, until there is an answer.
    pub(crate) async fn certain(&mut self, board: &Board, request: &Repeatable) -> Reply {
        loop {
            let node = self.any_node();
            let target = Target::User(board.key.user.clone());
            let question = request.question.clone();
            let asked = self.ask(node, board, target, question, Some(request.idempotency));
            if let Some(reply) = asked.await {
                return reply;
            }
            self.think(200).await;
        }
    }
}

fn hashes(question: &Question) -> bool {
    matches!(
        question,
        Question::Do(Command::RegenerateRecoveryCodes | Command::UseRecoveryCode { .. })
    )
}

fn name(question: &Question) -> String {
    // The variant alone: what follows may be long.
    let text = match question {
        Question::Do(command) => format!("{command:?}"),
        Question::Tell(query) => format!("{query:?}"),
    };
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

fn kind(reply: &Reply) -> &'static str {
    match reply {
        Reply::Done => "done",
        Reply::Verified(_) => "verified",
        Reply::Challenge(_) => "challenge",
        Reply::User(_) => "user",
        Reply::Factor { .. } => "factor",
        Reply::TotpEnrollment(_) => "enrollment",
        Reply::RecoveryCodes(_) => "recovery codes",
        Reply::RecoveryCodeUsed { .. } => "recovery code used",
        _ => "answered",
    }
}
