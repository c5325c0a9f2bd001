//! Deliberate faults, so that the rig can show that it finds them. Compiled only with the feature
//! `sabotage`, and even then nothing happens unless a failpoint says so.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::proposal::{AnswerKey, KeptAnswer, LogCommand, Proposal};

use crate::ports::Replica;

static ANSWERS: LazyLock<Mutex<HashMap<AnswerKey, KeptAnswer>>> = LazyLock::new(Mutex::default);

/// Takes the answer out of the proposal and keeps it in this process alone.
pub(crate) fn keep_in_memory(mut proposal: Proposal) -> Proposal {
    if keeps_in_memory()
        && let Some(answer) = proposal.answer.take()
    {
        let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(answer.key, answer);
    }
    proposal
}

fn keeps_in_memory() -> bool {
    fail::fail_point!("actors::answers_in_memory", |_| true);
    false
}

/// An answer kept in this process.
pub(crate) fn recall(key: &AnswerKey) -> Option<KeptAnswer> {
    ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

/// Whether the reply leaves at once; then the proposal is on its way without anybody waiting.
pub(crate) fn replies_first(
    replica: &Arc<dyn Replica>,
    proposal: &Proposal,
    refused: bool,
) -> bool {
    let propose = || {
        let (replica, proposal) = (Arc::clone(replica), proposal.clone());
        tokio::spawn(async move { replica.propose(LogCommand::Propose(Box::new(proposal))).await });
        true
    };
    fail::fail_point!("actors::reply_before_commit", |_| propose());
    if refused {
        fail::fail_point!("actors::count_later", |_| propose());
    }
    false
}

/// How long an actor waits for the log.
pub(crate) fn patience(whole: Duration) -> Duration {
    fail::fail_point!("actors::impatient", |_| Duration::from_millis(1));
    whole
}

/// Whether leadership is taken for granted.
pub(crate) fn skips_barrier() -> bool {
    fail::fail_point!("actors::skip_barrier", |_| true);
    false
}
