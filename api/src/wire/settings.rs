//! Settings: the names that authenticator apps and browsers show, and how tokens are made.

use countersign_core::alerts::AlertSettings;
use countersign_core::message::MessageTemplates;
use countersign_core::settings as core;
use countersign_core::tenant::TenantCommand;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::present;
use super::telling::{Alerts, Messages, UpdateAlerts, UpdateMessages};
use crate::problem::Problem;
use crate::request::{Fields, is_domain};

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
    /// The WebAuthn relying party id: a domain name.
    #[serde(default, deserialize_with = "present")]
    #[schema(example = "acme.example")]
    rp_id: Option<String>,
    /// The relying party's display name.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 64, example = "Acme")]
    rp_name: Option<String>,
    /// Origins from which ceremonies are accepted: `https://…`, or `http://localhost`.
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
    /// When something is odd enough to be told.
    #[serde(default, deserialize_with = "present")]
    alerts: Option<UpdateAlerts>,
    /// The words of messages.
    #[serde(default, deserialize_with = "present")]
    messages: Option<UpdateMessages>,
}

impl UpdateSettings {
    pub(crate) fn command(self) -> Result<TenantCommand, Problem> {
        let mut fields = Fields::new();
        let f = &mut fields;
        let patch = core::SettingsPatch {
            issuer: self.issuer.map(|text| {
                // It separates issuer and account in an `otpauth` label.
                f.demand(!text.contains(':'), "/issuer", "must not contain a colon");
                f.line("/issuer", text, 1..=64)
            }),
            rp_id: domain(f, self.rp_id),
            rp_name: self.rp_name.map(|text| f.line("/rpName", text, 1..=64)),
            origins: origins(f, self.origins),
            token_ttl_seconds: f.number("/tokenTtlSeconds", self.token_ttl_seconds, 60..=86_400),
            token_audience: self.token_audience.map(|text| f.line("/tokenAudience", text, 1..=200)),
            alerts: self.alerts.unwrap_or_default().read(f),
            templates: self.messages.unwrap_or_default().read(),
        };
        fields.finish(TenantCommand::PatchSettings(Box::new(patch)))
    }
}

fn domain(fields: &mut Fields, value: Option<String>) -> Option<String> {
    let fits = value.as_deref().is_none_or(is_domain);
    fields.demand(fits, "/rpId", "must be a domain name");
    value
}

fn origins(fields: &mut Fields, value: Option<Vec<String>>) -> Option<Vec<String>> {
    let origins = value.as_deref().unwrap_or_default();
    fields.demand(origins.len() <= 20, "/origins", "must have at most 20 entries");
    for (index, origin) in origins.iter().enumerate() {
        let detail = "must be an origin such as https://login.acme.example";
        fields.demand(is_origin(origin), &format!("/origins/{index}"), detail);
    }
    value
}

/// Scheme, host and perhaps a port (RFC 6454 section 6.2), in a secure context (W3C Secure
/// Contexts section 3.1).
fn is_origin(text: &str) -> bool {
    let (authority, secure) = match text.split_once("://") {
        Some(("https", authority)) => (authority, true),
        Some(("http", authority)) => (authority, false),
        _ => return false,
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let local = host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1";
    is_domain(host) && port.parse::<u16>().is_ok_and(|port| port > 0) && (secure || local)
}
