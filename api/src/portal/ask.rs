//! Asking for a factor: to answer the application's challenge, or to verify the person anew. The
//! primary factor first, then whatever else the person has.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::challenge::{ChallengeStatus, Purpose};
use countersign_core::factor::FactorType;
use countersign_core::portal::{PortalCommand, PortalPurpose, PortalView};
use countersign_core::reply::{ChallengeView, FactorView, Refusal, Reply};
use countersign_core::time::Timestamp;
use serde::Deserialize;

use super::finish::to;
use super::shown::{Moment, Shared, about, icon, name, status, words};
use super::texts::{Message, Texts};
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::pages::Frame;

/// What stands for a recovery code where a factor is named.
pub(super) const RECOVERY: &str = "recovery";

/// What is wanted of a page that asks.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    /// Which factor; the primary one if left out.
    #[serde(default)]
    pub(super) with: String,
    /// Where to go on.
    #[serde(default)]
    pub(super) next: String,
}

/// Whose question it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The application's: the answer ends the session.
    Application,
    /// The session's own.
    Session,
}

impl Asker {
    /// The challenge, if it has one.
    pub(super) fn challenge(self, view: &PortalView) -> Option<&ChallengeView> {
        match self {
            Self::Application => view.challenge.as_ref(),
            Self::Session => view.verification.as_ref(),
        }
    }

    /// The page that asks so.
    pub(super) fn address(self, with: &str, next: &str) -> String {
        match self {
            Self::Application => format!("/portal?with={with}"),
            Self::Session => format!("/portal/verify?with={with}&next={next}"),
        }
    }
}

/// A page of ours to go on with: nobody is led elsewhere from here.
pub(super) fn own(next: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    let ours = next == "/portal" || next.starts_with("/portal/");
    if ours && next.bytes().all(plain) { next } else { "/portal" }
}

/// How somebody can answer.
enum Way<'a> {
    Factor(&'a FactorView),
    Recovery,
}

impl Way<'_> {
    fn id(&self) -> String {
        match self {
            Self::Factor(factor) => factor.id.to_string(),
            Self::Recovery => RECOVERY.to_owned(),
        }
    }
}

/// All ways, the primary factor first. Keys are left out where they could not be used.
fn all_ways(challenge: &ChallengeView, keys: bool) -> Vec<Way<'_>> {
    let factors = challenge.factors.iter();
    let usable = factors.filter(|one| keys || one.factor_type != FactorType::WebAuthn);
    let recovery = challenge.recovery_codes_available.then_some(Way::Recovery);
    usable.map(Way::Factor).chain(recovery).collect()
}

/// The page.
#[derive(Template)]
#[template(path = "portal/ask.html")]
struct Page {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    title: &'static str,
    lead: String,
    challenge: String,
    way: String,
    next: String,
    input: Input,
    error: Option<String>,
    locked: Option<Option<Locked>>,
    resend: Option<Resend>,
    remember: Option<String>,
    others: Option<String>,
    leaves: bool,
    asks: bool,
}

/// What is to be done on it.
#[derive(PartialEq, Eq)]
enum Input {
    /// A code is typed.
    Code,
    /// A recovery code is typed.
    Recovery,
    /// A code is to be sent first.
    Send,
    /// A key is used.
    Key,
    /// Nothing: codes are locked, or there is no way.
    Nothing,
}

/// That codes are refused for a while.
struct Locked {
    /// Until when.
    until: Moment,
    /// How long that is.
    wait: String,
}

impl Locked {
    fn until(until: Timestamp, visitor: &Visitor) -> Self {
        let seconds = visitor.api.clock.now().seconds_until(until);
        Self { until: Moment::time(until), wait: (visitor.texts.locked_wait)(seconds) }
    }
}

/// That another code can be sent, now or later.
pub(super) struct Resend {
    /// From when on.
    pub(super) at: Moment,
    /// Whether it has to be waited for.
    pub(super) waits: bool,
}

impl Resend {
    /// From when on another code can be sent.
    pub(super) fn from(at: Timestamp, visitor: &Visitor) -> Self {
        let now = visitor.api.clock.now();
        Self { at: Moment::time(at), waits: now < at }
    }
}

/// A page with a list of ways.
#[derive(Template)]
#[template(path = "portal/ways.html")]
struct WaysPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    rows: Vec<Row>,
    back: String,
}

/// Something to choose.
struct Row {
    address: String,
    icon: &'static str,
    title: String,
    text: String,
}

/// A challenge that cannot be answered any more.
#[derive(Template)]
#[template(path = "portal/ended.html")]
struct EndedPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    message: Message,
}

/// Asks for what the application wants to know.
pub(super) fn application(
    visitor: &Visitor,
    view: &PortalView,
    wanted: &Wanted,
) -> Result<Response, Trouble> {
    page(visitor, view, Asker::Application, wanted, None)
}

/// Asks anew who it is.
pub(super) async fn verify(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    if view.fresh_until.is_some() {
        return Ok(to(own(&wanted.next)));
    }
    let open = view.verification.as_ref().is_some_and(is_open);
    let view = if open { view } else { begun(&visitor).await? };
    page(&visitor, &view, Asker::Session, &wanted, None)
}

async fn begun(visitor: &Visitor) -> Result<PortalView, Trouble> {
    let (portal, session) = (visitor.pass.portal(), visitor.session());
    let wish = PortalCommand::BeginVerification { portal, session };
    match visitor.wish("verify", wish).await? {
        Reply::Refused(refusal) => Err(refusal.into()),
        _ => visitor.view().await,
    }
}

