//! Trusted devices.

use countersign_core::reply::{DeviceView, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, Time};
use crate::error::ApiError;
use crate::state::ApiState;

/// A browser that a user asked to be remembered in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrustedDevice {
    /// Its id.
    #[schema(example = "dev_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    id: String,
    /// The name that its user gave it.
    #[schema(example = "Laptop")]
    name: Option<String>,
    /// The browser's `User-Agent` when it was trusted.
    user_agent: Option<String>,
    /// When it was trusted.
    created_at: Time,
    /// When it last stood in for a second factor.
    last_used_at: Option<Time>,
    /// Until when it does.
    expires_at: Time,
}

impl From<DeviceView> for TrustedDevice {
    fn from(view: DeviceView) -> Self {
        Self {
            id: view.id.to_string(),
            name: view.name,
            user_agent: view.user_agent,
            created_at: view.created_at.into(),
            last_used_at: view.last_used_at.map(Time),
            expires_at: view.expires_at.into(),
        }
    }
}

impl Answer for Vec<DeviceView> {
    const OPERATION: &'static str = "the list of trusted devices";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::Devices(devices) => Some(Ok(devices)),
            _ => None,
        }
    }
}
