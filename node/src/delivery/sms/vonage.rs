//! Vonage's SMS API: a form with key and secret, and an answer of 200 whatever happened, whose
//! `status` tells. <https://developer.vonage.com/en/api/sms>
//!
//! Not its Messages API: that one wants an application with a private key to sign tokens, which is
//! more to configure and to keep than one key and one secret, and gives a text message nothing.

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
use crate::delivery::refusal::{LOST, PROTOCOL, Refusal, word_of};
use crate::delivery::render::{Rendered, gsm};

/// The shortest time after which Vonage can be told to give a message up.
const TTL_MIN_MS: i64 = 20 * SECOND_MS;
/// Taken.
const TAKEN: &str = "0";
/// Statuses that are about Vonage or our account: throttled, wrong credentials, internal error,
/// account barred, no credit, too many binds, account not enabled, signature, sender not ours.
/// <https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms>
const ABOUT_US: [&str; 10] = ["1", "4", "5", "8", "9", "10", "11", "14", "15", "32"];

pub(super) struct Vonage {
    client: Client,
    url: Url,
    key: String,
    secret: Secret,
    from: String,
}

#[derive(Deserialize)]
struct Told {
    messages: Vec<Part>,
}

/// One part of a message that was too long for one.
#[derive(Deserialize)]
struct Part {
    status: String,
    #[serde(rename = "message-id")]
    id: Option<String>,
}

impl Vonage {
    pub(super) fn new(
        client: Client,
        base: &Url,
        key: String,
        secret: Secret,
        from: String,
    ) -> Self {
        Self { client, url: below(base, &["sms", "json"]), key, secret, from }
    }

    async fn post(&self, parcel: &Parcel, words: &Rendered) -> Result<Carried, Refusal> {
        let left = parcel.message.expires_at.millis_since(parcel.now);
        let ttl = left.max(TTL_MIN_MS).to_string();
        let id = parcel.id.to_string();
        let kind = if gsm::fits(&words.text) { "text" } else { "unicode" };
        let fields = [
            ("api_key", self.key.as_str()),
            ("api_secret", self.secret.expose_str()),
            // Numbers are written without the plus here.
            ("from", self.from.trim_start_matches('+')),
            ("to", parcel.message.destination.trim_start_matches('+')),
            ("text", &words.text),
            ("type", kind),
            ("ttl", &ttl),
            ("client-ref", &id),
        ];
        let request =
            self.client.post(self.url.clone()).header(CONTENT_TYPE, FORM).body(form(&fields));
        judge(&ask(request, parcel.now).await?)
    }
}

fn judge(answer: &Answer) -> Result<Carried, Refusal> {
    if !answer.status.is_success() {
        return Err(answer.refusal_by_account(None));
    }
    // Here 200 alone does not say that it was taken.
    if answer.body.is_none() {
        return Err(Refusal::fault(LOST));
    }
    let told: Told = answer.json().ok_or_else(|| Refusal::fault(PROTOCOL))?;
    let first = told.messages.first().ok_or_else(|| Refusal::fault(PROTOCOL))?;
    let Some(wrong) = told.messages.iter().find(|part| part.status != TAKEN) else {
        return Ok(Carried { reference: first.id.as_deref().and_then(word_of) });
    };
    match word_of(&wrong.status) {
        None => Err(Refusal::fault(PROTOCOL)),
        Some(status) if ABOUT_US.contains(&status.as_str()) => {
            Err(Refusal::fault_until(format!("provider_{status}"), answer.after))
        }
        Some(status) => Err(Refusal::never(format!("provider_{status}"))),
    }
}

impl Provider for Vonage {
    fn name(&self) -> &'static str {
        "vonage"
    }

    fn send<'a>(
        &'a self,
        parcel: &'a Parcel,
        words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>> {
        self.post(parcel, words).boxed()
    }
}
