//! Thresholds of alerts and the words of messages, within the settings.

use countersign_core::alerts::{AlertSettings, AlertsPatch};
use countersign_core::message::{MessageTemplates, TemplatesPatch};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::present;
use crate::request::Fields;

/// When something is odd enough to be told; 0 switches an alert off.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alerts {
    /// Wrong codes of one user in a row.
    #[schema(example = 10)]
    brute_force_attempts: u32,
    /// Users for whom one address gave wrong codes within ten minutes.
    #[schema(example = 10)]
    address_users: u32,
    /// Recovery codes of one user that were used within a day.
    #[schema(example = 3)]
    recovery_codes_per_day: u32,
    /// Users reset with one API key within an hour.
    #[schema(example = 20)]
    resets_per_hour: u32,
    /// Whether limits on messages that are reached are told.
    send_floods: bool,
    /// Whether spent codes that come again from elsewhere are told.
    relays: bool,
}

impl From<&AlertSettings> for Alerts {
    fn from(alerts: &AlertSettings) -> Self {
        Self {
            brute_force_attempts: alerts.brute_force_attempts,
            address_users: alerts.address_users,
            recovery_codes_per_day: alerts.recovery_codes_per_day,
            resets_per_hour: alerts.resets_per_hour,
            send_floods: alerts.send_floods,
            relays: alerts.relays,
        }
    }
}

/// A change of thresholds.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateAlerts {
    /// Wrong codes of one user in a row.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 1000)]
    brute_force_attempts: Option<u32>,
    /// Users for whom one address gave wrong codes within ten minutes.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 1000)]
    address_users: Option<u32>,
    /// Recovery codes of one user that were used within a day.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 20)]
    recovery_codes_per_day: Option<u32>,
    /// Users reset with one API key within an hour.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 10000)]
    resets_per_hour: Option<u32>,
    /// Whether limits on messages that are reached are told.
    #[serde(default, deserialize_with = "present")]
    send_floods: Option<bool>,
    /// Whether spent codes that come again from elsewhere are told.
    #[serde(default, deserialize_with = "present")]
    relays: Option<bool>,
}

impl UpdateAlerts {
    /// The patch.
    pub(crate) fn read(self, f: &mut Fields) -> AlertsPatch {
        let attempts = self.brute_force_attempts;
        AlertsPatch {
            brute_force_attempts: f.number("/alerts/bruteForceAttempts", attempts, 0..=1_000),
            address_users: f.number("/alerts/addressUsers", self.address_users, 0..=1_000),
            recovery_codes_per_day: f.number(
                "/alerts/recoveryCodesPerDay",
                self.recovery_codes_per_day,
                0..=20,
            ),
            resets_per_hour: f.number("/alerts/resetsPerHour", self.resets_per_hour, 0..=10_000),
            send_floods: self.send_floods,
            relays: self.relays,
        }
    }
}

/// Words of your own, with `{{code}}`, `{{issuer}}` and `{{minutes}}` for what is put in; null for
/// the words that the service brings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Messages {
    /// A text message.
    #[schema(example = "{{code}} is your {{issuer}} code. It works for {{minutes}} minutes.")]
    sms_text: Option<String>,
    /// An email's subject.
    email_subject: Option<String>,
    /// An email as plain text.
    email_text: Option<String>,
    /// An email as HTML; what is put in is escaped.
    email_html: Option<String>,
}

impl From<&MessageTemplates> for Messages {
    fn from(templates: &MessageTemplates) -> Self {
        Self {
            sms_text: templates.sms_text.clone(),
            email_subject: templates.email_subject.clone(),
            email_text: templates.email_text.clone(),
            email_html: templates.email_html.clone(),
        }
    }
}

/// A change of words: what is left out stays, null goes back to the service's.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateMessages {
    /// A text message; must contain `{{code}}`.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 480)]
    sms_text: Option<Option<String>>,
    /// An email's subject.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 150)]
    email_subject: Option<Option<String>>,
    /// An email as plain text; must contain `{{code}}`.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 20000)]
    email_text: Option<Option<String>>,
    /// An email as HTML; must contain `{{code}}`.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 50000)]
    email_html: Option<Option<String>>,
}

impl UpdateMessages {
    /// The patch. The words are judged by the core.
    pub(crate) fn read(self) -> TemplatesPatch {
        TemplatesPatch {
            sms_text: self.sms_text,
            email_subject: self.email_subject,
            email_text: self.email_text,
            email_html: self.email_html,
        }
    }
}

/// A field that was sent, be it null.
pub(crate) fn sent<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
