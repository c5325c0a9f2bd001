//! Recovery codes: made and shown, once.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::command::Command;
use countersign_core::portal::{PortalPurpose, PortalRefusal, PortalView};
use countersign_core::reply::Reply;
use zeroize::Zeroizing;

use super::enroll::{Nothing, verified_for};
use super::filled::Filled;
use super::shown::Shared;
use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::{Visitor, unexpected};
use crate::pages::Frame;
use crate::pages::answer::html;

const HERE: &str = "/recovery-codes";

/// The page that offers new ones.
#[derive(Template)]
#[template(path = "portal/offer.html")]
struct OfferPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    replaces: Option<String>,
}

/// The page that shows them.
#[derive(Template)]
#[template(path = "portal/codes.html")]
struct CodesPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    codes: Vec<Zeroizing<String>>,
    manages: bool,
    file: String,
}

/// Asks for a verification where one is needed and possible.
fn guard(view: &PortalView) -> Result<(), Trouble> {
    match (view.fresh_until, view.provable) {
        (Some(_), _) => Ok(()),
        (None, true) => Err(Trouble::VerifyFirst(HERE.to_owned())),
        (None, false) => Err(PortalRefusal::NothingToProve.into()),
    }
}

pub(super) async fn offer(visitor: Visitor) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    guard(&view)?;
    let remaining = view.recovery_codes_remaining;
    let page = OfferPage {
        frame: visitor.texts.frame(),
        t: visitor.texts,
        shared: Shared::of(&visitor, &view)?,
        replaces: (remaining > 0).then(|| (visitor.texts.replaces)(remaining)),
    };
    Ok(html(StatusCode::OK, &page))
}

pub(super) async fn make(
    Filled { visitor, form: Nothing {} }: Filled<Nothing>,
) -> Result<Response, Trouble> {
    let reply = visitor.act("make", Command::RegenerateRecoveryCodes).await;
    let codes = match verified_for(HERE, reply)? {
        Reply::RecoveryCodes(codes) => codes,
        Reply::Refused(refusal) => return Err(refusal.into()),
        _ => return Err(unexpected()),
    };
    let view = visitor.view().await?;
    // The answer may be one that was kept for the same form: whoever sends it again later is to be
    // verified as whoever asks anew.
    guard(&view)?;
    let shared = Shared::of(&visitor, &view)?;
    let page = CodesPage {
        frame: visitor.texts.frame(),
        t: visitor.texts,
        codes: codes.iter().map(|code| Zeroizing::new(code.expose_str().to_owned())).collect(),
        manages: view.purpose == PortalPurpose::Manage,
        file: (visitor.texts.codes_file)(&shared.brand),
        shared,
    };
    Ok(html(StatusCode::OK, &page))
}
