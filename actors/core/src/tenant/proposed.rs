//! A tenant as it would be with another policy or other settings, before anybody decides to change it.

use super::{TenantState, patch, telling};
use crate::policy::PolicyPatch;
use crate::reply::Refusal;
use crate::settings::SettingsPatch;
use crate::time::Timestamp;

/// The tenant with the patch applied. Nothing is changed.
///
/// # Errors
/// As the change itself would be refused.
pub fn with_policy(
    tenant: &TenantState,
    wish: &PolicyPatch,
    now: Timestamp,
) -> Result<TenantState, Refusal> {
    let mut next = tenant.clone();
    next.policy = patch::policy(&tenant.policy, wish, now)?;
    next.guards = telling::guards(&tenant.guards, &wish.guards)?;
    next.webauthn = patch::webauthn(&tenant.webauthn, &wish.webauthn)?;
    Ok(next)
}

/// The tenant with the patch of its settings applied. Nothing is changed.
///
/// # Errors
/// As the change itself would be refused.
pub fn with_settings(tenant: &TenantState, wish: &SettingsPatch) -> Result<TenantState, Refusal> {
    let settings = patch::settings(&tenant.settings, wish)?;
    Ok(TenantState { settings, ..tenant.clone() })
}
