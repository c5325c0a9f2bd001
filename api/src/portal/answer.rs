//! Answering, and having a code sent to answer with. Whatever is wrong is told on the page that asked.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use countersign_core::command::{Command, Proof, RememberDevice};
use countersign_core::factor::FactorType;
use countersign_core::factor::message::SendOutcome;
use countersign_core::ids::FactorId;
use countersign_core::portal::{PortalReply, PortalView};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::secret::Secret;
use serde::Deserialize;
use serde_json::json;

use super::ask::{Asker, RECOVERY, Wanted, begun, own, page};
use super::filled::Filled;
use super::finish::{leave, to};
use super::trouble::Trouble;
use super::visitor::{Visitor, unexpected};
use crate::request::Fields;
use crate::wire::SecretText;
use crate::wire::webauthn::AuthenticationResponse;

/// The most characters of a code as typed: room for what was pasted along with it.
pub(super) const CODE_MAX: usize = 128;

/// An answer, as it is typed or as a script brings it.
#[derive(Deserialize)]
pub(super) struct Answering {
    challenge: String,
    with: String,
    #[serde(default)]
    code: Option<SecretText>,
    #[serde(default)]
    key: String,
    #[serde(default)]
    remember: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn answer(
    Filled { visitor, form }: Filled<Answering>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let asker = asker_of(&view, &form.challenge);
    let wanted = Wanted::new(&form.with, &form.next);
    let next = visitor.page(own(&form.next));
    if asker == Asker::Session && view.fresh_until.is_some() {
        return Ok(to(&next));
    }
    let proof = match proof(&view, &form) {
        Ok(proof) => proof,
        Err(refusal) => return page(&visitor, &view, asker, &wanted, Some(&refusal)),
    };
    let remember_device = (!form.remember.is_empty()).then(RememberDevice::default);
    let challenge = match (asker, &view.challenge) {
        (Asker::Application, Some(challenge)) => challenge.id,
        _ => begun(&visitor).await?,
    };
    let act = Command::Verify { challenge, proof, remember_device };
    match visitor.act("answer", act).await? {
        Reply::Portal(reply) => match *reply {
            PortalReply::Ended { code, return_url, result_parameter } => {
                leave(&visitor, code, &return_url, result_parameter)
            }
            PortalReply::Verified => Ok(to(&next)),
            _ => Err(unexpected()),
        },
        Reply::Refused(refusal) => {
            let view = visitor.view().await?;
            page(&visitor, &view, asker, &wanted, Some(&refusal))
        }
        _ => Err(unexpected()),
    }
}

/// Whose question a form answers: the application's, if it names its challenge.
fn asker_of(view: &PortalView, challenge: &str) -> Asker {
    let named = view.challenge.as_ref().is_some_and(|one| one.id.to_string() == challenge);
    if named { Asker::Application } else { Asker::Session }
}

/// What is shown as a proof. What is empty or longer than any code is not worth a guess.
fn proof(view: &PortalView, form: &Answering) -> Result<Proof, Refusal> {
    let code = |pointer: &str| {
        let code = form.code.as_ref().map_or("", SecretText::expose).trim();
        let fits = (1..=CODE_MAX).contains(&code.chars().count());
        let missing = Refusal::NoCode { pointer: pointer.to_owned(), detail: String::new() };
        fits.then(|| Secret::from(code.to_owned())).ok_or(missing)
    };
    if form.with == RECOVERY {
        return Ok(Proof::RecoveryCode(code("/recoveryCode")?));
    }
    let factor: FactorId = form.with.parse().map_err(|_| Refusal::FactorNotFound)?;
    let is_key =
        view.factors.iter().any(|one| one.id == factor && one.factor_type == FactorType::WebAuthn);
    if !is_key {
        return Ok(Proof::Code { factor, code: code("/code")? });
    }
    let unfit = Refusal::Invalid { pointer: "/key".to_owned(), detail: String::new() };
    let answer: AuthenticationResponse =
        serde_json::from_str(&form.key).map_err(|_| unfit.clone())?;
    let mut fields = Fields::new();
    let response = answer.read(&mut fields, "/key");
    let response = Box::new(fields.finish(response).map_err(|_| unfit)?);
    // Of the person's keys the browser may take any that was allowed.
    let shown = view.key_of(&response.raw_id).unwrap_or(factor);
    Ok(Proof::Assertion { factor: Some(shown), response })
}

/// That a code is to be sent.
#[derive(Deserialize)]
pub(super) struct Sending {
    challenge: String,
    with: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn send(Filled { visitor, form }: Filled<Sending>) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let asker = asker_of(&view, &form.challenge);
    let wanted = Wanted::new(&form.with, &form.next);
    let Ok(factor) = form.with.parse() else { return Ok(to(&visitor.page("/"))) };
    let challenge = match (asker, &view.challenge) {
        (Asker::Application, Some(challenge)) => challenge.id,
        _ => begun(&visitor).await?,
    };
    let act = Command::SendChallengeCode { challenge, factor };
    match visitor.act("send", act).await? {
        Reply::CodeSent(_) => Ok(to(&format!("{}&sent=1", asker.address(&visitor, &wanted)))),
        Reply::Refused(refusal) => {
            let view = visitor.view().await?;
            page(&visitor, &view, asker, &wanted, Some(&refusal))
        }
        _ => Err(unexpected()),
    }
}

/// What became of the message that was sent to a factor last, for a script that waits for it.
pub(super) async fn message(
    visitor: Visitor,
    Path((_, factor)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let factor: FactorId = factor.parse().map_err(|_| Trouble::NoSuchPage)?;
    let code = view.codes.get(&factor);
    let status = match code.and_then(|code| code.outcome.as_ref()) {
        // Whoever still waits for it waits for nothing.
        None if code.is_some_and(|code| code.live_until.is_none()) => "EXPIRED",
        Some(SendOutcome::Pending) => "PENDING",
        Some(SendOutcome::Failed { .. }) => "FAILED",
        // Sent, or nothing that could be waited for.
        Some(SendOutcome::Sent) | None => "SENT",
    };
    Ok(Json(json!({ "status": status })).into_response())
}
