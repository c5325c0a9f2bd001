//! Limits on messages, within the policy.

use std::collections::BTreeSet;

use countersign_core::phone::{is_calling_code, is_country};
use countersign_core::policy::{PolicyPatch, SendPolicy};
use countersign_core::sending::{GuardsPatch, SendGuards};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::present;
use crate::request::Fields;

/// Limits on sent codes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SendsPolicy {
    /// Seconds between two codes of one factor.
    #[schema(example = 30)]
    cooldown_seconds: u32,
    /// Codes of one user in ten minutes.
    #[schema(example = 5)]
    per_ten_minutes: u32,
    /// Codes of one user in a day.
    #[schema(example = 20)]
    per_day: u32,
    /// Codes to one number or address in a day, over all users.
    #[schema(example = 20)]
    per_destination_per_day: u32,
    /// Text messages to one prefix (country and operator) in an hour.
    #[schema(example = 300)]
    per_prefix_per_hour: u32,
    /// Messages of the tenant in a day, text messages and emails each.
    #[schema(example = 10000)]
    per_tenant_per_day: u32,
    /// Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all. A calling code (`+44`)
    /// stands for all countries that have it: `GB` alone leaves out `GG`, `IM` and `JE`.
    #[schema(example = json!(["US", "CA"]))]
    allowed_countries: Vec<String>,
    /// Countries or calling codes that none go to, even if they are allowed.
    #[schema(example = json!([]))]
    blocked_countries: Vec<String>,
    /// When sending to a prefix stops because hardly any code that is sent there is used.
    conversion: ConversionPolicy,
}

/// Stops sending to a prefix where hardly any code is used.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversionPolicy {
    /// Whether it does.
    enabled: bool,
    /// Messages of the last hour, those of the last ten minutes left out, before it judges.
    #[schema(example = 30)]
    min_sends: u32,
    /// The least part of them, in percent, that must have led to a verification.
    #[schema(example = 20)]
    min_percent: u32,
}

impl SendsPolicy {
    /// The limits of one user and those over all.
    pub(crate) fn of(sends: SendPolicy, guards: &SendGuards) -> Self {
        Self {
            cooldown_seconds: sends.cooldown_seconds,
            per_ten_minutes: sends.per_ten_minutes,
            per_day: sends.per_day,
            per_destination_per_day: guards.per_destination_per_day,
            per_prefix_per_hour: guards.per_prefix_per_hour,
            per_tenant_per_day: guards.per_tenant_per_day,
            allowed_countries: guards.allowed_countries.iter().cloned().collect(),
            blocked_countries: guards.blocked_countries.iter().cloned().collect(),
            conversion: ConversionPolicy {
                enabled: guards.conversion.enabled,
                min_sends: guards.conversion.min_sends,
                min_percent: guards.conversion.min_percent,
            },
        }
    }
}

/// A change of the limits on sent codes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateSends {
    /// Seconds between two codes of one factor.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 3600)]
    cooldown_seconds: Option<u32>,
    /// Codes of one user in ten minutes.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 100)]
    per_ten_minutes: Option<u32>,
    /// Codes of one user in a day.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 1000)]
    per_day: Option<u32>,
    /// Codes to one number or address in a day, over all users.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 10000)]
    per_destination_per_day: Option<u32>,
    /// Text messages to one prefix in an hour.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 1000000)]
    per_prefix_per_hour: Option<u32>,
    /// Messages of the tenant in a day, text messages and emails each.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 100000000)]
    per_tenant_per_day: Option<u32>,
    /// Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all. A calling code (`+44`)
    /// stands for all countries that have it: `GB` alone leaves out `GG`, `IM` and `JE`.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_items = 300, example = json!(["US", "CA"]))]
    allowed_countries: Option<Vec<String>>,
    /// Countries or calling codes that none go to.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_items = 300, example = json!([]))]
    blocked_countries: Option<Vec<String>>,
    /// When sending to a prefix stops.
    #[serde(default, deserialize_with = "present")]
    conversion: Option<UpdateConversion>,
}

/// A change of when sending to a prefix stops.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateConversion {
    /// Whether it does.
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
    /// Messages before it judges.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 1000000)]
    min_sends: Option<u32>,
    /// The least part, in percent, that must have been used.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 100)]
    min_percent: Option<u32>,
}

impl UpdateSends {
    /// Puts what is sent into a patch of the policy.
    pub(crate) fn read(self, f: &mut Fields, patch: &mut PolicyPatch) {
        patch.sends_cooldown_seconds =
            f.number("/sends/cooldownSeconds", self.cooldown_seconds, 0..=3_600);
        patch.sends_per_ten_minutes =
            f.number("/sends/perTenMinutes", self.per_ten_minutes, 1..=100);
        patch.sends_per_day = f.number("/sends/perDay", self.per_day, 1..=1_000);
        let conversion = self.conversion.unwrap_or_default();
        let percent = "/sends/conversion/minPercent";
        patch.guards = GuardsPatch {
            per_destination_per_day: f.number(
                "/sends/perDestinationPerDay",
                self.per_destination_per_day,
                1..=10_000,
            ),
            per_prefix_per_hour: f.number(
                "/sends/perPrefixPerHour",
                self.per_prefix_per_hour,
                1..=1_000_000,
            ),
            per_tenant_per_day: f.number(
                "/sends/perTenantPerDay",
                self.per_tenant_per_day,
                1..=100_000_000,
            ),
            allowed_countries: countries(f, "/sends/allowedCountries", self.allowed_countries),
            blocked_countries: countries(f, "/sends/blockedCountries", self.blocked_countries),
            conversion_enabled: conversion.enabled,
            conversion_min_sends: f.number(
                "/sends/conversion/minSends",
                conversion.min_sends,
                1..=1_000_000,
            ),
            conversion_min_percent: f.number(percent, conversion.min_percent, 1..=100),
        };
    }
}

fn countries(
    fields: &mut Fields,
    pointer: &str,
    codes: Option<Vec<String>>,
) -> Option<BTreeSet<String>> {
    let codes = codes?;
    for (index, code) in codes.iter().enumerate() {
        let detail = "must be the code of a country (ISO 3166-1 alpha-2) such as US, or a calling code \
                      such as +44";
        fields.demand(
            is_country(code) || is_calling_code(code),
            &format!("{pointer}/{index}"),
            detail,
        );
    }
    Some(codes.into_iter().collect())
}
