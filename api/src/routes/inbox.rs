//! `/dev/messages` and `/dev/inbox`: what `countersign dev` shows instead of sending.
//!
//! Not part of the contract's document. The routes are made from an inbox, so a node that serves,
//! which has none, does not refuse them: it does not have them.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use countersign_core::message::Channel;
use serde::Serialize;

use crate::host;
use crate::inbox::{Inbox, InboxMessage};
use crate::pages::Frame;
use crate::pages::answer::html;
use crate::problem::{Code, FieldError, Problem};
use crate::state::ApiState;
use crate::wire::Time;

/// What shows an inbox.
pub(crate) fn routes(inbox: Arc<dyn Inbox>) -> Router<ApiState> {
    Router::new()
        .route("/dev/messages", get(messages))
        .route("/dev/inbox", get(async || html(StatusCode::OK, &Page { frame: Frame::ENGLISH })))
        .layer(Extension(inbox))
        .layer(from_fn(for_this_machine))
}

/// Shows nothing to whoever came by another name: a page elsewhere could have had that name lead here
/// (DNS rebinding), and would read what this machine's browser gets. Browsers always say the name.
async fn for_this_machine(request: Request, next: Next) -> Response {
    let named = request.headers().contains_key(header::HOST);
    if named && host::local(request.headers()).is_none() {
        let detail = "messages are shown at localhost alone";
        return Problem::new(Code::NotFound, detail).into_response();
    }
    next.run(request).await
}

/// The page that shows them.
#[derive(Template)]
#[template(path = "inbox.html")]
struct Page {
    frame: Frame,
}

/// A message, as shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: String,
    at: Time,
    channel: &'static str,
    to: String,
    subject: Option<String>,
    text: String,
    html: Option<String>,
    code: String,
}

impl From<InboxMessage> for Message {
    fn from(message: InboxMessage) -> Self {
        Self {
            id: message.id,
            at: message.at.into(),
            channel: match message.channel {
                Channel::Sms => "SMS",
                Channel::Email => "EMAIL",
            },
            to: message.to,
            subject: message.subject,
            text: message.text,
            html: message.html,
            code: message.code,
        }
    }
}

/// The messages, the newest first; `?to=` leaves those to one number or address.
async fn messages(
    Extension(inbox): Extension<Arc<dyn Inbox>>,
    wanted: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) =
        wanted.map_err(|_| Problem::invalid_request("the query string cannot be read"))?;
    if let Some((name, _)) = wanted.iter().find(|(name, _)| name != "to") {
        let unknown = FieldError::new(format!("/{name}"), "is unknown");
        return Err(Problem::validation(vec![unknown]));
    }
    // A plus that nobody encoded arrives as a space, and neither numbers nor addresses have spaces.
    let wanted: Vec<String> = wanted.into_iter().map(|(_, to)| to.replace(' ', "+")).collect();
    let fits = |message: &InboxMessage| wanted.iter().all(|to| *to == message.to);
    let data: Vec<Message> = inbox.messages().into_iter().filter(fits).map(Message::from).collect();
    let list = serde_json::json!({ "data": data, "nextCursor": null });
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((fresh, Json(list)).into_response())
}
