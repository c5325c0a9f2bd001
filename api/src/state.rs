//! What every handler shares: the doors to the rest of the house, and the options.
//!
//! It holds no state of its own: whatever may change lives behind the gateway, in the replicated
//! log. Cloning is cheap.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use countersign_actors::gateway::Gateway;
use countersign_actors::ports::{Clock, Directory, EntropySource};
use countersign_core::vault::Vault;

use crate::client::TrustedProxies;
use crate::inbox::Inbox;
use crate::layers::limit::{Limiter, RequestLimit};
use crate::target::WebhookTargets;
use crate::token::TokenSigner;

/// Renders the process's metrics in the Prometheus text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// How the layer behaves.
#[derive(Clone)]
pub struct ApiOptions {
    /// The tokens' `iss` (RFC 7519 section 4.1.1): where clients reach this service.
    pub issuer_url: String,
    /// The origin under which browsers reach the hosted pages, `https://mfa.example.com`; without it
    /// links are made for requests to names of this machine alone.
    pub public_url: Option<String>,
    /// After how long a request is answered by 503, its body included.
    pub request_timeout: Duration,
    /// The most bytes that a request body may have.
    pub body_limit: usize,
    /// The proxies that say where requests come from.
    pub trusted_proxies: TrustedProxies,
    /// How much one address may ask without a valid key.
    pub keyless: RequestLimit,
    /// Where webhooks may lead.
    pub webhooks: WebhookTargets,
    /// What `GET /dev/messages` shows; without it there is no such route.
    pub inbox: Option<Arc<dyn Inbox>>,
    /// An application to try the service with, at `/`; without it nothing is there.
    pub sample: Option<Router>,
    /// What `GET /metrics` shows; without it the route answers 404.
    pub metrics: Option<RenderMetrics>,
}

impl ApiOptions {
    /// Ten seconds a request, 64 KiB a body, webhooks to public addresses alone, no inbox, no
    /// sample, no metrics.
    pub fn new(issuer_url: impl Into<String>) -> Self {
        Self {
            issuer_url: issuer_url.into(),
            public_url: None,
            request_timeout: Duration::from_secs(10),
            body_limit: 64 * 1024,
            trusted_proxies: TrustedProxies::default(),
            keyless: RequestLimit::default(),
            webhooks: WebhookTargets::default(),
            inbox: None,
            sample: None,
            metrics: None,
        }
    }
}

impl fmt::Debug for ApiOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiOptions")
            .field("issuer_url", &self.issuer_url)
            .field("public_url", &self.public_url)
            .field("request_timeout", &self.request_timeout)
            .field("body_limit", &self.body_limit)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("keyless", &self.keyless)
            .field("webhooks", &self.webhooks)
            .field("inbox", &self.inbox.is_some())
            .field("sample", &self.sample.is_some())
            .field("metrics", &self.metrics.is_some())
            .finish()
    }
}

/// What every handler shares.
#[derive(Clone)]
pub struct ApiState {
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn EntropySource>,
    pub(crate) tokens: Arc<TokenSigner>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) options: Arc<ApiOptions>,
}

impl ApiState {
    /// Puts the doors together.
    pub fn new(
        gateway: Arc<dyn Gateway>,
        directory: Arc<dyn Directory>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn EntropySource>,
        options: ApiOptions,
    ) -> Self {
        let tokens = TokenSigner::new(Arc::clone(&directory), vault, options.issuer_url.clone());
        Self {
            gateway,
            directory,
            clock,
            entropy,
            tokens: Arc::new(tokens),
            limiter: Arc::new(Limiter::new(options.keyless)),
            options: Arc::new(options),
        }
    }
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").field("options", &self.options).finish_non_exhaustive()
    }
}
