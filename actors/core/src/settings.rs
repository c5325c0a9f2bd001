//! The names that authenticator apps and browsers show, and how access tokens are made.

use serde::{Deserialize, Serialize};

use crate::alerts::AlertsPatch;
use crate::message::TemplatesPatch;

/// A tenant's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The name that authenticator apps show, and the tokens' issuer's display name; 1–64
    /// characters without a colon (it separates issuer and account in an `otpauth` label).
    pub issuer: String,
    /// The WebAuthn relying party id: a domain name (W3C WebAuthn Level 3 section 4).
    pub rp_id: String,
    /// The relying party's display name.
    pub rp_name: String,
    /// Origins from which ceremonies are accepted.
    pub origins: Vec<String>,
    /// How long an access token lives, in seconds, 60–86 400.
    pub token_ttl_seconds: u32,
    /// The tokens' `aud`.
    pub token_audience: String,
    /// What the tokens' header says they are.
    pub token_type: TokenType,
}

/// What a token says it is, in the `typ` of its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// `JWT`: anything in this form (RFC 7519 section 5.1).
    #[default]
    Jwt,
    /// `at+jwt`: an access token with the claims of RFC 9068, so with a `client_id`.
    AccessToken,
}

impl Settings {
    /// What a new tenant starts with.
    pub fn initial() -> Self {
        Self {
            issuer: "Countersign".to_owned(),
            rp_id: "localhost".to_owned(),
            rp_name: "Countersign".to_owned(),
            origins: vec!["http://localhost:8080".to_owned()],
            token_ttl_seconds: 900,
            token_audience: "countersign".to_owned(),
            token_type: TokenType::default(),
        }
    }

    /// The relying party whose keys browsers let people use: `rp_id`, unless it is neither the host
    /// of any of the origins nor a domain above one (W3C WebAuthn Level 3 section 5.1.3 step 8).
    pub fn relying_party(&self) -> Option<&str> {
        let rp_id = self.rp_id.as_str();
        let serves = |origin: &String| {
            let Some((_, authority)) = origin.split_once("://") else { return false };
            let host = authority.split_once(':').map_or(authority, |(host, _port)| host);
            let above = host.strip_suffix(rp_id);
            above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.origins.iter().any(serves).then_some(rp_id)
    }
}

/// A change of settings: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsPatch {
    /// See [`Settings::issuer`].
    pub issuer: Option<String>,
    /// See [`Settings::rp_id`].
    pub rp_id: Option<String>,
    /// See [`Settings::rp_name`].
    pub rp_name: Option<String>,
    /// See [`Settings::origins`].
    pub origins: Option<Vec<String>>,
    /// See [`Settings::token_ttl_seconds`].
    pub token_ttl_seconds: Option<u32>,
    /// See [`Settings::token_audience`].
    pub token_audience: Option<String>,
    /// See [`Settings::token_type`].
    pub token_type: Option<TokenType>,
    /// The thresholds of alerts.
    pub alerts: AlertsPatch,
    /// The words of messages.
    pub templates: TemplatesPatch,
}
