//! The whole route table on one page, and what every request passes.

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::console;
use crate::layers::{
    bodies, deadline, headers, leaving, limit, panics, problems as written, request_id, telemetry,
};
use crate::openapi::{Contract, complete};
use crate::pages;
use crate::problem::{Code, Problem};
use crate::routes::{
    api_keys, audit, challenges, cluster, devices, discovery, docs, email, factors, inbox,
    operations, policy, portal, problems, recovery_codes, settings, sms, statistics, status,
    tenants, tokens, totp, users, webauthn, webhooks,
};
use crate::state::ApiState;

/// The OpenAPI document that every node serves at `/openapi.json`.
pub fn document() -> serde_json::Value {
    complete(table().get_openapi())
}

/// Everything that the service answers over HTTP.
pub fn router(state: ApiState) -> Router {
    let (routes, document) = table().split_for_parts();
    let document = docs::Document(complete(&document).to_string().into());
    // The last layer is the outermost.
    routes
        .merge(state.options.inbox.clone().map_or_else(Router::new, inbox::routes))
        .merge(state.options.sample.clone().map_or_else(Router::new, |one| one.with_state(())))
        .merge(pages::assets::routes())
        .merge(console::routes())
        .merge(crate::portal::routes(state.clone()))
        .route("/docs/", get(docs::docs))
        .route("/docs/{*path}", get(docs::asset))
        .fallback(discovery::elsewhere)
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "this address does not answer this method")
        })
        .layer(Extension(document))
        .layer(DefaultBodyLimit::max(state.options.body_limit))
        .layer(CatchPanicLayer::custom(panics::caught))
        .layer(from_fn_with_state(state.clone(), deadline::enforce))
        .layer(from_fn_with_state(state.clone(), bodies::refuse))
        .layer(from_fn_with_state(state.clone(), limit::enforce))
        .layer(from_fn(written::write_out))
        .layer(from_fn(headers::harden))
        .layer(from_fn(telemetry::observe))
        .layer(from_fn_with_state(state.clone(), request_id::identify))
        .layer(from_fn_with_state(state.clone(), leaving::announce))
        .with_state(state)
}

/// Every documented route.
pub(crate) fn table() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Contract::openapi())
        // /v1/users
        .routes(routes!(users::list))
        .routes(routes!(users::read, users::put, users::delete))
        .routes(routes!(users::password_changed))
        // /v1/users/{userId}/mfa
        .routes(routes!(totp::enroll))
        .routes(routes!(totp::verify))
        .routes(routes!(totp::import))
        .routes(routes!(sms::enroll))
        .routes(routes!(sms::send))
        .routes(routes!(sms::verify))
        .routes(routes!(email::enroll))
        .routes(routes!(email::send))
        .routes(routes!(email::verify))
        .routes(routes!(webauthn::registration_options))
        .routes(routes!(webauthn::verify))
        .routes(routes!(webauthn::authentication_options))
        .routes(routes!(webauthn::verify_assertion))
        .routes(routes!(factors::list))
        .routes(routes!(factors::update, factors::delete))
        .routes(routes!(factors::make_primary))
        .routes(routes!(recovery_codes::read, recovery_codes::create))
        .routes(routes!(recovery_codes::regenerate))
        .routes(routes!(recovery_codes::spend))
        .routes(routes!(devices::list, devices::revoke_all))
        .routes(routes!(devices::revoke))
        .routes(routes!(status::read))
        .routes(routes!(status::reset))
        .routes(routes!(status::unlock))
        // /v1/mfa
        .routes(routes!(challenges::create))
        .routes(routes!(challenges::verify))
        .routes(routes!(challenges::read))
        .routes(routes!(challenges::send))
        .routes(routes!(challenges::webauthn_options))
        .routes(routes!(portal::create))
        .routes(routes!(portal::fetch))
        .routes(routes!(policy::read, policy::update))
        .routes(routes!(policy::preview))
        // /v1
        .routes(routes!(settings::read, settings::update))
        .routes(routes!(tokens::describe))
        .routes(routes!(statistics::read))
        .routes(routes!(audit::list))
        .routes(routes!(audit::checkpoints))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::read, webhooks::update, webhooks::delete))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::redeliver))
        .routes(routes!(api_keys::list, api_keys::create))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::delete))
        .routes(routes!(cluster::read))
        .routes(routes!(cluster::remove_node))
        .routes(routes!(cluster::transfer_leadership))
        .routes(routes!(cluster::set_time))
        // Without a key
        .routes(routes!(operations::jwks))
        .routes(routes!(discovery::openid))
        .routes(routes!(discovery::oauth))
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::docs))
        .routes(routes!(problems::index))
        .routes(routes!(problems::read))
}
