//! A user's whole situation, and what administrators do about it.

use std::collections::BTreeMap;

use countersign_core::command::Command;
use countersign_core::reply::{Reply, StatusView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::PendingEnrollment;
use super::{Answer, Requirement, Time};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// A user's whole situation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MfaStatus {
    /// Whether the user has an ACTIVE factor.
    enabled: bool,
    /// How many.
    #[schema(example = 1)]
    factor_count: u32,
    /// How many of each type; types without one are left out.
    #[schema(example = json!({"TOTP": 1}))]
    factors: BTreeMap<&'static str, u32>,
    /// Which is offered first.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    primary_factor_id: Option<String>,
    /// Unused recovery codes.
    #[schema(example = 10)]
    recovery_codes_remaining: u32,
    /// Trusted devices.
    #[schema(example = 0)]
    trusted_device_count: u32,
    /// What the policy demands of this user.
    requirement: Requirement,
    /// Until when the user may go without a factor; null if no grace runs.
    grace_period_ends_at: Option<Time>,
    /// Until when codes are refused; null if they are read, or if only an administrator unlocks.
    locked_until: Option<Time>,
    /// Whether codes are refused until an administrator unlocks.
    unlock_required: bool,
    /// Wrong codes since the last success.
    #[schema(example = 0)]
    failed_attempts: u32,
    /// Enrollments that wait for their confirmation.
    pending_enrollments: Vec<PendingEnrollment>,
}

impl From<StatusView> for MfaStatus {
    fn from(view: StatusView) -> Self {
        let pending = view.pending_enrollments.into_iter().map(PendingEnrollment::from);
        let factors = view.factors.into_iter().map(|(kind, count)| (kind.as_str(), count));
        Self {
            enabled: view.enabled,
            factor_count: view.factor_count,
            factors: factors.collect(),
            primary_factor_id: view.primary_factor_id.map(|id| id.to_string()),
            recovery_codes_remaining: view.recovery_codes_remaining,
            trusted_device_count: view.trusted_device_count,
            requirement: view.requirement.into(),
            grace_period_ends_at: view.grace_period_ends_at.map(Time),
            locked_until: view.locked_until.map(Time),
            unlock_required: view.locked_hard,
            failed_attempts: view.failed_attempts,
            pending_enrollments: pending.collect(),
        }
    }
}

impl Answer for MfaStatus {
    const OPERATION: &'static str = "the status of a user";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::Status(view) => Some(Ok(view.into())),
            _ => None,
        }
    }
}

/// Ends a user's factors, recovery codes, trusted devices, enrollments and challenges.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResetMfa {
    /// Why, for the audit log. Nothing personal.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "phone lost, identity checked by support"
    )]
    reason: Option<String>,
}

impl ResetMfa {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let reason = self.reason.map(|reason| fields.line("/reason", reason, 1..=200));
        fields.finish(Command::Reset { reason })
    }
}
