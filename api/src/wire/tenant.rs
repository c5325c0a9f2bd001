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
    /// Whether it may also make and remove tenants.
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
pub(crate) struct NewApiKey {
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
    /// A name for it.
    #[schema(min_length = 1, max_length = 100, example = "login service")]
    name: String,
    /// What it may do; at least one, and none that the asking key lacks.
    #[schema(min_items = 1, example = json!(["mfa"]))]
    scopes: Vec<ScopeName>,
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
        now: Timestamp,
    ) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        let name = fields.line("/name", self.name, 1..=100);
        let scopes: BTreeSet<Scope> = self.scopes.into_iter().map(Into::into).collect();
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
pub(crate) struct NewTenant {
    /// The tenant.
    #[serde(flatten)]
    pub(crate) tenant: Tenant,
    /// Its first API key, of all scopes.
    pub(crate) api_key: NewApiKey,
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
