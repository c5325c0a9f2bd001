//! How events change a tenant.

use super::{TenantEvent, TenantState};
use crate::ids::TenantId;
use crate::time::Timestamp;

/// Applies one event that happened at `at`.
pub fn evolve(state: &mut Option<TenantState>, id: &TenantId, event: &TenantEvent, at: Timestamp) {
    if let TenantEvent::Created { name, policy, settings } = event {
        let (policy, settings) = (policy.as_ref().clone(), settings.as_ref().clone());
        *state = Some(TenantState::new(id.clone(), name.clone(), at, policy, settings));
        return;
    }
    let Some(tenant) = state else { return };
    match event {
        TenantEvent::Created { .. } => {}
        TenantEvent::Removed => {
            tenant.removed_at = Some(at);
            tenant.api_keys.clear();
            tenant.webhooks.clear();
        }
        TenantEvent::PolicySet(policy) => {
            tenant.policy = policy.as_ref().clone();
            tenant.policy.updated_at = at;
        }
        TenantEvent::SettingsSet(settings) => tenant.settings = settings.as_ref().clone(),
        TenantEvent::ApiKeyAdded(key) => tenant.api_keys.push(key.clone()),
        TenantEvent::ApiKeyRevoked { id } => tenant.api_keys.retain(|key| key.id != *id),
        TenantEvent::GuardsSet(guards) => tenant.guards = guards.as_ref().clone(),
        TenantEvent::AlertsSet(alerts) => tenant.alerts = *alerts,
        TenantEvent::TemplatesSet(templates) => tenant.templates = templates.as_ref().clone(),
        TenantEvent::WebhookSet(webhook) => {
            match tenant.webhooks.iter_mut().find(|one| one.id == webhook.id) {
                Some(one) => *one = webhook.as_ref().clone(),
                None => tenant.webhooks.push(webhook.as_ref().clone()),
            }
        }
        TenantEvent::WebAuthnRulesSet(rules) => tenant.webauthn = rules.clone(),
        TenantEvent::WebhookRemoved { id } => tenant.webhooks.retain(|one| one.id != *id),
    }
}
