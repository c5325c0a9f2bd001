//! Deliberate faults, so that the rig can show that it finds them. Compiled only with the feature
//! `sabotage`, and even then nothing happens unless a failpoint says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::event::UserEvent;
use countersign_core::outbox::{OutboxKey, OutboxRow};
use countersign_core::proposal::{AnswerKey, Change, KeptAnswer, LogCommand, Proposal};
use countersign_core::time::Timestamp;

use crate::ports::{Replica, ReplicaError};

static ANSWERS: LazyLock<Mutex<HashMap<AnswerKey, KeptAnswer>>> = LazyLock::new(Mutex::default);
/// Messages that a provider took and that will be sent once more; `None` for those that were.
static MESSAGES: LazyLock<Mutex<BTreeMap<OutboxKey, Option<OutboxRow>>>> =
    LazyLock::new(Mutex::default);

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

/// Dates a change of the password so far back that nothing was begun before it.
pub(crate) fn change_password_long_ago(mut proposal: Proposal) -> Proposal {
    if let Change::User { events, .. } = &mut proposal.change
        && password_change_ends_nothing()
    {
        for event in events {
            if let UserEvent::PasswordChanged { changed_at } = event {
                *changed_at = Timestamp::from_millis(0);
            }
        }
    }
    proposal
}

fn password_change_ends_nothing() -> bool {
    fail::fail_point!("actors::password_change_ends_nothing", |_| true);
    false
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

/// Whether the shard's time is taken for real time.
pub(crate) fn takes_shard_time() -> bool {
    fail::fail_point!("actors::shard_time_is_real", |_| true);
    false
}

/// A message is about to be handed to its provider.
pub(crate) fn before_send() {
    fail::fail_point!("courier::before_send");
}

/// What became of messages is about to be recorded.
pub(crate) fn before_record() {
    fail::fail_point!("courier::before_record");
}

/// Keeps a message that a provider took, if it is to be sent once more.
pub(crate) fn remember_message(row: &OutboxRow) {
    if sends_twice() {
        messages().entry(row.key()).or_insert_with(|| Some(row.clone()));
    }
}

/// The message whose recorded outcome is to be forgotten.
pub(crate) fn forgets_outcome(key: &OutboxKey) -> Option<OutboxRow> {
    messages().get(key).cloned().flatten()
}

/// The row of a message that was settled, once.
pub(crate) fn message_again(
    key: &OutboxKey,
    read: Result<Option<OutboxRow>, ReplicaError>,
) -> Result<Option<OutboxRow>, ReplicaError> {
    match read {
        Ok(None) => Ok(messages().get_mut(key).and_then(Option::take)),
        read => read,
    }
}

fn sends_twice() -> bool {
    fail::fail_point!("courier::forgets_outcome", |_| true);
    false
}

fn messages() -> MutexGuard<'static, BTreeMap<OutboxKey, Option<OutboxRow>>> {
    MESSAGES.lock().unwrap_or_else(PoisonError::into_inner)
}
