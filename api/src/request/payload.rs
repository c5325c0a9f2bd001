//! Bodies: bounded, JSON, without unknown fields, and the idempotency key that came with them.
//!
//! The key is bound to method, path and the body's bytes as sent, so that one key never answers
//! two requests.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use countersign_actors::gateway::Idempotency;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::misfit;
use crate::problem::{FieldError, Problem};
use crate::state::ApiState;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_MAX: usize = 255;

/// The body of a call that needs none: nothing, or `{}`.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
// `Empty` is a keyword where classes are made of schemas: in PHP.
#[schema(as = EmptyObject)]
pub(crate) struct Empty {}

/// A body and its idempotency key.
#[derive(Debug)]
pub(crate) struct Payload<T> {
    /// The body.
    pub(crate) value: T,
    /// The idempotency key, if one was sent.
    pub(crate) idempotency: Option<Idempotency>,
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Payload<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &ApiState) -> Result<Self, Problem> {
        let key = idempotency_key(request.headers())?;
        let json = is_json(request.headers());
        let mut digest = Sha256::new();
        digest.update(request.method().as_str());
        digest.update([0]);
        digest.update(request.uri().path());
        digest.update([0]);
        let body = read(request, api).await?;
        digest.update(&body);
        let value = if body.is_empty() {
            // A call whose fields are all optional may leave the body out.
            serde_json::from_str("{}")
                .map_err(|_| Problem::invalid_request("this call needs a JSON body"))?
        } else if json {
            parse(&body)?
        } else {
            return Err(Problem::invalid_request("the content type must be application/json"));
        };
        let request = digest.finalize().into();
        Ok(Self { value, idempotency: key.map(|key| Idempotency { key, request }) })
    }
}

async fn read(request: Request, api: &ApiState) -> Result<Bytes, Problem> {
    Bytes::from_request(request, api).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(api.options.body_limit)
        } else {
            Problem::invalid_request("the body could not be read to its end")
        }
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Problem> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = sent.next() else { return Ok(None) };
    let printable = key.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte));
    let fits = (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len());
    if !printable || !fits || sent.next().is_some() {
        return Err(Problem::invalid_request(
            "send one Idempotency-Key of 1 to 255 printable ASCII characters",
        ));
    }
    Ok(Some(Sha256::digest(key.as_bytes()).into()))
}

/// `application/json` or a type with its suffix (RFC 6839 section 3.1), whatever the parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // JSON is UTF-8 (RFC 8259 section 8.1), and a reader that skips does not look.
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(Problem::invalid_request(format!("the body is not UTF-8: see byte {at}")));
    }
    // Then whether it is JSON at all: a reader of shapes calls some misfits a fault of syntax.
    let _: IgnoredAny = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    // And an object: the reader of shapes would take an array for its fields in order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::validation(vec![FieldError::new("", "must be a JSON object")]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| misfit::problem(error.path(), error.inner()))
}

/// Where the text stops being JSON, without repeating any of it.
fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::invalid_request(format!("the body is not JSON: see line {line}, column {column}"))
}
