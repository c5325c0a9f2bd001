//! Settings: the names that authenticator apps and browsers show, and how tokens are made.

use countersign_core::alerts::AlertSettings;
use countersign_core::message::MessageTemplates;
use countersign_core::settings as core;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::telling::{Alerts, Messages, UpdateAlerts, UpdateMessages};
use super::{TokenType, present};
use crate::problem::Problem;
use crate::request::{Fields, origin};

/// A tenant's settings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    /// The name that authenticator apps show.
    #[schema(example = "Acme")]
    issuer: String,
    /// The WebAuthn relying party id: a domain name.
    #[schema(example = "acme.example")]
    rp_id: String,
    /// The relying party's display name.
    #[schema(example = "Acme")]
    rp_name: String,
    /// Origins from which ceremonies are accepted.
    #[schema(example = json!(["https://login.acme.example"]))]
    origins: Vec<String>,
    /// How long an access token lives, in seconds.
    #[schema(example = 900)]
    token_ttl_seconds: u32,
    /// The tokens' `aud`.
    #[schema(example = "acme")]
    token_audience: String,
    /// What the tokens' header says they are.
    token_type: TokenType,
    /// When something is odd enough to be told.
    alerts: Alerts,
    /// The words of messages.
    messages: Messages,
}

impl Settings {
    /// A tenant's settings, thresholds and words.
    pub(crate) fn of(
        settings: &core::Settings,
        alerts: &AlertSettings,
        templates: &MessageTemplates,
    ) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            rp_id: settings.rp_id.clone(),
            rp_name: settings.rp_name.clone(),
            origins: settings.origins.clone(),
            token_ttl_seconds: settings.token_ttl_seconds,
            token_audience: settings.token_audience.clone(),
            token_type: settings.token_type.into(),
            alerts: alerts.into(),
            messages: templates.into(),
        }
    }
}

/// A change of the settings (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateSettings {
    /// The name that authenticator apps show; without a colon.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 64, example = "Acme")]
    issuer: Option<String>,
    /// The WebAuthn relying party id: a domain name, the host of one of the `origins` or a domain
    /// above it. It is kept as browsers write it. Keys that were registered for another id cannot be
    /// used any more.
    #[serde(default, deserialize_with = "present")]
    #[schema(example = "acme.example")]
    rp_id: Option<String>,
    /// The relying party's display name.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 64, example = "Acme")]
    rp_name: Option<String>,
    /// Origins from which ceremonies are accepted: `https://…`, or `http://localhost`. They are kept
    /// as browsers write them: lower case, Punycode, no default port.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_items = 20, example = json!(["https://login.acme.example"]))]
    origins: Option<Vec<String>>,
    /// How long an access token lives, in seconds.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 60, maximum = 86400, example = 900)]
    token_ttl_seconds: Option<u32>,
    /// The tokens' `aud`.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200, example = "acme")]
    token_audience: Option<String>,
    /// What the tokens' header says they are: `JWT`, or `AT_JWT` for `at+jwt` (RFC 9068), with a
    /// `client_id`: the id of the API key that asked.
    #[serde(default, deserialize_with = "present")]
    token_type: Option<TokenType>,
    /// When something is odd enough to be told.
    #[serde(default, deserialize_with = "present")]
    alerts: Option<UpdateAlerts>,
    /// The words of messages.
    #[serde(default, deserialize_with = "present")]
    messages: Option<UpdateMessages>,
    /// Whether `rpId` and `origins` are changed although security keys and passkeys become useless by
    /// it; false if left out.
    #[serde(default, deserialize_with = "present")]
    force: Option<bool>,
}

impl UpdateSettings {
    /// The change, and whether it is to be made although keys become useless.
    pub(crate) fn patch(self) -> Result<(core::SettingsPatch, bool), Problem> {
        let mut fields = Fields::new();
        let f = &mut fields;
        let patch = core::SettingsPatch {
            issuer: self.issuer.map(|text| {
                // It separates issuer and account in an `otpauth` label.
                f.demand(!text.contains(':'), "/issuer", "must not contain a colon");
                f.line("/issuer", text, 1..=64)
            }),
            rp_id: relying_party(f, self.rp_id),
            rp_name: self.rp_name.map(|text| f.line("/rpName", text, 1..=64)),
            origins: origins(f, self.origins),
            token_ttl_seconds: f.number("/tokenTtlSeconds", self.token_ttl_seconds, 60..=86_400),
            token_audience: self.token_audience.map(|text| f.line("/tokenAudience", text, 1..=200)),
            token_type: self.token_type.map(Into::into),
            alerts: self.alerts.unwrap_or_default().read(f),
            templates: self.messages.unwrap_or_default().read(),
        };
        fields.finish((patch, self.force.unwrap_or(false)))
    }
}

fn relying_party(fields: &mut Fields, value: Option<String>) -> Option<String> {
    match origin::relying_party_id(&value?) {
        Ok(rp_id) => Some(rp_id),
        Err(detail) => {
            fields.refuse("/rpId", detail);
            None
        }
    }
}

/// The origins as browsers write them, each once.
fn origins(fields: &mut Fields, value: Option<Vec<String>>) -> Option<Vec<String>> {
    let value = value?;
    fields.demand(value.len() <= 20, "/origins", "must have at most 20 entries");
    let mut origins = Vec::new();
    for (index, text) in value.iter().enumerate() {
        match origin::origin(text) {
            Ok(origin) if origins.contains(&origin) => {}
            Ok(origin) => origins.push(origin),
            Err(detail) => fields.refuse(&format!("/origins/{index}"), detail),
        }
    }
    Some(origins)
}
