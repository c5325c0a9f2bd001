//! Access tokens, as they are handed out.

use countersign_core::reply::TokenGrant;
use serde::Serialize;
use utoipa::ToSchema;

use super::SecretText;
use crate::error::ApiError;
use crate::state::ApiState;

/// An access token: an ES256 JWT with `iss, aud, sub, iat, exp, jti, auth_time, acr, amr, tenant`,
/// and `client_id` where the settings' `tokenType` is AT_JWT.
/// Its key is at `/.well-known/jwks.json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    /// The token, for the application to verify.
    #[schema(value_type = String, example = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiJ1c2VyXzQyIn0.c2ln")]
    pub(crate) access_token: SecretText,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    pub(crate) token_type: &'static str,
    /// Seconds until it expires, counted from its making.
    #[schema(example = 900)]
    pub(crate) expires_in: u32,
}

/// What tokens of a tenant say. All tenants' tokens are signed by the same keys, so whoever believes
/// a token compares all three.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenFacts {
    /// Their `iss`.
    #[schema(example = "https://mfa.acme.example")]
    pub(crate) issuer: String,
    /// Their `aud`.
    #[schema(example = "countersign")]
    pub(crate) audience: String,
    /// Their `tenant`.
    #[schema(example = "default")]
    pub(crate) tenant_id: String,
    /// Seconds until one expires, counted from its making.
    #[schema(example = 900)]
    pub(crate) ttl_seconds: u32,
}

impl Tokens {
    /// Signs what was granted.
    pub(crate) fn sign(grant: &TokenGrant, api: &ApiState) -> Result<Self, ApiError> {
        Ok(Self {
            access_token: SecretText::from(api.tokens.sign(grant)?),
            token_type: "Bearer",
            expires_in: grant.expires_in_seconds,
        })
    }

    /// Signs what was granted, if something was.
    pub(crate) fn sign_any(
        grant: Option<&TokenGrant>,
        api: &ApiState,
    ) -> Result<Option<Self>, ApiError> {
        grant.map(|grant| Self::sign(grant, api)).transpose()
    }
}
