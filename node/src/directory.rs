//! What the store keeps in memory of tenants and the cluster, behind the port that actors and API
//! know.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_actors::ports::{Directory, KeyGrant};
use countersign_core::alerts::Pressure;
use countersign_core::ids::{KeyId, Pseudonym, TenantId};
use countersign_core::sending::{Lane, Traffic};
use countersign_core::system::SystemState;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;

/// This node's own knowledge, as it applied it.
pub(crate) struct AppliedDirectory(Arc<countersign_storage::Directory>);

impl AppliedDirectory {
    /// Over the store's.
    pub(crate) const fn new(directory: Arc<countersign_storage::Directory>) -> Self {
        Self(directory)
    }
}

impl Directory for AppliedDirectory {
    fn tenant(&self, id: &TenantId) -> Option<Arc<TenantState>> {
        self.0.tenant(id)
    }

    fn tenants(&self) -> Vec<Arc<TenantState>> {
        self.0.tenants()
    }

    fn api_key(&self, hash: &[u8; 32]) -> Option<KeyGrant> {
        let grant = self.0.api_key(hash)?;
        Some(KeyGrant {
            tenant: grant.tenant,
            id: grant.id,
            scopes: grant.scopes,
            root: grant.root,
            expires_at: grant.expires_at,
        })
    }

    fn system(&self) -> Arc<SystemState> {
        self.0.system()
    }

    fn failures_from(&self, tenant: &TenantId, address: IpAddr, now: Timestamp) -> u32 {
        self.0.failures_from(tenant, address, now)
    }

    fn pressure(
        &self,
        _tenant: &TenantId,
        _user: Option<Pseudonym>,
        _address: Option<IpAddr>,
        _key: Option<KeyId>,
        _now: Timestamp,
    ) -> Pressure {
        Pressure::default()
    }

    fn traffic(&self, _tenant: &TenantId, _lane: &Lane, _now: Timestamp) -> Traffic {
        Traffic::default()
    }
}
