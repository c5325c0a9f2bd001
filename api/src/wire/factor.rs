//! Factors.

use countersign_core::command::Command;
use countersign_core::ids::FactorId;
use countersign_core::reply::{FactorView, Reply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tokens::Tokens;
use super::webauthn::WebAuthn;
use super::{Answer, FactorStatus, FactorType, Time, nullable};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// Something that a user enrolled.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Factor {
    /// Its id.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) id: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub(crate) factor_type: FactorType,
    /// The name that its user gave it.
    #[schema(example = "Phone")]
    pub(crate) name: Option<String>,
    /// Whether it is enrolled.
    pub(crate) status: FactorStatus,
    /// Whether it is offered first.
    pub(crate) primary: bool,
    /// Whether it counts and is offered in logins: false for what the policy does not allow, and for
    /// keys that were registered for another `rpId` than the settings have.
    pub(crate) usable: bool,
    /// When it was confirmed.
    pub(crate) created_at: Time,
    /// Its last successful use.
    pub(crate) last_used_at: Option<Time>,
    /// Where codes are sent, masked; null for factors that are not sent codes.
    pub(crate) masked_destination: Option<String>,
    /// What is known of a security key or passkey; null for other factors.
    pub(crate) webauthn: Option<WebAuthn>,
}

impl From<FactorView> for Factor {
    fn from(view: FactorView) -> Self {
        Self {
            id: view.id.to_string(),
            factor_type: view.factor_type.into(),
            name: view.name,
            status: FactorStatus::Active,
            primary: view.primary,
            usable: view.usable,
            created_at: view.created_at.into(),
            last_used_at: view.last_used_at.map(Time),
            masked_destination: view.masked_destination,
            webauthn: view.webauthn.map(Into::into),
        }
    }
}

impl Answer for Factor {
    const OPERATION: &'static str = "a change of a factor";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::Factor { factor, .. } => Some(Ok(factor.into())),
            _ => None,
        }
    }
}

impl Answer for Vec<FactorView> {
    const OPERATION: &'static str = "the list of factors";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::Factors(factors) => Some(Ok(factors)),
            _ => None,
        }
    }
}

/// A factor that was just confirmed, with a token if the confirmation answered a challenge.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ConfirmedFactor {
    /// The factor.
    #[serde(flatten)]
    pub(crate) factor: Factor,
    /// A token of `acr` `aal2`, if `challengeId` named a challenge; else null.
    pub(crate) tokens: Option<Tokens>,
}

impl Answer for ConfirmedFactor {
    const OPERATION: &'static str = "the confirmation of an enrollment";

    fn from_reply(reply: Reply, api: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::Factor { factor, tokens } => Some(
                Tokens::sign_any(tokens.as_ref(), api)
                    .map(|tokens| Self { factor: factor.into(), tokens }),
            ),
            _ => None,
        }
    }
}

/// A change of a factor.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateFactor {
    /// The new name; null takes the name away.
    #[serde(deserialize_with = "nullable")]
    #[schema(required = true, min_length = 1, max_length = 100, example = "Work phone")]
    name: Option<String>,
}

impl UpdateFactor {
    pub(crate) fn command(self, id: FactorId) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let name = fields.name("/name", self.name);
        fields.finish(Command::RenameFactor { id, name })
    }
}
