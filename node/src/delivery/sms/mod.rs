//! Text messages, by whom the settings name. Each provider is a file: how it is asked, and what its
//! answers mean.
//!
//! What is wrong with us (credentials, an account without credit) fails for every message and may
//! be put right while a code still lives: later. What is wrong with one message or its receiver
//! will not change: never.

mod client;
mod http;
mod sigv4;
mod sns;
mod twilio;
mod vonage;

use self::client::Client;
use super::provider::Provider;
use crate::config::{SmsProvider, SmsSettings};
use crate::error::Error;

/// The provider that the settings name.
pub(super) fn provider(settings: &SmsSettings) -> Result<Box<dyn Provider>, Error> {
    let client = Client::new(settings)?;
    if settings.url.in_clear() {
        tracing::warn!(
            "sms.url has no https: what is sent there, codes among it, can be read on the way"
        );
    }
    let url = settings.url.0.clone();
    Ok(match settings.provider.clone() {
        SmsProvider::Twilio { account, token, from } => {
            Box::new(twilio::Twilio::new(client, &url, account, token, from))
        }
        SmsProvider::Vonage { key, secret, from } => {
            Box::new(vonage::Vonage::new(client, &url, key, secret, from))
        }
        SmsProvider::Sns { access_key, secret, region, from } => {
            let signer = sigv4::Signer { access_key, secret, region, service: "sns" };
            Box::new(sns::Sns::new(client, url, signer, from))
        }
        SmsProvider::Http { key } => Box::new(http::Http::new(client, url, key)),
    })
}
