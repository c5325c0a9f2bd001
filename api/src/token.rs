//! Access tokens: ES256 JWTs (RFC 7519, RFC 7518 section 3.4) and the keys that verify them.
//!
//! The signature is deterministic (RFC 6979), so a grant that was kept for its idempotency key
//! gives, byte for byte, the token that was given the first time. Private keys are opened once a
//! process and never leave this module.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_actors::ports::{Directory, EntropySource};
use countersign_core::reply::{Acr, Amr, TokenGrant};
use countersign_core::settings::TokenType;
use countersign_core::system;
use countersign_core::time::{DAY_MS, Timestamp};
use countersign_core::vault::Vault;
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// For how long a retired key still verifies: the longest life that a token may have.
pub const RETIRED_KEY_KEPT_MS: i64 = DAY_MS;

/// The public half of a signing key (RFC 7517 section 4, RFC 7518 section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    /// `EC`.
    pub kty: &'static str,
    /// `P-256`.
    pub crv: &'static str,
    /// The x coordinate, base64url.
    pub x: String,
    /// The y coordinate, base64url.
    pub y: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub key_use: &'static str,
    /// `ES256`.
    pub alg: &'static str,
    /// The RFC 7638 thumbprint.
    pub kid: String,
}

/// Signs what the core granted.
pub struct TokenSigner {
    directory: Arc<dyn Directory>,
    vault: Arc<dyn Vault>,
    issuer_url: String,
    opened: RwLock<HashMap<String, Arc<SigningKey>>>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

/// Everything that a token may say.
pub(crate) const CLAIMS: &[&str] =
    &["iss", "aud", "sub", "iat", "exp", "jti", "auth_time", "acr", "amr", "tenant", "client_id"];

/// [`CLAIMS`]. RFC 7519 section 4.1; `auth_time`, `acr`, `amr` as in OpenID Connect Core section 2.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
    auth_time: u64,
    acr: &'static str,
    amr: Vec<&'static str>,
    tenant: &'a str,
    /// RFC 9068 section 2.2 asks for it: whoever asked for the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

impl TokenSigner {
    /// Signs with the keys that `directory` names and `vault` opens, as `issuer_url`.
    pub fn new(directory: Arc<dyn Directory>, vault: Arc<dyn Vault>, issuer_url: String) -> Self {
        Self { directory, vault, issuer_url, opened: RwLock::default() }
    }

    /// The `iss` of every token.
    pub fn issuer(&self) -> &str {
        &self.issuer_url
    }

    /// The access token of a grant.
    ///
    /// # Errors
    /// If the grant's key is unknown or cannot be opened.
    pub fn sign(&self, grant: &TokenGrant) -> Result<String, ApiError> {
        let issued_at = grant.issued_at.unix_seconds();
        let (typ, client_id) = match grant.token_type {
            TokenType::Jwt => ("JWT", None),
            TokenType::AccessToken => {
                // Without an API key (the hosted pages), `client_id` is the tenant's id.
                let tenant = || grant.tenant.to_string();
                ("at+jwt", Some(grant.client.map_or_else(tenant, |key| key.to_string())))
            }
        };
        let claims = Claims {
            iss: &self.issuer_url,
            aud: &grant.audience,
            sub: grant.subject.as_str(),
            iat: issued_at,
            exp: issued_at.saturating_add(u64::from(grant.expires_in_seconds)),
            jti: grant.id.to_string(),
            auth_time: issued_at,
            acr: match grant.acr {
                Acr::Aal1 => "aal1",
                Acr::Aal2 => "aal2",
            },
            amr: grant.amr.iter().copied().map(Amr::as_str).collect(),
            tenant: grant.tenant.as_str(),
            client_id,
        };
        self.compact(&grant.signing_key, typ, &claims)
    }

    /// A compact JWS (RFC 7515 section 7.1) over `payload`, by the key that signs now.
    ///
    /// # Errors
    /// If there is no such key or it cannot be opened.
    pub fn attest<T: Serialize>(&self, typ: &'static str, payload: &T) -> Result<String, ApiError> {
        let system = self.directory.system();
        let key = system.signing_key().ok_or(ApiError::NoSigningKey)?;
        self.compact(&key.kid, typ, payload)
    }

