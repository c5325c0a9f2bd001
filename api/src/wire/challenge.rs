//! Challenges: whether a login needs a second factor, and the answer to one that does.

use std::net::IpAddr;

use countersign_core::challenge::Purpose;
use countersign_core::command::{Command, Proof, RememberDevice};
use countersign_core::factor::webauthn::response::AssertionResponse;
use countersign_core::ids::{ChallengeId, UserId};
use countersign_core::reply::{self, Refusal, Reply};
use countersign_core::secret::Secret;
use countersign_core::{address, country, risk};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::SentMessage;
use super::tokens::Tokens;
use super::webauthn::AuthenticationResponse;
use super::{
    Answer, ChallengeKind, ChallengePurpose, ChallengeReason, ChallengeStatus, FactorType,
    RiskTrigger, SecretText, Time,
};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// The most characters that are kept of a browser's `User-Agent`.
const USER_AGENT_MAX: usize = 256;
/// The most characters that are kept of the name of a region or a city.
const PLACE_MAX: usize = 100;
/// The most bytes of a device token that could be one.
const DEVICE_TOKEN_MAX: usize = 256;

/// Asks whether a login needs a second factor, once the password was checked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateChallenge {
    /// Your own id of the user.
    #[schema(min_length = 1, max_length = 128, example = "user_42")]
    user_id: String,
    /// Why; LOGIN if left out.
    purpose: Option<ChallengePurpose>,
    /// What is known of the login. The more, the better risk is judged.
    context: Option<LoginContext>,
}

/// What is known of a login. Nothing in it that cannot be used ends the login: it is read as what it
/// means where that is plain, and else taken as not told.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoginContext {
    /// The person's address. A port, brackets and a zone are left out; of a list the last counts.
    #[schema(example = "203.0.113.7")]
    ip_address: Option<String>,
    /// The browser's `User-Agent`; the first 256 characters count. Without `deviceId` the device is
    /// known by the browser's family and platform, whatever their versions.
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
    /// Your own id of the device.
    #[schema(example = "device-7")]
    device_id: Option<String>,
    /// The `deviceToken` of an earlier verification.
    #[schema(value_type = Option<String>)]
    device_token: Option<SecretText>,
    /// Where the person is.
    location: Option<Location>,
}

/// A place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Location {
    /// ISO 3166-1 alpha-2. What is no country's code (`T1`, `XX`, `EU`, `ZZ`) is a place that is
    /// never known.
    #[schema(example = "US")]
    country: Option<String>,
    /// A region's code or name; the first 100 characters count.
    #[schema(example = "CA")]
    region: Option<String>,
    /// A city's name; the first 100 characters count.
    #[schema(example = "San Francisco")]
    city: Option<String>,
    /// Degrees, −90 to 90; goes with `longitude`.
    #[schema(example = 37.7)]
    latitude: Option<f64>,
    /// Degrees, −180 to 180; goes with `latitude`.
    #[schema(example = -122.4)]
    longitude: Option<f64>,
}

impl CreateChallenge {
    /// Whose challenge, and the command.
    pub(crate) fn command(self) -> Result<(UserId, Command), Problem> {
        let mut fields = Fields::new();
        let detail =
            "must have 1 to 128 characters out of A–Z a–z 0–9 . _ : @ | + -, and not be . or ..";
        let user = fields.parsed::<UserId>("/userId", Some(&self.user_id), detail);
        let mut context = self.context.unwrap_or_default();
        let device_token = context.device_token.take();
        let command = Command::CreateChallenge {
            purpose: self.purpose.map_or(Purpose::Login, Into::into),
            context: context.read(),
            // A longer one was never given to anybody.
            device_token: device_token
                .filter(|token| token.expose().len() <= DEVICE_TOKEN_MAX)
                .map(SecretText::into_secret),
        };
        let (user, command) = fields.finish((user, command))?;
        let user = user.ok_or_else(|| Problem::invalid_request(detail))?;
        Ok((user, command))
    }
}

/// The `ipAddress` of a context: IPv4 where a dual-stack socket shows an IPv4 address.
pub(super) fn read_address(text: &str) -> Option<IpAddr> {
    address::read(text).map(|address| address.to_canonical())
}

/// The `userAgent` of a context, of which as much counts as anybody looks at.
pub(super) fn read_user_agent(text: &str) -> Option<String> {
    cut(text, USER_AGENT_MAX)
}

impl LoginContext {
    fn read(self) -> risk::LoginContext {
        risk::LoginContext {
            ip_address: self.ip_address.and_then(|text| read_address(&text)),
            user_agent: self.user_agent.and_then(|text| read_user_agent(&text)),
            device_id: self.device_id.and_then(risk::kept_device_id),
            location: self.location.and_then(Location::read),
        }
    }
}

