//! Signing up, in and out: the password is the application's affair, and what comes after it the
//! service's.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Harbour;
use super::accounts::Account;
use super::pages::{self, Door, Wrong};
use super::service::{Browser, Outcome, Purpose, Sighting, Status, Trouble};
use super::tokens::Claims;
use super::tour;
use super::visitor::{Visitor, known_by, remembered_by};
use super::visits::{Errand, Visit, Wish, Word, random_name};

/// What is typed at the door.
#[derive(Deserialize)]
pub(super) struct Typed {
    email: String,
    password: Zeroizing<String>,
}

/// What comes back with a browser from the hosted pages.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default, rename = "countersign_result")]
    code: String,
}

fn door(which: Door, email: &str, wrong: Option<Wrong>, word: Option<Word>) -> Response {
    pages::door(which, email, wrong, word, &tour::steps(None, &Status::default()))
}

pub(super) async fn sign_up_page(visitor: Visitor) -> Response {
    if visitor.visit.signed_in.is_some() {
        return Redirect::to("/").into_response();
    }
    door(Door::SignUp, "", None, None)
}

pub(super) async fn sign_in_page(
    State(harbour): State<Arc<Harbour>>,
    visitor: Visitor,
) -> Response {
    if visitor.visit.signed_in.is_some() {
        return Redirect::to("/").into_response();
    }
    let name = visitor.name.as_deref();
    let word = name.and_then(|name| harbour.visits.note(name, |visit| visit.word.take()));
    door(Door::SignIn, "", None, word.flatten())
}

/// Makes an account and lets its owner in.
pub(super) async fn sign_up(
    State(harbour): State<Arc<Harbour>>,
    visitor: Visitor,
    Form(Typed { email, password }): Form<Typed>,
) -> Response {
    let made = {
        let (harbour, email) = (Arc::clone(&harbour), email.clone());
        hash(move || harbour.accounts.make(&email, &password)).await
    };
    let account = match made {
        Some(Ok(account)) => account,
        Some(Err(unfit)) => return door(Door::SignUp, &email, Some(Wrong::Unfit(unfit)), None),
        None => return pages::lost(StatusCode::SERVICE_UNAVAILABLE),
    };
    if let Err(trouble) = harbour.service.introduce(&account.user, &account.email).await {
        return pages::trouble(&trouble);
    }
    second_step(&harbour, &visitor, &account, Some(Word::Welcome)).await
}

/// Lets somebody in whose password is right, or has the second factor asked for. A real application
/// also limits how often passwords are guessed at: the service counts what comes after them.
pub(super) async fn sign_in(
    State(harbour): State<Arc<Harbour>>,
    visitor: Visitor,
    Form(Typed { email, password }): Form<Typed>,
) -> Response {
    let found = {
        let (harbour, email) = (Arc::clone(&harbour), email.clone());
        hash(move || harbour.accounts.find(&email, &password)).await
    };
    let Some(account) = found.flatten() else {
        return door(Door::SignIn, &email, Some(Wrong::Unknown), None);
    };
    second_step(&harbour, &visitor, &account, None).await
}

pub(super) async fn sign_out(State(harbour): State<Arc<Harbour>>, visitor: Visitor) -> Response {
    if let Some(name) = &visitor.name {
        harbour.visits.end(name);
    }
    Redirect::to("/sign-in").into_response()
}

/// Hashing takes a while: not on the threads that answer.
async fn hash<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// The password was right. The service says what else is needed.
async fn second_step(
    harbour: &Harbour,
    visitor: &Visitor,
    account: &Account,
    word: Option<Word>,
) -> Response {
    let user = account.user.as_str();
    if let Ok(status) = harbour.service.status(user).await
        && (status.locked_until.is_some() || status.unlock_required)
    {
        harbour.accounts.note(user, |account| account.was_locked = true);
    }
    let sighting = match harbour.service.sighted(user, "LOGIN", &visitor.browser).await {
        Ok(sighting) => sighting,
        Err(trouble) => return pages::trouble(&trouble),
    };
    let Sighting { mfa_required, reason, enrollment_required, challenge, tokens } = sighting;
    if !mfa_required {
        let claims = tokens.and_then(|tokens| Claims::read(&tokens.access_token));
        let Some(claims) = claims else {
            return pages::trouble(&Trouble::Odd(format!("no token, although {reason}")));
        };
        let word = if enrollment_required { Some(Word::Grace) } else { word };
        return let_in(harbour, visitor, user, claims, word);
    }
    let Some(challenge) = challenge else {
        return pages::trouble(&Trouble::Odd(format!("no challenge, although {reason}")));
    };
    let purpose = match enrollment_required {
        true => Purpose::Enroll(Some(&challenge.id)),
        false => Purpose::Challenge(&challenge.id),
    };
    send(harbour, visitor, user, purpose, Wish::SignIn).await
}

