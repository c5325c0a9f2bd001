//! Events are told to webhooks: each at least once, those of a user in order, for a day, and under
//! numbers by which a second one can be dropped.

mod endpoints;
mod leaders;
mod order;
mod retries;

use countersign_actors::ports::Outbox;
use countersign_core::audit::AuditEntry;
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::vault::Vault;
use countersign_core::webhook::{Delivery, DeliveryState, Webhook, WebhookSecret, seal_context};

use crate::station::{Station, until};

pub(crate) const HOOK: WebhookId = WebhookId::from_bytes([1; 16]);

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

/// A secret, sealed as the tenant's decision does.
fn secret(hook: WebhookId, text: &[u8], expires_at: Option<Timestamp>) -> WebhookSecret {
    secret_of(&tenant(), hook, text, expires_at)
}

fn secret_of(
    tenant: &TenantId,
    hook: WebhookId,
    text: &[u8],
    expires_at: Option<Timestamp>,
) -> WebhookSecret {
    let context = seal_context(tenant, hook);
    let sealed = countersign_actors::testing::FixedVault.seal(&context, [1; 24], text);
    WebhookSecret { sealed, created_at: Timestamp::EPOCH, expires_at }
}

fn hook(id: WebhookId, station: &Station) -> Webhook {
    use countersign_actors::ports::Clock;
    Webhook {
        id,
        url: "https://example.org/hook?token=hidden".to_owned(),
        events: vec!["mfa.*".to_owned()],
        description: None,
        secrets: vec![secret(id, b"first", None)],
        created_at: station.clock.now(),
        disabled: None,
    }
}

/// Changes the default tenant, as every node knows it.
fn change(station: &Station, change: impl FnOnce(&mut TenantState)) {
    use countersign_actors::ports::Directory;
    let tenant = station.directory.tenant(&tenant()).unwrap();
    let mut tenant = TenantState::clone(&tenant);
    change(&mut tenant);
    station.directory.put(tenant);
}

/// A station whose tenant has a webhook, which the herald has seen.
async fn hooked() -> Station {
    let station = Station::new().await;
    let hook = hook(HOOK, &station);
    change(&station, |tenant| tenant.webhooks.push(hook));
    crate::station::pass(3).await;
    station
}

fn entry(event_type: &str) -> AuditEntry {
    AuditEntry::success(event_type)
}

/// Puts an event of a user into the chain; its place.
async fn happens(station: &Station, user: &str) -> u64 {
    station.note(user, entry("mfa.factor.enrolled")).await
}

/// What is on record of the deliveries to [`HOOK`].
fn records(station: &Station) -> Vec<Delivery> {
    station.replica.deliveries(&tenant(), HOOK, None, usize::MAX).unwrap()
}

/// Returns once `n` deliveries to [`HOOK`] are on record in a state.
async fn recorded(station: &Station, n: usize, state: DeliveryState) {
    until(|| records(station).iter().filter(|one| one.state == state).count() >= n).await;
}

/// The places of the events that were posted, in order.
fn posted(station: &Station) -> Vec<u64> {
    station.provider.postings().iter().map(|posting| posting.event.sequence).collect()
}
