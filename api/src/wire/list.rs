//! Pages of listings.

use countersign_actors::gateway::Page;
use countersign_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::request::Listing;

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
    /// A listing that fits on one page.
    pub(crate) fn whole<R: Into<T>>(rows: impl IntoIterator<Item = R>) -> Self {
        Self { data: rows.into_iter().map(Into::into).collect(), next_cursor: None }
    }

    /// The page of rows that are all at hand, in order of making. A cursor is the place of the
    /// last row shown, so a row that goes away in between costs nobody a row.
    pub(crate) fn page_of<R: Into<T>, F>(
        rows: impl IntoIterator<Item = ((Timestamp, String), R)>,
        listing: &Listing<F>,
    ) -> Self {
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|((at, id), row)| (format!("{:016x}{id}", at.millis()), row))
            .filter(|(place, _)| listing.cursor.as_ref().is_none_or(|cursor| place > cursor))
            .collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        let more = rows.len() > listing.limit;
        rows.truncate(listing.limit);
        let last = rows.last().map(|(place, _)| place.clone());
        Self {
            data: rows.into_iter().map(|(_, row)| row.into()).collect(),
            next_cursor: last.filter(|_| more),
        }
    }
}

impl<R, T: From<R>> From<Page<R>> for List<T> {
    fn from(page: Page<R>) -> Self {
        Self { data: page.data.into_iter().map(T::from).collect(), next_cursor: page.next_cursor }
    }
}
