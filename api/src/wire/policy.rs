//! The policy: what a tenant demands of its users.

use std::collections::BTreeSet;
use std::net::IpAddr;

use countersign_core::factor::webauthn::rules::WebAuthnRules;
use countersign_core::policy as core;
use countersign_core::sending::SendGuards;
use countersign_core::tenant::TenantCommand;
use countersign_core::time::DAY_MS;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sends::{SendsPolicy, UpdateSends};
use super::webauthn::{UpdateWebAuthnPolicy, WebAuthnPolicy};
use super::{FactorType, GraceUnit, Requirement, Time, present};
use crate::problem::Problem;
use crate::request::Fields;

/// The longest grace period.
const GRACE_MAX_MS: i64 = 365 * DAY_MS;
/// The most networks that a policy lists.
const RANGES_MAX: usize = 1_000;
/// The most groups that a policy has rules for.
const GROUPS_MAX: usize = 100;

/// A tenant's policy.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Policy)]
pub(crate) struct PolicyBody {
    /// What is demanded of a user in no listed group.
    requirement: Requirement,
    /// What counts as a second factor.
    allowed_factors: Vec<FactorType>,
    /// How many recovery codes make a set.
    #[schema(example = 10)]
    recovery_codes_count: u32,
    /// How long a user may go without a factor under REQUIRED.
    grace_period: GracePeriod,
    /// Whether and for how long browsers may be trusted.
    trusted_devices: TrustedDevicesPolicy,
    /// Which signs of risk fire under RISK_BASED.
    triggers: TriggersPolicy,
    /// Networks from which every login is suspicious.
    #[schema(value_type = Vec<String>, example = json!(["198.51.100.0/24"]))]
    suspicious_ip_ranges: Vec<IpNet>,
    /// Rules that replace the tenant's own for users of a group; the strictest that fits wins.
    groups: Vec<GroupRule>,
    /// How guessing is slowed down.
    lockout: LockoutPolicy,
    /// How often codes may be sent.
    sends: SendsPolicy,
    /// What is demanded of security keys and passkeys.
    webauthn: WebAuthnPolicy,
    /// Counts the changes; send it with a PATCH to change only what you saw.
    #[schema(example = 3)]
    version: u64,
    /// The last change.
    updated_at: Time,
}

/// A length of time.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GracePeriod {
    /// How many units; 0 for none, at most a year.
    #[schema(minimum = 0, example = 7)]
    value: u32,
    /// The unit.
    unit: GraceUnit,
}

/// Trusting browsers.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrustedDevicesPolicy {
    /// Whether it is offered at all.
    enabled: bool,
    /// For how many days.
    #[schema(example = 30)]
    duration_days: u32,
}

/// Signs of risk.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriggersPolicy {
    /// A browser not seen before.
    new_device: bool,
    /// A country not seen before, or impossible travel.
    new_location: bool,
    /// A listed network, or an address that keeps failing.
    suspicious_ip: bool,
    /// The password changed since the last verification.
    after_password_change: bool,
}

/// Slowing down guesses.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockoutPolicy {
    /// Wrong codes in a row before the first delay.
    #[schema(example = 5)]
    max_attempts: u32,
    /// The first delay in seconds.
    #[schema(example = 30)]
    base_delay_seconds: u32,
    /// The longest delay in seconds.
    #[schema(example = 3600)]
    max_delay_seconds: u32,
    /// Wrong codes in a row after which only an administrator unlocks.
    #[schema(example = 100)]
    hard_limit: u32,
}

/// A rule for the users of a group.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GroupRule {
    /// The group's name, as the users carry it.
    #[schema(min_length = 1, max_length = 64, example = "admins")]
    group: String,
    /// What it demands.
    requirement: Requirement,
    /// What counts; the tenant's own if left out or null.
    #[schema(example = json!(["TOTP"]))]
    allowed_factors: Option<Vec<FactorType>>,
}

