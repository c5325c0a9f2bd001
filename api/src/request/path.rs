//! Ids in paths. One that cannot be is as unknown as one that is not there, except a user's: that
//! one is the caller's own, and a malformed one is the caller's mistake.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use countersign_actors::gateway::Target;
use countersign_core::ids::{
    ChallengeId, DeliveryId, DeviceId, FactorId, KeyId, ShardId, TenantId, UserId, WebhookId,
};
use countersign_core::reply::Refusal;
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::state::ApiState;

/// What a path names.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

/// Ids that can be read from a path.
pub(crate) trait FromPath: Sized {
    /// Reads them.
    fn from_path(params: &RawPathParams) -> Result<Self, Problem>;
}

impl<T: FromPath> FromRequestParts<ApiState> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, api).await.map_err(unreadable)?;
        T::from_path(&params).map(Self)
    }
}

fn unreadable(rejection: RawPathParamsRejection) -> Problem {
    Problem::invalid_request(rejection.body_text())
}

fn text<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

fn user(params: &RawPathParams) -> Result<UserId, Problem> {
    text(params, "userId").parse().map_err(|error: countersign_core::ids::IdError| {
        Problem::invalid_request(error.to_string())
    })
}

/// A user.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct UserPath {
    /// Your own id of the user: 1–128 characters out of `A–Z a–z 0–9 . _ : @ | + -`, and not `.` or `..`.
    #[param(rename = "userId", value_type = String, example = "user_42", min_length = 1, max_length = 128, pattern = r"^[A-Za-z0-9._:@|+\-]{1,128}$")]
    pub(crate) user: UserId,
}

impl UserPath {
    /// Whom the question is about.
    pub(crate) fn target(self) -> Target {
        Target::User(self.user)
    }
}

impl FromPath for UserPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        Ok(Self { user: user(params)? })
    }
}

/// A user's factor.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct FactorPath {
    /// Your own id of the user.
    #[param(rename = "userId", value_type = String, example = "user_42", min_length = 1, max_length = 128)]
    pub(crate) user: UserId,
    /// The factor's id, `fac_…`.
    #[param(rename = "factorId", value_type = String, example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) factor: FactorId,
}

impl FromPath for FactorPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let user = user(params)?;
        let factor =
            text(params, "factorId").parse().map_err(|_| Problem::from(Refusal::FactorNotFound))?;
        Ok(Self { user, factor })
    }
}

/// A user's trusted device.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DevicePath {
    /// Your own id of the user.
    #[param(rename = "userId", value_type = String, example = "user_42", min_length = 1, max_length = 128)]
    pub(crate) user: UserId,
    /// The device's id, `dev_…`.
    #[param(rename = "deviceId", value_type = String, example = "dev_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) device: DeviceId,
}

impl FromPath for DevicePath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let user = user(params)?;
        let device =
            text(params, "deviceId").parse().map_err(|_| Problem::from(Refusal::DeviceNotFound))?;
        Ok(Self { user, device })
    }
}

/// A challenge.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ChallengePath {
    /// The challenge's id, `chl_…`.
    #[param(rename = "challengeId", value_type = String, example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) challenge: ChallengeId,
}

impl FromPath for ChallengePath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let challenge = text(params, "challengeId")
            .parse()
            .map_err(|_| Problem::from(Refusal::ChallengeNotFound))?;
        Ok(Self { challenge })
    }
}

/// An API key.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct KeyPath {
    /// The key's id, `key_…` (not the key itself).
    #[param(rename = "keyId", value_type = String, example = "key_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) key: KeyId,
}

impl FromPath for KeyPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let absent = || Problem::from(Refusal::NotFound("API key".to_owned()));
        Ok(Self { key: text(params, "keyId").parse().map_err(|_| absent())? })
    }
}

/// A webhook.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WebhookPath {
    /// The webhook's id, `whk_…`.
    #[param(rename = "webhookId", value_type = String, example = "whk_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) webhook: WebhookId,
}

impl WebhookPath {
    /// There is none of that id.
    pub(crate) fn absent() -> Problem {
        Problem::from(Refusal::NotFound("webhook".to_owned()))
    }
}

impl FromPath for WebhookPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        Ok(Self { webhook: text(params, "webhookId").parse().map_err(|_| Self::absent())? })
    }
}

/// A delivery to a webhook.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DeliveryPath {
    /// The webhook's id, `whk_…`.
    #[param(rename = "webhookId", value_type = String, example = "whk_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) webhook: WebhookId,
    /// The delivery's id, `dlv_…`.
    #[param(rename = "deliveryId", value_type = String, example = "dlv_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) delivery: DeliveryId,
}

impl DeliveryPath {
    /// There is none of that id.
    pub(crate) fn absent() -> Problem {
        Problem::from(Refusal::NotFound("delivery to this webhook".to_owned()))
    }
}

impl FromPath for DeliveryPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let WebhookPath { webhook } = WebhookPath::from_path(params)?;
        let delivery = text(params, "deliveryId").parse().map_err(|_| Self::absent())?;
        Ok(Self { webhook, delivery })
    }
}

/// A node of the cluster.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct NodePath {
    /// The node's number, as `GET /v1/cluster` shows it.
    #[param(rename = "nodeId", value_type = u64, example = 3)]
    pub(crate) node: u64,
}

impl FromPath for NodePath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        Ok(Self { node: text(params, "nodeId").parse().map_err(|_| Problem::no_such_node())? })
    }
}

/// A shard.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ShardPath {
    /// The shard's number, as `GET /v1/cluster` shows it.
    #[param(rename = "shardId", value_type = u16, example = 3)]
    pub(crate) shard: ShardId,
}

impl FromPath for ShardPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let shard = text(params, "shardId").parse().map_err(|_| Problem::no_such_shard())?;
        Ok(Self { shard: ShardId(shard) })
    }
}

/// A tenant.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TenantPath {
    /// The tenant's id.
    #[param(rename = "tenantId", value_type = String, example = "ten_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pub(crate) tenant: TenantId,
}

impl FromPath for TenantPath {
    fn from_path(params: &RawPathParams) -> Result<Self, Problem> {
        let absent = || Problem::from(Refusal::NotFound("tenant".to_owned()));
        Ok(Self { tenant: text(params, "tenantId").parse().map_err(|_| absent())? })
    }
}
