//! Enrolling: which kind of factor, then an authenticator app or a security key. Numbers and
//! addresses are in [`super::phone`].

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::command::Command;
use countersign_core::factor::FactorType;
use countersign_core::portal::{PortalCommand, PortalPurpose, PortalReply, PortalView};
use countersign_core::reply::{Refusal, Reply, TotpEnrollment};
use data_encoding::BASE32_NOPAD;
use serde::Deserialize;

use super::answer::CODE_MAX;
use super::filled::Filled;
use super::finish::to;
use super::home::to_answer;
use super::shown::{Shared, status, words};
use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::{SHOW, Visitor, unexpected};
use crate::pages::Frame;
use crate::pages::answer::html;
use crate::request::Fields;
use crate::wire::SecretText;
use crate::wire::totp::qr_code;
use crate::wire::webauthn::RegistrationResponse;

/// A form that holds nothing but that it was sent.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// A code that confirms.
#[derive(Deserialize)]
pub(super) struct Confirming {
    /// As typed.
    #[serde(default)]
    pub(super) code: Option<SecretText>,
}

impl Confirming {
    /// The code, if it could be one.
    pub(super) fn code(&self) -> Result<countersign_core::secret::Secret, Refusal> {
        let code = self.code.as_ref().map_or("", SecretText::expose).trim();
        let missing = Refusal::NoCode { pointer: "/code".to_owned(), detail: String::new() };
        let fits = (1..=CODE_MAX).contains(&code.chars().count());
        fits.then(|| countersign_core::secret::Secret::from(code.to_owned())).ok_or(missing)
    }
}

/// The page with the kinds of factors.
#[derive(Template)]
#[template(path = "portal/choose.html")]
struct ChoosePage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    key: bool,
    /// Begun by a form: a secret is made.
    app: bool,
    phone: bool,
    /// Begun by a form: a code is sent.
    email: bool,
    title: &'static str,
    lead: &'static str,
    leaves: bool,
    error: Option<String>,
}

pub(super) async fn choose(visitor: Visitor) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    choice(&visitor, &view)
}

/// Lets a person choose what to enroll.
pub(super) fn choice(visitor: &Visitor, view: &PortalView) -> Result<Response, Trouble> {
    chosen(visitor, view, None)
}

/// As [`choice`], once something was refused.
pub(super) fn chosen(
    visitor: &Visitor,
    view: &PortalView,
    refusal: Option<&Refusal>,
) -> Result<Response, Trouble> {
    if view.guarded {
        return Err(Trouble::VerifyFirst("/add".to_owned()));
    }
    let texts = visitor.texts;
    let keys = visitor.serves_keys(&*visitor.tenant()?);
    let offers = |wanted: FactorType| view.offered.contains(&wanted);
    let managing = view.purpose == PortalPurpose::Manage;
    let page = ChoosePage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, view)?,
        key: keys && offers(FactorType::WebAuthn),
        app: offers(FactorType::Totp),
        phone: offers(FactorType::Sms),
        email: offers(FactorType::Email),
        title: if managing { texts.add_title } else { texts.choose_title },
        lead: if managing { texts.add_lead } else { texts.choose_lead },
        leaves: !managing,
        error: refusal.map(|refusal| words(refusal, texts)),
    };
    let status = refusal.map_or(StatusCode::OK, status);
    Ok(html(status, &page))
}

/// Begins with an app.
pub(super) async fn begin_app(
    Filled { visitor, form: Nothing {} }: Filled<Nothing>,
) -> Result<Response, Trouble> {
    let act = Command::BeginTotp {
        name: None,
        parameters: Default::default(),
        account_name: None,
        resume: None,
    };
    match guarded(visitor.act("begin", act).await)? {
        Reply::TotpEnrollment(_) => Ok(to(&visitor.page("/add/app"))),
        Reply::Refused(refusal) => chosen(&visitor, &visitor.view().await?, Some(&refusal)),
        _ => Err(unexpected()),
    }
}

/// Whoever has to be verified first comes back here.
pub(super) fn guarded(reply: Result<Reply, Trouble>) -> Result<Reply, Trouble> {
    verified_for("/add", reply)
}

/// Whoever has to be verified first goes on there.
pub(super) fn verified_for(next: &str, reply: Result<Reply, Trouble>) -> Result<Reply, Trouble> {
    use countersign_core::portal::PortalRefusal::VerificationNeeded;
    reply.map_err(|trouble| match trouble {
        Trouble::Refused(VerificationNeeded) => Trouble::VerifyFirst(next.to_owned()),
        other => other,
    })
}

