//! Who asks: an API key, and what it may do.
//!
//! The tenant comes from the key and from nowhere else, so no request can name another's.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use countersign_actors::gateway::{Caller, Idempotency};
use countersign_actors::ports::KeyGrant;
use countersign_core::ids::TenantId;
use countersign_core::tenant::Scope;
use sha2::{Digest, Sha256};

use crate::layers::request_id::RequestId;
use crate::problem::{Code, Problem};
use crate::state::ApiState;

/// What every API key begins with.
const PREFIX: &str = "csk_";

/// What a call needs of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A scope.
    Scope(Scope),
    /// To be a root key.
    Root,
}

impl Need {
    fn met_by(self, grant: &KeyGrant) -> bool {
        match self {
            Self::Scope(scope) => grant.scopes.contains(&scope),
            Self::Root => grant.root,
        }
    }
}

/// A permission as a type, so that a handler's signature says what it needs.
pub(crate) trait Permission: Send + Sync + 'static {
    /// What the key must have.
    const NEEDS: Need;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident needs $need:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $name;
            impl Permission for $name {
                const NEEDS: Need = $need;
            }
        )*
    };
}

permissions! {
    /// Users, factors, recovery codes, devices, challenges.
    Mfa needs Need::Scope(Scope::Mfa);
    /// Policy and settings.
    Policy needs Need::Scope(Scope::Policy);
    /// Erasing, resetting and unlocking users; webhooks.
    Admin needs Need::Scope(Scope::Admin);
    /// The audit log.
    Audit needs Need::Scope(Scope::Audit);
    /// API keys.
    Keys needs Need::Scope(Scope::Keys);
    /// The cluster.
    Cluster needs Need::Scope(Scope::Cluster);
    /// Tenants.
    Root needs Need::Root;
}

/// A caller whose key has the permission `P`.
#[derive(Debug)]
pub(crate) struct As<P> {
    /// Whose key it is.
    pub(crate) tenant: TenantId,
    /// What else it may do.
    pub(crate) scopes: BTreeSet<Scope>,
    /// Whether it is a root key.
    pub(crate) root: bool,
    caller: Caller,
    permission: PhantomData<fn() -> P>,
}

impl<P> As<P> {
    /// The caller of a question that changes nothing.
    pub(crate) fn reading(&self) -> Caller {
        self.caller.clone()
    }

    /// The caller of a command, with the idempotency key that came with it.
    pub(crate) fn writing(&self, idempotency: Option<Idempotency>) -> Caller {
        Caller { idempotency, ..self.caller.clone() }
    }
}

impl<P: Permission> FromRequestParts<ApiState> for As<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Problem> {
        let grant = authenticate(parts, api).await?;
        if !P::NEEDS.met_by(&grant) {
            return Err(forbidden(P::NEEDS));
        }
        let request_id = parts.extensions.get::<RequestId>().map_or("", RequestId::as_str);
        let caller = Caller {
            tenant: grant.tenant.clone(),
            key: Some(grant.id),
            request_id: request_id.to_owned(),
            address: None,
            idempotency: None,
        };
        let (tenant, scopes, root) = (grant.tenant, grant.scopes, grant.root);
        Ok(Self { tenant, scopes, root, caller, permission: PhantomData })
    }
}

/// RFC 6750 section 2.1. What cannot be a key is refused at once; before a key is looked up, this
/// node makes sure that it knows of all keys, and of all that were revoked.
async fn authenticate(parts: &Parts, api: &ApiState) -> Result<KeyGrant, Problem> {
    let sent = parts.headers.get(header::AUTHORIZATION).ok_or_else(|| {
        unauthenticated("send an API key as `Authorization: Bearer csk_…`", "Bearer")
    })?;
    let unknown = || {
        let challenge = r#"Bearer error="invalid_token""#;
        unauthenticated("the API key is unknown, expired or revoked", challenge)
    };
    let key = bearer(sent).ok_or_else(unknown)?;
    api.gateway.current().await?;
    grant(key, api).ok_or_else(unknown)
}

/// What could be a key.
fn bearer(sent: &HeaderValue) -> Option<&str> {
    let (scheme, key) = sent.to_str().ok()?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(PREFIX)).then_some(key)
}

/// What a key may do, as far as this node knows.
fn grant(key: &str, api: &ApiState) -> Option<KeyGrant> {
    // The lookup is by digest, so its timing tells nothing about a key.
    let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let now = api.clock.now();
    api.directory.api_key(&hash).filter(|grant| grant.expires_at.is_none_or(|end| now < end))
}

/// Whether the request has a key that this node knows to be valid. For counting alone: it decides
/// nothing about what the key may do, and does not wait until the node's knowledge is current.
pub(crate) fn known_key(headers: &HeaderMap, api: &ApiState) -> bool {
    let sent = headers.get(header::AUTHORIZATION);
    sent.and_then(bearer).is_some_and(|key| grant(key, api).is_some())
}

fn unauthenticated(detail: &str, challenge: &str) -> Problem {
    Problem { challenge: Some(challenge.into()), ..Problem::new(Code::Unauthenticated, detail) }
}

fn forbidden(need: Need) -> Problem {
    let (detail, challenge) = match need {
        Need::Scope(scope) => (
            format!("this call needs an API key with the scope `{}`", scope.as_str()),
            format!(r#"Bearer error="insufficient_scope", scope="{}""#, scope.as_str()),
        ),
        Need::Root => (
            "this call needs a root API key".to_owned(),
            r#"Bearer error="insufficient_scope""#.to_owned(),
        ),
    };
    Problem { challenge: Some(challenge.into()), ..Problem::new(Code::Forbidden, detail) }
}
