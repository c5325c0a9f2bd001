//! Room for one more challenge or session of a user who has as many open as one may have.
//!
//! Whoever knows the password can open any number. None of them may end what the user is doing, so
//! room is made only at the cost of those who open many: of the origin (a block of addresses) with
//! the most of them, by its oldest and never by its only one. Of those whose address was not told,
//! which may be anybody's, the newest makes room, since a flood comes after what it would end. Where
//! that finds nothing, a known browser takes the place of the newest unknown one, and anybody else is
//! told to wait.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::address::block;
use crate::risk::{History, LoginContext};
use crate::time::Timestamp;

/// Where something was opened from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opener {
    /// The block of addresses; `None` if none was told.
    origin: Option<IpAddr>,
    /// Whether the browser was seen in a verified login.
    known: bool,
}

impl Opener {
    pub(super) fn of(context: &LoginContext, history: &History, now: Timestamp) -> Self {
        Self { origin: context.ip_address.map(block), known: history.knows_device(context, now) }
    }
}

/// Which of those that are open, oldest first, is ended for a new one of `newcomer`. `None`: the new
/// one is refused.
pub(super) fn evicted_for<I: Copy>(open: &[(I, Opener)], newcomer: Opener) -> Option<I> {
    let mut counts: BTreeMap<Option<IpAddr>, usize> = BTreeMap::new();
    for (_, opener) in open {
        *counts.entry(opener.origin).or_default() += 1;
    }
    let count = |origin| counts.get(&origin).copied().unwrap_or_default();
    let own = count(newcomer.origin);
    let crowded = open
        .iter()
        .enumerate()
        .filter(|(_, (_, opener))| count(opener.origin) > own.max(1))
        .filter(|(place, (_, opener))| !is_newest_of_its_origin(open, *place, *opener))
        .min_by_key(|(place, (_, opener))| {
            let age = opener.origin.map_or(open.len() - place, |_| *place);
            (Reverse(count(opener.origin)), opener.known, age)
        })
        .map(|(_, (id, _))| *id);
    let unknown =
        || open.iter().rfind(|(_, opener)| newcomer.known && !opener.known).map(|(id, _)| *id);
    crowded.or_else(unknown)
}

fn is_newest_of_its_origin<I>(open: &[(I, Opener)], place: usize, opener: Opener) -> bool {
    let mut later = open.iter().skip(place + 1).map(|(_, later)| later.origin);
    opener.origin.is_some() && !later.any(|origin| origin == opener.origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: u8) -> Opener {
        Opener { origin: Some(IpAddr::from([203, 0, 113, origin])), known: false }
    }

    fn known(opener: Opener) -> Opener {
        Opener { known: true, ..opener }
    }

    const NOWHERE: Opener = Opener { origin: None, known: false };

    fn open(openers: &[Opener]) -> Vec<(usize, Opener)> {
        openers.iter().copied().enumerate().collect()
    }

    #[test]
    fn the_origin_with_the_most_makes_room_by_its_oldest() {
        let all = open(&[from(1), from(2), from(2), from(3), from(2), from(3)]);
        assert_eq!(evicted_for(&all, from(1)), Some(1));
        assert_eq!(evicted_for(&all, from(9)), Some(1));
        assert_eq!(evicted_for(&all, NOWHERE), Some(1));
    }

    #[test]
    fn who_has_the_most_has_to_wait() {
        let all = open(&[from(1), from(2), from(2)]);
        assert_eq!(evicted_for(&all, from(2)), None);
        assert_eq!(evicted_for(&open(&[NOWHERE, NOWHERE]), NOWHERE), None);
    }

    #[test]
    fn the_only_one_of_an_origin_stays() {
        let all = open(&[from(1), from(2), from(3)]);
        assert_eq!(evicted_for(&all, from(4)), None);
        let all = open(&[from(1), known(from(2)), from(3), known(from(4))]);
        assert_eq!(evicted_for(&all, known(from(5))), Some(2));
        assert_eq!(evicted_for(&all, known(from(2))), Some(2));
        let all = open(&[known(from(1)), known(from(2))]);
        assert_eq!(evicted_for(&all, known(from(4))), None);
    }

    #[test]
    fn of_those_from_nowhere_the_newest_makes_room() {
        let all = open(&[from(1), NOWHERE, NOWHERE, NOWHERE]);
        assert_eq!(evicted_for(&all, from(2)), Some(3));
        assert_eq!(evicted_for(&all, NOWHERE), None);
        assert_eq!(evicted_for(&open(&[NOWHERE, from(1)]), from(2)), None);
    }

    #[test]
    fn a_known_browser_is_the_last_to_go() {
        let all = open(&[known(from(1)), known(from(1)), from(2), from(2)]);
        assert_eq!(evicted_for(&all, from(3)), Some(2));
    }
}
