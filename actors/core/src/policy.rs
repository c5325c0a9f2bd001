//! What a tenant demands of its users: when a second factor is asked for, which ones count, and
//! how guessing is slowed down.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::factor::FactorType;
use crate::factor::webauthn::rules::WebAuthnPatch;
use crate::risk::Trigger;
use crate::sending::GuardsPatch;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// When a second factor is asked for. Ordered from the laxest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Requirement {
    /// Never; enrolling is refused as well.
    Disabled,
    /// Of those who enrolled.
    Optional,
    /// When a risk trigger fires.
    RiskBased,
    /// Always; those without a factor must enroll once the grace period is over.
    Required,
}

/// A unit of [`GracePeriod`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GraceUnit {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
}

/// How long a user may go without a factor under [`Requirement::Required`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GracePeriod {
    /// How many units; zero means no grace.
    pub value: u32,
    /// The unit.
    pub unit: GraceUnit,
}

impl GracePeriod {
    /// The period in milliseconds.
    pub fn millis(self) -> i64 {
        let unit = match self.unit {
            GraceUnit::Minutes => MINUTE_MS,
            GraceUnit::Hours => HOUR_MS,
            GraceUnit::Days => DAY_MS,
        };
        i64::from(self.value).saturating_mul(unit)
    }
}

/// Whether and for how long a browser may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedDevicePolicy {
    /// Whether "remember this device" is offered at all.
    pub enabled: bool,
    /// For how many days, 1–365.
    pub duration_days: u32,
}

/// Which signs of risk fire under [`Requirement::RiskBased`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerPolicy {
    /// A browser not seen before.
    pub new_device: bool,
    /// A country not seen before, or impossible travel.
    pub new_location: bool,
    /// A listed network, or an address that keeps failing.
    pub suspicious_ip: bool,
    /// The password changed since the last verification.
    pub after_password_change: bool,
}

impl TriggerPolicy {
    /// Whether `trigger` may fire.
    pub const fn allows(&self, trigger: Trigger) -> bool {
        match trigger {
            Trigger::NewDevice => self.new_device,
            Trigger::NewLocation => self.new_location,
            Trigger::SuspiciousIp => self.suspicious_ip,
            Trigger::PasswordChanged => self.after_password_change,
        }
    }
}

/// How guessing is slowed down (NIST SP 800-63B-4 section 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockoutPolicy {
    /// Wrong codes in a row before the first delay, 1–100.
    pub max_attempts: u32,
    /// The first delay in seconds, 1–86 400.
    pub base_delay_seconds: u32,
    /// The longest delay in seconds, at least the first, at most 604 800.
    pub max_delay_seconds: u32,
    /// Wrong codes in a row after which only an administrator unlocks, 1–1 000 and at least
    /// `max_attempts`.
    pub hard_limit: u32,
}

/// How often codes may be sent to one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendPolicy {
    /// Seconds between two codes.
    pub cooldown_seconds: u32,
    /// Codes in ten minutes.
    pub per_ten_minutes: u32,
    /// Codes in a day.
    pub per_day: u32,
}

/// Replaces the tenant's own rule for the users of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRule {
    /// The group's name, as the users carry it.
    pub group: String,
    /// What it demands.
    pub requirement: Requirement,
    /// What counts; the tenant's own set if absent.
    pub allowed_factors: Option<BTreeSet<FactorType>>,
    /// Since when this rule is REQUIRED; set by the decision, not by the caller.
    pub required_since: Option<Timestamp>,
}

