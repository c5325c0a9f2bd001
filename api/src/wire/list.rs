//! Pages of listings.

use countersign_actors::gateway::Page;
use countersign_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::request::Listing;

/// How many digits of a place tell the time.
const PLACE_DIGITS: usize = 16;

/// A page of a listing.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List<T> {
    /// The rows.
    pub(crate) data: Vec<T>,
    /// What to send as `cursor` for the next page; null at the end.
    #[schema(required = true)]
    pub(crate) next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The page of rows that are all at hand, in the order of their times, mostly those of their
    /// making. A cursor is the place of the last row shown, so a row that goes away in between
    /// costs nobody a row.
    pub(crate) fn page_of<R: Into<T>, F>(
        rows: impl IntoIterator<Item = ((Timestamp, String), R)>,
        listing: &Listing<F>,
    ) -> Result<Self, Problem> {
        if listing.cursor.as_deref().is_some_and(|cursor| !is_place(cursor)) {
            return Err(Problem::invalid_cursor());
        }
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|((at, id), row)| (format!("{:0PLACE_DIGITS$x}{id}", at.millis()), row))
            .filter(|(place, _)| listing.cursor.as_ref().is_none_or(|cursor| place > cursor))
            .collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        let more = rows.len() > listing.limit;
        rows.truncate(listing.limit);
        let last = rows.last().map(|(place, _)| place.clone());
        Ok(Self {
            data: rows.into_iter().map(|(_, row)| row.into()).collect(),
            next_cursor: last.filter(|_| more),
        })
    }
}

/// Whether a text can be the place of a row: sixteen hexadecimal digits, then an id.
fn is_place(text: &str) -> bool {
    let Some((time, id)) = text.split_at_checked(PLACE_DIGITS) else { return false };
    time.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_graphic())
}

impl<R, T: From<R>> From<Page<R>> for List<T> {
    fn from(page: Page<R>) -> Self {
        Self { data: page.data.into_iter().map(T::from).collect(), next_cursor: page.next_cursor }
    }
}
