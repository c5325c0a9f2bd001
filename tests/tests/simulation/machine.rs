//! A shard's state machine in memory. It applies by the rules of the real one (version check, kept
//! answers, time that never goes back) and can be told to break one of them.

use std::collections::BTreeMap;

use countersign_core::evolve::evolve_all;
use countersign_core::ids::UserKey;
use countersign_core::proposal::{
    ANSWER_KEPT_MS, AnswerKey, Applied, Change, KeptAnswer, LogCommand, Proposal,
};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use openraft::EntryPayload;
use serde::{Deserialize, Serialize};

use crate::raft::{Entry, LogId, StoredMembership};
use crate::sabotage::Sabotage;

/// The rows of one shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The last entry applied.
    pub(crate) applied: Option<LogId>,
    /// The members.
    pub(crate) membership: StoredMembership,
    /// The latest time applied.
    pub(crate) last_now: Timestamp,
    /// The users.
    pub(crate) users: BTreeMap<UserKey, Row>,
    /// Answers kept for their idempotency keys.
    pub(crate) answers: BTreeMap<AnswerKey, KeptAnswer>,
}

/// A user's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The index of the entry that changed it last.
    pub(crate) version: u64,
    /// The user.
    pub(crate) state: UserState,
}

impl Machine {
    /// Applies the next entry.
    pub(crate) fn apply(&mut self, entry: &Entry, sabotage: Sabotage) -> Applied {
        self.applied = Some(entry.log_id);
        match &entry.payload {
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
                Applied::Nothing
            }
            EntryPayload::Normal(LogCommand::Propose(proposal)) => {
                self.propose(entry.log_id.index, proposal, sabotage)
            }
            // Tenants are fixed here, and nobody maintains.
            EntryPayload::Blank | EntryPayload::Normal(_) => Applied::Nothing,
        }
    }

    fn propose(&mut self, index: u64, proposal: &Proposal, sabotage: Sabotage) -> Applied {
        let at = proposal.now.max(self.last_now);
        if let Some(answer) = &proposal.answer
            && self.answers.get(&answer.key).is_some_and(|kept| kept.expires_at > at)
        {
            return Applied::Repeated;
        }
        let Change::User { key, events } = &proposal.change else { return Applied::Nothing };
        let version = self.users.get(key).map_or(0, |row| row.version);
        if version != proposal.expected_version && sabotage != Sabotage::NoVersionCheck {
            return Applied::Conflict { version };
        }
        let mut row = self.users.remove(key).unwrap_or_default();
        evolve_all(&mut row.state, events, at);
        row.version = index;
        if row.state.exists() {
            self.users.insert(key.clone(), row);
        }
        self.last_now = at;
        if let Some(answer) = &proposal.answer
            && sabotage != Sabotage::ForgetAnswers
        {
            let expires_at = answer.expires_at.min(at.plus_millis(ANSWER_KEPT_MS));
            self.answers.insert(answer.key, KeptAnswer { expires_at, ..answer.clone() });
        }
        Applied::Done { version: index, at }
    }
}