impl Location {
    /// The place, if anything of it is told.
    fn read(self) -> Option<risk::Location> {
        let degrees = self.latitude.zip(self.longitude).filter(|(latitude, longitude)| {
            (-90.0..=90.0).contains(latitude) && (-180.0..=180.0).contains(longitude)
        });
        let (latitude, longitude) = degrees.unzip();
        let location = risk::Location {
            country: self.country.and_then(|text| country::read(&text)),
            region: self.region.and_then(|text| cut(&text, PLACE_MAX)),
            city: self.city.and_then(|text| cut(&text, PLACE_MAX)),
            latitude,
            longitude,
        };
        (location != risk::Location::default()).then_some(location)
    }
}

/// The beginning of a text, without control characters. `None` for nothing.
fn cut(text: &str, most: usize) -> Option<String> {
    let kept: String = text.trim().chars().filter(|c| !c.is_control()).take(most).collect();
    (!kept.is_empty()).then_some(kept)
}

/// The challenge of this id. A malformed id is one that no challenge has.
pub(crate) fn challenge_id(id: Option<String>) -> Result<Option<ChallengeId>, Problem> {
    let id = id.map(|id| id.parse()).transpose();
    id.map_err(|_| Problem::from(Refusal::ChallengeNotFound))
}

/// Answers a challenge: by `factorId` and `code`, by `assertion`, or by `recoveryCode`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyChallenge {
    /// Which challenge.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    challenge_id: String,
    /// Which of its factors; needed with `code`. With `assertion` it may be left out: the answer says
    /// which of the user's keys it was.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: Option<String>,
    /// The factor's code: digits of any script. Spaces, dashes and invisible characters do not
    /// matter. What cannot be a code of this factor is refused with `validation_failed`, and not
    /// counted as a guess.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "492039")]
    code: Option<SecretText>,
    /// What `navigator.credentials.get()` gave, by its `toJSON()`, for a factor of type WEBAUTHN.
    assertion: Option<AuthenticationResponse>,
    /// A recovery code, instead of a factor's.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64)]
    recovery_code: Option<SecretText>,
    /// Whether this browser is to be trusted; the answer then has a `deviceToken`.
    remember_device: Option<bool>,
    /// A name for the browser.
    #[schema(min_length = 1, max_length = 100, example = "Laptop")]
    device_name: Option<String>,
}

/// What a challenge was answered with.
enum Answered {
    Code(Secret),
    Assertion(AssertionResponse),
    RecoveryCode(Secret),
}

impl VerifyChallenge {
    /// Which challenge, and the command.
    pub(crate) fn command(self) -> Result<(ChallengeId, Command), Problem> {
        let mut fields = Fields::new();
        let name = fields.name("/deviceName", self.device_name);
        let remember_device = match self.remember_device {
            Some(true) => Some(RememberDevice { name }),
            _ => None,
        };
        let shown = match (self.code, self.assertion, self.recovery_code) {
            (Some(code), None, None) => Some(Answered::Code(fields.code("/code", code))),
            (None, Some(assertion), None) => {
                Some(Answered::Assertion(assertion.read(&mut fields, "/assertion")))
            }
            (None, None, Some(code)) => {
                Some(Answered::RecoveryCode(fields.code("/recoveryCode", code)))
            }
            (None, None, None) if self.factor_id.is_some() => {
                fields.refuse("/code", "is missing");
                None
            }
            _ => {
                let forms = "must have `factorId` and `code`, or `assertion`, or `recoveryCode`";
                fields.refuse("", forms);
                None
            }
        };
        match (&shown, &self.factor_id) {
            // A key may be any of those that the browser was told of: its answer names it.
            (Some(Answered::Code(_)), None) => {
                fields.refuse("/factorId", "is missing");
            }
            (Some(Answered::RecoveryCode(_)), Some(_)) => {
                fields.refuse("/factorId", "must not come with a recovery code");
            }
            _ => {}
        }
        let Some(shown) = fields.finish(shown)? else {
            return Err(Problem::invalid_request("the challenge's answer is missing"));
        };
        let absent = || Problem::from(Refusal::ChallengeNotFound);
        let challenge: ChallengeId = self.challenge_id.parse().map_err(|_| absent())?;
        let absent = || Problem::from(Refusal::FactorNotFound);
        let factor = self.factor_id.map(|id| id.parse().map_err(|_| absent())).transpose()?;
        let proof = match shown {
            Answered::Code(code) => Proof::Code { factor: factor.ok_or_else(absent)?, code },
            Answered::Assertion(response) => {
                Proof::Assertion { factor, response: Box::new(response) }
            }
            Answered::RecoveryCode(code) => Proof::RecoveryCode(code),
        };
        Ok((challenge, Command::Verify { challenge, proof, remember_device }))
    }
}

