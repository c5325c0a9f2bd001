//! The hosted pages: where people enroll factors, answer challenges and look after what they have.
//!
//! Whoever comes here was sent by an application, with a link that opens once ([`open`]), and goes
//! back to it with a code in the end ([`finish`]). In between a browser holds a cookie and has no
//! rights of its own: what it may do is decided in the core, with each act. The pages only show what
//! a session's view has and hand on what is typed.
//!
//! They work without scripts, but for security keys and passkeys. Whatever a page says is in
//! [`texts`]. A form counts only with the session's own token, from this origin ([`filled`]).

mod address;
mod answer;
mod ask;
mod enroll;
mod factors;
mod filled;
mod finish;
mod home;
mod keys;
mod open;
mod pass;
mod phone;
mod recovery;
mod shown;
mod texts;
mod trouble;
mod visitor;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub(crate) use self::address::{ReturnAddress, public_origin};
pub(crate) use self::pass::{Pass, ResultCode};
use self::trouble::Trouble;
use crate::state::ApiState;

/// What serves the pages.
pub(crate) fn routes(state: ApiState) -> Router<ApiState> {
    Router::new()
        .route("/portal", get(home::home))
        .route("/portal/", get(async || finish::to("/portal")))
        .route("/portal/open/{link}", get(open::open))
        // A challenge: the application's, or the session's own.
        .route("/portal/ways", get(ask::ways))
        .route("/portal/verify", get(ask::verify))
        .route("/portal/answer", post(answer::answer))
        .route("/portal/send", post(answer::send))
        // Enrolling.
        .route("/portal/add", get(enroll::choose))
        .route("/portal/add/app", get(enroll::app).post(enroll::begin_app))
        .route("/portal/add/app/confirm", post(enroll::confirm_app))
        .route("/portal/add/phone", get(phone::phone).post(phone::begin))
        .route("/portal/add/email", get(phone::email).post(phone::begin_email))
        .route("/portal/add/{channel}/send", post(phone::send_again))
        .route("/portal/add/{channel}/confirm", post(phone::confirm))
        .route("/portal/add/key", get(enroll::key))
        .route("/portal/add/key/confirm", post(enroll::confirm_key))
        .route("/portal/recovery-codes", get(recovery::offer).post(recovery::make))
        // Looking after what there is.
        .route("/portal/factors/{id}", get(factors::factor))
        .route("/portal/factors/{id}/rename", post(factors::rename))
        .route("/portal/factors/{id}/primary", post(factors::make_primary))
        .route("/portal/factors/{id}/remove", post(factors::remove))
        .route("/portal/devices", get(factors::devices))
        .route("/portal/devices/forget", post(factors::forget))
        // Ceremonies, for the script.
        .route("/portal/key/create", post(keys::create))
        .route("/portal/key/get", post(keys::get))
        // And out.
        .route("/portal/finish", post(finish::finish))
        .route("/portal/{*rest}", get(async || Trouble::NoSuchPage))
        .layer(from_fn_with_state(state, trouble::show))
}
