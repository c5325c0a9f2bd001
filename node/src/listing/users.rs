//! Lists of users, from what this node has applied: all of a tenant's, shard by shard and by id
//! within a shard, or those that somebody looks for.
//!
//! Looking for a user is cheap by id, or by how it begins, for so the rows are sorted. By email
//! address there is no order: rows are looked at one after another, within the request's budget, so
//! that such a page may be short or empty and the next request goes on. No index is kept for it: every write
//! of a user would pay for one.

use countersign_actors::gateway::{GatewayError, Page};
use countersign_core::ids::{ShardId, TenantId, UserId, UserKey};
use countersign_core::query;
use countersign_core::reply::UserView;
use countersign_core::user::UserState;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::{Listing, fault, parse, write};

/// Users that are read at once of one shard.
const CHUNK: usize = 500;

/// Where a list of users goes on.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct UsersCursor {
    shard: u16,
    after: Option<UserId>,
}

/// By what users are found, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum By {
    /// The very id.
    Id,
    /// How the id begins.
    Beginning,
    /// How the email address begins.
    Email,
}

/// Where looking for users goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    by: By,
    shard: u16,
    after: Option<UserId>,
}

impl Listing {
    /// The users of a tenant: all, or those that `query` looks for.
    pub(crate) async fn users(
        &self,
        tenant: TenantId,
        query: Option<String>,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<Page<UserView>, GatewayError> {
        let listing = self.clone();
        let of = tenant.clone();
        match query {
            None => {
                let after: UsersCursor = parse(cursor.as_deref())?.unwrap_or_default();
                let read = move |_: &mut Budget| listing.users_after(&tenant, after, limit);
                self.readers.read(&of, self.shards, read).await
            }
            Some(query) => {
                let from: Option<Place> = parse(cursor.as_deref())?;
                let read = move |budget: &mut Budget| {
                    listing.users_found(&tenant, &query, from, limit, budget)
                };
                self.readers.read(&of, self.shards, read).await
            }
        }
    }

    fn users_after(
        &self,
        tenant: &TenantId,
        from: UsersCursor,
        limit: usize,
    ) -> Result<Page<UserView>, GatewayError> {
        let mut after = from.after;
        let mut data: Vec<(ShardId, UserView)> = Vec::new();
        for shard in (from.shard..self.shards).map(ShardId) {
            // One more than wanted tells whether there is a next page.
            let wanted = limit + 1 - data.len();
            let page = self
                .store
                .rows(shard)
                .users_page(tenant, after.take().as_ref(), wanted)
                .map_err(fault)?;
            data.extend(page.into_iter().map(|(id, state)| (shard, view(&id, &state))));
            if data.len() > limit {
                break;
            }
        }
        let more = data.len() > limit;
        data.truncate(limit);
        let last = data.last().filter(|_| more);
        let next_cursor = last
            .map(|(shard, user)| {
                write(&UsersCursor { shard: shard.0, after: Some(user.id.clone()) })
            })
            .transpose()?;
        Ok(Page { data: data.into_iter().map(|(_, user)| user).collect(), next_cursor })
    }

    fn users_found(
        &self,
        tenant: &TenantId,
        query: &str,
        from: Option<Place>,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Page<UserView>, GatewayError> {
        let mut search = Search {
            listing: self,
            tenant,
            query,
            limit,
            found: Vec::new(),
            budget,
            stopped: None,
        };
        let start = from.unwrap_or(Place { by: By::Id, shard: 0, after: None });
        search.run(start)?;
        search.page()
    }
}

/// Looking for users, for one page.
struct Search<'a> {
    listing: &'a Listing,
    tenant: &'a TenantId,
    query: &'a str,
    limit: usize,
    /// Who was found, and where to go on after each; one more than wanted tells that there are more.
    found: Vec<(Place, UserView)>,
    /// How many more email addresses it may look at.
    budget: &'a mut Budget,
    /// Where it stopped since it had looked at enough.
    stopped: Option<Place>,
}

impl Search<'_> {
    fn run(&mut self, start: Place) -> Result<(), GatewayError> {
        if start.by == By::Id {
            self.by_id()?;
        }
        for by in [By::Beginning, By::Email].into_iter().filter(|by| *by >= start.by) {
            // An email address has an `@`; without one nobody means an address.
            if by == By::Email && !self.query.contains('@') {
                continue;
            }
            let begun = by == start.by;
            let first = if begun { start.shard } else { 0 };
            let mut after = start.after.clone().filter(|_| begun);
            for shard in first..self.listing.shards {
                self.through(by, ShardId(shard), after.take())?;
                if self.is_over() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.found.len() > self.limit || self.stopped.is_some()
    }

    /// The very id, which may lie behind many that begin so.
    fn by_id(&mut self) -> Result<(), GatewayError> {
        let Ok(id) = self.query.parse::<UserId>() else { return Ok(()) };
        let key = UserKey::new(self.tenant.clone(), id);
        let shard = key.hash().shard(self.listing.shards);
        let (_, state) = self.listing.store.rows(shard).user(&key).map_err(fault)?;
        if state.exists() {
            let next = Place { by: By::Beginning, shard: 0, after: None };
            self.found.push((next, view(&key.user, &state)));
        }
        Ok(())
    }

    /// One shard's.
    fn through(
        &mut self,
        by: By,
        shard: ShardId,
        mut after: Option<UserId>,
    ) -> Result<(), GatewayError> {
        let rows = self.listing.store.rows(shard);
        let beginning = if by == By::Beginning { self.query } else { "" };
        loop {
            let page = rows
                .users_named(self.tenant, beginning, after.as_ref(), CHUNK.min(self.limit + 2))
                .map_err(fault)?;
            if page.is_empty() {
                return Ok(());
            }
            for (id, state) in page {
                after = Some(id.clone());
                let place = Place { by, shard: shard.0, after: after.clone() };
                if by == By::Email {
                    self.budget.spend(1);
                }
                if self.fits(by, &id, &state) {
                    self.found.push((place, view(&id, &state)));
                } else if by == By::Email && self.budget.is_spent() {
                    self.stopped = Some(place);
                }
                if self.is_over() {
                    return Ok(());
                }
            }
        }
    }

    /// Whether a user is looked for, and was not found already.
    fn fits(&self, by: By, id: &UserId, state: &UserState) -> bool {
        match by {
            By::Id => id.as_str() == self.query,
            By::Beginning => id.as_str() != self.query,
            By::Email => {
                let email = state.profile.email.as_deref().unwrap_or_default();
                begins(email, self.query) && !id.as_str().starts_with(self.query)
            }
        }
    }

    fn page(mut self) -> Result<Page<UserView>, GatewayError> {
        let more = self.found.len() > self.limit;
        self.found.truncate(self.limit);
        let last = self.found.last().map(|(place, _)| place).filter(|_| more);
        let next = last.or(self.stopped.as_ref());
        let next_cursor = next.map(write).transpose()?;
        Ok(Page { data: self.found.into_iter().map(|(_, user)| user).collect(), next_cursor })
    }
}

/// Whether a text begins so, in whichever case.
fn begins(text: &str, beginning: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    beginning.chars().flat_map(char::to_lowercase).all(|c| text.next() == Some(c))
}

fn view(id: &UserId, state: &UserState) -> UserView {
    query::user_view(id, state, false)
}

/// A cursor of a search by the beginning of ids.
#[cfg(test)]
pub(super) fn place_after(shard: u16, id: UserId) -> String {
    write(&Place { by: By::Beginning, shard, after: Some(id) }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_its_beginning_in_any_case() {
        assert!(begins("Ann@Example.com", "ann@ex"));
        assert!(begins("ÄNNE@example.com", "änne@"));
        assert!(!begins("ann@example.com", "ann@example.com.au"));
        assert!(!begins("", "a@"));
    }
}
