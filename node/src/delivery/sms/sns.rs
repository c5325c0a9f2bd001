//! Amazon SNS: the action Publish of its query API, version 2010-03-31, straight to a number.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use countersign_actors::carrier::{Carried, Parcel};
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use super::client::{Answer, Client, FORM, ask, form};
use super::sigv4::Signer;
use crate::delivery::provider::Provider;
use crate::delivery::refusal::{Refusal, word_of};
use crate::delivery::render::Rendered;

/// Errors that pass, although their status does not say so. The first is SNS's, the others are
/// common to all of AWS: <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>
const PASSING: [&str; 5] =
    ["Throttled", "Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"];
/// Errors that are about us: keys, rights, the clock.
const ABOUT_US: [&str; 9] = [
    "AuthorizationError",
    "AccessDenied",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "RequestExpired",
    "ExpiredToken",
    "OptInRequired",
];

pub(super) struct Sns {
    client: Client,
    url: Url,
    host: String,
    signer: Signer,
    from: Option<String>,
}

impl Sns {
    pub(super) fn new(client: Client, url: Url, signer: Signer, from: Option<String>) -> Self {
        // As the client writes it: without the scheme's own port.
        let name = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        };
        Self { client, url, host, signer, from }
    }

    async fn post(&self, parcel: &Parcel, words: &Rendered) -> Result<Carried, Refusal> {
        let mut attributes = vec![("AWS.SNS.SMS.SMSType", "Transactional")];
        if let Some(from) = &self.from {
            let digits = from.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
            let name = if digits { "AWS.MM.SMS.OriginationNumber" } else { "AWS.SNS.SMS.SenderID" };
            attributes.push((name, from));
        }
        let mut fields: Vec<(String, &str)> = [
            ("Action", "Publish"),
            ("Version", "2010-03-31"),
            ("PhoneNumber", &parcel.message.destination),
            ("Message", &words.text),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (number, (name, value)) in (1..).zip(attributes) {
            let entry = format!("MessageAttributes.entry.{number}");
            fields.push((format!("{entry}.Name"), name));
            fields.push((format!("{entry}.Value.DataType"), "String"));
            fields.push((format!("{entry}.Value.StringValue"), value));
        }
        let body = form(&fields);
        let signed =
            self.signer.sign(self.url.path(), &self.host, FORM, body.as_bytes(), parcel.now)?;
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, FORM)
            .header("x-amz-date", signed.date)
            .header(AUTHORIZATION, signed.authorization)
            .body(body);
        judge(&ask(request, parcel.now).await?)
    }
}

fn judge(answer: &Answer) -> Result<Carried, Refusal> {
    let text = answer.body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
    let told = |element: &str| text.and_then(|text| within(text, element)).and_then(word_of);
    if answer.status.is_success() {
        // 200 means taken, whatever became of the rest of the answer.
        return Ok(Carried { reference: told("MessageId") });
    }
    let code = told("Code");
    let is_one_of = |codes: &[&str]| code.as_deref().is_some_and(|code| codes.contains(&code));
    let reason = code.as_ref().map(|code| format!("provider_{code}"));
    match reason {
        Some(reason) if is_one_of(&PASSING) || is_one_of(&ABOUT_US) => {
            Err(Refusal::fault_until(reason, answer.after))
        }
        reason => Err(answer.refusal_by_account(reason)),
    }
}

/// What stands within the first element of this name. Enough for words; no XML is understood, so
/// none can do harm.
fn within<'a>(text: &'a str, element: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(&format!("<{element}>"))?;
    behind.split_once(&format!("</{element}>")).map(|(word, _)| word.trim())
}

impl Provider for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn send<'a>(
        &'a self,
        parcel: &'a Parcel,
        words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>> {
        self.post(parcel, words).boxed()
    }
}
