//! `/console`: the page from which whoever runs the service finds a user, lifts a lock, tries a
//! policy before setting it, and sees how logins and nodes are doing.
//!
//! The page itself is the same for everybody and holds no data: it asks for an API key, keeps it in
//! its tab alone, and from there on is one more caller of the API, with the rights of that key and no
//! others. So it needs no session here, nothing that a forged form could ride on, and no check of its
//! own that could differ from the API's.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use crate::pages::Frame;
use crate::pages::answer::html;
use crate::state::ApiState;

/// The page.
#[derive(Template)]
#[template(path = "console/console.html")]
struct Console {
    frame: Frame,
}

/// What serves the page.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/console", get(console))
}

async fn console() -> Response {
    html(StatusCode::OK, &Console { frame: Frame::ENGLISH })
}