/// A factor that can answer a challenge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChallengeFactor {
    /// Its id.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    id: String,
    /// Its kind.
    #[serde(rename = "type")]
    factor_type: FactorType,
    /// The name that its user gave it.
    #[schema(example = "Phone")]
    name: Option<String>,
    /// Whether it is offered first.
    primary: bool,
    /// Where codes are sent, masked; null for factors that are not sent codes.
    masked_destination: Option<String>,
}

/// A challenge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Challenge {
    /// Its id.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    id: String,
    /// Whose it is.
    #[schema(example = "user_42")]
    user_id: String,
    /// Why it was asked.
    purpose: ChallengePurpose,
    /// What answers it.
    kind: ChallengeKind,
    /// How it stands.
    status: ChallengeStatus,
    /// Until when it can be answered.
    expires_at: Time,
    /// Whether a recovery code would do.
    recovery_codes_available: bool,
    /// What can answer it, the primary first.
    factors: Vec<ChallengeFactor>,
    /// Wrong answers left.
    #[schema(example = 5)]
    attempts_remaining: u32,
    /// What became of the message that was asked for last, since the challenge was made; null if none
    /// was.
    last_message: Option<SentMessage>,
}

impl From<reply::ChallengeView> for Challenge {
    fn from(view: reply::ChallengeView) -> Self {
        let factors = view.factors.into_iter().map(|factor| ChallengeFactor {
            id: factor.id.to_string(),
            factor_type: factor.factor_type.into(),
            name: factor.name,
            primary: factor.primary,
            masked_destination: factor.masked_destination,
        });
        Self {
            id: view.id.to_string(),
            user_id: view.user.as_str().to_owned(),
            purpose: view.purpose.into(),
            kind: view.kind.into(),
            status: view.status.into(),
            expires_at: view.expires_at.into(),
            recovery_codes_available: view.recovery_codes_available,
            factors: factors.collect(),
            attempts_remaining: view.attempts_remaining,
            last_message: view.last_message.map(SentMessage::from),
        }
    }
}

impl Answer for Challenge {
    const OPERATION: &'static str = "a challenge";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::ChallengeState(view) => Some(Ok(view.into())),
            _ => None,
        }
    }
}

/// Whether a login needs a second factor. Every field is always present.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChallengeAnswer {
    /// Whether it does.
    mfa_required: bool,
    /// Why.
    reason: ChallengeReason,
    /// The signs of risk that fired.
    triggers: Vec<RiskTrigger>,
    /// The challenge to answer; null if none is needed.
    challenge: Option<Challenge>,
    /// Whether the user should enroll.
    enrollment_required: bool,
    /// Until when the user may go without; null if no grace runs.
    grace_period_ends_at: Option<Time>,
    /// A token of `acr` `aal1`, if no second factor is needed; else null.
    tokens: Option<Tokens>,
}

impl Answer for ChallengeAnswer {
    const OPERATION: &'static str = "the making of a challenge";

    fn from_reply(reply: Reply, api: &ApiState) -> Option<Result<Self, ApiError>> {
        let Reply::Challenge(answer) = reply else { return None };
        Some(Tokens::sign_any(answer.tokens.as_ref(), api).map(|tokens| Self {
            mfa_required: answer.mfa_required,
            reason: answer.reason.into(),
            triggers: answer.triggers.into_iter().map(Into::into).collect(),
            challenge: answer.challenge.map(Into::into),
            enrollment_required: answer.enrollment_required,
            grace_period_ends_at: answer.grace_period_ends_at.map(Time),
            tokens,
        }))
    }
}

/// A challenge was answered rightly.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification {
    /// Always true: a wrong answer is a problem.
    #[schema(example = true)]
    verified: bool,
    /// Whose challenge it was.
    #[schema(example = "user_42")]
    user_id: String,
    /// What proved it; null for a recovery code.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: Option<String>,
    /// A token of `acr` `aal2`.
    tokens: Tokens,
    /// What to send as `deviceToken` from this browser; null if it was not to be trusted.
    #[schema(value_type = Option<String>)]
    device_token: Option<SecretText>,
    /// Until when the browser is trusted.
    device_token_expires_at: Option<Time>,
}

impl Answer for Verification {
    const OPERATION: &'static str = "the answer to a challenge";

    fn from_reply(reply: Reply, api: &ApiState) -> Option<Result<Self, ApiError>> {
        let Reply::Verified(verified) = reply else { return None };
        Some(Tokens::sign(&verified.tokens, api).map(|tokens| Self {
            verified: true,
            user_id: verified.user.as_str().to_owned(),
            factor_id: verified.factor_id.map(|id| id.to_string()),
            tokens,
            device_token: verified.device_token.map(SecretText::from),
            device_token_expires_at: verified.device_token_expires_at.map(Time),
        }))
    }
}
