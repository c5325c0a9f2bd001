//! The hosted pages: where people enroll factors, answer challenges and look after what they have.
//!
//! Whoever comes here was sent by an application, with a link that opens once ([`open`]), and goes
//! back to it with a code in the end ([`finish`]). In between a browser holds a cookie of that session,
//! whose pages are at an address of their own, and has no rights of its own: what it may do is decided in the core, with each act. The pages only show what
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
use axum::routing::{MethodRouter, get, post};

pub(crate) use self::address::{ReturnAddress, public_origin};
pub(crate) use self::pass::{Pass, ResultCode};
use self::trouble::Trouble;
pub(crate) use self::trouble::page_for as trouble_page;
use crate::state::ApiState;

/// Whether this is the path of a page.
pub(crate) fn is_page(path: &str) -> bool {
    path == "/portal" || path.starts_with("/portal/")
}

/// What serves the pages. No GET among them changes anything.
pub(crate) fn routes(state: ApiState) -> Router<ApiState> {
    let pages = Router::new()
        .route("/portal", get(async || Trouble::NoSession))
        .route("/portal/", get(async || Trouble::NoSession))
        .route("/portal/open/{link}", get(open::show).post(open::open));
    let pages = of_a_session().into_iter().fold(pages, |pages, (path, page)| {
        pages.route(&format!("/portal/{{session}}{path}"), page)
    });
    pages
        .route("/portal/{session}/{*rest}", get(async || Trouble::NoSuchPage))
        .layer(from_fn_with_state(state, trouble::show))
}

/// The pages of a session, below its own address.
fn of_a_session() -> [(&'static str, MethodRouter<ApiState>); 26] {
    [
        ("", get(home::home)),
        ("/", get(home::home)),
        // A challenge: the application's, or the session's own.
        ("/ways", get(ask::ways)),
        ("/verify", get(ask::verify)),
        ("/answer", post(answer::answer)),
        ("/send", post(answer::send)),
        ("/message/{factor}", get(answer::message)),
        // Enrolling.
        ("/add", get(enroll::choose)),
        ("/add/app", get(enroll::app).post(enroll::begin_app)),
        ("/add/app/confirm", post(enroll::confirm_app)),
        ("/add/phone", get(phone::phone).post(phone::begin)),
        ("/add/email", get(phone::email).post(phone::begin_email)),
        ("/add/{channel}/send", post(phone::send_again)),
        ("/add/{channel}/confirm", post(phone::confirm)),
        ("/add/key", get(enroll::key)),
        ("/add/key/confirm", post(enroll::confirm_key)),
        ("/recovery-codes", get(recovery::offer).post(recovery::make)),
        // Looking after what there is.
        ("/factors/{id}", get(factors::factor)),
        ("/factors/{id}/rename", post(factors::rename)),
        ("/factors/{id}/primary", post(factors::make_primary)),
        ("/factors/{id}/remove", post(factors::remove)),
        ("/devices", get(factors::devices)),
        ("/devices/forget", post(factors::forget)),
        // Ceremonies, for the script.
        ("/key/create", post(keys::create)),
        ("/key/get", post(keys::get)),
        // And out.
        ("/finish", post(finish::finish)),
    ]
}
