//! A racer: one right code, one recovery code and one answer of a security key, submitted many times
//! at once through every node, and again later. Each is accepted once at most, whatever happens to the nodes meanwhile.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use super::sdk::{Request, Sdk};
use crate::app::App;
use crate::key::Key;

/// How often a code is submitted at once, through each node.
const AT_ONCE: usize = 3;
/// How long after the first time it is submitted again.
const LATER: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_secs(2), Duration::from_secs(5)];

const CHALLENGES: &str = "/v1/mfa/challenges";
const VERIFY: &str = "/v1/mfa/challenges/verify";

struct Race<'a> {
    sdk: &'a Sdk,
    user: String,
    asked: u32,
}

/// Races as user number `number`. `None` if it could not begin.
pub async fn race(sdk: &Sdk, number: u64) -> Option<()> {
    let user = format!("raced-{number}");
    let mut race = Race { sdk, user, asked: 0 };
    let app = App::numbered(1 + number * 8);
    let body = json!({ "secret": app.base32(), "digits": 8, "period": 120 });
    let path = format!("/v1/users/{}/mfa/totp/import", race.user);
    let imported = race.keyed(path, body).await?;
    let factor = imported["id"].as_str()?.to_owned();
    let path = format!("/v1/users/{}/mfa/recovery-codes", race.user);
    let codes = race.keyed(path, json!({})).await?;
    let recovery = codes["codes"][0].as_str()?.to_owned();
    sdk.tape().secret(&recovery);
    // Fixed now: later on, it is still this code and this answer that are tried.
    let code = app.code(0);
    let mut key = Key::usb(number);
    let key_path = |rest: &str| format!("/v1/users/raced-{number}/mfa/webauthn/{rest}");
    let options = race.keyed(key_path("registration-options"), json!({})).await?;
    let credential = json!({ "credential": key.create(&options) });
    race.keyed(key_path("verify"), credential).await?;
    let options = race.keyed(key_path("authentication-options"), json!({})).await?;
    let assertion = json!({ "assertion": key.get(&options) });

    let mut accepted = 0;
    let mut recovered = 0;
    let mut shown = 0;
    for round in 0..=LATER.len() {
        if let Some(pause) = round.checked_sub(1).map(|round| LATER[round]) {
            sleep(pause).await;
        }
        shown += race.submit(&key_path("verify-assertion"), &assertion).await;
        let Some(challenge) = race.challenge().await else { continue };
        let body = json!({ "challengeId": challenge, "factorId": factor, "code": code });
        accepted += race.submit(VERIFY, &body).await;
        let Some(challenge) = race.challenge().await else { continue };
        let body = json!({ "challengeId": challenge, "recoveryCode": recovery });
        recovered += race.submit(VERIFY, &body).await;
    }
    let counted = [("a code", accepted), ("a recovery code", recovered), ("an assertion", shown)];
    for (what, times) in counted {
        if times > 1 {
            sdk.tape()
                .violation(format!("once: {what} of {} was accepted {times} times", race.user));
        }
    }
    Some(())
}

impl Race<'_> {
    async fn keyed(&mut self, path: String, body: serde_json::Value) -> Option<serde_json::Value> {
        self.asked += 1;
        let key = format!("{}-{}", self.user, self.asked);
        let answer = self.sdk.ask(0, &Request::post(path, body, key)).await.answer?;
        answer.status.is_success().then_some(answer.body)
    }

    async fn challenge(&mut self) -> Option<String> {
        let body = json!({ "userId": self.user, "purpose": "LOGIN", "context": {} });
        let answer = self.keyed(CHALLENGES.to_owned(), body).await?;
        answer["challenge"]["id"].as_str().map(str::to_owned)
    }

    /// Submits through every node at once, as different requests. Answers how many were accepted.
    async fn submit(&self, path: &str, body: &serde_json::Value) -> u32 {
        let submissions = (0..AT_ONCE * self.sdk.nodes()).map(|number| async move {
            let request = Request { key: None, ..Request::post(path, body.clone(), String::new()) };
            self.sdk.once(number % self.sdk.nodes(), &request).await
        });
        let answers = join_all(submissions).await;
        let accepted = answers.iter().flatten().filter(|answer| answer.body["verified"] == true);
        u32::try_from(accepted.count()).unwrap_or(u32::MAX)
    }
}
