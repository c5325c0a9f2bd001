//! Enrolling a telephone number or an email address: where, then the code that was sent there.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::command::Command;
use countersign_core::factor::FactorType;
use countersign_core::message::Channel;
use countersign_core::phone::{PhoneError, PhoneNumber};
use countersign_core::portal::{PendingView, PortalView};
use countersign_core::reply::{Refusal, Reply};
use serde::Deserialize;

use super::ask::Resend;
use super::enroll::{Confirming, Nothing, chosen, guarded, verified_for};
use super::filled::Filled;
use super::finish::to;
use super::home::to_answer;
use super::shown::{Shared, status, words};
use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::{Visitor, unexpected};
use crate::pages::Frame;
use crate::pages::answer::html;

/// A channel and what its pages are called.
fn named(name: &str) -> Option<Channel> {
    match name {
        "phone" => Some(Channel::Sms),
        "email" => Some(Channel::Email),
        _ => None,
    }
}

const fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "phone",
        Channel::Email => "email",
    }
}

fn address(channel: Channel) -> String {
    format!("/add/{}", name(channel))
}

/// The page of an enrollment to which a code was sent just now.
fn sent_to(visitor: &Visitor, channel: Channel) -> Response {
    to(&visitor.page(&format!("{}?sent=1", address(channel))))
}

/// The page on which a number is typed.
#[derive(Template)]
#[template(path = "portal/number.html")]
struct NumberPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    number: String,
    error: Option<String>,
}

/// The page on which the code is.
#[derive(Template)]
#[template(path = "portal/sent.html")]
struct SentPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    title: &'static str,
    lead: String,
    channel: &'static str,
    resend: Option<Resend>,
    /// That the code will never arrive.
    undelivered: Option<String>,
    another: bool,
    error: Option<String>,
}

/// What is wanted of a number's page.
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// There if a number is to be typed, whatever was sent before.
    #[serde(default)]
    change: String,
    /// There if a code was sent just now.
    #[serde(default)]
    sent: String,
}

pub(super) async fn phone(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    match waiting(&view, Channel::Sms).filter(|_| wanted.change.is_empty()) {
        Some(pending) => {
            sent(&visitor, &view, Channel::Sms, pending, None, !wanted.sent.is_empty())
        }
        None => number_page(&visitor, &view, "", None),
    }
}

pub(super) async fn email(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    match waiting(&view, Channel::Email) {
        Some(pending) => {
            sent(&visitor, &view, Channel::Email, pending, None, !wanted.sent.is_empty())
        }
        None => Ok(to(&visitor.page("/add"))),
    }
}

fn waiting(view: &PortalView, channel: Channel) -> Option<&PendingView> {
    view.pending.as_ref().filter(|pending| pending.factor_type == channel.factor_type())
}

fn number_page(
    visitor: &Visitor,
    view: &PortalView,
    number: &str,
    error: Option<(StatusCode, String)>,
) -> Result<Response, Trouble> {
    if view.guarded {
        return Err(Trouble::VerifyFirst("/add/phone".to_owned()));
    }
    if !view.offered.contains(&FactorType::Sms) {
        return Ok(to(&visitor.page("/add")));
    }
    let texts = visitor.texts;
    let (status, error) = error.map_or((StatusCode::OK, None), |(status, it)| (status, Some(it)));
    let page = NumberPage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, view)?,
        number: number.to_owned(),
        error,
    };
    Ok(html(status, &page))
}

fn sent(
    visitor: &Visitor,
    view: &PortalView,
    channel: Channel,
    pending: &PendingView,
    refusal: Option<&Refusal>,
    just_sent: bool,
) -> Result<Response, Trouble> {
    let texts = visitor.texts;
    let destination = pending.masked_destination.as_deref().unwrap_or_default();
    let code = view.codes.get(&pending.id);
    let live = code.is_some_and(|code| code.live_until.is_some());
    let undelivered = code.filter(|code| code.failed()).map(|_| (texts.not_delivered)(destination));
    let page = SentPage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, view)?,
        title: match channel {
            _ if undelivered.is_some() => texts.not_delivered_title,
            Channel::Sms => texts.check_phone_title,
            Channel::Email => texts.check_email_title,
        },
        lead: if live { (texts.sent_lead)(destination) } else { (texts.send_lead)(destination) },
        channel: name(channel),
        resend: code.map(|code| {
            Resend::of((pending.id, code), visitor.page(&address(channel)), just_sent, visitor)
        }),
        undelivered,
        another: channel == Channel::Sms,
        error: refusal.map(|refusal| words(refusal, texts)),
    };
    let status = refusal.map_or(StatusCode::OK, status);
    Ok(html(status, &page))
}

