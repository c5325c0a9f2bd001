//! The first page: what the session is for, as far as it has come.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::challenge::{ChallengeKind, ChallengeStatus};
use countersign_core::portal::{PortalPurpose, PortalView};
use serde::Deserialize;

use super::ask::{self, Wanted};
use super::enroll;
use super::factors;
use super::shown::Shared;
use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::pages::Frame;
use crate::pages::answer::html;

/// What is wanted of the first page.
#[derive(Deserialize)]
pub(super) struct Coming {
    /// What was just done, to be told.
    #[serde(default)]
    done: String,
}

pub(super) async fn home(
    visitor: Visitor,
    Query(coming): Query<Coming>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    match view.purpose {
        PortalPurpose::Manage => factors::all(&visitor, &view, &coming.done),
        PortalPurpose::Challenge if !by_enrolling(&view) => {
            ask::application(&visitor, &view, &wanted)
        }
        PortalPurpose::Challenge | PortalPurpose::Enroll => enrolling(&visitor, &view),
    }
}

/// Whether the application's challenge is answered by enrolling a factor.
pub(super) fn by_enrolling(view: &PortalView) -> bool {
    let kind = view.challenge.as_ref().map(|challenge| challenge.kind);
    kind == Some(ChallengeKind::EnrollmentRequired)
}

/// The challenge that an enrollment answers, if it still can.
pub(super) fn to_answer(view: &PortalView) -> Option<countersign_core::ids::ChallengeId> {
    let challenge = view.challenge.as_ref().filter(|_| by_enrolling(view))?;
    (challenge.status == ChallengeStatus::Pending).then_some(challenge.id)
}

/// A factor was enrolled.
#[derive(Template)]
#[template(path = "portal/enrolled.html")]
struct EnrolledPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    wants_codes: bool,
}

fn enrolling(visitor: &Visitor, view: &PortalView) -> Result<Response, Trouble> {
    if view.enrolled.is_none() {
        return enroll::choice(visitor, view);
    }
    let page = EnrolledPage {
        frame: visitor.texts.frame(),
        t: visitor.texts,
        wants_codes: view.recovery_codes_remaining == 0 && view.fresh_until.is_some(),
        shared: Shared::of(visitor, view)?,
    };
    Ok(html(StatusCode::OK, &page))
}
