//! Asking for a factor: to answer the application's challenge, or to verify the person anew. The
//! primary factor first, then whatever else the person has.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::challenge::{ChallengeStatus, Purpose};
use countersign_core::factor::FactorType;
use countersign_core::ids::{ChallengeId, FactorId};
use countersign_core::portal::{
    CodeView, PortalCommand, PortalPurpose, PortalRefusal, PortalReply, PortalView,
};
use countersign_core::reply::{ChallengeView, FactorView, Refusal, Reply};
use countersign_core::time::Timestamp;
use serde::Deserialize;

use super::finish::to;
use super::home::by_enrolling;
use super::shown::{Moment, Shared, about, icon, is_for_good, name, status, words, words_alone};
use super::texts::{Message, Texts};
use super::trouble::Trouble;
use super::visitor::{Visitor, unexpected};
use crate::pages::Frame;
use crate::pages::answer::html;

/// What stands for a recovery code where a factor is named.
pub(super) const RECOVERY: &str = "recovery";

/// What is wanted of a page that asks.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    /// Which factor; the primary one if left out.
    #[serde(default)]
    pub(super) with: String,
    /// Where to go on, below the session's first page.
    #[serde(default)]
    pub(super) next: String,
    /// There if a code was sent just now.
    #[serde(default)]
    pub(super) sent: String,
}

impl Wanted {
    /// The address of a page that wants the same.
    fn query(&self, asker: Asker) -> String {
        match asker {
            Asker::Application => format!("?with={}", self.with),
            Asker::Session => format!("?with={}&next={}", self.with, own(&self.next)),
        }
    }

    /// The same for what a form says.
    pub(super) fn new(with: &str, next: &str) -> Self {
        Self { with: with.to_owned(), next: next.to_owned(), sent: String::new() }
    }
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
    /// What is asked, if anything can be answered.
    pub(super) fn question(self, view: &PortalView) -> Option<Question<'_>> {
        match self {
            Self::Application => {
                let challenge = view.challenge.as_ref().filter(|it| is_open(it))?;
                Some(Question {
                    challenge: Some(challenge.id),
                    remembers: challenge.purpose == Purpose::Login,
                    factors: &challenge.factors,
                    recovery: challenge.recovery_codes_available,
                })
            }
            Self::Session => view.provable.then(|| Question {
                challenge: None,
                remembers: false,
                factors: &view.provable_by,
                recovery: view.recovery_codes_remaining > 0,
            }),
        }
    }

    /// The page that asks so.
    pub(super) fn address(self, visitor: &Visitor, wanted: &Wanted) -> String {
        let page = if self == Self::Application { "" } else { "/verify" };
        visitor.page(&format!("{page}{}", wanted.query(self)))
    }
}

/// What somebody is asked.
pub(super) struct Question<'a> {
    /// The application's challenge. The session's own is begun by the first answer, since looking at
    /// the page changes nothing.
    challenge: Option<ChallengeId>,
    /// Whether the browser can be remembered.
    remembers: bool,
    /// What answers it, the primary first.
    factors: &'a [FactorView],
    /// Whether a recovery code does.
    recovery: bool,
}

/// A page of the session to go on with, below its first one: nobody is led elsewhere from here.
pub(super) fn own(next: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    if next.starts_with('/') && next.bytes().all(plain) { next } else { "/" }
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

/// All ways, the primary factor first, and last whatever no code could be delivered to. Keys are left out
/// where they could not be used.
fn all_ways<'a>(question: &Question<'a>, view: &PortalView, keys: bool) -> Vec<Way<'a>> {
    let factors = question.factors.iter();
    let usable = factors.filter(|one| keys || one.factor_type != FactorType::WebAuthn);
    let recovery = question.recovery.then_some(Way::Recovery);
    let mut ways: Vec<Way<'_>> = usable.map(Way::Factor).chain(recovery).collect();
    ways.sort_by_key(|way| match way {
        Way::Factor(factor) => view.codes.get(&factor.id).is_some_and(CodeView::failed),
        Way::Recovery => false,
    });
    ways
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
    /// Whether another way is offered before this one.
    others_first: bool,
    leaves: bool,
    /// This page once more.
    again: String,
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
    /// One was sent that will never arrive.
    Undelivered,
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
    /// In how many seconds that is.
    pub(super) seconds: u64,
    /// What is said as the page opens, to whoever does not see it.
    pub(super) told: &'static str,
    /// Where it is told what became of the message, as long as that is not known; and the page that
    /// says so.
    pub(super) watch: Option<(String, String)>,
}

impl Resend {
    /// After the last code, on this page. `sent` says that it was sent just now.
    pub(super) fn of(
        (factor, code): (FactorId, &CodeView),
        page: String,
        sent: bool,
        visitor: &Visitor,
    ) -> Self {
        let now = visitor.api.clock.now();
        let seconds = if now < code.next_at { now.seconds_until(code.next_at) } else { 0 };
        let told = if sent && !code.failed() { visitor.texts.sent_status } else { "" };
        let watch = code.is_pending().then(|| (visitor.page(&format!("/message/{factor}")), page));
        Self { at: Moment::time(code.next_at), seconds, told, watch }
    }

