//! Twilio's Messages resource, API version 2010-04-01: a form, basic authentication by account SID
//! and auth token, answers in JSON. <https://www.twilio.com/docs/messaging/api/message-resource>

use countersign_actors::carrier::{Carried, Parcel};
use countersign_core::secret::Secret;
use countersign_core::time::SECOND_MS;
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use super::client::{Answer, Client, FORM, ask, below, form};
use crate::delivery::provider::Provider;
use crate::delivery::refusal::{Refusal, word_of};
use crate::delivery::render::Rendered;

/// The shortest time after which Twilio can be told to give a message up, in seconds.
const VALIDITY_MIN: i64 = 1;
/// Codes that are about the account although they come with 400 or 404: no such account, suspended
/// or closed, no credit, and senders that are not ours to use.
/// <https://www.twilio.com/docs/api/errors>
const ABOUT_US: [i64; 8] = [20_404, 20_005, 30_002, 21_212, 21_603, 21_606, 21_611, 21_701];

/// Statuses of a message that will not arrive.
/// <https://www.twilio.com/docs/messaging/api/message-resource#message-status-values>
const OVER: [&str; 3] = ["failed", "undelivered", "canceled"];

pub(super) struct Twilio {
    client: Client,
    url: Url,
    account: String,
    token: Secret,
    from: String,
}

/// What is read of an answer; all of it may be missing.
#[derive(Deserialize)]
struct Told {
    sid: Option<String>,
    code: Option<i64>,
    /// A word for a message that was taken up; with a `code`, the status of HTTP once more.
    status: Option<serde_json::Value>,
    /// Why such a message failed.
    error_code: Option<i64>,
}

impl Twilio {
    pub(super) fn new(
        client: Client,
        base: &Url,
        account: String,
        token: Secret,
        from: String,
    ) -> Self {
        let url = below(base, &["2010-04-01", "Accounts", &account, "Messages.json"]);
        Self { client, url, account, token, from }
    }

    async fn post(&self, parcel: &Parcel, words: &Rendered) -> Result<Carried, Refusal> {
        let left = parcel.message.expires_at.millis_since(parcel.now) / SECOND_MS;
        let validity = left.max(VALIDITY_MIN).to_string();
        // A messaging service chooses the sender itself.
        let sender = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let fields = [
            ("To", parcel.message.destination.as_str()),
            (sender, &self.from),
            ("Body", &words.text),
            // Twilio's own queue may be long; a dead code is worth nothing.
            ("ValidityPeriod", &validity),
        ];
        let request = self
            .client
            .post(self.url.clone())
            .basic_auth(&self.account, Some(self.token.expose_str()))
            .header(CONTENT_TYPE, FORM)
            .body(form(&fields));
        judge(&ask(request, parcel.now).await?)
    }
}

fn judge(answer: &Answer) -> Result<Carried, Refusal> {
    let told: Option<Told> = answer.json();
    if answer.status.is_success() {
        let Some(told) = told else {
            // 201 means taken up, whatever became of the rest of the answer.
            return Ok(Carried { reference: None });
        };
        let status = told.status.as_ref().and_then(serde_json::Value::as_str);
        if !status.is_some_and(|status| OVER.contains(&status)) {
            return Ok(Carried { reference: told.sid.as_deref().and_then(word_of) });
        }
        // Taken up and given up at once.
        return Err(match told.error_code {
            Some(code) if ABOUT_US.contains(&code) => Refusal::fault(format!("provider_{code}")),
            Some(code) => Refusal::never(format!("provider_{code}")),
            None => Refusal::never("provider_failed"),
        });
    }
    let code = told.and_then(|told| told.code);
    let reason = code.map(|code| format!("provider_{code}"));
    match (reason, code) {
        (Some(reason), Some(code)) if ABOUT_US.contains(&code) => Err(Refusal::fault(reason)),
        (reason, _) => Err(answer.refusal_by_account(reason)),
    }
}

impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn send<'a>(
        &'a self,
        parcel: &'a Parcel,
        words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>> {
        self.post(parcel, words).boxed()
    }
}