    /// The public keys that verify tokens at `now`, the newest first.
    pub fn public_keys(&self, now: Timestamp) -> Vec<Jwk> {
        let verifies = |key: &&system::SigningKey| {
            key.retired_at.is_none_or(|at| now < at.plus_millis(RETIRED_KEY_KEPT_MS))
        };
        self.directory.system().signing_keys.iter().rev().filter(verifies).filter_map(jwk).collect()
    }

    fn compact<T: Serialize>(
        &self,
        kid: &str,
        typ: &'static str,
        payload: &T,
    ) -> Result<String, ApiError> {
        let key = self.key(kid)?;
        let header = base64_json(&Header { alg: "ES256", typ, kid })?;
        let signed = format!("{header}.{}", base64_json(payload)?);
        // RFC 7518 section 3.4: the signature is R || S, 64 bytes.
        let signature: Signature = key.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes())))
    }

    fn key(&self, kid: &str) -> Result<Arc<SigningKey>, ApiError> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned();
        if let Some(key) = opened {
            return Ok(key);
        }
        let key = Arc::new(self.open(kid)?);
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        opened.insert(kid.to_owned(), Arc::clone(&key));
        Ok(key)
    }

    fn open(&self, kid: &str) -> Result<SigningKey, ApiError> {
        let system = self.directory.system();
        let stored = system
            .signing_keys
            .iter()
            .find(|key| key.kid == kid)
            .ok_or_else(|| ApiError::UnknownSigningKey { kid: kid.to_owned() })?;
        let private = self
            .vault
            .open(&seal_context(kid), &stored.private)
            .map_err(|reason| ApiError::SealedSigningKey { kid: kid.to_owned(), reason })?;
        SigningKey::from_slice(private.expose())
            .map_err(|_| ApiError::MalformedSigningKey { kid: kid.to_owned() })
    }
}

/// A fresh signing key, its private part sealed, made at `now`.
///
/// # Errors
/// If the source gives no usable key in four attempts; a sound one fails once in 2³² attempts.
pub fn new_signing_key(
    entropy: &dyn EntropySource,
    vault: &dyn Vault,
    now: Timestamp,
) -> Result<system::SigningKey, ApiError> {
    let mut private = zeroize::Zeroizing::new([0; 32]);
    let mut candidates = std::iter::repeat_with(|| {
        entropy.fill(private.as_mut_slice());
        SigningKey::from_slice(private.as_slice()).ok()
    });
    let key = candidates.by_ref().take(4).flatten().next().ok_or(ApiError::Entropy)?;
    let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let kid = thumbprint(&public).ok_or(ApiError::Entropy)?;
    let mut nonce = [0; 24];
    entropy.fill(&mut nonce);
    let bytes = zeroize::Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
    let private = vault.seal(&seal_context(&kid), nonce, bytes.as_slice());
    Ok(system::SigningKey { kid, private, public, created_at: now, retired_at: None })
}

/// What binds a sealed private key to its id.
fn seal_context(kid: &str) -> Vec<u8> {
    [b"signing-key\0", kid.as_bytes()].concat()
}

/// The coordinates of a SEC1 uncompressed point, base64url.
fn coordinates(public: &[u8]) -> Option<(String, String)> {
    let point: &[u8; 65] = public.try_into().ok()?;
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    (point[0] == 4).then(|| (encode(&point[1..33]), encode(&point[33..])))
}

fn jwk(key: &system::SigningKey) -> Option<Jwk> {
    let (x, y) = coordinates(&key.public)?;
    let kid = key.kid.clone();
    Some(Jwk { kty: "EC", crv: "P-256", x, y, key_use: "sig", alg: "ES256", kid })
}

/// RFC 7638 section 3: SHA-256 over the required members in lexicographic order.
fn thumbprint(public: &[u8]) -> Option<String> {
    let (x, y) = coordinates(public)?;
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some(BASE64URL_NOPAD.encode(&Sha256::digest(canonical)))
}

fn base64_json<T: Serialize>(value: &T) -> Result<String, ApiError> {
    let json = serde_json::to_vec(value).map_err(|error| ApiError::Claims(error.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&json))
}
