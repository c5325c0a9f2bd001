//! What the script needs before it can speak with a security key: options, as the API gives them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_core::command::Command;
use countersign_core::factor::webauthn::options::RegistrationWish;
use countersign_core::ids::ChallengeId;
use countersign_core::portal::PortalRefusal;
use countersign_core::reply::Reply;
use serde::Deserialize;
use serde_json::json;

use super::ask::begun;
use super::filled::Scripted;
use super::trouble::Trouble;
use super::visitor::{Visitor, unexpected};
use crate::wire::webauthn::{CreationOptions, RequestOptions};

/// To register one.
pub(super) async fn create(Scripted(visitor): Scripted) -> Result<Response, Trouble> {
    let act = Command::BeginWebAuthn { wish: RegistrationWish::default() };
    options(&visitor, act).await
}

/// Which challenge is to be answered; none for the session's own.
#[derive(Deserialize)]
pub(super) struct Asked {
    challenge: String,
}

/// To show one.
pub(super) async fn get(
    Scripted(visitor): Scripted,
    Json(asked): Json<Asked>,
) -> Result<Response, Trouble> {
    let challenge: ChallengeId = match asked.challenge.as_str() {
        "" => begun(&visitor).await?,
        named => named.parse().map_err(|_| Trouble::Garbled)?,
    };
    options(
        &visitor,
        Command::BeginAssertion { user_verification: None, challenge: Some(challenge) },
    )
    .await
}

async fn options(visitor: &Visitor, act: Command) -> Result<Response, Trouble> {
    match visitor.act("options", act).await {
        Ok(Reply::CreationOptions(options)) => {
            Ok(Json(CreationOptions::from(*options)).into_response())
        }
        Ok(Reply::RequestOptions(options)) => {
            Ok(Json(RequestOptions::from(*options)).into_response())
        }
        // The page knows better than the script what to do: it is loaded again.
        Ok(Reply::Refused(refusal)) => {
            let words = super::shown::words(&refusal, visitor.texts);
            let status = super::shown::status(&refusal);
            Ok((status, Json(json!({ "words": words }))).into_response())
        }
        Err(Trouble::Refused(PortalRefusal::VerificationNeeded)) => {
            Ok((StatusCode::FORBIDDEN, Json(json!({ "reload": true }))).into_response())
        }
        Ok(_) => Err(unexpected()),
        Err(trouble) => Err(trouble),
    }
}
