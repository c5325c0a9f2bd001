//! The application's pages.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_api::pages::{Frame, html};

use super::accounts::Unfit;
use super::service::Trouble;
use super::tokens::Claims;
use super::tour::Step;
use super::visits::Word;

/// What a form asks for when nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// An account.
    SignUp,
    /// To be let in.
    SignIn,
}

/// What was wrong with what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// No account.
    Unfit(Unfit),
    /// Not this address with this password.
    Unknown,
}

#[derive(Template)]
#[template(path = "demo/door.html")]
struct DoorPage<'a> {
    frame: Frame,
    new: bool,
    email: &'a str,
    email_error: &'a str,
    password_error: &'a str,
    notice: &'a str,
    steps: &'a [Step],
}

/// The page on which accounts are made and people signed in.
pub(super) fn door(
    door: Door,
    email: &str,
    wrong: Option<Wrong>,
    word: Option<Word>,
    steps: &[Step],
) -> Response {
    let (email_error, password_error) = match wrong {
        None => ("", ""),
        Some(Wrong::Unfit(Unfit::Email)) => ("That is not an email address.", ""),
        Some(Wrong::Unfit(Unfit::Password)) => ("", "A password has 8 to 256 characters."),
        Some(Wrong::Unfit(Unfit::Taken)) => ("There is an account with this address.", ""),
        Some(Wrong::Unfit(Unfit::Full)) => {
            ("There are too many accounts: start `countersign dev` anew.", "")
        }
        Some(Wrong::Unknown) => ("", "Address and password do not belong together."),
    };
    let page = DoorPage {
        frame: Frame::ENGLISH,
        new: door == Door::SignUp,
        email,
        email_error,
        password_error,
        notice: word.map_or("", said),
        steps,
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html(status, &page)
}

/// The page of somebody who is signed in.
#[derive(Template)]
#[template(path = "demo/home.html")]
struct HomePage<'a> {
    frame: Frame,
    email: &'a str,
    claims: &'a Claims,
    protected: bool,
    notice: &'a str,
    good: bool,
    steps: &'a [Step],
}

/// The page of somebody who is signed in.
pub(super) fn home(
    email: &str,
    claims: &Claims,
    protected: bool,
    word: Option<Word>,
    steps: &[Step],
) -> Response {
    let page = HomePage {
        frame: Frame::ENGLISH,
        email,
        claims,
        protected,
        notice: word.map_or("", said),
        good: word != Some(Word::Left),
        steps,
    };
    html(StatusCode::OK, &page)
}

const fn said(word: Word) -> &'static str {
    match word {
        Word::Welcome => "Your account is ready. So far a password is all that guards it.",
        Word::SetUp => "Your account is protected. The next sign-in asks for what you added.",
        Word::Settings => "Back from your security settings.",
        Word::Ordered => "Ordered. You proved once more that it is you; the new token says so.",
        Word::Unasked => "Ordered. The policy wants no second proof, so none was asked for.",
        Word::Left => "You left before the end. Nothing was changed.",
        Word::NotSignedIn => "You left before the end, so you are not signed in.",
        Word::Grace => "The policy wants a second factor soon. You may add it later, for now.",
    }
}

#[derive(Template)]
#[template(path = "demo/trouble.html")]
struct TroublePage<'a> {
    frame: Frame,
    title: &'a str,
    text: &'a str,
    detail: &'a str,
}

/// The service did not do what it was asked.
pub(super) fn trouble(trouble: &Trouble) -> Response {
    let detail = trouble.to_string();
    let page = TroublePage {
        frame: Frame::ENGLISH,
        title: "That did not work",
        text: "The application asked the service, and the answer was no good.",
        detail: &detail,
    };
    html(StatusCode::BAD_GATEWAY, &page)
}

/// A request that no page of this application leads to.
pub(super) fn lost(status: StatusCode) -> Response {
    let page = TroublePage {
        frame: Frame::ENGLISH,
        title: "This way leads nowhere",
        text: "It was taken before, or it began in another browser. Begin again from the start.",
        detail: "",
    };
    html(status, &page)
}
