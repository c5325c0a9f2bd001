//! What every decision starts from, and what it collects on its way.

use std::collections::BTreeSet;

use crate::audit::AuditEntry;
use crate::context::{Context, Surroundings};
use crate::decision::Decision;
use crate::event::UserEvent;
use crate::evolve::evolve_all;
use crate::factor::{Factor, FactorType};
use crate::ids::{Pseudonym, TokenId, UserKey};
use crate::policy::{Policy, Requirement, Rule};
use crate::reply::{Acr, Amr, Refusal, Reply, TokenGrant};
use crate::time::Timestamp;
use crate::user::{Admitted, FACTORS_MAX, UserState};

pub(super) type Verdict = Decision<Reply, UserEvent>;

/// A verdict that ends a decision early; boxed, since a `Result` is as large as its larger side.
pub(super) type Stop = Box<Verdict>;

/// A user, as found, and the rule that holds for it.
pub(super) struct Case<'a> {
    pub(super) key: &'a UserKey,
    pub(super) state: &'a UserState,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) rule: Rule,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        key: &'a UserKey,
        state: &'a UserState,
        around: &'a Surroundings<'a>,
    ) -> Self {
        let rule = around.tenant.policy.rule_for(&state.profile.groups);
        Self { key, state, around, rule }
    }

    pub(super) fn policy(&self) -> &'a Policy {
        &self.around.tenant.policy
    }

    pub(super) fn allowed(&self) -> &BTreeSet<FactorType> {
        &self.rule.allowed_factors
    }

    /// What counts as a second factor of this user.
    pub(super) fn admitted(&self) -> Admitted<'_> {
        self.around.tenant.admitted(&self.rule.allowed_factors)
    }

    /// The factors that can be proven now, the primary first.
    pub(super) fn usable(&self) -> impl Iterator<Item = &'a Factor> {
        let admitted = self.admitted();
        self.state.factors_in_order().filter(move |factor| admitted.admits(factor))
    }

    /// Refuses what concerns a user never seen.
    pub(super) fn known(&self) -> Result<(), Refusal> {
        if self.state.exists() { Ok(()) } else { Err(Refusal::UserNotFound) }
    }

    /// Refuses enrolling under DISABLED, of a type that is not allowed, and beyond the limit.
    pub(super) fn may_enroll(&self, factor_type: FactorType) -> Result<(), Refusal> {
        self.enabled()?;
        if !self.allowed().contains(&factor_type) {
            return Err(Refusal::FactorNotAllowed(factor_type));
        }
        if self.state.factors.len() >= FACTORS_MAX {
            return Err(Refusal::FactorLimitReached(FACTORS_MAX));
        }
        Ok(())
    }

    /// Refuses what makes no sense under DISABLED.
    pub(super) fn enabled(&self) -> Result<(), Refusal> {
        match self.rule.requirement {
            Requirement::Disabled => Err(Refusal::MfaDisabled),
            _ => Ok(()),
        }
    }

    /// The first of a write's events: a user never seen comes into being.
    pub(super) fn created(&self, context: &mut Context<'_>) -> Vec<UserEvent> {
        if self.state.exists() {
            return Vec::new();
        }
        vec![UserEvent::Created { pseudonym: Pseudonym::random(context.entropy) }]
    }

    /// The state as it will be.
    pub(super) fn after(&self, events: &[UserEvent], now: Timestamp) -> UserState {
        let mut state = self.state.clone();
        evolve_all(&mut state, events, now);
        state
    }

    /// What an access token will say.
    pub(super) fn grant(&self, acr: Acr, amr: Vec<Amr>, context: &mut Context<'_>) -> TokenGrant {
        let settings = &self.around.tenant.settings;
        TokenGrant {
            id: TokenId::random(context.entropy),
            signing_key: self.around.signing_key.to_owned(),
            tenant: self.key.tenant.clone(),
            subject: self.key.user.clone(),
            audience: settings.token_audience.clone(),
            // By real time: whoever verifies the token has no other.
            issued_at: context.clock,
            expires_in_seconds: settings.token_ttl_seconds,
            acr,
            amr,
            token_type: settings.token_type,
            client: context.actor,
        }
    }
}

/// An answer with its events and one audit entry.
pub(super) fn verdict(reply: Reply, events: Vec<UserEvent>, entry: AuditEntry) -> Verdict {
    Decision { reply, events, audit: vec![entry] }
}

/// A refusal that leaves no trace: nothing was read, nothing counted.
pub(super) fn refuse(refusal: Refusal) -> Verdict {
    Decision::reply(Reply::Refused(refusal))
}
