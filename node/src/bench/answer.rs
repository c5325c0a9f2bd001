//! An answer, read strictly. Must never put a body into an error: it may hold a secret.

use http::{Response, StatusCode};
use hyper::body::Bytes;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::wire::Problem;

/// What came back.
pub(super) struct Answer {
    operation: &'static str,
    subject: String,
    response: Response<Bytes>,
}

impl Answer {
    /// The answer to `operation` for the user `subject`.
    pub(super) fn new(operation: &'static str, subject: &str, response: Response<Bytes>) -> Self {
        Self { operation, subject: subject.to_owned(), response }
    }

    /// The body, if the status is `expected`.
    pub(super) fn json<T: DeserializeOwned>(&self, expected: u16) -> Result<T, Failure> {
        self.status(expected)?;
        serde_json::from_slice(self.response.body()).map_err(|error| {
            self.wrong(format!("{expected}, but not as promised: {}", place(&error)))
        })
    }

    /// Nothing but the status, which must be `expected`.
    pub(super) fn status(&self, expected: u16) -> Result<(), Failure> {
        let status = self.response.status();
        if status.as_u16() == expected {
            return Ok(());
        }
        match (status, serde_json::from_slice::<Problem>(self.response.body()).ok()) {
            (StatusCode::TOO_MANY_REQUESTS, Some(Problem { code, .. }))
                if matches!(code.as_str(), "rate_limited" | "overloaded_user") =>
            {
                Err(Failure::TurnedAway { operation: self.operation, code })
            }
            (status, Some(problem)) => Err(self.wrong(format!(
                "{} {} ({}) instead of {expected}",
                status.as_u16(),
                problem.code,
                problem.detail
            ))),
            (status, None) => Err(self.wrong(format!("{} instead of {expected}", status.as_u16()))),
        }
    }

    /// The problem document, if the status is `expected` and its code is `code`.
    pub(super) fn problem(&self, expected: u16, code: &str) -> Result<Problem, Failure> {
        let problem: Problem = self.json(expected)?;
        if problem.code == code {
            Ok(problem)
        } else {
            Err(self.wrong(format!("{expected} {} instead of {code}", problem.code)))
        }
    }

    /// A wrong answer: what came, and what should have come.
    pub(super) fn wrong(&self, found: String) -> Failure {
        Failure::Wrong {
            operation: self.operation,
            subject: self.subject.clone(),
            found,
            request_id: header(&self.response, "x-request-id").to_owned(),
        }
    }

    /// A wrong answer unless `holds`.
    pub(super) fn check(&self, holds: bool, demand: &str) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(self.wrong(format!("not so: {demand}"))) }
    }
}

/// A header's text; empty if it is not there.
pub(super) fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Where a body is not as promised. serde's own words may quote a value, which may be a secret; only
/// those that name a missing field are passed on.
fn place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        return text;
    }
    let kind = if error.is_data() { "a field of another type" } else { "no JSON" };
    format!("{kind} at line {} column {}", error.line(), error.column())
}
