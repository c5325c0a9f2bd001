//! What a policy, or settings, would mean for users who log in: for people who are about to change
//! them. It says
//! by the same rules what [`crate::decide`] would, as far as that can be known before a login is
//! there; trusted devices and signs of risk cannot.

use serde::{Deserialize, Serialize};

use crate::policy::Requirement;
use crate::query;
use crate::settings::Settings;
use crate::tenant::TenantState;
use crate::time::Timestamp;
use crate::user::UserState;

/// What a user has to expect at the next login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// No second factor is asked for.
    NotAsked,
    /// None is asked for yet; one must be enrolled before the grace period ends.
    InGrace,
    /// One is asked for if a sign of risk is seen.
    AtRisk,
    /// One is asked for.
    Challenged,
    /// There is none that counts: one must be enrolled to get in.
    MustEnroll,
}

/// What a user has to expect under a tenant's policy, and whether a factor is at hand that counts.
pub fn standing(tenant: &TenantState, state: &UserState, now: Timestamp) -> (Standing, bool) {
    let rule = tenant.policy.rule_for(&state.profile.groups);
    let usable = state.usable(tenant.admitted(&rule.allowed_factors)).next().is_some();
    let standing = match (rule.requirement, usable) {
        (Requirement::Disabled, _) | (Requirement::Optional, false) => Standing::NotAsked,
        (Requirement::RiskBased, _) => Standing::AtRisk,
        (Requirement::Optional | Requirement::Required, true) => Standing::Challenged,
        (Requirement::Required, false) => {
            match query::grace_ends_at(state, &tenant.policy, &rule, now) {
                Some(_) => Standing::InGrace,
                None => Standing::MustEnroll,
            }
        }
    };
    (standing, usable)
}

/// How many of a user's keys another relying party, or origins that it does not fit, would make
/// useless. Those that are useless already are not counted.
fn stranded_keys(current: &Settings, next: &Settings, state: &UserState) -> u64 {
    let (before, after) = (current.relying_party(), next.relying_party());
    let of = |party: Option<&str>, rp_id: &str| party == Some(rp_id);
    let keys = state.factors.iter().filter_map(|factor| factor.kind.webauthn());
    let stranded = keys.filter(|key| of(before, &key.rp_id) && !of(after, &key.rp_id));
    u64::try_from(stranded.count()).unwrap_or(u64::MAX)
}

/// How many users have what to expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standings {
    /// See [`Standing::NotAsked`].
    pub not_asked: u64,
    /// See [`Standing::InGrace`].
    pub in_grace: u64,
    /// See [`Standing::AtRisk`].
    pub at_risk: u64,
    /// See [`Standing::Challenged`].
    pub challenged: u64,
    /// See [`Standing::MustEnroll`].
    pub must_enroll: u64,
    /// Users without a factor that counts, whatever is asked of them.
    pub without_usable_factor: u64,
}

impl Standings {
    const fn add(&mut self, (standing, usable): (Standing, bool)) {
        match standing {
            Standing::NotAsked => self.not_asked += 1,
            Standing::InGrace => self.in_grace += 1,
            Standing::AtRisk => self.at_risk += 1,
            Standing::Challenged => self.challenged += 1,
            Standing::MustEnroll => self.must_enroll += 1,
        }
        if !usable {
            self.without_usable_factor += 1;
        }
    }
}

/// What a change would mean, over all users that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Users that were looked at.
    pub scanned: u64,
    /// Users who would have something else to expect.
    pub affected: u64,
    /// As it is.
    pub before: Standings,
    /// As it would be.
    pub after: Standings,
    /// Keys that could be used with the settings as they are, and not as they would be.
    pub stranded_keys: u64,
}

impl Preview {
    /// Looks at a user.
    pub fn add(
        &mut self,
        current: &TenantState,
        next: &TenantState,
        state: &UserState,
        now: Timestamp,
    ) {
        let before = standing(current, state, now);
        let after = standing(next, state, now);
        self.scanned += 1;
        self.affected += u64::from(before != after);
        self.before.add(before);
        self.after.add(after);
        self.stranded_keys += stranded_keys(&current.settings, &next.settings, state);
    }
}