/// A tenant's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What is demanded of a user in no listed group.
    pub requirement: Requirement,
    /// Since when `requirement` is REQUIRED.
    pub required_since: Option<Timestamp>,
    /// What counts as a second factor.
    pub allowed_factors: BTreeSet<FactorType>,
    /// How many recovery codes make a set, 1–20.
    pub recovery_codes_count: u32,
    /// Grace under REQUIRED.
    pub grace_period: GracePeriod,
    /// Trusted devices.
    pub trusted_devices: TrustedDevicePolicy,
    /// Risk triggers.
    pub triggers: TriggerPolicy,
    /// Networks from which every login is suspicious.
    pub suspicious_ip_ranges: Vec<IpNet>,
    /// Rules for groups.
    pub groups: Vec<GroupRule>,
    /// Lockout.
    pub lockout: LockoutPolicy,
    /// Limits on sent codes.
    pub sends: SendPolicy,
    /// Counts the changes, from 1.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Policy {
    /// What a new tenant starts with.
    pub fn initial(now: Timestamp) -> Self {
        Self {
            requirement: Requirement::Optional,
            required_since: None,
            allowed_factors: FactorType::ALL.into_iter().collect(),
            recovery_codes_count: 10,
            grace_period: GracePeriod { value: 0, unit: GraceUnit::Days },
            trusted_devices: TrustedDevicePolicy { enabled: true, duration_days: 30 },
            triggers: TriggerPolicy {
                new_device: true,
                new_location: true,
                suspicious_ip: true,
                after_password_change: true,
            },
            suspicious_ip_ranges: Vec::new(),
            groups: Vec::new(),
            lockout: LockoutPolicy {
                max_attempts: 5,
                base_delay_seconds: 30,
                max_delay_seconds: 3_600,
                hard_limit: 100,
            },
            sends: SendPolicy { cooldown_seconds: 30, per_ten_minutes: 5, per_day: 20 },
            version: 1,
            updated_at: now,
        }
    }

    /// The rule that holds for a user of these groups: the strictest rule that fits any of them
    /// replaces the tenant's own. Between equally strict rules the allowed factors are those that
    /// all of them allow, or, if there is none, those of the first.
    pub fn rule_for(&self, groups: &BTreeSet<String>) -> Rule {
        self.groups
            .iter()
            .filter(|rule| groups.contains(&rule.group))
            .map(|rule| Rule {
                requirement: rule.requirement,
                allowed_factors: rule
                    .allowed_factors
                    .clone()
                    .unwrap_or_else(|| self.allowed_factors.clone()),
                required_since: rule.required_since,
            })
            .reduce(Rule::stricter)
            .unwrap_or_else(|| Rule {
                requirement: self.requirement,
                allowed_factors: self.allowed_factors.clone(),
                required_since: self.required_since,
            })
    }
}

/// What holds for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is demanded.
    pub requirement: Requirement,
    /// What counts.
    pub allowed_factors: BTreeSet<FactorType>,
    /// Since when the rule is REQUIRED.
    pub required_since: Option<Timestamp>,
}

impl Rule {
    /// The stricter of two rules, or what both have in common when they are equally strict.
    fn stricter(self, other: Self) -> Self {
        match self.requirement.cmp(&other.requirement) {
            Ordering::Less => other,
            Ordering::Greater => self,
            Ordering::Equal => {
                let both: BTreeSet<_> =
                    self.allowed_factors.intersection(&other.allowed_factors).copied().collect();
                Self {
                    requirement: self.requirement,
                    allowed_factors: if both.is_empty() { self.allowed_factors } else { both },
                    // The grace of the rule that was REQUIRED first has run furthest.
                    required_since: match (self.required_since, other.required_since) {
                        (Some(one), Some(two)) => Some(one.min(two)),
                        (one, two) => one.or(two),
                    },
                }
            }
        }
    }
}

/// A change of a policy: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPatch {
    /// See [`Policy::requirement`].
    pub requirement: Option<Requirement>,
    /// See [`Policy::allowed_factors`].
    pub allowed_factors: Option<BTreeSet<FactorType>>,
    /// See [`Policy::recovery_codes_count`].
    pub recovery_codes_count: Option<u32>,
    /// [`GracePeriod::value`].
    pub grace_period_value: Option<u32>,
    /// [`GracePeriod::unit`].
    pub grace_period_unit: Option<GraceUnit>,
    /// Whether devices may be trusted.
    pub trusted_devices_enabled: Option<bool>,
    /// For how many days.
    pub trusted_devices_duration_days: Option<u32>,
    /// [`TriggerPolicy::new_device`].
    pub trigger_new_device: Option<bool>,
    /// [`TriggerPolicy::new_location`].
    pub trigger_new_location: Option<bool>,
    /// [`TriggerPolicy::suspicious_ip`].
    pub trigger_suspicious_ip: Option<bool>,
    /// [`TriggerPolicy::after_password_change`].
    pub trigger_after_password_change: Option<bool>,
    /// See [`Policy::suspicious_ip_ranges`].
    pub suspicious_ip_ranges: Option<Vec<IpNet>>,
    /// See [`Policy::groups`]; `required_since` is ignored.
    pub groups: Option<Vec<GroupRule>>,
    /// [`LockoutPolicy::max_attempts`].
    pub lockout_max_attempts: Option<u32>,
    /// [`LockoutPolicy::base_delay_seconds`].
    pub lockout_base_delay_seconds: Option<u32>,
    /// [`LockoutPolicy::max_delay_seconds`].
    pub lockout_max_delay_seconds: Option<u32>,
    /// [`LockoutPolicy::hard_limit`].
    pub lockout_hard_limit: Option<u32>,
    /// [`SendPolicy::cooldown_seconds`].
    pub sends_cooldown_seconds: Option<u32>,
    /// [`SendPolicy::per_ten_minutes`].
    pub sends_per_ten_minutes: Option<u32>,
    /// [`SendPolicy::per_day`].
    pub sends_per_day: Option<u32>,
    /// The version that the caller saw; another one is a conflict.
    pub expected_version: Option<u64>,
    /// The guards over all users.
    pub guards: GuardsPatch,
    /// The demands of security keys and passkeys.
    pub webauthn: WebAuthnPatch,
}
