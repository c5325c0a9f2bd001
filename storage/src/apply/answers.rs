//! Answers kept for their idempotency keys: kept once, forgotten with whom they tell of, and not
//! kept for ever.
//!
//! An answer has up to three rows: itself, its place in the order of expiry (whose value names the
//! owner), and its place among its owner's answers. The last is there so that erasing a user
//! erases what was answered about the user, sealed or not.

use std::collections::BTreeSet;

use countersign_core::proposal::{ANSWER_KEPT_MS, AnswerKey, KeptAnswer, Proposal};
use countersign_core::time::Timestamp;

use super::Run;
use crate::database::Family;
use crate::error::StorageError;
use crate::keys;
use crate::records;

/// Log entries between two that look for expired answers: looking costs a seek.
const SWEEP_EVERY: u64 = 16;
/// Expired answers that one sweep removes at most: more than the entries between can add.
const SWEPT_AT_ONCE: usize = 64;

impl Run<'_> {
    pub(super) fn kept(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StorageError> {
        let bytes = self.row(&keys::answer(self.shard, key))?;
        self.decoded("kept answer", bytes.as_deref())
    }

    /// Keeps the answer of a proposal that took effect at `at`. None is kept under its key.
    pub(super) fn keep(
        &mut self,
        proposal: &Proposal,
        owner: Option<Vec<u8>>,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(answer) = &proposal.answer else { return Ok(()) };
        // As long as was asked for, by the shard's own clock: neither a leader whose clock is ahead
        // nor one whose clock is behind changes that.
        let asked = answer.expires_at.millis_since(proposal.now).min(ANSWER_KEPT_MS);
        if asked <= 0 {
            return Ok(());
        }
        let expires_at = at.plus_millis(asked);
        let kept = KeptAnswer { expires_at, ..answer.clone() };
        let row_key = keys::answer(self.shard, &answer.key);
        self.replace(row_key, None, Some(records::encode("kept answer", &kept)?));
        if let Some(owner) = &owner {
            let by_owner = keys::answer_by_owner(self.shard, owner, &answer.key);
            self.rows.insert(by_owner, Some(Vec::new()));
        }
        let by_expiry = keys::answer_expiry(self.shard, expires_at, &answer.key);
        self.rows.insert(by_expiry, Some(owner.unwrap_or_default()));
        self.expiries.insert((expires_at, answer.key));
        Ok(())
    }

    /// Removes all rows of an answer.
    pub(super) fn forget(
        &mut self,
        expires_at: Timestamp,
        key: &AnswerKey,
    ) -> Result<(), StorageError> {
        let row_key = keys::answer(self.shard, key);
        let old = self.row(&row_key)?;
        self.replace(row_key, old.as_deref(), None);
        let by_expiry = keys::answer_expiry(self.shard, expires_at, key);
        // Without a value it is of an earlier release, or nobody's.
        if let Some(owner) = self.row(&by_expiry)?.filter(|owner| !owner.is_empty()) {
            self.rows.insert(keys::answer_by_owner(self.shard, &owner, key), None);
        }
        self.expiries.remove(&(expires_at, *key));
        self.rows.insert(by_expiry, None);
        Ok(())
    }

    /// Removes all answers that tell of an owner's rows.
    pub(super) fn forget_answers_of(&mut self, owner: &[u8]) -> Result<(), StorageError> {
        let prefix = keys::answers_of(self.shard, owner);
        let mut owned = BTreeSet::new();
        for row in self.database.walk(Family::State, &prefix, &keys::after(&prefix))? {
            let (row_key, _) = row.map_err(StorageError::database("look for a user's answers"))?;
            owned.extend(keys::owned_answer(&row_key));
        }
        // Those that this very batch keeps.
        let fresh = self.rows.keys().filter(|row_key| row_key.starts_with(&prefix));
        owned.extend(fresh.filter_map(|row_key| keys::owned_answer(row_key)));
        for key in owned {
            if let Some(kept) = self.kept(&key)? {
                self.forget(kept.expires_at, &key)?;
            }
        }
        Ok(())
    }

    /// Removes answers that expired, now and then, and by the log index alone, so that every
    /// replica does it with the same entry.
    pub(super) fn sweep(&mut self, index: u64, at: Timestamp) -> Result<(), StorageError> {
        if index.is_multiple_of(SWEEP_EVERY) {
            self.forget_expired(at, SWEPT_AT_ONCE)?;
        }
        Ok(())
    }

    /// Removes the answers that expired first, up to `limit`. Says how many there were.
    pub(super) fn forget_expired(
        &mut self,
        at: Timestamp,
        limit: usize,
    ) -> Result<usize, StorageError> {
        let expired = self.expired(at, limit)?;
        for (expires_at, key) in &expired {
            self.forget(*expires_at, key)?;
            self.head.answers_forgotten = (*expires_at, *key);
        }
        Ok(expired.len())
    }

    /// The answers that expired first, up to `limit`.
    pub(super) fn expired(
        &self,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, AnswerKey)>, StorageError> {
        // Begins behind the last one removed: what lies before it are only traces of deletions.
        // None comes to lie there later, for an answer expires after the shard's clock.
        let (time, key) = self.head.answers_forgotten;
        let from = keys::answer_expiry(self.shard, time, &key);
        let to = keys::answer_expiry(self.shard, at.plus_millis(1), &[0; 32]);
        let mut expired: BTreeSet<(Timestamp, AnswerKey)> = self
            .expiries
            .iter()
            .take_while(|(expires_at, _)| *expires_at <= at)
            .take(limit)
            .copied()
            .collect();
        if from < to {
            let mut found = 0;
            for row in self.database.walk(Family::State, &from, &to)? {
                let (row_key, _) = row.map_err(StorageError::database("look for old answers"))?;
                if self.rows.get(row_key.as_ref()).is_some_and(Option::is_none) {
                    continue;
                }
                expired.extend(keys::parse_answer_expiry(&row_key));
                found += 1;
                if found == limit {
                    break;
                }
            }
        }
        Ok(expired.into_iter().take(limit).collect())
    }
}
