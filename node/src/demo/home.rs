//! What somebody who is signed in sees, and where they can go from there.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::accounts::Account;
use super::pages;
use super::service::{Purpose, Sighting, Trouble};
use super::signing::{once_more, send};
use super::visitor::Visitor;
use super::visits::{Wish, Word};
use super::{Harbour, tour};

/// The first page: the shop's, or the door.
pub(super) async fn show(State(harbour): State<Arc<Harbour>>, visitor: Visitor) -> Response {
    let Some((user, claims)) = &visitor.visit.signed_in else {
        return Redirect::to("/sign-up").into_response();
    };
    let Some(account) = harbour.accounts.of(user) else {
        return Redirect::to("/sign-up").into_response();
    };
    let status = match harbour.service.status(user).await {
        Ok(status) => status,
        Err(trouble) => return pages::trouble(&trouble),
    };
    let name = visitor.name.as_deref();
    let word = name.and_then(|name| harbour.visits.note(name, |visit| visit.word.take()));
    let protected = status.factors.values().any(|count| *count > 0);
    let steps = tour::steps(Some(&account), &status);
    pages::home(&account.email, claims, protected, word.flatten(), &steps)
}

/// Whoever is signed in.
fn signed_in(harbour: &Harbour, visitor: &Visitor) -> Option<Account> {
    let (user, _) = visitor.visit.signed_in.as_ref()?;
    harbour.accounts.of(user)
}

/// To the pages on which a factor is added.
pub(super) async fn set_up(State(harbour): State<Arc<Harbour>>, visitor: Visitor) -> Response {
    let Some(account) = signed_in(&harbour, &visitor) else {
        return pages::lost(StatusCode::FORBIDDEN);
    };
    send(&harbour, &visitor, &account.user, Purpose::Enroll(None), Wish::SetUp).await
}

/// To the pages on which factors are looked after.
pub(super) async fn security(State(harbour): State<Arc<Harbour>>, visitor: Visitor) -> Response {
    let Some(account) = signed_in(&harbour, &visitor) else {
        return pages::lost(StatusCode::FORBIDDEN);
    };
    send(&harbour, &visitor, &account.user, Purpose::Manage, Wish::Settings).await
}

/// Something that needs a fresh proof, however the person signed in.
pub(super) async fn order(State(harbour): State<Arc<Harbour>>, visitor: Visitor) -> Response {
    let Some(account) = signed_in(&harbour, &visitor) else {
        return pages::lost(StatusCode::FORBIDDEN);
    };
    let user = account.user.as_str();
    let browser = once_more(&visitor.browser);
    let sighting = match harbour.service.sighted(user, "STEP_UP", &browser).await {
        Ok(sighting) => sighting,
        Err(trouble) => return pages::trouble(&trouble),
    };
    let Sighting { mfa_required, reason, challenge, .. } = sighting;
    match challenge {
        Some(challenge) => {
            let purpose = Purpose::Challenge(&challenge.id);
            send(&harbour, &visitor, user, purpose, Wish::Order).await
        }
        None if mfa_required => {
            pages::trouble(&Trouble::Odd(format!("no challenge, although {reason}")))
        }
        None => {
            if let Some(name) = &visitor.name {
                harbour.visits.note(name, |visit| visit.word = Some(Word::Unasked));
            }
            Redirect::to("/").into_response()
        }
    }
}
