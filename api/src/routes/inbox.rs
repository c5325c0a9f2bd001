//! `/dev/messages` and `/dev/inbox`: what `countersign dev` shows instead of sending. Not part of
//! the contract's document, and not there on any node that serves.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use countersign_core::message::Channel;
use serde::{Deserialize, Serialize};

use crate::inbox::InboxMessage;
use crate::layers::headers::NOTHING_ELSE;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::wire::Time;

/// A message, as shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
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

/// Whose messages are wanted.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    to: Option<String>,
}

/// The messages, the newest first; `?to=` leaves those to one number or address.
pub(crate) async fn messages(
    State(api): State<ApiState>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let inbox = api.options.inbox.as_ref().ok_or_else(Problem::no_such_address)?;
    let fits = |message: &InboxMessage| wanted.to.as_ref().is_none_or(|to| *to == message.to);
    let data: Vec<Message> = inbox.messages().into_iter().filter(fits).map(Message::from).collect();
    let list = serde_json::json!({ "data": data, "nextCursor": null });
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((fresh, Json(list)).into_response())
}

/// The page.
pub(crate) async fn page(State(api): State<ApiState>) -> Result<Response, Problem> {
    shown(&api, "text/html; charset=utf-8", include_str!("inbox.html"))
}

/// Its script.
pub(crate) async fn script(State(api): State<ApiState>) -> Result<Response, Problem> {
    shown(&api, "text/javascript; charset=utf-8", include_str!("inbox.js"))
}

/// Its style.
pub(crate) async fn style(State(api): State<ApiState>) -> Result<Response, Problem> {
    shown(&api, "text/css; charset=utf-8", include_str!("inbox.css"))
}

/// Loads nothing but its own style and script, and asks this server alone.
fn shown(api: &ApiState, kind: &'static str, text: &'static str) -> Result<Response, Problem> {
    api.options.inbox.as_ref().ok_or_else(Problem::no_such_address)?;
    let policy = format!("{NOTHING_ELSE}; style-src 'self'; script-src 'self'; connect-src 'self'");
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(NOTHING_ELSE));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, text).into_response())
}
