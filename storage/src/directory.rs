//! Tenants, API keys and what is counted over many users, as this node applied them, for questions
//! that every request asks. All of it is in memory but the messages by where they go: those are
//! asked for only where one is about to be sent.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use countersign_core::alerts::Pressure;
use countersign_core::ids::{KeyId, Pseudonym, ShardId, TenantId};
use countersign_core::sending::{Lane, Traffic, TrafficCounts};
use countersign_core::system::SystemState;
use countersign_core::tenant::{Scope, TenantState};
use countersign_core::time::Timestamp;
use tokio::sync::watch;

use crate::audit;
use crate::database::{Database, Family};
use crate::error::StorageError;
use crate::keys;
use crate::pressure::{self, Pressures, Sign};
use crate::records::{self, ShardHead, SystemRow, TenantRow};

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
    pressures: Pressures,
    /// Not kept open by whoever holds the directory alone.
    database: Weak<Database>,
    shards: RwLock<BTreeSet<ShardId>>,
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
    /// Reads it from the applied rows: shard 0, and the audit rows of the last hour of all.
    pub(crate) fn load(
        database: &Arc<Database>,
        shards: impl IntoIterator<Item = ShardId>,
    ) -> Result<Self, StorageError> {
        let directory = Self {
            known: RwLock::new(read_known(database)?),
            pressures: Pressures::default(),
            database: Arc::downgrade(database),
            shards: RwLock::default(),
            changes: watch::Sender::new(0),
        };
        for shard in shards {
            directory.has_shard(shard);
            directory.load_signs(database, shard)?;
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

    /// Forgets what a shard's audit log held of the last hour.
    pub(crate) fn forget_signs(&self, shard: ShardId) {
        self.pressures.forget(shard);
    }

    /// Counts anew what a shard's audit log holds of the last hour.
    pub(crate) fn load_signs(
        &self,
        database: &Database,
        shard: ShardId,
    ) -> Result<(), StorageError> {
        self.pressures.forget(shard);
        let head = database.get(Family::State, &keys::single(shard, keys::state::HEAD))?;
        let head = head.map(|bytes| records::decode::<ShardHead>("head", shard, &bytes));
        let ahead_ms = head.transpose()?.map_or(0, |head| head.ahead_ms);
        for sign in audit::recent_signs(database, shard, pressure::WINDOW_MS, ahead_ms)? {
            self.pressures.note(shard, sign);
        }
        Ok(())
    }

    /// Learns that there is a shard.
    pub(crate) fn has_shard(&self, shard: ShardId) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).insert(shard);
    }

    pub(crate) fn set_tenant(&self, id: &TenantId, state: Option<TenantState>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).set_tenant(id, state);
        self.changed();
    }

    pub(crate) fn set_system(&self, state: SystemState) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).system = Arc::new(state);
        self.changed();
    }

    pub(crate) fn note(&self, shard: ShardId, sign: Sign) {
        self.pressures.note(shard, sign);
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
        self.pressures.failures(tenant, address, now)
    }

    /// What else was counted over all users of the tenant from what this node applied: about the
    /// address, leaving out the user at hand (by the pseudonym in the user's own row), and about the
    /// asking key.
    pub fn pressure(
        &self,
        tenant: &TenantId,
        user: Option<Pseudonym>,
        address: Option<IpAddr>,
        key: Option<KeyId>,
        now: Timestamp,
    ) -> Pressure {
        let user = user.map(audit::public_pseudonym);
        self.pressures.about(tenant, user, address, key, now)
    }

    /// The messages that were made on a lane, over all shards as this node applied them.
    ///
    /// # Errors
    /// If the rows cannot be read: then nobody knows whether a limit is reached.
    pub fn traffic(
        &self,
        tenant: &TenantId,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Traffic, StorageError> {
        let database = self.database.upgrade().ok_or(StorageError::Closed)?;
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut traffic = Traffic::default();
        for shard in shards {
            for key in lane.keys() {
                let row_key = keys::outbox::traffic(shard, tenant, &key);
                if let Some(bytes) = database.get(Family::Outbox, &row_key)? {
                    let counts: TrafficCounts = records::decode("traffic", shard, &bytes)?;
                    counts.add_to(traffic.window_mut(&key), now);
                }
            }
        }
        Ok(traffic)
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
