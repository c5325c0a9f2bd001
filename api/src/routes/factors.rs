//! `/v1/users/{userId}/mfa/factors`.

use axum::Json;
use axum::extract::State;
use countersign_actors::gateway::Target;
use countersign_core::command::{Command, Query};
use countersign_core::reply::FactorView;
use countersign_core::time::Timestamp;

use crate::problem::Problem;
use crate::request::{As, At, Empty, FactorPath, Listing, Mfa, PageParams, Payload, UserPath};
use crate::state::ApiState;
use crate::wire::factor::{Factor, UpdateFactor};
use crate::wire::{List, NoContent};

/// List a user's factors
///
/// ACTIVE factors, the primary first, then the oldest first; at most twenty.
#[utoipa::path(
    get, path = "/v1/users/{userId}/mfa/factors", operation_id = "listFactors", tag = "Factors",
    params(UserPath, PageParams),
    responses((status = 200, description = "The factors", body = List<Factor>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    listing: Listing<()>,
) -> Result<Json<List<Factor>>, Problem> {
    let factors: Vec<FactorView> = api.query(who.reading(), user.target(), Query::Factors).await?;
    let rows = factors.into_iter().map(|factor| {
        let at = if factor.primary { Timestamp::EPOCH } else { factor.created_at };
        ((at, factor.id.to_string()), factor)
    });
    List::page_of(rows, &listing).map(Json)
}

/// Rename a factor
#[utoipa::path(
    patch, path = "/v1/users/{userId}/mfa/factors/{factorId}", operation_id = "updateFactor",
    tag = "Factors", params(FactorPath), request_body = UpdateFactor,
    responses((status = 200, description = "The factor as it is now", body = Factor))
)]
pub(crate) async fn update(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(path): At<FactorPath>,
    body: Payload<UpdateFactor>,
) -> Result<Json<Factor>, Problem> {
    let command = body.value.command(path.factor)?;
    api.command(who.writing(body.idempotency), Target::User(path.user), command).await.map(Json)
}

/// Remove a factor
///
/// If it was the primary one, another becomes primary.
#[utoipa::path(
    delete, path = "/v1/users/{userId}/mfa/factors/{factorId}", operation_id = "deleteFactor",
    tag = "Factors", params(FactorPath),
    responses((status = 204, description = "The factor is no more"))
)]
pub(crate) async fn delete(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(path): At<FactorPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    let command = Command::RemoveFactor { id: path.factor };
    api.command(who.writing(body.idempotency), Target::User(path.user), command).await
}

/// Make a factor the primary one
///
/// It is then offered first.
#[utoipa::path(
    post, path = "/v1/users/{userId}/mfa/factors/{factorId}/primary",
    operation_id = "makeFactorPrimary", tag = "Factors", params(FactorPath),
    responses((status = 200, description = "The factor as it is now", body = Factor))
)]
pub(crate) async fn make_primary(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(path): At<FactorPath>,
    body: Payload<Empty>,
) -> Result<Json<Factor>, Problem> {
    let command = Command::MakePrimary { id: path.factor };
    api.command(who.writing(body.idempotency), Target::User(path.user), command).await.map(Json)
}
