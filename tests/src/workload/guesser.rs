//! A guesser: wrong codes, on many challenges, through all nodes, at once and without keys.
//!
//! However the nodes die meanwhile, at most as many guesses are read as the policy allows.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use serde_json::json;

use super::sdk::{Request, Sdk};
use crate::app::App;
use crate::history::model::ATTEMPTS_MAX;

/// Challenges that are guessed at.
const CHALLENGES: usize = 6;
/// Guesses at each.
const GUESSES: usize = 6;

/// A guesser and what it found out.
pub struct Guesser {
    /// At whose codes it guesses.
    pub user: String,
    /// How many guesses were read, as the answers tell.
    pub read: u32,
}

/// Guesses at the codes of user number `number`. `None` if there was no user to guess at.
pub async fn guess(sdk: &Sdk, number: u64) -> Option<Guesser> {
    let user = format!("guessed-{number}");
    let app = App::numbered(1 + number * 8);
    let body = json!({ "secret": app.base32(), "digits": 8, "period": 120 });
    let path = format!("/v1/users/{user}/mfa/totp/import");
    let key = |what: &str| format!("{user}-{what}");
    let imported = sdk.ask(0, &Request::post(path, body, key("import"))).await.answer?;
    let factor = imported.body["id"].as_str()?.to_owned();

    let opened = (0..CHALLENGES).map(|challenge| {
        let body = json!({ "userId": user, "purpose": "LOGIN", "context": {} });
        let request = Request::post("/v1/mfa/challenges", body, key(&format!("c{challenge}")));
        async move { sdk.ask(challenge % sdk.nodes(), &request).await.answer }
    });
    let opened = join_all(opened).await;
    let challenges =
        opened.iter().flatten().filter_map(|answer| answer.body["challenge"]["id"].as_str());

    let read = AtomicU32::new(0);
    let guessing = challenges.enumerate().map(|(number, challenge)| {
        let (app, factor, read) = (&app, &factor, &read);
        async move {
            for guess in 0..GUESSES {
                let body = json!({
                    "challengeId": challenge, "factorId": factor, "code": app.wrong_code(),
                });
                let request = Request { key: None, ..Request::post(VERIFY, body, String::new()) };
                let answer = sdk.once((number + guess) % sdk.nodes(), &request).await;
                if answer.is_some_and(|answer| answer.code() == "invalid_code") {
                    read.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    join_all(guessing).await;
    let guesser = Guesser { user, read: read.into_inner() };
    if guesser.read > ATTEMPTS_MAX {
        sdk.tape().violation(format!(
            "counted: {} wrong codes of {} were read, although {ATTEMPTS_MAX} may be",
            guesser.read, guesser.user
        ));
    }
    Some(guesser)
}

/// Checks, when all is quiet, that every guess that was read is still counted.
pub async fn look_back(sdk: &Sdk, guesser: &Guesser) {
    for node in 0..sdk.nodes() {
        let request = Request::get(format!("/v1/users/{}/mfa/status", guesser.user));
        let Some(answer) = sdk.ask(node, &request).await.answer else { continue };
        let counted = answer.body["failedAttempts"].as_u64().unwrap_or(0);
        let locked = !answer.body["lockedUntil"].is_null();
        if counted < u64::from(guesser.read) || locked != (counted >= u64::from(ATTEMPTS_MAX)) {
            sdk.tape().violation(format!(
                "counted: {} wrong codes of {} were read, but node {node} says {}",
                guesser.read, guesser.user, answer.body
            ));
        }
    }
}

const VERIFY: &str = "/v1/mfa/challenges/verify";