fn is_open(challenge: &ChallengeView) -> bool {
    challenge.status == ChallengeStatus::Pending
}

/// The other ways.
pub(super) async fn ways(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let asker = if wanted.next.is_empty() { Asker::Application } else { Asker::Session };
    let next = own(&wanted.next);
    let Some(challenge) = asker.challenge(&view).filter(|it| is_open(it)) else {
        return Ok(to(if asker == Asker::Session { next } else { "/portal" }));
    };
    let texts = visitor.texts;
    let keys = visitor.serves_keys(&*visitor.tenant()?);
    let row = |way: Way<'_>| {
        let address = asker.address(&way.id(), next);
        match way {
            Way::Factor(factor) => Row {
                address,
                icon: icon(factor.factor_type),
                title: name(factor, texts),
                text: about(factor, texts),
            },
            Way::Recovery => Row {
                address,
                icon: "recovery",
                title: texts.recovery_code.to_owned(),
                text: texts.recovery_code_about.to_owned(),
            },
        }
    };
    let rows = all_ways(challenge, keys).into_iter().map(row).collect();
    let shared = Shared::of(&visitor, &view)?;
    let page = WaysPage {
        frame: texts.frame(),
        t: texts,
        rows,
        back: asker.address(&wanted.with, next),
        shared,
    };
    Ok(page.shared.send(StatusCode::OK, &page))
}

/// The page that asks, once something was refused or before.
pub(super) fn page(
    visitor: &Visitor,
    view: &PortalView,
    asker: Asker,
    wanted: &Wanted,
    refusal: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let texts = visitor.texts;
    let shared = Shared::of(visitor, view)?;
    let Some(challenge) = asker.challenge(view).filter(|it| is_open(it)) else {
        return ended(texts, shared, asker.challenge(view), asker);
    };
    let keys = visitor.serves_keys(&*visitor.tenant()?);
    let ways = all_ways(challenge, keys);
    let way = ways.iter().find(|way| way.id() == wanted.with).or(ways.first());
    let next = own(&wanted.next);
    let locked = view.locked_hard || view.locked_until.is_some();
    let (input, lead, resend) = match way {
        None => (Input::Nothing, texts.no_way.to_owned(), None),
        Some(Way::Factor(factor)) => input(visitor, view, factor, locked),
        Some(Way::Recovery) if locked => (Input::Nothing, String::new(), None),
        Some(Way::Recovery) => (Input::Recovery, texts.recovery_lead.to_owned(), None),
    };
    let remembers = asker == Asker::Application && challenge.purpose == Purpose::Login;
    let answers = !matches!(input, Input::Nothing | Input::Send);
    let shows_lock = locked && input != Input::Key;
    let way_id = way.map(Way::id).unwrap_or_default();
    let page = Page {
        frame: texts.frame(),
        t: texts,
        shared,
        title: if asker == Asker::Application { texts.ask_title } else { texts.verify_title },
        lead,
        challenge: challenge.id.to_string(),
        next: if asker == Asker::Session { next.to_owned() } else { String::new() },
        error: refusal.filter(|_| !shows_lock).map(|refusal| words(refusal, texts)),
        locked: shows_lock.then(|| view.locked_until.map(|until| Locked::until(until, visitor))),
        resend,
        remember: view
            .trust_days
            .filter(|_| remembers && answers)
            .map(|days| (texts.remember)(days)),
        others: (ways.len() > 1).then(|| match asker {
            Asker::Application => format!("/portal/ways?with={way_id}"),
            Asker::Session => format!("/portal/ways?with={way_id}&next={next}"),
        }),
        // Where adding a factor is all that it is for, there is nothing to go back to.
        leaves: asker == Asker::Application || view.purpose != PortalPurpose::Manage,
        asks: asker == Asker::Application,
        way: way_id,
        input,
    };
    let status = refusal.map_or(StatusCode::OK, status);
    Ok(page.shared.send(status, &page))
}

/// What is to be done with a factor, and what is said of it.
fn input(
    visitor: &Visitor,
    view: &PortalView,
    factor: &FactorView,
    locked: bool,
) -> (Input, String, Option<Resend>) {
    let texts = visitor.texts;
    let destination = factor.masked_destination.as_deref().unwrap_or_default();
    match factor.factor_type {
        FactorType::WebAuthn => (Input::Key, (texts.key_lead)(factor.name.as_deref()), None),
        _ if locked => (Input::Nothing, String::new(), None),
        FactorType::Totp => (Input::Code, (texts.app_lead)(factor.name.as_deref()), None),
        FactorType::Sms | FactorType::Email => {
            let code = view.codes.get(&factor.id);
            let resend = code.map(|code| Resend::from(code.next_at, visitor));
            match code.and_then(|code| code.live_until) {
                Some(_) => (Input::Code, (texts.sent_lead)(destination), resend),
                None => (Input::Send, (texts.send_lead)(destination), resend),
            }
        }
    }
}

fn ended(
    texts: &'static Texts,
    shared: Shared,
    challenge: Option<&ChallengeView>,
    asker: Asker,
) -> Result<Response, Trouble> {
    if asker == Asker::Session {
        return Ok(to("/portal"));
    }
    let message = match challenge.map(|challenge| challenge.status) {
        Some(ChallengeStatus::Failed) => texts.challenge_failed,
        _ => texts.challenge_expired,
    };
    let page = EndedPage { frame: texts.frame(), t: texts, shared, message };
    Ok(page.shared.send(StatusCode::GONE, &page))
}
