//! Tenants, API keys and failing addresses in memory, as this node applied them, for questions
//! that every request asks. Readers never wait for the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_core::ids::{KeyId, ShardId, TenantId};
use countersign_core::system::SystemState;
use countersign_core::tenant::{Scope, TenantState};
use countersign_core::time::Timestamp;
use tokio::sync::watch;

use crate::audit;
use crate::database::{Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::pressure::{self, Failures};
use crate::records::{self, SystemRow, TenantRow};

/// Who an API key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// Whose key.
    pub tenant: TenantId,
    /// Which key.
    pub id: KeyId,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Whether it may make and remove tenants.
    pub root: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// What every node knows of tenants and the cluster.
pub struct Directory {
    known: RwLock<Known>,
    failures: Failures,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    tenants: BTreeMap<TenantId, Arc<TenantState>>,
    keys: HashMap<[u8; 32], KeyGrant>,
    system: Arc<SystemState>,
}

impl Known {
    fn set_tenant(&mut self, id: &TenantId, state: Option<TenantState>) {
        if let Some(before) = self.tenants.remove(id) {
            for key in &before.api_keys {
                self.keys.remove(&key.hash);
            }
        }
        // A removed tenant keeps its row until its users are gone, but is nobody from now on.
        let Some(state) = state.filter(|state| state.removed_at.is_none()) else { return };
        for key in &state.api_keys {
            let grant = KeyGrant {
                tenant: id.clone(),
                id: key.id,
                scopes: key.scopes.clone(),
                root: key.root,
                expires_at: key.expires_at,
            };
            self.keys.insert(key.hash, grant);
        }
        self.tenants.insert(id.clone(), Arc::new(state));
    }
}

impl Directory {
    /// Reads it from the applied rows: shard 0, and the audit rows of the last ten minutes of all.
    pub(crate) fn load(
        database: &Database,
        shards: impl IntoIterator<Item = ShardId>,
    ) -> Result<Self, StorageError> {
        let directory = Self {
            known: RwLock::new(read_known(database)?),
            failures: Failures::default(),
            changes: watch::Sender::new(0),
        };
        for shard in shards {
            directory.load_failures(database, shard)?;
        }
        Ok(directory)
    }

    /// Reads tenants and keys anew, after a snapshot replaced shard 0.
    pub(crate) fn reload(&self, database: &Database) -> Result<(), StorageError> {
        let known = read_known(database)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        self.changed();
        Ok(())
    }

    /// Counts the recent failures that a shard's audit log holds.
    pub(crate) fn load_failures(
        &self,
        database: &Database,
        shard: ShardId,
    ) -> Result<(), StorageError> {
        self.failures.forget(shard);
        for failure in audit::recent_failures(database, shard, pressure::WINDOW_MS)? {
            self.failures.note(shard, &failure);
        }
        Ok(())
    }

    pub(crate) fn set_tenant(&self, id: &TenantId, state: Option<TenantState>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).set_tenant(id, state);
        self.changed();
    }

    pub(crate) fn set_system(&self, state: SystemState) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).system = Arc::new(state);
        self.changed();
    }

    pub(crate) fn note_failure(&self, shard: ShardId, failure: &pressure::Failure) {
        self.failures.note(shard, failure);
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Counts the changes of tenants and of the cluster's state, for whoever keeps something
    /// derived from them, as the key ring does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A tenant that was not removed.
    pub fn tenant(&self, id: &TenantId) -> Option<Arc<TenantState>> {
        self.known().tenants.get(id).cloned()
    }

    /// All tenants that were not removed, by id.
    pub fn tenants(&self) -> Vec<Arc<TenantState>> {
        self.known().tenants.values().cloned().collect()
    }

    /// Who a key is, by the SHA-256 of its text. Keys of removed tenants are nobody; whether a
    /// key has expired is for the caller's clock to say.
    pub fn api_key(&self, hash: &[u8; 32]) -> Option<KeyGrant> {
        self.known().keys.get(hash).cloned()
    }

    /// The cluster's own state; the default before the cluster is founded.
    pub fn system(&self) -> Arc<SystemState> {
        Arc::clone(&self.known().system)
    }

    /// Failed verifications from an address in the ten minutes before `now`, over all users of the
    /// tenant, as counted from what this node applied. Stops counting at
    /// [`crate::COUNTED_MAX`].
    pub fn failures_from(&self, tenant: &TenantId, address: IpAddr, now: Timestamp) -> u32 {
        self.failures.count(tenant, address, now)
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_known(database: &Database) -> Result<Known, StorageError> {
    let mut known = Known::default();
    let shard = ShardId::SYSTEM;
    let tenants = keys::single(shard, keys::state::TENANT);
    for row in database.walk(Family::State, &tenants, &keys::after(&tenants))? {
        let (_, bytes) = row.map_err(StorageError::database("read tenants"))?;
        let row: TenantRow = records::decode("tenant", shard, &bytes)?;
        known.set_tenant(&row.state.id.clone(), Some(row.state));
    }
    if let Some(bytes) = database.get(Family::State, &keys::single(shard, keys::state::SYSTEM))? {
        let row: SystemRow = records::decode("system state", shard, &bytes)?;
        known.system = Arc::new(row.state);
    }
    Ok(known)
}