    /// Whether it has to be waited for.
    pub(super) const fn waits(&self) -> bool {
        self.seconds > 0
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
        return Ok(to(&visitor.page(own(&wanted.next))));
    }
    if view.purpose == PortalPurpose::Challenge && !by_enrolling(&view) {
        return Err(PortalRefusal::NotPermitted.into());
    }
    if !view.provable {
        return Err(PortalRefusal::NothingToProve.into());
    }
    page(&visitor, &view, Asker::Session, &wanted, None)
}

/// The session's own challenge. Only forms ask for it.
pub(super) async fn begun(visitor: &Visitor) -> Result<ChallengeId, Trouble> {
    let (portal, session) = (visitor.pass.portal(), visitor.session());
    let wish = PortalCommand::BeginVerification { portal, session };
    match visitor.wish("verify", wish).await? {
        Reply::Refused(refusal) => Err(refusal.into()),
        Reply::Portal(reply) => match *reply {
            PortalReply::Verifying { challenge } => Ok(challenge),
            _ => Err(unexpected()),
        },
        _ => Err(unexpected()),
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
    let Some(question) = asker.question(&view) else {
        return Ok(to(&visitor.page("/")));
    };
    let texts = visitor.texts;
    let keys = visitor.serves_keys(&*visitor.tenant()?);
    let row = |way: Way<'_>| {
        let wanted = Wanted::new(&way.id(), &wanted.next);
        let address = asker.address(&visitor, &wanted);
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
    let rows = all_ways(&question, &view, keys).into_iter().map(row).collect();
    let shared = Shared::of(&visitor, &view)?;
    let page = WaysPage {
        frame: texts.frame(),
        t: texts,
        rows,
        back: asker.address(&visitor, &wanted),
        shared,
    };
    Ok(html(StatusCode::OK, &page))
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
    let Some(question) = asker.question(view) else {
        return match asker {
            Asker::Application => Ok(ended(texts, shared, view.challenge.as_ref())),
            Asker::Session => Ok(to(&visitor.page("/"))),
        };
    };
    let keys = visitor.serves_keys(&*visitor.tenant()?);
    let ways = all_ways(&question, view, keys);
    let way = ways.iter().find(|way| way.id() == wanted.with).or(ways.first());
    let locked = view.locked_hard || view.locked_until.is_some();
    let (input, lead, resend) = match way {
        None => (Input::Nothing, texts.no_way.to_owned(), None),
        Some(Way::Factor(factor)) => input(visitor, view, factor, asker, wanted, locked),
        Some(Way::Recovery) if locked => (Input::Nothing, String::new(), None),
        Some(Way::Recovery) => (Input::Recovery, texts.recovery_lead.to_owned(), None),
    };
    let answers = !matches!(input, Input::Nothing | Input::Send | Input::Undelivered);
    let shows_lock = locked && input != Input::Key;
    let said = if ways.len() > 1 { words } else { words_alone };
    let this = Wanted::new(&way.map(Way::id).unwrap_or_default(), own(&wanted.next));
    let page = Page {
        frame: texts.frame(),
        t: texts,
        shared,
        title: if asker == Asker::Application { texts.ask_title } else { texts.verify_title },
        lead,
        challenge: question.challenge.map(|id| id.to_string()).unwrap_or_default(),
        error: refusal.filter(|_| !shows_lock).map(|refusal| said(refusal, texts)),
        locked: shows_lock.then(|| view.locked_until.map(|until| Locked::until(until, visitor))),
        resend,
        remember: view
            .trust_days
            .filter(|_| question.remembers && answers)
            .map(|days| (texts.remember)(days)),
        others: (ways.len() > 1).then(|| visitor.page(&format!("/ways{}", this.query(asker)))),
        others_first: input == Input::Undelivered || refusal.is_some_and(is_for_good),
        // Where adding a factor is all that it is for, there is nothing to go back to.
        leaves: asker == Asker::Application || view.purpose != PortalPurpose::Manage,
        again: asker.address(visitor, &this),
        way: this.with,
        next: if asker == Asker::Session { this.next } else { String::new() },
        input,
    };
    let status = refusal.map_or(StatusCode::OK, status);
    Ok(html(status, &page))
}

/// What is to be done with a factor, and what is said of it.
fn input(
    visitor: &Visitor,
    view: &PortalView,
    factor: &FactorView,
    asker: Asker,
    wanted: &Wanted,
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
            let sent = !wanted.sent.is_empty();
            let here = asker.address(visitor, &Wanted::new(&factor.id.to_string(), &wanted.next));
            let resend = code.map(|code| Resend::of((factor.id, code), here, sent, visitor));
            match code.and_then(|code| code.live_until) {
                Some(_) if code.is_some_and(CodeView::failed) => {
                    (Input::Undelivered, (texts.not_delivered)(destination), resend)
                }
                Some(_) => (Input::Code, (texts.sent_lead)(destination), resend),
                None => (Input::Send, (texts.send_lead)(destination), resend),
            }
        }
    }
}

fn ended(texts: &'static Texts, shared: Shared, challenge: Option<&ChallengeView>) -> Response {
    let message = match challenge.map(|challenge| challenge.status) {
        Some(ChallengeStatus::Failed) => texts.challenge_failed,
        _ => texts.challenge_expired,
    };
    html(StatusCode::GONE, &EndedPage { frame: texts.frame(), t: texts, shared, message })
}
