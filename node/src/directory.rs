//! What the store keeps in memory of tenants and the cluster, behind the port that actors and API
//! know.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_actors::ports::{Directory, KeyGrant};
use countersign_core::alerts::Pressure;
use countersign_core::ids::{KeyId, Pseudonym, TenantId};
use countersign_core::sending::{Lane, Traffic, Window};
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
        tenant: &TenantId,
        user: Option<Pseudonym>,
        address: Option<IpAddr>,
        key: Option<KeyId>,
        now: Timestamp,
    ) -> Pressure {
        self.0.pressure(tenant, user, address, key, now)
    }

    fn traffic(&self, tenant: &TenantId, lane: &Lane, now: Timestamp) -> Traffic {
        self.0.traffic(tenant, lane, now).unwrap_or_else(|error| {
            // Nobody knows whether a limit is reached: nothing is sent.
            tracing::error!(%error, "the messages sent so far cannot be counted");
            let full = Window { sent_hour: u32::MAX, sent_day: u32::MAX, ..Window::default() };
            Traffic { destination: full, prefix: full, tenant: full }
        })
    }
}
