//! `/v1/users`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use countersign_core::command::{Command, Query};

use crate::problem::Problem;
use crate::request::{
    Admin, As, At, Empty, Listing, Mfa, PageParams, Payload, UserParams, UserPath, UserSearch,
};
use crate::state::ApiState;
use crate::wire::user::{PasswordChanged, PutUser, User};
use crate::wire::{List, NoContent};

/// List users
///
/// In a stable order, a page at a time; all of them, or those that a `query` looks for.
#[utoipa::path(
    get, path = "/v1/users", operation_id = "listUsers", tag = "Users",
    params(UserParams, PageParams),
    responses((status = 200, description = "A page of users", body = List<User>))
)]
pub(crate) async fn list(
    State(api): State<ApiState>,
    who: As<Mfa>,
    listing: Listing<UserSearch>,
) -> Result<Json<List<User>>, Problem> {
    let Listing { limit, cursor, filter } = listing;
    let page = api.gateway.users(who.tenant, filter.query, cursor, limit).await?;
    Ok(Json(page.into()))
}

/// Read a user
#[utoipa::path(
    get, path = "/v1/users/{userId}", operation_id = "getUser", tag = "Users",
    params(UserPath), responses((status = 200, description = "The user", body = User))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
) -> Result<Json<User>, Problem> {
    api.query(who.reading(), user.target(), Query::User).await.map(Json)
}

/// Create or replace a user
///
/// Tells who the user is: address, number, name and groups. It replaces all of it; factors and
/// codes are left alone.
#[utoipa::path(
    put, path = "/v1/users/{userId}", operation_id = "putUser", tag = "Users",
    params(UserPath), request_body = PutUser,
    responses(
        (status = 200, description = "The user was known, and is now so", body = User),
        (status = 201, description = "The user is new", body = User),
    )
)]
pub(crate) async fn put(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<PutUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let command = body.value.command()?;
    let user: User = api.command(who.writing(body.idempotency), user.target(), command).await?;
    let status = if user.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(user)))
}

/// Delete a user
///
/// Erases everything about the user; the audit log keeps pseudonymous rows.
#[utoipa::path(
    delete, path = "/v1/users/{userId}", operation_id = "deleteUser", tag = "Users",
    params(UserPath), responses((status = 204, description = "Nothing about the user is left"))
)]
pub(crate) async fn delete(
    State(api): State<ApiState>,
    who: As<Admin>,
    At(user): At<UserPath>,
    body: Payload<Empty>,
) -> Result<NoContent, Problem> {
    api.command(who.writing(body.idempotency), user.target(), Command::Erase).await
}

/// Tell that a user's password changed
///
/// Revokes the user's trusted devices and ends what was begun up to then and still waits: open
/// challenges (their status is FAILED), pending enrollments, WebAuthn ceremonies, sessions on the
/// hosted pages and their results. The next login may be judged risky.
#[utoipa::path(
    post, path = "/v1/users/{userId}/password-changed", operation_id = "reportPasswordChanged",
    tag = "Users", params(UserPath), request_body = PasswordChanged,
    responses((status = 204, description = "Trusted devices are revoked, and what was begun before has ended"))
)]
pub(crate) async fn password_changed(
    State(api): State<ApiState>,
    who: As<Mfa>,
    At(user): At<UserPath>,
    body: Payload<PasswordChanged>,
) -> Result<NoContent, Problem> {
    let command = body.value.command()?;
    api.command(who.writing(body.idempotency), user.target(), command).await
}
