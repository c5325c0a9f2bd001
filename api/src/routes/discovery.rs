//! Where verifiers of tokens find what they need, from the tokens' issuer alone: OpenID Connect
//! Discovery 1.0 and RFC 8414.
//!
//! There is no authorization endpoint and no token endpoint here, so none is named, and the lists of
//! what they would support are empty. Resource servers need neither.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::operations;
use crate::problem::{Code, Problem};
use crate::state::ApiState;
use crate::token::CLAIMS;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const JWKS: &str = "/.well-known/jwks.json";

/// What is true of the issuer of access tokens. Of what OpenID Connect and OAuth ask for, the
/// endpoints are missing: tokens come from the API alone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IssuerMetadata {
    /// The tokens' `iss`.
    #[schema(example = "https://mfa.acme.example")]
    issuer: String,
    /// Where the keys are that verify tokens.
    #[schema(example = "https://mfa.acme.example/.well-known/jwks.json")]
    jwks_uri: String,
    /// None: nobody is authorized here.
    response_types_supported: Vec<String>,
    /// None.
    grant_types_supported: Vec<String>,
    /// None.
    token_endpoint_auth_methods_supported: Vec<String>,
    /// `public`: a user has one `sub` for all.
    subject_types_supported: Vec<String>,
    /// How tokens are signed: libraries read here what they accept.
    id_token_signing_alg_values_supported: Vec<String>,
    /// What tokens may say.
    claims_supported: Vec<String>,
    /// What `acr` may be.
    acr_values_supported: Vec<String>,
    /// `false`.
    request_parameter_supported: bool,
    /// `false`.
    request_uri_parameter_supported: bool,
    /// The API's pages.
    #[schema(example = "https://mfa.acme.example/docs")]
    service_documentation: String,
}

/// Read what is true of the issuer of access tokens, as OpenID Connect clients look for it
///
/// Only where the issuer is an address (`issuer_url`). There is no authorization endpoint and no token
/// endpoint: this is for servers that verify tokens.
#[utoipa::path(
    get, path = "/.well-known/openid-configuration", operation_id = "getOpenIdConfiguration",
    tag = "Tokens", security(()),
    responses((status = 200, description = "What is true of it", body = IssuerMetadata))
)]
pub(crate) async fn openid(State(api): State<ApiState>) -> Result<Response, Problem> {
    answer(&api)
}

/// Read what is true of the issuer of access tokens, as OAuth clients look for it
///
/// The same as `getOpenIdConfiguration`, where RFC 8414 has it.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server",
    operation_id = "getAuthorizationServerMetadata", tag = "Tokens", security(()),
    responses((status = 200, description = "What is true of it", body = IssuerMetadata))
)]
pub(crate) async fn oauth(State(api): State<ApiState>) -> Result<Response, Problem> {
    answer(&api)
}

/// What no route answers: an issuer with a path has its documents under addresses with that path,
/// before or after the well-known part (RFC 8414 sections 3 and 5).
pub(crate) async fn elsewhere(
    State(api): State<ApiState>,
    method: Method,
    uri: Uri,
) -> Result<Response, Problem> {
    let reads = matches!(method, Method::GET | Method::HEAD);
    let path = issuer(&api).map(|url| url.path().trim_end_matches('/').to_owned());
    let Some(path) = path.filter(|path| reads && !path.is_empty()) else {
        return Err(Problem::no_such_address());
    };
    let asked = uri.path();
    if asked.strip_prefix(path.as_str()) == Some(JWKS) {
        return operations::jwks(State(api)).await;
    }
    let found = [OPENID, OAUTH].into_iter().any(|known| {
        asked.strip_prefix(path.as_str()) == Some(known)
            || asked.strip_prefix(known) == Some(path.as_str())
    });
    if found { answer(&api) } else { Err(Problem::no_such_address()) }
}

/// The issuer, if it is an address.
fn issuer(api: &ApiState) -> Option<Url> {
    let url = Url::parse(api.tokens.issuer()).ok()?;
    matches!(url.scheme(), "https" | "http").then_some(url)
}

fn answer(api: &ApiState) -> Result<Response, Problem> {
    if issuer(api).is_none() {
        let detail = "the issuer of tokens is no address; the operator sets `issuer_url` to one";
        return Err(Problem::new(Code::NotFound, detail));
    }
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    let issuer = api.tokens.issuer();
    let metadata = IssuerMetadata {
        issuer: issuer.to_owned(),
        jwks_uri: format!("{issuer}{JWKS}"),
        response_types_supported: Vec::new(),
        grant_types_supported: Vec::new(),
        token_endpoint_auth_methods_supported: Vec::new(),
        subject_types_supported: words(&["public"]),
        id_token_signing_alg_values_supported: words(&["ES256"]),
        claims_supported: words(CLAIMS),
        acr_values_supported: words(&["aal1", "aal2"]),
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        service_documentation: format!("{issuer}/docs"),
    };
    let cache = HeaderValue::from_static("public, max-age=300");
    Ok(([(header::CACHE_CONTROL, cache)], Json(metadata)).into_response())
}
