//! Reads of a shard's rows, as this node applied them. Whether that is recent enough is for the
//! caller to make sure, by a barrier on the shard's leader.

mod outbox;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use countersign_core::ids::{ShardId, TenantId, UserHash, UserId, UserKey};
use countersign_core::proposal::{AnswerKey, KeptAnswer};
use countersign_core::system::SystemState;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;

use crate::audit::{self, AuditBounds, AuditPage, AuditQuery, ExportRow};
use crate::database::Family;
use crate::error::StorageError;
use crate::keys;
use crate::records::{
    self, AppliedTime, Chain, ChainPoint, ShardHead, SystemRow, TenantRow, UserRow,
};
use crate::state_hash::StateHash;
use crate::store::{Shard, Store};
use crate::stored::Stored;

/// A shard's rows.
#[derive(Clone)]
pub struct Rows {
    store: Arc<Store>,
    shard: Arc<Shard>,
}

impl Rows {
    pub(crate) const fn new(store: Arc<Store>, shard: Arc<Shard>) -> Self {
        Self { store, shard }
    }

    /// Which shard.
    pub fn shard(&self) -> ShardId {
        self.shard.id
    }

    /// What the state machine knows of itself: the last applied entry, the membership, the clock,
    /// the hashes.
    pub fn head(&self) -> ShardHead {
        self.shard.head()
    }

    /// The index of the last applied entry; 0 before the first.
    pub fn last_applied(&self) -> u64 {
        *self.shard.applied.borrow()
    }

    /// What was applied of the shard's time.
    pub fn time(&self) -> AppliedTime {
        let head = self.shard.head.read().unwrap_or_else(PoisonError::into_inner);
        AppliedTime { last: head.last_now, ahead_ms: head.ahead_ms, set_at: head.time_set_at }
    }

    /// The latest time applied.
    pub fn last_now(&self) -> Timestamp {
        self.head().last_now
    }

    /// The sum over all rows, as apply keeps it.
    pub fn state_hash(&self) -> StateHash {
        self.head().state_hash
    }

    /// The state hash after some of the entries applied last, and after the very last, by their
    /// index. Replicas that have an index in common must have its hash in common: if they do not,
    /// one of them has drifted. Cheap: reads no row.
    pub fn state_hashes(&self) -> BTreeMap<u64, StateHash> {
        let kept = self.shard.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hashes: BTreeMap<u64, StateHash> = kept.iter().copied().collect();
        drop(kept);
        let head = self.shard.head.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = head.last_applied {
            hashes.insert(last.index, head.state_hash);
        }
        hashes
    }

