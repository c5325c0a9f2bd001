//! Nothing is configured: nothing leaves.

use countersign_actors::carrier::{
    Carried, Carrier, NotCarried, NotPosted, Parcel, Poster, Posting, Steward,
};
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::message::Channel;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};

/// Carries nothing.
pub(crate) struct Nowhere;

impl Carrier for Nowhere {
    fn carries(&self, _channel: Channel) -> bool {
        false
    }

    fn carry<'a>(&'a self, _parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, NotCarried>> {
        ready(Err(NotCarried::Never { reason: "not_configured".to_owned() })).boxed()
    }
}

impl Poster for Nowhere {
    fn post<'a>(&'a self, _posting: &'a Posting) -> BoxFuture<'a, Result<u16, NotPosted>> {
        ready(Err(NotPosted::Unreachable { reason: "not_configured".to_owned() })).boxed()
    }
}

impl Steward for Nowhere {
    fn disable_webhook(&self, _tenant: TenantId, _webhook: WebhookId) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
}
