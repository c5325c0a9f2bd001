//! One attempt to post one event.

use std::panic::AssertUnwindSafe;

use countersign_core::ids::{DeliveryId, TenantId, WebhookId};
use countersign_core::secret::Secret;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::webhook::{Webhook, seal_context};
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use crate::carrier::{NotPosted, Posting};
use crate::desk::Desk;
use crate::errand::Stop;
use crate::ports::Outbox;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Posted {
    /// The endpoint was asked.
    Answered(Result<u16, NotPosted>),
    /// The event is not in the chain any more.
    Lost,
    /// The endpoint takes nothing now: it was disabled or removed.
    Withheld,
    /// This node may not lead any more.
    Unsure,
    /// Nothing more is to be begun.
    Stopped,
}

/// The endpoint, as this node knows it.
pub(super) fn find(tenant: &TenantState, webhook: WebhookId) -> Option<&Webhook> {
    tenant.webhooks.iter().find(|one| one.id == webhook)
}

/// Posts an event of this shard's chain.
pub(super) async fn post(
    desk: &Desk,
    outbox: &dyn Outbox,
    (tenant, webhook): (&TenantId, WebhookId),
    sequence: u64,
    stop: &Stop,
) -> Posted {
    // A deposed leader would post a user's events after later ones that the next leader posted.
    if let Err(error) = desk.confirm_leadership(Instant::now() + desk.options.propose_timeout).await
    {
        tracing::debug!(%error, "no event is posted before leadership is confirmed");
        return Posted::Unsure;
    }
    let event = match outbox.event(tenant, sequence) {
        Ok(Some(event)) => event,
        Ok(None) => return Posted::Lost,
        Err(error) => {
            tracing::error!(%webhook, sequence, %error, "an event cannot be read");
            return Posted::Answered(Err(unreachable("unreadable_event")));
        }
    };
    // Read now: a secret that was replaced and has run out must sign nothing.
    let known = desk.ports.directory.tenant(tenant);
    let known = known.as_deref().and_then(|tenant| find(tenant, webhook));
    let Some(known) = known.filter(|known| known.disabled.is_none()) else {
        return Posted::Withheld;
    };
    // Receivers compare it with their clocks.
    let now = desk.clock();
    let secrets = secrets(desk, tenant, known, now);
    if secrets.is_empty() {
        return Posted::Answered(Err(unreachable("unreadable_secret")));
    }
    let id = DeliveryId::of_event(webhook, desk.replica.shard(), sequence);
    let (tenant, url) = (tenant.clone(), known.url.clone());
    let posting = Posting { id, tenant, url, event, secrets, now };
    if stop.requested() {
        return Posted::Stopped;
    }
    let posted = AssertUnwindSafe(desk.ports.poster.post(&posting)).catch_unwind();
    Posted::Answered(match timeout(desk.options.post_timeout, posted).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(unreachable("panic")),
        Err(_) => Err(unreachable("timeout")),
    })
}

fn unreachable(reason: &str) -> NotPosted {
    NotPosted::Unreachable { reason: reason.to_owned() }
}

/// The secrets that sign at `now`, the newest first.
fn secrets(desk: &Desk, tenant: &TenantId, webhook: &Webhook, now: Timestamp) -> Vec<Secret> {
    let context = seal_context(tenant, webhook.id);
    let signs = |until: Option<Timestamp>| until.is_none_or(|until| now < until);
    let sealed = webhook.secrets.iter().rev().filter(|secret| signs(secret.expires_at));
    let open = |sealed| match desk.ports.vault.open(&context, sealed) {
        Ok(secret) => Some(secret),
        Err(error) => {
            tracing::error!(webhook = %webhook.id, %error, "a webhook's secret cannot be opened");
            None
        }
    };
    sealed.filter_map(|secret| open(&secret.sealed)).collect()
}
