//! Tenants and API keys.

use std::collections::BTreeSet;

use countersign_core::tenant::{self as core, Scope, TenantCommand};
use countersign_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ScopeName, SecretText, Time};
use crate::problem::{Code, Problem};
use crate::request::Fields;

/// An API key, without the key itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKey {
    /// Its id.
    #[schema(example = "key_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    id: String,
    /// Its name.
    #[schema(example = "login service")]
    name: String,
    /// What it may do.
    scopes: Vec<ScopeName>,
    /// Whether it is a root key, which may also make and remove tenants.
    root: bool,
    /// When it was made.
    created_at: Time,
    /// When it ends; null for never.
    expires_at: Option<Time>,
}

impl From<&core::ApiKey> for ApiKey {
    fn from(key: &core::ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            scopes: key.scopes.iter().map(|scope| (*scope).into()).collect(),
            root: key.root,
            created_at: key.created_at.into(),
            expires_at: key.expires_at.map(Time),
        }
    }
}

/// A fresh API key. The key itself is shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CreatedApiKey {
    /// What is kept of it.
    #[serde(flatten)]
    pub(crate) api_key: ApiKey,
    /// The key.
    #[schema(value_type = String, example = "csk_…")]
    pub(crate) key: SecretText,
}

/// Makes an API key.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateApiKey {
    /// A name for it. May be left out of a root key.
    #[schema(min_length = 1, max_length = 100, example = "login service")]
    name: Option<String>,
    /// What it may do; at least one, and none that the asking key lacks. Left out of a root key,
    /// which has them all.
    #[schema(min_items = 1, example = json!(["mfa"]))]
    scopes: Option<Vec<ScopeName>>,
    /// Whether it is a root key, which may also make and remove tenants and never expires. Only a
    /// root key makes another.
    root: Option<bool>,
    /// When it ends; never if left out.
    #[schema(format = DateTime, example = "2027-01-31T00:00:00Z")]
    expires_at: Option<String>,
}

impl CreateApiKey {
    /// The command of a caller that has the scopes `own`, at `now`. No key can make a stronger
    /// one.
    pub(crate) fn command(
        self,
        own: &BTreeSet<Scope>,
        is_root: bool,
        now: Timestamp,
    ) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        let root = self.root.unwrap_or(false);
        let unnamed = if root { "Root key" } else { "" };
        let name = self.name.unwrap_or_else(|| unnamed.to_owned());
        let name = fields.line("/name", name, 1..=100);
        let scopes: BTreeSet<Scope> =
            self.scopes.unwrap_or_default().into_iter().map(Into::into).collect();
        if root {
            let whole = scopes.is_empty() || scopes.len() == Scope::ALL.len();
            let detail = "a root key has every scope: leave this out";
            fields.demand(whole, "/scopes", detail);
            let detail = "a root key does not expire: revoke it once another has taken its place";
            fields.demand(self.expires_at.is_none(), "/expiresAt", detail);
            fields.finish(())?;
            if !is_root {
                let detail = "only a root key can make a root key";
                return Err(Problem::new(Code::Forbidden, detail));
            }
            return Ok(TenantCommand::CreateRootKey { name });
        }
        fields.demand(!scopes.is_empty(), "/scopes", "must name at least one");
        let expires_at = fields.time("/expiresAt", self.expires_at.as_deref());
        let later = expires_at.is_none_or(|end| now < end);
        fields.demand(later, "/expiresAt", "must be in the future");
        fields.finish(())?;
        if !scopes.is_subset(own) {
            let detail = "an API key can only give scopes that it has itself";
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Ok(TenantCommand::CreateApiKey { name, scopes, expires_at })
    }
}

/// A tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tenant {
    /// Its id.
    #[schema(example = "ten_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) id: String,
    /// Its name.
    #[schema(example = "Acme")]
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created_at: Time,
}

impl From<&core::TenantState> for Tenant {
    fn from(tenant: &core::TenantState) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            created_at: tenant.created_at.into(),
        }
    }
}

/// A fresh tenant, with its first API key.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedTenant {
    /// The tenant.
    #[serde(flatten)]
    pub(crate) tenant: Tenant,
    /// Its first API key, of all scopes.
    pub(crate) api_key: CreatedApiKey,
}

/// Makes a tenant.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateTenant {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Acme")]
    name: String,
}

impl CreateTenant {
    pub(crate) fn command(self) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        let name = fields.line("/name", self.name, 1..=100);
        fields.finish(TenantCommand::Create { name, key: None, root: false })
    }
}