/// The page of an app's enrollment.
#[derive(Template)]
#[template(path = "portal/app.html")]
struct AppPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    qr_code: String,
    secret: String,
    uri: String,
    error: Option<String>,
}

pub(super) async fn app(visitor: Visitor) -> Result<Response, Trouble> {
    app_page(&visitor, None).await
}

async fn app_page(visitor: &Visitor, refusal: Option<&Refusal>) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let (portal, session) = (visitor.pass.portal(), visitor.session());
    let wish = PortalCommand::ShowEnrollment { portal, session };
    let reply = match guarded(visitor.wish(SHOW, wish).await)? {
        Reply::Portal(reply) => *reply,
        // Confirmed, or too old: there is nothing to be shown any more.
        Reply::Refused(Refusal::NoPendingEnrollment) => {
            return match refusal {
                Some(refusal) => chosen(visitor, &view, Some(refusal)),
                None => Ok(to(&visitor.page("/add"))),
            };
        }
        Reply::Refused(refusal) => return Err(refusal.into()),
        _ => return Err(unexpected()),
    };
    let PortalReply::Enrollment(enrollment) = reply else { return Err(unexpected()) };
    let TotpEnrollment { secret, uri, .. } = enrollment;
    let texts = visitor.texts;
    let page = AppPage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, &view)?,
        qr_code: qr_code(uri.expose()).map_err(crate::problem::Problem::from)?,
        secret: grouped(&BASE32_NOPAD.encode(secret.expose())),
        uri: uri.expose_str().to_owned(),
        error: refusal.map(|refusal| words(refusal, texts)),
    };
    let status = refusal.map_or(StatusCode::OK, status);
    Ok(html(status, &page))
}

/// In groups of four, as people copy it. Apps take it so.
fn grouped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

pub(super) async fn confirm_app(
    Filled { visitor, form }: Filled<Confirming>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let reply = match form.code() {
        Err(refusal) => Reply::Refused(refusal),
        Ok(code) => {
            let act = Command::ConfirmTotp { code, name: None, challenge: to_answer(&view) };
            verified_for("/add/app", visitor.act("confirm", act).await)?
        }
    };
    match reply {
        Reply::Factor { .. } => Ok(to(&visitor.page("?done=added"))),
        Reply::Refused(refusal) => app_page(&visitor, Some(&refusal)).await,
        _ => Err(unexpected()),
    }
}

/// The page of a key's enrollment.
#[derive(Template)]
#[template(path = "portal/key.html")]
struct KeyPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    error: Option<String>,
}

pub(super) async fn key(visitor: Visitor) -> Result<Response, Trouble> {
    key_page(&visitor, None).await
}

async fn key_page(visitor: &Visitor, refusal: Option<&Refusal>) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    if view.guarded {
        return Err(Trouble::VerifyFirst("/add/key".to_owned()));
    }
    if !view.offered.contains(&FactorType::WebAuthn) {
        return Ok(to(&visitor.page("/add")));
    }
    let texts = visitor.texts;
    let page = KeyPage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, &view)?,
        error: refusal.map(|refusal| words(refusal, texts)),
    };
    let status = refusal.map_or(StatusCode::OK, status);
    Ok(html(status, &page))
}

/// What a script brings of a new key.
#[derive(Deserialize)]
pub(super) struct NewKey {
    /// A `RegistrationResponseJSON`.
    #[serde(default)]
    key: String,
    /// What the person calls it.
    #[serde(default)]
    name: String,
}

pub(super) async fn confirm_key(
    Filled { visitor, form }: Filled<NewKey>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let reply = match confirmation(&form, &view) {
        Err(refusal) => Reply::Refused(refusal),
        Ok(act) => verified_for("/add/key", visitor.act("confirm", act).await)?,
    };
    match reply {
        Reply::Factor { .. } => Ok(to(&visitor.page("?done=added"))),
        Reply::Refused(refusal) => key_page(&visitor, Some(&refusal)).await,
        _ => Err(unexpected()),
    }
}

fn confirmation(form: &NewKey, view: &PortalView) -> Result<Command, Refusal> {
    let unfit = Refusal::Invalid { pointer: "/key".to_owned(), detail: String::new() };
    let answer: RegistrationResponse =
        serde_json::from_str(&form.key).map_err(|_| unfit.clone())?;
    let mut fields = Fields::new();
    let name = form.name.trim();
    let name = fields.name("/name", (!name.is_empty()).then(|| name.to_owned()));
    let response = Box::new(answer.read(&mut fields, "/key"));
    let (response, name) = fields.finish((response, name)).map_err(|_| unfit)?;
    Ok(Command::ConfirmWebAuthn { response, name, challenge: to_answer(view) })
}
