//! Browsers that are here: what each is known by, and what it is in the middle of.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_core::entropy::Entropy;
use data_encoding::BASE32_DNSSEC;

use super::tokens::Claims;
use crate::entropy::SystemEntropy;

/// How many are known at once; the oldest is forgotten for a new one.
const MOST: usize = 1_000;

/// What a person is told once, on the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The account was made.
    Welcome,
    /// A factor was added.
    SetUp,
    /// They came back from their settings.
    Settings,
    /// They proved once more who they are.
    Ordered,
    /// The policy asked for no proof.
    Unasked,
    /// They left before the end.
    Left,
    /// They left before they were signed in.
    NotSignedIn,
    /// They may do without a factor for now.
    Grace,
}

/// What a browser went to the hosted pages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To sign in.
    SignIn,
    /// To add a factor.
    SetUp,
    /// To look after factors.
    Settings,
    /// To order.
    Order,
}

/// A way to the hosted pages that has not come back yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Errand {
    /// What comes back with the browser and nobody else could know: without it, somebody could
    /// hand a person the way back of an errand of their own.
    pub(super) state: String,
    /// Whose errand it is.
    pub(super) user: String,
    /// What for.
    pub(super) wish: Wish,
}

/// One browser.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    /// Who is signed in, and what the token says.
    pub(super) signed_in: Option<(String, Claims)>,
    /// Where it was sent.
    pub(super) errand: Option<Errand>,
    /// What it is told next.
    pub(super) word: Option<Word>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Visits(Mutex<Known>);

#[derive(Default)]
struct Known {
    visits: HashMap<String, Visit>,
    oldest_first: VecDeque<String>,
}

/// A name that nobody guesses.
pub(super) fn random_name() -> String {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    BASE32_DNSSEC.encode(&entropy.bytes::<32>())
}

impl Visits {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a visit. Answers what the browser has to bring. A browser that signs in is given a
    /// new name, so that nobody is signed in under a name that somebody else chose.
    pub(super) fn begin(&self, before: Option<&str>, visit: Visit) -> String {
        let name = random_name();
        let mut known = self.known();
        if let Some(before) = before {
            known.forget(before);
        }
        if known.oldest_first.len() >= MOST
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.visits.remove(&oldest);
        }
        known.oldest_first.push_back(name.clone());
        known.visits.insert(name.clone(), visit);
        name
    }

    /// A visit.
    pub(super) fn of(&self, name: &str) -> Option<Visit> {
        self.known().visits.get(name).cloned()
    }

    /// Changes a visit.
    pub(super) fn note<T>(&self, name: &str, note: impl FnOnce(&mut Visit) -> T) -> Option<T> {
        self.known().visits.get_mut(name).map(note)
    }

    /// Ends one.
    pub(super) fn end(&self, name: &str) {
        self.known().forget(name);
    }
}

impl Known {
    fn forget(&mut self, name: &str) {
        if self.visits.remove(name).is_some() {
            self.oldest_first.retain(|one| one != name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_signs_in_gets_a_new_name_and_the_old_one_is_nobodys() {
        let visits = Visits::default();
        let before = visits.begin(None, Visit::default());
        let after = visits.begin(Some(&before), Visit::default());
        assert_ne!(before, after);
        assert!(visits.of(&before).is_none() && visits.of(&after).is_some());
    }

    #[test]
    fn the_oldest_is_forgotten_for_one_too_many() {
        let visits = Visits::default();
        let names: Vec<_> = (0..=MOST).map(|_| visits.begin(None, Visit::default())).collect();
        assert!(visits.of(&names[0]).is_none() && visits.of(&names[1]).is_some());
    }
}
