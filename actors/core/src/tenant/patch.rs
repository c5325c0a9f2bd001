//! How a policy and settings are changed: what is absent stays, and the whole must make sense.

use std::collections::BTreeSet;

use crate::factor::webauthn::rules::{ALLOWED_AAGUIDS_MAX, WebAuthnPatch, WebAuthnRules};
use crate::policy::{GroupRule, Policy, PolicyPatch, Requirement};
use crate::reply::Refusal;
use crate::settings::{Settings, SettingsPatch};
use crate::time::Timestamp;

/// Rules for groups that a policy has at most.
const GROUP_RULES_MAX: usize = 100;
/// Networks that a policy lists at most.
const IP_RANGES_MAX: usize = 1_000;
/// Origins that settings list at most.
const ORIGINS_MAX: usize = 50;
/// The longest grace period: a year, in milliseconds.
const GRACE_MAX_MS: i64 = 365 * crate::time::DAY_MS;

/// Refuses a field.
pub(super) fn invalid(pointer: &str, detail: impl Into<String>) -> Refusal {
    Refusal::Invalid { pointer: pointer.to_owned(), detail: detail.into() }
}

/// Sets what the patch has.
pub(super) fn set<T: Clone>(target: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        target.clone_from(value);
    }
}

/// The policy with the patch applied.
///
/// # Errors
/// If the caller saw another version, or the outcome would make no sense.
pub(super) fn policy(
    current: &Policy,
    patch: &PolicyPatch,
    now: Timestamp,
) -> Result<Policy, Refusal> {
    if patch.expected_version.is_some_and(|seen| seen != current.version) {
        let what = format!("the policy has version {}, not the one given", current.version);
        return Err(Refusal::Conflict(what));
    }
    let mut next = current.clone();
    set(&mut next.requirement, &patch.requirement);
    set(&mut next.allowed_factors, &patch.allowed_factors);
    set(&mut next.recovery_codes_count, &patch.recovery_codes_count);
    set(&mut next.grace_period.value, &patch.grace_period_value);
    set(&mut next.grace_period.unit, &patch.grace_period_unit);
    set(&mut next.trusted_devices.enabled, &patch.trusted_devices_enabled);
    set(&mut next.trusted_devices.duration_days, &patch.trusted_devices_duration_days);
    set(&mut next.triggers.new_device, &patch.trigger_new_device);
    set(&mut next.triggers.new_location, &patch.trigger_new_location);
    set(&mut next.triggers.suspicious_ip, &patch.trigger_suspicious_ip);
    set(&mut next.triggers.after_password_change, &patch.trigger_after_password_change);
    set(&mut next.suspicious_ip_ranges, &patch.suspicious_ip_ranges);
    set(&mut next.lockout.max_attempts, &patch.lockout_max_attempts);
    set(&mut next.lockout.base_delay_seconds, &patch.lockout_base_delay_seconds);
    set(&mut next.lockout.max_delay_seconds, &patch.lockout_max_delay_seconds);
    set(&mut next.lockout.hard_limit, &patch.lockout_hard_limit);
    set(&mut next.sends.cooldown_seconds, &patch.sends_cooldown_seconds);
    set(&mut next.sends.per_ten_minutes, &patch.sends_per_ten_minutes);
    set(&mut next.sends.per_day, &patch.sends_per_day);
    next.required_since = required_since(next.requirement, current.required_since, now);
    if let Some(groups) = &patch.groups {
        next.groups = groups.iter().map(|rule| dated(rule, &current.groups, now)).collect();
    }
    next.version = current.version.saturating_add(1);
    next.updated_at = now;
    check_policy(&next)?;
    Ok(next)
}

/// The rules for security keys and passkeys with the patch applied.
///
/// # Errors
/// If the outcome would make no sense.
pub(super) fn webauthn(
    current: &WebAuthnRules,
    patch: &WebAuthnPatch,
) -> Result<WebAuthnRules, Refusal> {
    let mut next = current.clone();
    set(&mut next.user_verification, &patch.user_verification);
    set(&mut next.allowed_aaguids, &patch.allowed_aaguids);
    set(&mut next.synced_passkeys, &patch.synced_passkeys);
    if next.allowed_aaguids.len() > ALLOWED_AAGUIDS_MAX {
        let detail = format!("must list at most {ALLOWED_AAGUIDS_MAX} models");
        return Err(invalid("/webauthn/allowedAaguids", detail));
    }
    Ok(next)
}

