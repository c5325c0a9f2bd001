//! What is sent to a person: a code, through a channel, in words that the tenant may choose.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::factor::FactorType;
use crate::ids::{DeliveryId, UserKey};
use crate::secret::Secret;
use crate::time::{MINUTE_MS, Timestamp};

/// How long a sent code can be used.
pub const CODE_LIFETIME_MS: i64 = 5 * MINUTE_MS;
/// Digits of a sent code.
pub const CODE_DIGITS: usize = 6;
/// Wrong answers after which a sent code is void.
pub const CODE_MAX_WRONG: u32 = 5;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// A text message to a telephone.
    Sms,
    /// An email.
    Email,
}

impl Channel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sms, Self::Email];

    /// The type of the factors whose codes travel so.
    pub const fn factor_type(self) -> FactorType {
        match self {
            Self::Sms => FactorType::Sms,
            Self::Email => FactorType::Email,
        }
    }

    /// The word in metrics and in audit rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// Which channels can be used: a provider is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Text messages.
    pub sms: bool,
    /// Emails.
    pub email: bool,
}

impl Channels {
    /// Whether this one can.
    pub const fn can(self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => self.sms,
            Channel::Email => self.email,
        }
    }
}

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodePurpose {
    /// It confirms an enrollment.
    Enroll,
    /// It answers a challenge.
    Challenge,
}

impl CodePurpose {
    /// The word in audit rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "enrollment",
            Self::Challenge => "challenge",
        }
    }
}

/// A message with its code in plain text. It exists in the hands of who makes it and of the courier
/// that sends it; in between it lies sealed in the log and in the outbox, see [`seal_context`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeMessage {
    /// How it travels.
    pub channel: Channel,
    /// A number in E.164, or an address.
    pub destination: String,
    /// The code.
    pub code: Secret,
    /// What it is for.
    pub purpose: CodePurpose,
    /// When the code dies. The message is worthless from then on and must not leave.
    pub expires_at: Timestamp,
}

/// Shows neither the code nor where it goes.
impl fmt::Debug for CodeMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeMessage")
            .field("channel", &self.channel)
            .field("purpose", &self.purpose)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What a sealed message is bound to.
pub fn seal_context(key: &UserKey, delivery: DeliveryId) -> Vec<u8> {
    key.seal_context(&format!("message:{delivery}"))
}

/// Words of the tenant's own, with `{{code}}`, `{{issuer}}` and `{{minutes}}` for what is put in;
/// `None` for the words that the service brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplates {
    /// A text message.
    pub sms_text: Option<String>,
    /// An email's subject.
    pub email_subject: Option<String>,
    /// An email as plain text.
    pub email_text: Option<String>,
    /// An email as HTML; what is put in is escaped.
    pub email_html: Option<String>,
}

/// A change of templates: what is absent stays, an inner `None` goes back to the service's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplatesPatch {
    /// See [`MessageTemplates::sms_text`].
    pub sms_text: Option<Option<String>>,
    /// See [`MessageTemplates::email_subject`].
    pub email_subject: Option<Option<String>>,
    /// See [`MessageTemplates::email_text`].
    pub email_text: Option<Option<String>>,
    /// See [`MessageTemplates::email_html`].
    pub email_html: Option<Option<String>>,
}

/// A destination as it may be shown to whoever holds a session: enough to recognise one's own, too
/// little to learn another's.
pub fn mask(channel: Channel, destination: &str) -> String {
    match channel {
        Channel::Sms => {
            let last: String =
                destination.chars().skip(destination.len().saturating_sub(2)).collect();
            format!("+•••••••{last}")
        }
        Channel::Email => match destination.rsplit_once('@') {
            Some((local, domain)) => {
                // As people write it: unquoted, and with the letters of their language.
                let first: String = local.trim_start_matches('"').chars().take(1).collect();
                let (domain, _) = idna::domain_to_unicode(domain);
                format!("{first}•••@{domain}")
            }
            None => "•••".to_owned(),
        },
    }
}