    /// The sum over all rows, read from all rows. Slow; for tests and for finding drift.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn compute_state_hash(&self) -> Result<StateHash, StorageError> {
        let mut sum = StateHash::default();
        for kind in crate::apply::HASHED {
            let from = keys::single(self.shard.id, kind);
            let family = keys::family(&from);
            for row in self.store.database.walk(family, &from, &keys::after(&from))? {
                let (key, value) = row.map_err(StorageError::database("read the state"))?;
                sum.add(&key, &value);
            }
        }
        Ok(sum)
    }

    /// A user's row and its version; the default state with version 0 if there is none.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn user(&self, key: &UserKey) -> Result<(u64, UserState), StorageError> {
        let row: UserRow = self.row("user", &keys::user(self.shard.id, key))?.unwrap_or_default();
        Ok((row.version, row.state))
    }

    /// The user of a tenant whose id hashes to `hash`.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn user_by_hash(
        &self,
        tenant: &TenantId,
        hash: UserHash,
    ) -> Result<Option<UserId>, StorageError> {
        let prefix = keys::users_by_hash(self.shard.id, tenant, hash);
        let mut walk = self.store.database.walk(Family::State, &prefix, &keys::after(&prefix))?;
        let first = walk.next().transpose().map_err(StorageError::database("find a user"))?;
        Ok(first.and_then(|(key, _)| keys::user_id(&key, &prefix)))
    }

    /// Users of a tenant, by id, at most `limit`, after a given one. Only this shard's.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn users_page(
        &self,
        tenant: &TenantId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserState)>, StorageError> {
        self.users_named(tenant, "", after, limit)
    }

    /// As [`Self::users_page`], of users whose id begins so.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn users_named(
        &self,
        tenant: &TenantId,
        beginning: &str,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserState)>, StorageError> {
        let prefix = keys::users(self.shard.id, tenant);
        let named = [prefix.as_slice(), beginning.as_bytes()].concat();
        let from = match after {
            // The next possible key: no user id has a NUL.
            Some(id) => [prefix.as_slice(), id.as_str().as_bytes(), &[0]].concat(),
            None => named.clone(),
        };
        // A place that lies outside, as a strange cursor may say, is none.
        let from = from.max(named.clone());
        let mut users = Vec::new();
        let walk = self.store.database.walk(Family::State, &from, &keys::after(&named))?;
        for row in walk.take(limit) {
            let (key, bytes) = row.map_err(StorageError::database("list users"))?;
            let row: UserRow = records::decode("user", self.shard.id, &bytes)?;
            if let Some(id) = keys::user_id(&key, &prefix) {
                users.push((id, row.state));
            }
        }
        Ok(users)
    }

    /// A tenant's row and its version (shard 0 only).
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn tenant(&self, id: &TenantId) -> Result<(u64, Option<TenantState>), StorageError> {
        let row: Option<TenantRow> = self.row("tenant", &keys::tenant(self.shard.id, id))?;
        Ok(row.map_or((0, None), |row| (row.version, Some(row.state))))
    }

    /// Tenants that were removed and whose users are to be erased (shard 0 only).
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn removed_tenants(&self) -> Result<Vec<TenantId>, StorageError> {
        let from = keys::single(self.shard.id, keys::state::TENANT);
        let mut removed = Vec::new();
        for row in self.store.database.walk(Family::State, &from, &keys::after(&from))? {
            let (_, bytes) = row.map_err(StorageError::database("list tenants"))?;
            let row: TenantRow = records::decode("tenant", self.shard.id, &bytes)?;
            if row.state.removed_at.is_some() {
                removed.push(row.state.id);
            }
        }
        Ok(removed)
    }

    /// The cluster's own row and its version (shard 0 only).
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn system(&self) -> Result<(u64, SystemState), StorageError> {
        let key = keys::single(self.shard.id, keys::state::SYSTEM);
        let row: SystemRow = self.row("system state", &key)?.unwrap_or_default();
        Ok((row.version, row.state))
    }

    /// The answer kept under an idempotency key, expired or not.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StorageError> {
        self.row("kept answer", &keys::answer(self.shard.id, key))
    }

    /// How a tenant's audit chain stands in this shard.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn audit_chain(&self, tenant: &TenantId) -> Result<Chain, StorageError> {
        audit::chain(&self.store.database, self.shard.id, tenant)
    }

    /// Audit rows of a tenant, newest first, within `bounds`. Only this shard's.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn audit_page(
        &self,
        tenant: &TenantId,
        query: &AuditQuery,
        bounds: AuditBounds,
    ) -> Result<AuditPage, StorageError> {
        let pseudonym = match &query.user {
            None => None,
            Some(user) => {
                let key = UserKey::new(tenant.clone(), user.clone());
                // Nobody's rows can be found once the user is erased: that is what erasing means.
                let Some(secret) = self.user(&key)?.1.pseudonym else {
                    return Ok(AuditPage::default());
                };
                Some(audit::public_pseudonym(secret))
            }
        };
        let (database, shard) = (&self.store.database, self.shard.id);
        audit::page(database, shard, tenant, pseudonym, query, bounds)
    }

    /// Up to `limit` rows of a tenant's chain from the place `from` on, for offline verification, and
    /// the point of the chain before them.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn audit_export(
        &self,
        tenant: &TenantId,
        from: u64,
        limit: usize,
    ) -> Result<(ChainPoint, Vec<ExportRow>), StorageError> {
        audit::export(&self.store.database, self.shard.id, tenant, from, limit)
    }

    fn row<T: Stored>(&self, what: &'static str, key: &[u8]) -> Result<Option<T>, StorageError> {
        let row = self.store.database.get(keys::family(key), key)?;
        row.map(|bytes| records::decode(what, self.shard.id, &bytes)).transpose()
    }
}
