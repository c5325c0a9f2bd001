//! Recovery codes.

use countersign_core::command::Command;
use countersign_core::reply::Reply;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, SecretText, Time};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// Fresh recovery codes. Shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Twelve characters each, in three groups.
    #[schema(value_type = Vec<String>, example = json!(["7K3M-9QTX-B2WD", "C8HN-4ZPV-0RJ6"]))]
    codes: Vec<SecretText>,
}

impl Answer for RecoveryCodes {
    const OPERATION: &'static str = "the making of recovery codes";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::RecoveryCodes(codes) => {
                Some(Ok(Self { codes: codes.into_iter().map(SecretText::from).collect() }))
            }
            _ => None,
        }
    }
}

/// How many recovery codes there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryCodesStatus {
    /// In the set.
    #[schema(example = 10)]
    total: u32,
    /// Unused.
    #[schema(example = 9)]
    remaining: u32,
    /// When the set was made; null if there is none.
    generated_at: Option<Time>,
}

impl Answer for RecoveryCodesStatus {
    const OPERATION: &'static str = "the count of recovery codes";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::RecoveryStatus { total, remaining, generated_at } => {
                Some(Ok(Self { total, remaining, generated_at: generated_at.map(Time) }))
            }
            _ => None,
        }
    }
}

/// Spends a recovery code outside a challenge.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UseRecoveryCode {
    /// The code. Case, spaces and dashes do not matter.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "7K3M-9QTX-B2WD")]
    code: SecretText,
}

impl UseRecoveryCode {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let code = fields.code("/code", self.code);
        fields.finish(Command::UseRecoveryCode { code })
    }
}

/// A recovery code was right, and is spent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RecoveryCodeUsed {
    /// Always true: a wrong code is a problem.
    #[schema(example = true)]
    verified: bool,
    /// How many are left.
    #[schema(example = 9)]
    remaining: u32,
}

impl Answer for RecoveryCodeUsed {
    const OPERATION: &'static str = "the use of a recovery code";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::RecoveryCodeUsed { remaining } => Some(Ok(Self { verified: true, remaining })),
            _ => None,
        }
    }
}
