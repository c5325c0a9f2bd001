//! `/v1/tokens`.

use axum::Json;
use axum::extract::State;

use crate::problem::Problem;
use crate::request::{As, Mfa};
use crate::state::ApiState;
use crate::wire::tokens::TokenFacts;

/// Read what your tokens say
///
/// Whoever verifies tokens compares these besides the signature: tokens of all tenants are signed
/// by the same keys.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "describeTokens", tag = "Tokens",
    responses((status = 200, description = "What they say", body = TokenFacts))
)]
pub(crate) async fn describe(
    State(api): State<ApiState>,
    who: As<Mfa>,
) -> Result<Json<TokenFacts>, Problem> {
    let tenant = api.tenant(&who.tenant)?;
    Ok(Json(TokenFacts {
        issuer: api.tokens.issuer().to_owned(),
        audience: tenant.settings.token_audience.clone(),
        tenant_id: who.tenant.to_string(),
        ttl_seconds: tenant.settings.token_ttl_seconds,
    }))
}
