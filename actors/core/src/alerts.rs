//! When something is odd enough to be told: thresholds that a tenant sets, and the counts over many
//! users that a decision is given.
//!
//! An alert is an audit entry of a type `mfa.alert.…`, so it reaches the webhooks as well, with a
//! detail `summary` that a person can read.

use serde::{Deserialize, Serialize};

/// A right code that was spent before, from elsewhere: somebody may be relaying.
pub const POSSIBLE_RELAY: &str = "mfa.alert.possible_relay";
/// Many wrong codes in a row for one user.
pub const BRUTE_FORCE: &str = "mfa.alert.brute_force";
/// Wrong codes for many users from one address.
pub const ADDRESS_FAILURES: &str = "mfa.alert.address_failures";
/// More messages than a limit allows, or far more sent than used.
pub const SEND_FLOOD: &str = "mfa.alert.send_flood";
/// Many recovery codes of one user used within a day.
pub const RECOVERY_CODES: &str = "mfa.alert.recovery_codes";
/// Many users reset with one API key.
pub const RESET_BURST: &str = "mfa.alert.reset_burst";
/// A login that raised signs of risk was answered by a fresh enrollment.
pub const RISKY_ENROLLMENT: &str = "mfa.alert.risky_enrollment";
/// A signature counter that went back.
pub const COUNTER_LOWERED: &str = "mfa.alert.counter_lowered";

/// Every alert.
pub const ALL: [&str; 8] = [
    POSSIBLE_RELAY,
    BRUTE_FORCE,
    ADDRESS_FAILURES,
    SEND_FLOOD,
    RECOVERY_CODES,
    RESET_BURST,
    RISKY_ENROLLMENT,
    COUNTER_LOWERED,
];

/// What every alert's type begins with.
pub const PREFIX: &str = "mfa.alert.";

/// For how long an alert about the same thing is not repeated: an hour.
pub const REPEATED_AFTER_MS: i64 = crate::time::HOUR_MS;

/// A tenant's thresholds. Zero switches an alert off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSettings {
    /// Wrong codes of one user in a row, 0–1 000. The hard limit of the lockout is always told.
    pub brute_force_attempts: u32,
    /// Users for whom one address gave wrong codes within ten minutes, 0–1 000.
    pub address_users: u32,
    /// Recovery codes of one user that were used within a day, 0–20.
    pub recovery_codes_per_day: u32,
    /// Users reset with one API key within an hour, 0–10 000.
    pub resets_per_hour: u32,
    /// Whether limits on messages that are reached are told.
    pub send_floods: bool,
    /// Whether spent codes that come again from elsewhere are told.
    pub relays: bool,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            brute_force_attempts: 10,
            address_users: 10,
            recovery_codes_per_day: 3,
            resets_per_hour: 20,
            send_floods: true,
            relays: true,
        }
    }
}

/// A change of thresholds: what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsPatch {
    /// See [`AlertSettings::brute_force_attempts`].
    pub brute_force_attempts: Option<u32>,
    /// See [`AlertSettings::address_users`].
    pub address_users: Option<u32>,
    /// See [`AlertSettings::recovery_codes_per_day`].
    pub recovery_codes_per_day: Option<u32>,
    /// See [`AlertSettings::resets_per_hour`].
    pub resets_per_hour: Option<u32>,
    /// See [`AlertSettings::send_floods`].
    pub send_floods: Option<bool>,
    /// See [`AlertSettings::relays`].
    pub relays: Option<bool>,
}

/// What this node has counted over all of a tenant's users, from what it applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Other users than the one at hand for whom the address gave wrong codes within ten minutes.
    pub other_users_failing: u32,
    /// Whether [`ADDRESS_FAILURES`] was raised for the address within [`REPEATED_AFTER_MS`].
    pub address_told: bool,
    /// Resets with the asking key within an hour.
    pub resets: u32,
    /// Whether [`RESET_BURST`] was raised for the key within [`REPEATED_AFTER_MS`].
    pub resets_told: bool,
}
