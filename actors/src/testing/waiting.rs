//! What waits to leave a shard in memory, and its chain of audit rows, by the rules of the real store.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use countersign_core::audit::AuditEntry;
use countersign_core::event::{IssuedCode, UserEvent};
use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserId, UserKey, WebhookId};
use countersign_core::outbox::{HeraldReport, MessageOutcome, OutboxKey, OutboxRow, Settlement};
use countersign_core::proposal::Applied;
use countersign_core::time::Timestamp;
use countersign_core::webhook::{Delivery, DeliveryState};

use crate::gateway::AuditRow;

/// What waits.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) messages: BTreeMap<OutboxKey, OutboxRow>,
    pub(super) chain: Vec<(TenantId, AuditRow)>,
    pub(super) positions: BTreeMap<(TenantId, WebhookId), u64>,
    pub(super) deliveries: BTreeMap<(TenantId, WebhookId), BTreeMap<u64, Delivery>>,
    /// All outcomes that took effect, in order.
    pub(super) settled: Vec<(OutboxKey, MessageOutcome, u32)>,
}

/// Whom an audit row is about.
pub(super) struct Subject {
    pub(super) tenant: TenantId,
    pub(super) user: Option<(UserId, Pseudonym)>,
}

impl Waiting {
    /// Puts in the messages of codes that were just made. How many those were.
    pub(super) fn committed(&mut self, key: &UserKey, events: &[UserEvent], at: Timestamp) -> u64 {
        let mut put = 0;
        for event in events {
            match event {
                UserEvent::CodeIssued(issued) => {
                    let row = row(key, issued, at);
                    self.messages.insert(row.key(), row);
                    put += 1;
                }
                UserEvent::Erased => self.messages.retain(|_, row| row.user != *key),
                _ => {}
            }
        }
        put
    }

    /// Appends audit rows.
    pub(super) fn tell(
        &mut self,
        shard: ShardId,
        subject: &Subject,
        entries: &[AuditEntry],
        at: Timestamp,
    ) {
        for entry in entries {
            let sequence = self.chain.len() as u64 + 1;
            let row = AuditRow {
                id: format!("evt_{shard}_{sequence}"),
                shard,
                sequence,
                at,
                event_type: entry.event_type.clone(),
                user: subject.user.as_ref().map(|(user, _)| user.clone()),
                pseudonym: subject.user.as_ref().map(|(_, pseudonym)| pseudonym.to_string()),
                factor_id: entry.factor_id.map(|id| id.to_string()),
                challenge_id: entry.challenge_id.map(|id| id.to_string()),
                actor: entry.actor.map(|id| id.to_string()),
                ip_address: entry.ip_address.map(|address| address.to_string()),
                outcome: entry.outcome,
                reason: entry.reason.clone(),
                details: entry.details.clone(),
                chained: Vec::new(),
                annex: None,
                hash: [0; 32],
            };
            self.chain.push((subject.tenant.clone(), row));
        }
    }

    /// Records what became of messages; `pseudonym` says who a user is. One that is settled already
    /// stays as it is. Answers what changes of their users.
    pub(super) fn settle(
        &mut self,
        shard: ShardId,
        settlement: Settlement,
        at: Timestamp,
        pseudonym: impl Fn(&UserKey) -> Option<Pseudonym>,
    ) -> Vec<(UserKey, UserEvent)> {
        let mut changed = Vec::new();
        for (key, outcome, attempts) in settlement.outcomes {
            let Some(row) = self.messages.remove(&key) else { continue };
            let owner = row.user.clone();
            let entry = match &outcome {
                MessageOutcome::Sent { .. } => Some(AuditEntry::success("mfa.code.sent")),
                MessageOutcome::Failed { reason } => {
                    Some(AuditEntry::failure("mfa.delivery.failed", reason))
                }
                MessageOutcome::Superseded => None,
            };
            let user = pseudonym(&row.user).map(|pseudonym| (row.user.user.clone(), pseudonym));
            if let Some(entry) = entry {
                let entry = entry
                    .factor(row.factor)
                    .detail("channel", row.channel.as_str())
                    .detail("deliveryId", row.delivery)
                    .detail("attempts", attempts);
                self.tell(shard, &Subject { tenant: row.user.tenant, user }, &[entry], at);
            }
            if let Some(outcome) = outcome.of_the_code() {
                let (factor, delivery) = (row.factor, row.delivery);
                let event = UserEvent::CodeSettled { factor, delivery, outcome };
                changed.push((owner, event));
            }
            self.settled.push((key, outcome, attempts));
        }
        changed
    }

    /// Records how deliveries stand. What tells less than is known, or of attempts of before a
    /// redelivery, changes nothing.
    pub(super) fn report(&mut self, report: HeraldReport) {
        let key = (report.tenant, report.webhook);
        if let Some(position) = report.position {
            let known = self.positions.entry(key.clone()).or_default();
            *known = position.max(*known);
        }
        let known = self.deliveries.entry(key).or_default();
        for delivery in report.deliveries {
            if known.get(&delivery.sequence).is_none_or(|one| supersedes(&delivery, one)) {
                known.insert(delivery.sequence, delivery);
            }
        }
    }

    /// Tries a delivery anew.
    pub(super) fn redeliver(
        &mut self,
        key: &(TenantId, WebhookId),
        sequence: u64,
        at: Timestamp,
    ) -> Applied {
        let known = self.deliveries.get_mut(key);
        let Some(delivery) = known.and_then(|known| known.get_mut(&sequence)) else {
            return Applied::Unknown;
        };
        delivery.state = DeliveryState::Pending;
        delivery.attempts = 0;
        delivery.since = at.max(delivery.since.plus_millis(1));
        delivery.next_attempt_at = Some(at);
        Applied::Noted
    }

    /// Removes all of a webhook.
    pub(super) fn forget(&mut self, key: &(TenantId, WebhookId)) {
        self.positions.remove(key);
        self.deliveries.remove(key);
    }

    /// Removes what belongs to a tenant that is purged.
    pub(super) fn purge(&mut self, tenant: &TenantId) {
        self.messages.retain(|_, row| row.user.tenant != *tenant);
    }

    /// Webhooks of which there are records.
    pub(super) fn webhooks(&self) -> BTreeSet<(TenantId, WebhookId)> {
        self.positions.keys().chain(self.deliveries.keys()).cloned().collect()
    }
}

fn supersedes(reported: &Delivery, known: &Delivery) -> bool {
    let progress = |delivery: &Delivery| {
        let state = match delivery.state {
            DeliveryState::Pending => 0,
            DeliveryState::Dead => 1,
            DeliveryState::Delivered => 2,
        };
        (state, delivery.attempts)
    };
    match reported.since.cmp(&known.since) {
        Ordering::Less => false,
        Ordering::Equal => progress(reported) >= progress(known),
        Ordering::Greater => known.state == DeliveryState::Pending,
    }
}

/// The code lives as long as was decided, by the shard's own clock.
fn row(key: &UserKey, issued: &IssuedCode, at: Timestamp) -> OutboxRow {
    let lifetime = issued.code.expires_at.millis_since(issued.code.sent_at);
    OutboxRow {
        user: key.clone(),
        factor: issued.factor,
        channel: issued.channel,
        delivery: issued.code.delivery,
        issued_at: at,
        expires_at: at.plus_millis(lifetime),
        message: issued.message.clone(),
    }
}