impl PolicyBody {
    /// A policy, its tenant's guards on messages and its demands of keys.
    pub(crate) fn of(policy: &core::Policy, guards: &SendGuards, webauthn: &WebAuthnRules) -> Self {
        let (trusted, triggers) = (policy.trusted_devices, policy.triggers);
        let lockout = policy.lockout;
        Self {
            requirement: policy.requirement.into(),
            allowed_factors: policy.allowed_factors.iter().map(|kind| (*kind).into()).collect(),
            recovery_codes_count: policy.recovery_codes_count,
            grace_period: GracePeriod {
                value: policy.grace_period.value,
                unit: policy.grace_period.unit.into(),
            },
            trusted_devices: TrustedDevicesPolicy {
                enabled: trusted.enabled,
                duration_days: trusted.duration_days,
            },
            triggers: TriggersPolicy {
                new_device: triggers.new_device,
                new_location: triggers.new_location,
                suspicious_ip: triggers.suspicious_ip,
                after_password_change: triggers.after_password_change,
            },
            suspicious_ip_ranges: policy.suspicious_ip_ranges.clone(),
            groups: policy.groups.iter().map(GroupRule::from).collect(),
            lockout: LockoutPolicy {
                max_attempts: lockout.max_attempts,
                base_delay_seconds: lockout.base_delay_seconds,
                max_delay_seconds: lockout.max_delay_seconds,
                hard_limit: lockout.hard_limit,
            },
            sends: SendsPolicy::of(policy.sends, guards),
            webauthn: webauthn.into(),
            version: policy.version,
            updated_at: policy.updated_at.into(),
        }
    }
}

impl From<&core::GroupRule> for GroupRule {
    fn from(rule: &core::GroupRule) -> Self {
        let allowed = rule.allowed_factors.as_ref();
        Self {
            group: rule.group.clone(),
            requirement: rule.requirement.into(),
            allowed_factors: allowed.map(|set| set.iter().map(|kind| (*kind).into()).collect()),
        }
    }
}

/// A change of the policy (RFC 7396): what is left out stays, lists are replaced whole.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdatePolicy {
    /// What is demanded of a user in no listed group.
    #[serde(default, deserialize_with = "present")]
    requirement: Option<Requirement>,
    /// What counts as a second factor; at least one.
    #[serde(default, deserialize_with = "present")]
    allowed_factors: Option<Vec<FactorType>>,
    /// How many recovery codes make a set.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 20)]
    recovery_codes_count: Option<u32>,
    /// How long a user may go without a factor under REQUIRED.
    #[serde(default, deserialize_with = "present")]
    grace_period: Option<UpdateGracePeriod>,
    /// Whether and for how long browsers may be trusted.
    #[serde(default, deserialize_with = "present")]
    trusted_devices: Option<UpdateTrustedDevices>,
    /// Which signs of risk fire under RISK_BASED.
    #[serde(default, deserialize_with = "present")]
    triggers: Option<UpdateTriggers>,
    /// Networks, or single addresses, from which every login is suspicious.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_items = 1000, example = json!(["198.51.100.0/24"]))]
    suspicious_ip_ranges: Option<Vec<String>>,
    /// Rules for groups.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_items = 100)]
    groups: Option<Vec<GroupRule>>,
    /// How guessing is slowed down.
    #[serde(default, deserialize_with = "present")]
    lockout: Option<UpdateLockout>,
    /// How often codes may be sent to one user.
    #[serde(default, deserialize_with = "present")]
    sends: Option<UpdateSends>,
    /// What is demanded of security keys and passkeys.
    #[serde(default, deserialize_with = "present")]
    webauthn: Option<UpdateWebAuthnPolicy>,
    /// The version that you saw; 409 `conflict` if it is not the current one.
    #[serde(default, deserialize_with = "present")]
    version: Option<u64>,
}

/// A change of how browsers are trusted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateTrustedDevices {
    /// Whether it is offered at all.
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
    /// For how many days.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 365)]
    duration_days: Option<u32>,
}

/// A change of which signs of risk fire.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateTriggers {
    /// A browser not seen before.
    #[serde(default, deserialize_with = "present")]
    new_device: Option<bool>,
    /// A country not seen before, or impossible travel.
    #[serde(default, deserialize_with = "present")]
    new_location: Option<bool>,
    /// A listed network, or an address that keeps failing.
    #[serde(default, deserialize_with = "present")]
    suspicious_ip: Option<bool>,
    /// The password changed since the last verification.
    #[serde(default, deserialize_with = "present")]
    after_password_change: Option<bool>,
}

/// A change of the grace period.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateGracePeriod {
    /// How many units; 0 for none, at most a year.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, example = 7)]
    value: Option<u32>,
    /// The unit.
    #[serde(default, deserialize_with = "present")]
    unit: Option<GraceUnit>,
}

/// A change of how guessing is slowed down.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateLockout {
    /// Wrong codes in a row before the first delay.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 100)]
    max_attempts: Option<u32>,
    /// The first delay in seconds.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 86400)]
    base_delay_seconds: Option<u32>,
    /// The longest delay in seconds, at least the first.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 604800)]
    max_delay_seconds: Option<u32>,
    /// Wrong codes in a row after which only an administrator unlocks; at least `maxAttempts`.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 1000)]
    hard_limit: Option<u32>,
}

