//! Factors that codes are sent to, and the codes on their way.

use countersign_core::command::Command;
use countersign_core::factor::message::SendOutcome;
use countersign_core::ids::ChallengeId;
use countersign_core::message::Channel;
use countersign_core::phone::PhoneNumber;
use countersign_core::reply::{self, Refusal, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, FactorType, SecretText, Time};
use crate::error::ApiError;
use crate::problem::{FieldError, Problem};
use crate::request::Fields;
use crate::state::ApiState;

const PHONE_NUMBER: &str = "/phoneNumber";

/// Begins the enrollment of a telephone number. Nothing is sent yet.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnrollSms {
    /// The number with its country code: valid, of a country, and none that costs or takes no
    /// messages (premium-rate, toll-free, shared-cost, personal, pager, universal access, voicemail).
    /// It is kept in E.164, however it is written here.
    #[schema(min_length = 1, example = "+14155552671")]
    phone_number: String,
    /// A name for the factor.
    #[schema(min_length = 1, max_length = 100, example = "Phone")]
    name: Option<String>,
}

impl EnrollSms {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let name = fields.name("/name", self.name);
        let number = self.phone_number.parse::<PhoneNumber>();
        if let Err(error) = &number {
            fields.refuse(PHONE_NUMBER, error.to_string());
        }
        let (number, name) = fields.finish((number, name))?;
        let number = number.map_err(|error| {
            Problem::validation(vec![FieldError::new(PHONE_NUMBER, error.to_string())])
        })?;
        Ok(Command::BeginSms { number, name })
    }
}

/// Begins the enrollment of the user's verified email address. Nothing is sent yet.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnrollEmail {
    /// A name for the factor.
    #[schema(min_length = 1, max_length = 100, example = "Mailbox")]
    name: Option<String>,
}

impl EnrollEmail {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let name = fields.name("/name", self.name);
        fields.finish(Command::BeginEmail { name })
    }
}

/// Confirms an enrollment with the code that was sent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifySentCode {
    /// The code: digits of any script. Spaces, dashes and invisible characters do not matter.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "492039")]
    code: SecretText,
    /// A name for the factor, instead of the one given at the beginning.
    #[schema(min_length = 1, max_length = 100, example = "Phone")]
    name: Option<String>,
    /// A challenge of kind ENROLLMENT_REQUIRED of the same user, which this confirmation answers.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    challenge_id: Option<String>,
}

impl VerifySentCode {
    pub(crate) fn command(self, channel: Channel) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let code = fields.code("/code", self.code);
        let name = fields.name("/name", self.name);
        let (code, name) = fields.finish((code, name))?;
        let challenge = super::challenge_id(self.challenge_id)?;
        Ok(Command::ConfirmMessage { channel, code, name, challenge })
    }
}

/// Sends a code for a challenge.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SendChallengeCode {
    /// To which of the challenge's factors: an SMS or an EMAIL one.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
}

impl SendChallengeCode {
    pub(crate) fn command(self, challenge: ChallengeId) -> Result<Command, Problem> {
        let factor = self.factor_id.parse().map_err(|_| Problem::from(Refusal::FactorNotFound))?;
        Ok(Command::SendChallengeCode { challenge, factor })
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MessageStatus {
    /// It is on its way, or is tried again.
    Pending,
    /// The provider took it.
    Sent,
    /// It will never arrive: offer another way.
    Failed,
}

/// A message that was asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SentMessage {
    /// To which factor, or to which one that waits for its confirmation.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
    /// How it travels: as SMS or as EMAIL.
    channel: FactorType,
    /// What became of it.
    status: MessageStatus,
    /// Why it failed, as a stable word: the provider's own code as `provider_21610`, or one of ours
    /// such as `expired`; else null.
    #[schema(example = "provider_21610")]
    reason: Option<String>,
    /// When it was asked for.
    requested_at: Time,
}

impl From<reply::MessageView> for SentMessage {
    fn from(view: reply::MessageView) -> Self {
        let (status, reason) = match view.outcome {
            SendOutcome::Pending => (MessageStatus::Pending, None),
            SendOutcome::Sent => (MessageStatus::Sent, None),
            SendOutcome::Failed { reason } => (MessageStatus::Failed, Some(reason)),
        };
        Self {
            factor_id: view.factor_id.to_string(),
            channel: view.channel.factor_type().into(),
            status,
            reason,
            requested_at: view.requested_at.into(),
        }
    }
}

/// An enrollment that waits for its confirmation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PendingEnrollment {
    /// The id that the factor will have.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
    /// Its kind.
    #[serde(rename = "type")]
    factor_type: FactorType,
    /// Where codes are sent, masked; null for an authenticator app.
    #[schema(example = "+•••••••71")]
    masked_destination: Option<String>,
    /// When the enrollment ends unconfirmed.
    expires_at: Time,
    /// What became of the message that was asked for last; null if none was.
    last_message: Option<SentMessage>,
}

impl From<reply::PendingEnrollmentView> for PendingEnrollment {
    fn from(view: reply::PendingEnrollmentView) -> Self {
        Self {
            factor_id: view.factor_id.to_string(),
            factor_type: view.factor_type.into(),
            masked_destination: view.masked_destination,
            expires_at: view.expires_at.into(),
            last_message: view.last_message.map(SentMessage::from),
        }
    }
}

/// A number or an address that waits for its confirmation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageEnrollment {
    /// The id that the factor will have.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
    /// Where codes will be sent, masked.
    #[schema(example = "+•••••••71")]
    masked_destination: String,
    /// When the enrollment ends unconfirmed.
    expires_at: Time,
}

impl Answer for MessageEnrollment {
    const OPERATION: &'static str = "the beginning of an enrollment";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        let Reply::MessageEnrollment(enrollment) = reply else { return None };
        let reply::MessageEnrollment { factor_id, masked_destination, expires_at } = enrollment;
        Some(Ok(Self {
            factor_id: factor_id.to_string(),
            masked_destination,
            expires_at: expires_at.into(),
        }))
    }
}

/// A code on its way. The code itself is in no answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CodeSent {
    /// The factor, enrolled or waiting, that the code proves.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
    /// Where it is sent, masked.
    #[schema(example = "+•••••••71")]
    masked_destination: String,
    /// When the code dies.
    expires_at: Time,
    /// When the next one may be asked for.
    resend_available_at: Time,
}

impl Answer for CodeSent {
    const OPERATION: &'static str = "the sending of a code";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        let Reply::CodeSent(sent) = reply else { return None };
        Some(Ok(Self {
            factor_id: sent.factor_id.to_string(),
            masked_destination: sent.masked_destination,
            expires_at: sent.expires_at.into(),
            resend_available_at: sent.resend_available_at.into(),
        }))
    }
}