/// A number, as typed.
#[derive(Deserialize)]
pub(super) struct Number {
    #[serde(default)]
    number: String,
}

pub(super) async fn begin(Filled { visitor, form }: Filled<Number>) -> Result<Response, Trouble> {
    let typed = form.number.trim();
    let wrong = |status, words: String| (status, words);
    let number: PhoneNumber = match typed.parse() {
        Ok(number) => number,
        Err(error) => {
            let words = match error {
                PhoneError::Unsuitable(_) => visitor.texts.unsuitable_number,
                _ => visitor.texts.wrong_number,
            };
            let words = words.to_owned();
            let error = wrong(StatusCode::UNPROCESSABLE_ENTITY, words);
            return number_page(&visitor, &visitor.view().await?, typed, Some(error));
        }
    };
    let act = Command::BeginSms { number, name: None };
    match begun(&visitor, Channel::Sms, act).await? {
        None => Ok(sent_to(&visitor, Channel::Sms)),
        Some(refusal) => {
            let error = wrong(status(&refusal), words(&refusal, visitor.texts));
            number_page(&visitor, &visitor.view().await?, typed, Some(error))
        }
    }
}

pub(super) async fn begin_email(
    Filled { visitor, form: Nothing {} }: Filled<Nothing>,
) -> Result<Response, Trouble> {
    match begun(&visitor, Channel::Email, Command::BeginEmail { name: None }).await? {
        None => Ok(sent_to(&visitor, Channel::Email)),
        Some(refusal) => chosen(&visitor, &visitor.view().await?, Some(&refusal)),
    }
}

/// Begins, and sends the first code at once. Why not, if it was refused.
async fn begun(
    visitor: &Visitor,
    channel: Channel,
    begin: Command,
) -> Result<Option<Refusal>, Trouble> {
    match guarded(visitor.act("begin", begin).await)? {
        Reply::MessageEnrollment(_) => {}
        Reply::Refused(refusal) => return Ok(Some(refusal)),
        _ => return Err(unexpected()),
    }
    match visitor.act("send", Command::SendEnrollmentCode { channel }).await? {
        Reply::CodeSent(_) => Ok(None),
        // One is on its way: the same enrollment was begun again.
        Reply::Refused(Refusal::TooManySends { .. }) if is_live(visitor, channel).await? => {
            Ok(None)
        }
        Reply::Refused(refusal) => Ok(Some(refusal)),
        _ => Err(unexpected()),
    }
}

async fn is_live(visitor: &Visitor, channel: Channel) -> Result<bool, Trouble> {
    let view = visitor.view().await?;
    let code = waiting(&view, channel).and_then(|pending| view.codes.get(&pending.id));
    Ok(code.is_some_and(|code| code.live_until.is_some()))
}

pub(super) async fn send_again(
    Path((_, channel)): Path<(String, String)>,
    Filled { visitor, form: Nothing {} }: Filled<Nothing>,
) -> Result<Response, Trouble> {
    let channel = named(&channel).ok_or(Trouble::NoSuchPage)?;
    match guarded(visitor.act("send", Command::SendEnrollmentCode { channel }).await)? {
        Reply::CodeSent(_) => Ok(sent_to(&visitor, channel)),
        Reply::Refused(refusal) => refused(&visitor, channel, &refusal).await,
        _ => Err(unexpected()),
    }
}

pub(super) async fn confirm(
    Path((_, channel)): Path<(String, String)>,
    Filled { visitor, form }: Filled<Confirming>,
) -> Result<Response, Trouble> {
    let channel = named(&channel).ok_or(Trouble::NoSuchPage)?;
    let view = visitor.view().await?;
    let reply = match form.code() {
        Err(refusal) => Reply::Refused(refusal),
        Ok(code) => {
            let challenge = to_answer(&view);
            let act = Command::ConfirmMessage { channel, code, name: None, challenge };
            verified_for(&address(channel), visitor.act("confirm", act).await)?
        }
    };
    match reply {
        Reply::Factor { .. } => Ok(to(&visitor.page("?done=added"))),
        Reply::Refused(refusal) => refused(&visitor, channel, &refusal).await,
        _ => Err(unexpected()),
    }
}

async fn refused(
    visitor: &Visitor,
    channel: Channel,
    refusal: &Refusal,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    match waiting(&view, channel) {
        Some(pending) => sent(visitor, &view, channel, pending, Some(refusal), false),
        None => chosen(visitor, &view, Some(refusal)),
    }
}
