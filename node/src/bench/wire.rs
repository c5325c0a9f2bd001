//! The bodies that are sent and the answers that must come back, as the HTTP contract has them.
//!
//! Written out here and not taken from the server's crate: a load generator that shares the
//! server's types would agree with it about every mistake. A field that the contract promises must
//! be present, `null` or not; more fields are no mistake, since the contract may grow.

use serde::{Deserialize, Deserializer, Serialize};

/// Reads a field that may be `null` but must be there: with a function of its own, serde takes no
/// missing field for `None`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportTotp<'a> {
    pub(super) secret: &'a str,
    pub(super) algorithm: &'a str,
    pub(super) digits: u8,
    pub(super) period: u16,
    pub(super) name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BeginTotp<'a> {
    pub(super) name: &'a str,
    pub(super) algorithm: &'a str,
    pub(super) digits: u8,
    pub(super) period: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BegunTotp {
    pub(super) factor_id: String,
    pub(super) secret: String,
    pub(super) qr_code_uri: String,
    #[serde(rename = "qrCodeSvg")]
    pub(super) _qr_code_svg: String,
    #[serde(rename = "expiresAt")]
    pub(super) _expires_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmTotp<'a> {
    pub(super) code: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Factor {
    pub(super) id: String,
    pub(super) r#type: String,
    pub(super) status: String,
    pub(super) primary: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateChallenge<'a> {
    pub(super) user_id: &'a str,
    pub(super) purpose: &'a str,
    pub(super) context: LoginContext<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginContext<'a> {
    pub(super) ip_address: &'a str,
    pub(super) user_agent: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evaluation {
    pub(super) mfa_required: bool,
    pub(super) reason: String,
    #[serde(deserialize_with = "present")]
    pub(super) challenge: Option<Challenge>,
    pub(super) enrollment_required: bool,
    #[serde(deserialize_with = "present")]
    pub(super) tokens: Option<Tokens>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Challenge {
    pub(super) id: String,
    pub(super) purpose: String,
    #[serde(rename = "expiresAt")]
    pub(super) _expires_at: String,
    pub(super) factors: Vec<OfferedFactor>,
}

#[derive(Deserialize)]
pub(super) struct OfferedFactor {
    pub(super) id: String,
    pub(super) r#type: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verify<'a> {
    pub(super) challenge_id: &'a str,
    pub(super) factor_id: &'a str,
    pub(super) code: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verified {
    pub(super) verified: bool,
    pub(super) user_id: String,
    pub(super) factor_id: String,
    pub(super) tokens: Tokens,
    #[serde(deserialize_with = "present")]
    pub(super) device_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) token_type: String,
    pub(super) expires_in: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) enabled: bool,
    pub(super) factor_count: u32,
    pub(super) factors: std::collections::BTreeMap<String, u32>,
    #[serde(deserialize_with = "present")]
    pub(super) primary_factor_id: Option<String>,
    pub(super) failed_attempts: u32,
    #[serde(deserialize_with = "present")]
    pub(super) locked_until: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    pub(super) requirement: String,
    pub(super) allowed_factors: Vec<String>,
    pub(super) lockout: LockoutPolicy,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LockoutPolicy {
    pub(super) max_attempts: u32,
    pub(super) hard_limit: u32,
}

/// RFC 9457, with the contract's members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    pub(super) code: String,
    #[serde(default)]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) attempts_remaining: Option<u32>,
}
