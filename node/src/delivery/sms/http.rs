//! A receiver of the operator's own: `{"id", "to", "body"}` in JSON, signed as Standard Webhooks
//! prescribes with `sms.token`. Any 2xx means taken; `id` is the same over all attempts, so that
//! the receiver can drop the second.

use countersign_actors::carrier::{Carried, Parcel};
use countersign_core::secret::Secret;
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use super::client::{Client, ask};
use crate::delivery::provider::Provider;
use crate::delivery::refusal::{PROTOCOL, Refusal};
use crate::delivery::render::Rendered;
use crate::delivery::webhook::signature;

pub(super) struct Http {
    client: Client,
    url: Url,
    key: [Secret; 1],
}

impl Http {
    pub(super) fn new(client: Client, url: Url, key: Secret) -> Self {
        Self { client, url, key: [key] }
    }

    async fn post(&self, parcel: &Parcel, words: &Rendered) -> Result<Carried, Refusal> {
        let id = parcel.id.to_string();
        let body = serde_json::json!({
            "id": id,
            "to": parcel.message.destination,
            "body": words.text,
        });
        let body = body.to_string().into_bytes();
        let timestamp = parcel.now.unix_seconds();
        let signed = signature::sign(&self.key, &id, timestamp, &body)
            .ok_or_else(|| Refusal::never(PROTOCOL))?;
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(signature::ID, id)
            .header(signature::TIMESTAMP, timestamp)
            .header(signature::SIGNATURE, signed)
            .body(body);
        let answer = ask(request, parcel.now).await?;
        if answer.status.is_success() { Ok(Carried::default()) } else { Err(answer.refusal(None)) }
    }
}

impl Provider for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn send<'a>(
        &'a self,
        parcel: &'a Parcel,
        words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>> {
        self.post(parcel, words).boxed()
    }
}
