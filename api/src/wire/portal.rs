//! Sessions on the hosted pages: the link that the application asks for, and what comes back.

use countersign_core::command::Command;
use countersign_core::ids::UserId;
use countersign_core::portal::{self, PortalCommand, PortalReply, secret_hash};
use countersign_core::reply::{Refusal, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::challenge::{read_address, read_user_agent};
use super::tokens::Tokens;
use super::{Answer, PortalPurpose, PortalStatus, ResultParameter, SecretText, Time};
use crate::error::ApiError;
use crate::portal::{ResultCode, ReturnAddress};
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// Asks for a link to the hosted pages.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreatePortalSession {
    /// Your own id of the user.
    #[schema(min_length = 1, max_length = 128, example = "user_42")]
    user_id: String,
    /// What the user is sent there for.
    purpose: PortalPurpose,
    /// The challenge to answer, with CHALLENGE; with ENROLL one of kind ENROLLMENT_REQUIRED, if the
    /// enrollment is to answer it.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    challenge_id: Option<String>,
    /// Where the browser goes in the end, with the result's code added to its query; of one of the
    /// `origins` in the settings.
    #[schema(max_length = 2048, example = "https://app.acme.example/mfa/back?state=x7k2")]
    return_url: String,
    /// Under which name the code is added; `countersign_result` if left out. `code` is also what
    /// libraries for OAuth look for, and take for an authorization code.
    result_parameter: Option<ResultParameter>,
    /// What you know of the browser that you send there. The pages see its address themselves, if
    /// the node knows your proxies (`trusted_proxies`); else what you say here counts.
    context: Option<BrowserContext>,
}

/// What is known of a browser.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BrowserContext {
    /// The person's address.
    #[schema(example = "203.0.113.7")]
    ip_address: Option<String>,
    /// The browser's `User-Agent`; the first 256 characters count.
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
}

impl CreatePortalSession {
    /// Whose session, and the command.
    pub(crate) fn command(self) -> Result<(UserId, Command), Problem> {
        let mut fields = Fields::new();
        let detail =
            "must have 1 to 128 characters out of A–Z a–z 0–9 . _ : @ | + -, and not be . or ..";
        let user = fields.parsed::<UserId>("/userId", Some(&self.user_id), detail);
        let return_address = ReturnAddress::parse(&self.return_url);
        let result_parameter: portal::ResultParameter =
            self.result_parameter.map(Into::into).unwrap_or_default();
        match &return_address {
            Err(detail) => fields.refuse("/returnUrl", *detail),
            Ok(address) if address.has(result_parameter) => {
                let name = result_parameter.as_str();
                let detail = format!("must not have a `{name}` of its own in its query");
                fields.refuse("/returnUrl", detail);
            }
            Ok(_) => {}
        }
        let BrowserContext { ip_address, user_agent } = self.context.unwrap_or_default();
        let browser = portal::BrowserContext {
            ip_address: ip_address.and_then(|text| read_address(&text)),
            user_agent: user_agent.and_then(|text| read_user_agent(&text)),
        };
        let (user, return_address) = fields.finish((user, return_address.ok()))?;
        let (Some(user), Some(back)) = (user, return_address) else {
            return Err(Problem::invalid_request(detail));
        };
        let challenge = super::challenge_id(self.challenge_id)?;
        let create = PortalCommand::Create {
            purpose: self.purpose.into(),
            challenge,
            return_url: back.as_str().to_owned(),
            return_origin: back.origin(),
            result_parameter,
            browser,
        };
        Ok((user, Command::Portal(Box::new(create))))
    }
}

/// A link to the hosted pages.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PortalSession {
    /// Where to send the user's browser. It opens one session, in one browser. Looking at it uses
    /// nothing up: it may be mailed.
    #[schema(value_type = String, example = "https://mfa.acme.example/portal/open/pts_…")]
    pub(crate) url: SecretText,
    /// Until when it can be opened.
    pub(crate) expires_at: Time,
}

/// Fetches what came of a session.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FetchPortalResult {
    /// The code that the browser brought back, as `countersign_result` or as `code`.
    #[schema(value_type = String, min_length = 1, max_length = 128, example = "pcd_…")]
    code: SecretText,
}

impl FetchPortalResult {
    /// Which session, and the command. What no session could have given is as unknown as what none
    /// gave.
    pub(crate) fn command(&self) -> Result<(ResultCode, Command), Problem> {
        let code: ResultCode = self.code.expose().parse().map_err(|_| absent())?;
        let hash = secret_hash(code.secret());
        let fetch = PortalCommand::Fetch { portal: code.portal(), code: hash };
        Ok((code, Command::Portal(Box::new(fetch))))
    }
}

/// There is no such result, or not any more.
pub(crate) fn absent() -> Problem {
    Refusal::NotFound("result of a session on the hosted pages".to_owned()).into()
}

/// What came of a session. Every field is always present.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PortalResult {
    /// Whether what the user was sent for was done.
    status: PortalStatus,
    /// What the user was sent for.
    purpose: PortalPurpose,
    /// Whose session it was. Compare it with the user that you sent.
    #[schema(example = "user_42")]
    user_id: String,
    /// The challenge that came with the link.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    challenge_id: Option<String>,
    /// The factor that answered the challenge, null for a recovery code; else the one that was
    /// enrolled last, if one was.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: Option<String>,
    /// A token of `acr` `aal2`, if the challenge was answered; else null.
    tokens: Option<Tokens>,
    /// What to send as `deviceToken` from this browser; null if it is not to be trusted.
    #[schema(value_type = Option<String>)]
    device_token: Option<SecretText>,
    /// Until when the browser is trusted.
    device_token_expires_at: Option<Time>,
}

impl Answer for PortalResult {
    const OPERATION: &'static str = "the result of a session on the hosted pages";

    fn from_reply(reply: Reply, api: &ApiState) -> Option<Result<Self, ApiError>> {
        let Reply::Portal(reply) = reply else { return None };
        let PortalReply::Outcome(outcome) = *reply else { return None };
        let portal::PortalOutcome {
            cancelled,
            purpose,
            user,
            challenge,
            factor,
            tokens,
            device_token,
            device_token_expires_at,
        } = *outcome;
        Some(Tokens::sign_any(tokens.as_ref(), api).map(|tokens| Self {
            status: if cancelled { PortalStatus::Cancelled } else { PortalStatus::Completed },
            purpose: purpose.into(),
            user_id: user.as_str().to_owned(),
            challenge_id: challenge.map(|id| id.to_string()),
            factor_id: factor.map(|id| id.to_string()),
            tokens,
            device_token: device_token.map(SecretText::from),
            device_token_expires_at: device_token_expires_at.map(Time),
        }))
    }
}