impl UpdateGracePeriod {
    /// The unit. What is judged here is the whole, if both members are sent.
    fn read(self, fields: &mut Fields) -> Option<core::GraceUnit> {
        let unit = self.unit.map(core::GraceUnit::from);
        let whole = self.value.zip(unit).map(|(value, unit)| core::GracePeriod { value, unit });
        let fits = whole.is_none_or(|period| period.millis() <= GRACE_MAX_MS);
        fields.demand(fits, "/gracePeriod/value", "must be at most 365 days");
        unit
    }
}

impl UpdatePolicy {
    /// The command.
    pub(crate) fn command(self) -> Result<TenantCommand, Problem> {
        self.patch().map(|patch| TenantCommand::PatchPolicy(Box::new(patch)))
    }

    /// The change. Bounds between a value that is sent and one that stays are the core's affair.
    pub(crate) fn patch(self) -> Result<core::PolicyPatch, Problem> {
        let mut fields = Fields::new();
        let f = &mut fields;
        let grace = self.grace_period.unwrap_or_default();
        let trusted = self.trusted_devices.unwrap_or_default();
        let triggers = self.triggers.unwrap_or_default();
        let lockout = self.lockout.unwrap_or_default();
        let sends = self.sends.unwrap_or_default();
        let mut patch = core::PolicyPatch {
            requirement: self.requirement.map(Into::into),
            allowed_factors: self.allowed_factors.map(|kinds| allowed(f, "/allowedFactors", kinds)),
            recovery_codes_count: f.number(
                "/recoveryCodesCount",
                self.recovery_codes_count,
                1..=20,
            ),
            grace_period_value: grace.value,
            grace_period_unit: grace.read(f),
            trusted_devices_enabled: trusted.enabled,
            trusted_devices_duration_days: f.number(
                "/trustedDevices/durationDays",
                trusted.duration_days,
                1..=365,
            ),
            trigger_new_device: triggers.new_device,
            trigger_new_location: triggers.new_location,
            trigger_suspicious_ip: triggers.suspicious_ip,
            trigger_after_password_change: triggers.after_password_change,
            suspicious_ip_ranges: self.suspicious_ip_ranges.map(|ranges| networks(f, &ranges)),
            groups: self.groups.map(|rules| group_rules(f, rules)),
            lockout_max_attempts: f.number("/lockout/maxAttempts", lockout.max_attempts, 1..=100),
            lockout_base_delay_seconds: f.number(
                "/lockout/baseDelaySeconds",
                lockout.base_delay_seconds,
                1..=86_400,
            ),
            lockout_max_delay_seconds: f.number(
                "/lockout/maxDelaySeconds",
                lockout.max_delay_seconds,
                1..=604_800,
            ),
            lockout_hard_limit: f.number("/lockout/hardLimit", lockout.hard_limit, 1..=1_000),
            expected_version: self.version,
            webauthn: self.webauthn.unwrap_or_default().read(f),
            ..core::PolicyPatch::default()
        };
        sends.read(f, &mut patch);
        fields.finish(patch)
    }
}

fn allowed(
    fields: &mut Fields,
    pointer: &str,
    kinds: Vec<FactorType>,
) -> BTreeSet<countersign_core::factor::FactorType> {
    fields.demand(!kinds.is_empty(), pointer, "must name at least one");
    kinds.into_iter().map(Into::into).collect()
}

/// Networks in CIDR notation, or single addresses.
fn networks(fields: &mut Fields, texts: &[String]) -> Vec<IpNet> {
    let pointer = "/suspiciousIpRanges";
    fields.demand(texts.len() <= RANGES_MAX, pointer, "must have at most 1000 entries");
    let mut networks = Vec::with_capacity(texts.len().min(RANGES_MAX));
    for (index, text) in texts.iter().enumerate() {
        match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => fields.refuse(
                &format!("{pointer}/{index}"),
                "must be a network such as 198.51.100.0/24, or an address",
            ),
        }
    }
    networks
}

fn group_rules(fields: &mut Fields, rules: Vec<GroupRule>) -> Vec<core::GroupRule> {
    fields.demand(rules.len() <= GROUPS_MAX, "/groups", "must have at most 100 entries");
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(rules.len().min(GROUPS_MAX));
    for (index, rule) in rules.into_iter().enumerate() {
        let at = |name: &str| format!("/groups/{index}/{name}");
        let group = fields.line(&at("group"), rule.group, 1..=64);
        fields.demand(seen.insert(group.clone()), &at("group"), "has a rule already");
        read.push(core::GroupRule {
            group,
            requirement: rule.requirement.into(),
            allowed_factors: rule
                .allowed_factors
                .map(|kinds| allowed(fields, &at("allowedFactors"), kinds)),
            required_since: None,
        });
    }
    read
}
