//! How events change a tenant.

use super::{TenantEvent, TenantState};
use crate::ids::TenantId;
use crate::time::Timestamp;

/// Applies one event that happened at `at`.
pub fn evolve(state: &mut Option<TenantState>, id: &TenantId, event: &TenantEvent, at: Timestamp) {
    if let TenantEvent::Created { name, policy, settings } = event {
        *state = Some(TenantState {
            id: id.clone(),
            name: name.clone(),
            created_at: at,
            policy: policy.as_ref().clone(),
            settings: settings.as_ref().clone(),
            api_keys: Vec::new(),
            removed_at: None,
        });
        return;
    }
    let Some(tenant) = state else { return };
    match event {
        TenantEvent::Created { .. } => {}
        TenantEvent::Removed => {
            tenant.removed_at = Some(at);
            tenant.api_keys.clear();
        }
        TenantEvent::PolicySet(policy) => {
            tenant.policy = policy.as_ref().clone();
            tenant.policy.updated_at = at;
        }
        TenantEvent::SettingsSet(settings) => tenant.settings = settings.as_ref().clone(),
        TenantEvent::ApiKeyAdded(key) => tenant.api_keys.push(key.clone()),
        TenantEvent::ApiKeyRevoked { id } => tenant.api_keys.retain(|key| key.id != *id),
    }
}
