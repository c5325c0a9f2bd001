//! Tenants, time and randomness that a test sets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::alerts::Pressure;
use countersign_core::entropy::{Entropy, SeededEntropy};
use countersign_core::ids::{KeyId, Pseudonym, TenantId, WebhookId};
use countersign_core::message::Channel;
use countersign_core::policy::Policy;
use countersign_core::sending::{Lane, Traffic};
use countersign_core::settings::Settings;
use countersign_core::system::{SigningKey, SystemState};
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::vault::Sealed;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::carrier::{Carried, Carrier, NotCarried, NotPosted, Parcel, Poster, Posting, Steward};
use crate::ports::{Clock, Directory, EntropySource, KeyGrant};

/// A clock that stands where it was set.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock at `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.millis()))
    }

    /// Sets it, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }

    /// Moves it by `millis` milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that goes as tokio's does, so that a test that pauses tokio moves both.
#[derive(Debug)]
pub struct RunningClock {
    start: Timestamp,
    begun: Instant,
}

impl RunningClock {
    /// A clock that shows `start` now.
    pub fn new(start: Timestamp) -> Self {
        Self { start, begun: Instant::now() }
    }
}

impl Clock for RunningClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.begun.elapsed().as_millis();
        self.start.plus_millis(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }
}

/// Reproducible bytes.
pub struct SeededSource(Mutex<SeededEntropy>);

impl SeededSource {
    /// A stream that depends on `seed` and on the order of calls alone.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(SeededEntropy::new(seed)))
    }
}

impl EntropySource for SeededSource {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer);
    }
}

/// Tenants that a test sets, and a founded cluster with a signing key that signs nothing.
pub struct FixedDirectory {
    tenants: Mutex<BTreeMap<TenantId, Arc<TenantState>>>,
    failures: Mutex<BTreeMap<IpAddr, u32>>,
    pressure: Mutex<Pressure>,
    traffic: Mutex<Traffic>,
    system: Arc<SystemState>,
}

impl FixedDirectory {
    /// The default tenant with its first policy and settings.
    pub fn new() -> Self {
        let signing_key = SigningKey {
            kid: "fixed".to_owned(),
            private: Sealed::from_bytes(Vec::new()),
            public: Vec::new(),
            created_at: Timestamp::EPOCH,
            retired_at: None,
        };
        let system = SystemState {
            cluster_id: "clu_fixed".to_owned(),
            shards: 16,
            founded_at: Timestamp::EPOCH,
            data_keys: Vec::new(),
            signing_keys: vec![signing_key],
            ..SystemState::default()
        };
        let directory = Self {
            tenants: Mutex::default(),
            failures: Mutex::default(),
            pressure: Mutex::default(),
            traffic: Mutex::default(),
            system: Arc::new(system),
        };
        directory.put(TenantState::new(
            TenantId::default_tenant(),
            "Default".to_owned(),
            Timestamp::EPOCH,
            Policy::initial(Timestamp::EPOCH),
            Settings::initial(),
        ));
        directory
    }

    /// Puts a tenant in, or in another's place.
    pub fn put(&self, tenant: TenantState) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.insert(tenant.id.clone(), Arc::new(tenant));
    }

    /// Sets how many verifications failed from an address.
    pub fn set_failures(&self, address: IpAddr, failures: u32) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(address, failures);
    }

    /// Sets what was counted over all users, whoever is asked about.
    pub fn set_pressure(&self, pressure: Pressure) {
        *self.pressure.lock().unwrap_or_else(PoisonError::into_inner) = pressure;
    }

    /// Sets what was counted on a lane, whichever is asked about.
    pub fn set_traffic(&self, traffic: Traffic) {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner) = traffic;
    }
}

impl Default for FixedDirectory {
    fn default() -> Self {
        Self::new()
    }
}

impl Directory for FixedDirectory {
    fn tenant(&self, id: &TenantId) -> Option<Arc<TenantState>> {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.get(id).filter(|tenant| tenant.removed_at.is_none()).cloned()
    }

    fn tenants(&self) -> Vec<Arc<TenantState>> {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.values().filter(|tenant| tenant.removed_at.is_none()).cloned().collect()
    }

    fn api_key(&self, hash: &[u8; 32]) -> Option<KeyGrant> {
        self.tenants().iter().find_map(|tenant| {
            let key = tenant.api_keys.iter().find(|key| key.hash == *hash)?;
            Some(KeyGrant {
                tenant: tenant.id.clone(),
                id: key.id,
                scopes: key.scopes.clone(),
                root: key.root,
                expires_at: key.expires_at,
            })
        })
    }

    fn system(&self) -> Arc<SystemState> {
        Arc::clone(&self.system)
    }

    fn failures_from(&self, _tenant: &TenantId, address: IpAddr, _now: Timestamp) -> u32 {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(&address).copied().unwrap_or(0)
    }

    fn pressure(
        &self,
        _tenant: &TenantId,
        _user: Option<Pseudonym>,
        _address: Option<IpAddr>,
        _key: Option<KeyId>,
        _now: Timestamp,
    ) -> Pressure {
        *self.pressure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn traffic(&self, _tenant: &TenantId, _lane: &Lane, _now: Timestamp) -> Traffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries nothing and posts nothing: no channel can be used.
pub struct Nowhere;

impl Carrier for Nowhere {
    fn carries(&self, _channel: Channel) -> bool {
        false
    }

    fn carry<'a>(&'a self, _parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, NotCarried>> {
        let reason = "not_configured".to_owned();
        std::future::ready(Err(NotCarried::Never { reason })).boxed()
    }
}

impl Poster for Nowhere {
    fn post<'a>(&'a self, _posting: &'a Posting) -> BoxFuture<'a, Result<u16, NotPosted>> {
        let reason = "not_configured".to_owned();
        std::future::ready(Err(NotPosted::Unreachable { reason })).boxed()
    }
}

impl Steward for Nowhere {
    fn disable_webhook(&self, _tenant: TenantId, _webhook: WebhookId) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}
