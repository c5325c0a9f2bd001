//! Users.

use countersign_core::command::Command;
use countersign_core::reply::{Reply, UserView};
use countersign_core::user::Profile;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Time};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// Who a user is. Replaces what was told before; what is left out is taken away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PutUser {
    /// An email address that mail can be sent to (RFC 5321), international domains included.
    #[schema(max_length = 254, example = "ann@example.com")]
    email: Option<String>,
    /// Whether you verified it; false if left out.
    email_verified: Option<bool>,
    /// A telephone number with its country code; kept in E.164.
    #[schema(example = "+14155550123")]
    phone_number: Option<String>,
    /// A name to show.
    #[schema(min_length = 1, max_length = 200, example = "Ann Example")]
    display_name: Option<String>,
    /// Names of groups that policy rules may fit.
    #[schema(max_items = 50, example = json!(["admins"]))]
    groups: Option<Vec<String>>,
}

impl PutUser {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let profile = Profile {
            email: fields.email("/email", self.email),
            email_verified: self.email_verified.unwrap_or(false),
            phone_number: fields.phone_number("/phoneNumber", self.phone_number),
            display_name: self.display_name.map(|it| fields.line("/displayName", it, 1..=200)),
            groups: fields.groups("/groups", self.groups.unwrap_or_default()),
        };
        fields.finish(Command::PutProfile(profile))
    }
}

/// The password changed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordChanged {
    /// When; now if left out, never later. What was begun after that goes on.
    #[schema(format = DateTime, example = "2026-01-31T12:00:00.000Z")]
    at: Option<String>,
}

impl PasswordChanged {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let changed_at = fields.time("/at", self.at.as_deref());
        fields.finish(Command::PasswordChanged { changed_at })
    }
}

/// A user.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// Your own id.
    #[schema(example = "user_42")]
    id: String,
    /// An email address.
    #[schema(example = "ann@example.com")]
    email: Option<String>,
    /// Whether you verified it.
    email_verified: bool,
    /// A telephone number, E.164.
    #[schema(example = "+14155550123")]
    phone_number: Option<String>,
    /// A name to show.
    #[schema(example = "Ann Example")]
    display_name: Option<String>,
    /// Names of groups that policy rules may fit.
    #[schema(example = json!(["admins"]))]
    groups: Vec<String>,
    /// When the user was first written.
    created_at: Time,
    /// The last change.
    updated_at: Time,
    /// Whether this very call wrote the user first.
    #[serde(skip)]
    pub(crate) created: bool,
}

impl From<UserView> for User {
    fn from(view: UserView) -> Self {
        let profile = view.profile;
        Self {
            id: view.id.as_str().to_owned(),
            email: profile.email,
            email_verified: profile.email_verified,
            phone_number: profile.phone_number,
            display_name: profile.display_name,
            groups: profile.groups.into_iter().collect(),
            created_at: view.created_at.into(),
            updated_at: view.updated_at.into(),
            created: view.created,
        }
    }
}

impl Answer for User {
    const OPERATION: &'static str = "a user";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::User(view) => Some(Ok(view.into())),
            _ => None,
        }
    }
}