/// A rule that stays REQUIRED keeps its date, so that a patch of something else does not start
/// everybody's grace anew.
fn required_since(
    requirement: Requirement,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    (requirement == Requirement::Required).then(|| before.unwrap_or(now))
}

fn dated(rule: &GroupRule, before: &[GroupRule], now: Timestamp) -> GroupRule {
    let earlier = before.iter().find(|other| other.group == rule.group);
    let since = earlier.and_then(|other| other.required_since);
    GroupRule { required_since: required_since(rule.requirement, since, now), ..rule.clone() }
}

/// Refuses a number outside its bounds.
pub(super) fn check_range(pointer: &str, value: u32, low: u32, high: u32) -> Result<(), Refusal> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(invalid(pointer, format!("must be from {low} to {high}, not {value}")))
}

fn check_policy(policy: &Policy) -> Result<(), Refusal> {
    if policy.allowed_factors.is_empty() {
        return Err(invalid("/allowedFactors", "must name at least one factor type"));
    }
    check_range("/recoveryCodesCount", policy.recovery_codes_count, 1, 20)?;
    if policy.grace_period.millis() > GRACE_MAX_MS {
        return Err(invalid("/gracePeriod/value", "must be at most 365 days"));
    }
    let days = policy.trusted_devices.duration_days;
    check_range("/trustedDevices/durationDays", days, 1, 365)?;
    if policy.suspicious_ip_ranges.len() > IP_RANGES_MAX {
        let detail = format!("must list at most {IP_RANGES_MAX} ranges");
        return Err(invalid("/suspiciousIpRanges", detail));
    }
    check_groups(policy)?;
    let lockout = &policy.lockout;
    check_range("/lockout/maxAttempts", lockout.max_attempts, 1, 100)?;
    check_range("/lockout/baseDelaySeconds", lockout.base_delay_seconds, 1, 86_400)?;
    let longest = lockout.max_delay_seconds;
    check_range("/lockout/maxDelaySeconds", longest, lockout.base_delay_seconds, 604_800)?;
    check_range("/lockout/hardLimit", lockout.hard_limit, lockout.max_attempts, 1_000)?;
    check_range("/sends/cooldownSeconds", policy.sends.cooldown_seconds, 0, 3_600)?;
    check_range("/sends/perTenMinutes", policy.sends.per_ten_minutes, 1, 100)?;
    check_range("/sends/perDay", policy.sends.per_day, 1, 1_000)
}

fn check_groups(policy: &Policy) -> Result<(), Refusal> {
    if policy.groups.len() > GROUP_RULES_MAX {
        return Err(invalid("/groups", format!("must list at most {GROUP_RULES_MAX} rules")));
    }
    let mut names = BTreeSet::new();
    for (index, rule) in policy.groups.iter().enumerate() {
        if !names.insert(&rule.group) {
            let detail = format!("the group {:?} has two rules", rule.group);
            return Err(invalid(&format!("/groups/{index}/group"), detail));
        }
        if rule.allowed_factors.as_ref().is_some_and(BTreeSet::is_empty) {
            let pointer = format!("/groups/{index}/allowedFactors");
            return Err(invalid(&pointer, "must name at least one factor type"));
        }
    }
    Ok(())
}

/// The settings with the patch applied.
///
/// # Errors
/// If the outcome would make no sense.
pub(super) fn settings(current: &Settings, patch: &SettingsPatch) -> Result<Settings, Refusal> {
    let mut next = current.clone();
    set(&mut next.issuer, &patch.issuer);
    set(&mut next.rp_id, &patch.rp_id);
    set(&mut next.rp_name, &patch.rp_name);
    set(&mut next.origins, &patch.origins);
    set(&mut next.token_ttl_seconds, &patch.token_ttl_seconds);
    set(&mut next.token_audience, &patch.token_audience);
    set(&mut next.token_type, &patch.token_type);
    for (pointer, text) in [
        ("/issuer", &next.issuer),
        ("/rpId", &next.rp_id),
        ("/rpName", &next.rp_name),
        ("/tokenAudience", &next.token_audience),
    ] {
        if text.trim().is_empty() {
            return Err(invalid(pointer, "must not be empty"));
        }
    }
    if next.issuer.contains(':') {
        return Err(invalid("/issuer", "must not contain a colon: apps split the label there"));
    }
    if next.origins.is_empty() || next.origins.len() > ORIGINS_MAX {
        let detail = format!("must list from 1 to {ORIGINS_MAX} origins");
        return Err(invalid("/origins", detail));
    }
    check_range("/tokenTtlSeconds", next.token_ttl_seconds, 60, 86_400)?;
    Ok(next)
}