/// Sends a browser to the hosted pages, and remembers what for.
pub(super) async fn send(
    harbour: &Harbour,
    visitor: &Visitor,
    user: &str,
    purpose: Purpose<'_>,
    wish: Wish,
) -> Response {
    let state = random_name();
    let back = format!("{}/back?state={state}", harbour.url);
    let link = match harbour.service.link(user, purpose, &back).await {
        Ok(link) => link,
        Err(trouble) => return pages::trouble(&trouble),
    };
    let errand = Errand { state, user: user.to_owned(), wish };
    let there = Redirect::to(&link).into_response();
    if wish == Wish::SignIn {
        // Nobody is signed in on the way, whoever was before.
        let visit = Visit { errand: Some(errand), ..Visit::default() };
        let name = harbour.visits.begin(visitor.name.as_deref(), visit);
        return known_by(there, &name);
    }
    if let Some(name) = &visitor.name {
        harbour.visits.note(name, |visit| visit.errand = Some(errand));
    }
    there
}

/// A browser comes back from the hosted pages with a code.
pub(super) async fn back(
    State(harbour): State<Arc<Harbour>>,
    visitor: Visitor,
    Query(Back { state, code }): Query<Back>,
) -> Response {
    let Some(name) = visitor.name.as_deref() else { return pages::lost(StatusCode::FORBIDDEN) };
    // Taken before the code is: each errand comes back once.
    let errand = harbour
        .visits
        .note(name, |visit| visit.errand.take_if(|errand| errand.state == state))
        .flatten();
    let Some(errand) = errand else { return pages::lost(StatusCode::FORBIDDEN) };
    let outcome = match harbour.service.outcome(&code).await {
        Ok(outcome) => outcome,
        Err(trouble) => return pages::trouble(&trouble),
    };
    // A code of somebody else's session would sign this browser in as them.
    if outcome.user_id != errand.user {
        return pages::lost(StatusCode::FORBIDDEN);
    }
    settle(&harbour, &visitor, name, &errand, outcome)
}

/// What an errand brought.
fn settle(
    harbour: &Harbour,
    visitor: &Visitor,
    name: &str,
    errand: &Errand,
    outcome: Outcome,
) -> Response {
    let Outcome { status, tokens, device_token, .. } = outcome;
    let completed = status == "COMPLETED";
    let claims = tokens.and_then(|tokens| Claims::read(&tokens.access_token));
    let word = match errand.wish {
        Wish::SetUp if completed => Word::SetUp,
        Wish::Settings => Word::Settings,
        Wish::Order if completed && claims.is_some() => Word::Ordered,
        Wish::SignIn => Word::NotSignedIn,
        _ => Word::Left,
    };
    let response = match claims.filter(|_| completed) {
        Some(claims) => {
            let word = (errand.wish != Wish::SignIn).then_some(word);
            let_in(harbour, visitor, &errand.user, claims, word)
        }
        None => {
            harbour.visits.note(name, |visit| visit.word = Some(word));
            let next = if errand.wish == Wish::SignIn { "/sign-in" } else { "/" };
            Redirect::to(next).into_response()
        }
    };
    match device_token {
        Some(token) => remembered_by(response, &token),
        None => response,
    }
}

/// Signs a browser in, under a new name.
fn let_in(
    harbour: &Harbour,
    visitor: &Visitor,
    user: &str,
    claims: Claims,
    word: Option<Word>,
) -> Response {
    harbour.accounts.note(user, |account| account.ways.extend(claims.amr.iter().cloned()));
    let visit = Visit { signed_in: Some((user.to_owned(), claims)), errand: None, word };
    let name = harbour.visits.begin(visitor.name.as_deref(), visit);
    known_by(Redirect::to("/").into_response(), &name)
}

/// What the service is told of a browser that proves itself once more.
pub(super) fn once_more(browser: &Browser) -> Browser {
    // A remembered browser is no proof that its owner sits before it.
    Browser { device_token: None, ..browser.clone() }
}
