//! Query strings: `?limit=` and `?cursor=` of every listing, and the filters that one adds.
//!
//! An unknown parameter is refused, so that a misspelt filter never shows everything.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use countersign_core::time::Timestamp;
use utoipa::IntoParams;

use super::fields::Fields;
use crate::problem::Problem;
use crate::state::ApiState;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;
const CURSOR_MAX: usize = 1_024;
/// As long as an email address may be (RFC 5321 section 4.5.3.1.3); ids are shorter.
const QUERY_MAX: usize = 254;

/// Filters that can be read from a query string.
pub(crate) trait QueryFields: Sized + Default {
    /// Takes one parameter in; false if it is unknown.
    fn take(&mut self, name: &str, value: &str, fields: &mut Fields) -> bool;
}

/// No filters.
impl QueryFields for () {
    fn take(&mut self, _: &str, _: &str, _: &mut Fields) -> bool {
        false
    }
}

/// Which page of a listing is wanted.
#[derive(Debug)]
pub(crate) struct Listing<F> {
    /// How many rows at most.
    pub(crate) limit: usize,
    /// Where to go on.
    pub(crate) cursor: Option<String>,
    /// Which rows.
    pub(crate) filter: F,
}

/// A question with filters whose answer is no listing.
#[derive(Debug)]
pub(crate) struct Filtered<F>(pub(crate) F);

/// The parameters of a query string, in order.
fn pairs(parts: &Parts) -> Result<Vec<(String, String)>, Problem> {
    let Query(pairs) = Query::try_from_uri(&parts.uri)
        .map_err(|_| Problem::invalid_request("the query string cannot be read"))?;
    Ok(pairs)
}

impl<F: QueryFields> FromRequestParts<ApiState> for Filtered<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let mut fields = Fields::new();
        let mut filter = F::default();
        for (name, value) in pairs(parts)? {
            let known = filter.take(&name, &value, &mut fields);
            fields.demand(known, &format!("/{name}"), "is unknown");
        }
        fields.finish(Self(filter))
    }
}

impl<F: QueryFields> FromRequestParts<ApiState> for Listing<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let mut fields = Fields::new();
        let mut listing = Self { limit: LIMIT_DEFAULT, cursor: None, filter: F::default() };
        for (name, value) in pairs(parts)? {
            match name.as_str() {
                "limit" => {
                    let limit = value.parse().ok().filter(|n| (1..=LIMIT_MAX).contains(n));
                    fields.demand(limit.is_some(), "/limit", "must be a number from 1 to 200");
                    listing.limit = limit.unwrap_or(LIMIT_DEFAULT);
                }
                "cursor" => {
                    let fits = (1..=CURSOR_MAX).contains(&value.len());
                    fields.demand(fits, "/cursor", "must be the `nextCursor` of an answer");
                    listing.cursor = Some(value);
                }
                other => {
                    let known = listing.filter.take(other, &value, &mut fields);
                    fields.demand(known, &format!("/{other}"), "is unknown");
                }
            }
        }
        fields.finish(listing)
    }
}

/// The page of a listing that is wanted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query string in the OpenAPI document")]
pub(crate) struct PageParams {
    /// How many rows at most; 50 if left out.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of an answer.
    cursor: Option<String>,
}

/// Which users are wanted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query string in the OpenAPI document")]
pub(crate) struct UserParams {
    /// Whose id begins so; with an `@` in it also whose email address begins so, in any case. The
    /// user of this very id comes first. A page may then have few rows, or none, and still a
    /// `nextCursor`.
    #[param(min_length = 1, max_length = 254, example = "user_4")]
    query: Option<String>,
}

/// Which users are wanted, as sent.
#[derive(Debug, Default)]
pub(crate) struct UserSearch {
    /// How their ids or addresses begin.
    pub(crate) query: Option<String>,
}

impl QueryFields for UserSearch {
    fn take(&mut self, name: &str, value: &str, fields: &mut Fields) -> bool {
        if name != "query" {
            return false;
        }
        self.query = Some(fields.line("/query", value.to_owned(), 1..=QUERY_MAX));
        true
    }
}

/// What is wanted of the statistics.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query string in the OpenAPI document")]
pub(crate) struct StatisticsParams {
    /// How far back, `1h` or `24h`; an hour if left out.
    #[param(example = "1h", pattern = "^(1h|24h)$")]
    window: Option<String>,
}

/// Which audit events are wanted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the query string in the OpenAPI document")]
pub(crate) struct AuditParams {
    /// Of this user only.
    #[param(example = "user_42")]
    user_id: Option<String>,
    /// Of this type only; a trailing `*` stands for any ending.
    #[param(rename = "type", example = "mfa.challenge.*")]
    event_type: Option<String>,
    /// Not before.
    #[param(format = DateTime, example = "2026-01-31T00:00:00Z")]
    since: Option<String>,
    /// Before.
    #[param(format = DateTime, example = "2026-02-01T00:00:00Z")]
    until: Option<String>,
}

/// Which audit rows are wanted, as sent.
impl QueryFields for countersign_actors::gateway::AuditFilter {
    fn take(&mut self, name: &str, value: &str, fields: &mut Fields) -> bool {
        match name {
            "userId" => self.user = fields.parsed("/userId", Some(value), "is not a user id"),
            "type" => {
                let fits = (1..=100).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_lowercase() || b"._*".contains(&b))
                    && value.find('*').is_none_or(|at| at == value.len() - 1);
                fields.demand(fits, "/type", "must be a dotted type, with `*` at its end at most");
                self.event_type = Some(value.to_owned());
            }
            "since" => self.since = fields.time("/since", Some(value)),
            "until" => self.until = fields.time("/until", Some(value)),
            _ => return false,
        }
        let ordered = !matches!((self.since, self.until), (Some(a), Some(b)) if empty(a, b));
        if matches!(name, "since" | "until") {
            fields.demand(ordered, "/until", "must be after `since`");
        }
        true
    }
}

fn empty(since: Timestamp, until: Timestamp) -> bool {
    until <= since
}
