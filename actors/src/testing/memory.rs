//! The state of a shard in memory, and how entries of the log change it.

use std::collections::BTreeMap;

use countersign_core::evolve::evolve_all;
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::proposal::{AnswerKey, Applied, Change, KeptAnswer, LogCommand, Proposal};
use countersign_core::set_time::SetBack;
use countersign_core::system::{self, SystemState};
use countersign_core::tenant::{self, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;

use super::waiting::{Subject, Waiting};
use crate::ports::Versioned;

/// A shard's state.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) index: u64,
    pub(super) last_now: Timestamp,
    pub(super) users: BTreeMap<UserKey, Versioned<UserState>>,
    pub(super) tenants: BTreeMap<TenantId, Versioned<Option<TenantState>>>,
    pub(super) system: Versioned<SystemState>,
    pub(super) answers: BTreeMap<AnswerKey, KeptAnswer>,
    pub(super) applied: Vec<Proposal>,
    pub(super) late: Vec<LogCommand>,
    pub(super) waiting: Waiting,
}

impl Memory {
    /// Applies a decision. How many messages it put in.
    pub(super) fn apply(&mut self, shard: ShardId, proposal: Proposal) -> (Applied, u64) {
        self.index += 1;
        let (index, at) = (self.index, self.last_now.max(proposal.now));
        if let Some(answer) = &proposal.answer
            && self.answers.get(&answer.key).is_some_and(|kept| kept.expires_at > at)
        {
            return (Applied::Repeated, 0);
        }
        let version = self.version(&proposal.change);
        if version != proposal.expected_version {
            return (Applied::Conflict { version }, 0);
        }
        let before = self.subject(&proposal.change);
        let mut put = 0;
        // A row that is there gets a new version with each proposal, even with one of no events.
        match &proposal.change {
            Change::User { key, events } => {
                let mut row = self.users.remove(key).unwrap_or_default();
                evolve_all(&mut row.value, events, at);
                row.version = index;
                put = self.waiting.committed(key, events, at);
                if row.value.exists() {
                    self.users.insert(key.clone(), row);
                }
            }
            Change::Tenant { id, events } => {
                let mut row = self.tenants.remove(id).unwrap_or_default();
                for event in events {
                    tenant::evolve(&mut row.value, id, event, at);
                }
                row.version = index;
                if row.value.is_some() {
                    self.tenants.insert(id.clone(), row);
                }
            }
            Change::System { events } => {
                for event in events {
                    system::evolve(&mut self.system.value, event, at);
                }
                self.system.version = index;
            }
        }
        self.last_now = at;
        // A user who is made or erased by this is known by the one or by the other.
        let after = self.subject(&proposal.change);
        let subject = if before.user.is_some() { before } else { after };
        self.waiting.tell(shard, &subject, &proposal.audit, at);
        if let Some(answer) = &proposal.answer {
            self.answers.insert(answer.key, answer.clone());
        }
        self.applied.push(proposal);
        (Applied::Done { version: index, at }, put)
    }

    /// Applies what is no decision.
    pub(super) fn record(&mut self, shard: ShardId, command: LogCommand) -> Applied {
        self.index += 1;
        match command {
            LogCommand::Propose(_) | LogCommand::TrimAudit { .. } | LogCommand::Retain { .. } => {
                Applied::Maintained { more: false }
            }
            LogCommand::PurgeTenant { tenant, .. } => {
                self.users.retain(|key, _| key.tenant != tenant);
                self.waiting.purge(&tenant);
                Applied::Maintained { more: false }
            }
            LogCommand::Settle(settlement) => {
                self.last_now = self.last_now.max(settlement.now);
                let users = &self.users;
                let pseudonym = |key: &UserKey| users.get(key).and_then(|row| row.value.pseudonym);
                let settled = self.waiting.settle(shard, *settlement, self.last_now, pseudonym);
                for (user, event) in settled {
                    let Some(row) = self.users.get_mut(&user) else { continue };
                    evolve_all(&mut row.value, &[event], self.last_now);
                    row.version = self.index;
                }
                Applied::Noted
            }
            LogCommand::Herald(report) => {
                self.last_now = self.last_now.max(report.now);
                self.waiting.report(*report);
                Applied::Noted
            }
            LogCommand::Redeliver { tenant, webhook, sequence, now } => {
                self.last_now = self.last_now.max(now);
                self.waiting.redeliver(&(tenant, webhook), sequence, self.last_now)
            }
            LogCommand::ForgetWebhook { tenant, webhook } => {
                self.waiting.forget(&(tenant, webhook));
                Applied::Maintained { more: false }
            }
            LogCommand::SetTime(setting) => {
                let time = SetBack { from: setting.from.max(self.last_now), to: setting.to };
                self.users.values_mut().for_each(|row| row.value.set_back(time));
                self.last_now = time.to;
                Applied::Done { version: self.index, at: time.to }
            }
        }
    }

    fn subject(&self, change: &Change) -> Subject {
        match change {
            Change::User { key, .. } => {
                let pseudonym = self.users.get(key).and_then(|row| row.value.pseudonym);
                let user = pseudonym.map(|pseudonym| (key.user.clone(), pseudonym));
                Subject { tenant: key.tenant.clone(), user }
            }
            Change::Tenant { id, .. } => Subject { tenant: id.clone(), user: None },
            Change::System { .. } => Subject { tenant: TenantId::default_tenant(), user: None },
        }
    }

    fn version(&self, change: &Change) -> u64 {
        match change {
            Change::User { key, .. } => self.users.get(key).map_or(0, |row| row.version),
            Change::Tenant { id, .. } => self.tenants.get(id).map_or(0, |row| row.version),
            Change::System { .. } => self.system.version,
        }
    }
}
