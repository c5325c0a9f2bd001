//! Which user has an unspent code now.
//!
//! A server accepts the codes of three time steps, the current one and its neighbours, each at most
//! once and only in rising order. So a user of 15-second steps is good for two or three logins at
//! once and for one every 15 seconds after that. This keeps account: users with a code wait in a
//! queue, the others until their next step has come. A user who was taken is nobody else's until
//! put back, so that no two codes of one user are under way at once and overtake each other.
//!
//! Pure: time is an argument. It must never hand out a step that a server, whose clock may differ a
//! little and whom the request may reach late, could find spent, ended or not yet begun.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::secret::Secret;
use countersign_core::time::{SECOND_MS, Timestamp};

/// How the users of a run make their codes: with the shortest step, for most codes a minute.
pub(super) const PARAMETERS: Parameters =
    Parameters { algorithm: Algorithm::Sha1, digits: 6, period_seconds: 15 };

/// By how much the server's clock may be off, milliseconds.
pub(super) const CLOCK_MARGIN_MS: i64 = 3 * SECOND_MS;

/// How long a request may be on its way, retries included, milliseconds.
pub(super) const FLIGHT_MS: i64 = 8 * SECOND_MS;

/// A user with one TOTP factor, as the answers so far say.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The user.
    pub(super) user_id: String,
    /// The factor.
    pub(super) factor_id: String,
    secret: Secret,
    last_step: Option<u64>,
    /// Wrong codes since the last right one.
    pub(super) wrong_codes: u32,
}

impl Account {
    /// A user whose factor has accepted `last_step`, or no code yet.
    pub(super) const fn new(
        user_id: String,
        factor_id: String,
        secret: Secret,
        last_step: Option<u64>,
    ) -> Self {
        Self { user_id, factor_id, secret, last_step, wrong_codes: 0 }
    }

    /// The code of the lowest step that is good at `now`; it counts as spent from here on, whatever
    /// becomes of it. `None` if there is none yet.
    pub(super) fn spend_code(&mut self, now: Timestamp) -> Option<Secret> {
        let step = self.good_step(now)?;
        self.last_step = Some(step);
        Some(PARAMETERS.code(&self.secret, step))
    }

    /// A code that no step near `now` has.
    pub(super) fn wrong_code(&self, now: Timestamp) -> Secret {
        let current = PARAMETERS.step_at(now);
        let near: Vec<Secret> = (current.saturating_sub(4)..=current.saturating_add(4))
            .map(|step| PARAMETERS.code(&self.secret, step))
            .collect();
        // Ten candidates, nine codes to avoid.
        (0..=9u32)
            .map(|digit| Secret::from(digit.to_string().repeat(PARAMETERS.digits.into())))
            .find(|candidate| !near.contains(candidate))
            .unwrap_or_else(|| Secret::from(String::new()))
    }

    fn good_step(&self, now: Timestamp) -> Option<u64> {
        // Still accepted when the request arrives as late as may be …
        let late = PARAMETERS.step_at(now.plus_millis(CLOCK_MARGIN_MS + FLIGHT_MS));
        // … and already accepted by a clock that is behind.
        let early = PARAMETERS.step_at(now.plus_millis(-CLOCK_MARGIN_MS));
        let lowest = late.saturating_sub(1).max(self.last_step.map_or(0, |last| last + 1));
        (lowest <= early + 1).then_some(lowest)
    }

    /// When the next step after the last spent one is good.
    fn good_at(&self) -> Timestamp {
        let step = self.last_step.unwrap_or(0);
        let period_ms = i64::from(PARAMETERS.period_seconds) * SECOND_MS;
        let begins = i64::try_from(step).unwrap_or(i64::MAX).saturating_mul(period_ms);
        Timestamp::from_millis(begins).plus_millis(CLOCK_MARGIN_MS)
    }
}

/// The users that nobody has taken.
#[derive(Debug, Default)]
pub(super) struct Supply {
    ready: VecDeque<Account>,
    waiting: BinaryHeap<Reverse<Waiting>>,
}

impl Supply {
    /// Puts a new user in, or one back.
    pub(super) fn put(&mut self, account: Account, now: Timestamp) {
        if account.good_step(now).is_some() {
            self.ready.push_back(account);
        } else {
            self.waiting.push(Reverse(Waiting(account)));
        }
    }

    /// Takes the user whose turn it is among those with a good code. `None` if there is none now.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Account> {
        while self.waiting.peek().is_some_and(|Reverse(first)| first.0.good_at() <= now) {
            if let Some(Reverse(Waiting(account))) = self.waiting.pop() {
                self.ready.push_back(account);
            }
        }
        // Normally the first one: who is ready stays ready, unless this machine's clock went back.
        let place = self.ready.iter().position(|account| account.good_step(now).is_some())?;
        self.ready.remove(place)
    }

    /// Takes a user for something that needs no good code, out of those with fewer than
    /// `wrong_codes_below` wrong codes.
    pub(super) fn take_without_code(&mut self, wrong_codes_below: u32) -> Option<Account> {
        let fit = |account: &Account| account.wrong_codes < wrong_codes_below;
        if let Some(place) = self.ready.iter().position(fit) {
            return self.ready.remove(place);
        }
        let Reverse(Waiting(account)) = self.waiting.pop()?;
        if fit(&account) {
            return Some(account);
        }
        self.waiting.push(Reverse(Waiting(account)));
        None
    }
}

/// Ordered by when the next code is good.
#[derive(Debug)]
struct Waiting(Account);

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.last_step.cmp(&other.0.last_step)
    }
}

/// Logins that a fresh user is good for within `seconds`, at least: two at once and one more each
/// time step.
pub(super) fn codes_within(seconds: f64) -> f64 {
    2.0 + (seconds / f64::from(PARAMETERS.period_seconds)).floor()
}

#[cfg(test)]
mod tests {
    use countersign_core::factor::totp::{CodeCheck, check};

    use super::*;

    fn account(name: u8, last_step: Option<u64>) -> Account {
        let secret = Secret::new(vec![name; 20]);
        Account::new(format!("u{name}"), format!("fac_{name}"), secret, last_step)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_010_000 + seconds * SECOND_MS)
    }

    /// Even numbers without a crate: xorshift.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: i64) -> i64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            i64::try_from(self.0 >> 33).unwrap() % end
        }
    }

    #[test]
    fn every_code_is_fresh_to_a_server_with_another_clock_however_late_it_arrives() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..200 {
            let mut mine = account(7, None);
            let secret = mine.secret.clone();
            // The server's own clock, off by the same amount all along.
            let clock_off = numbers.below(2 * CLOCK_MARGIN_MS) - CLOCK_MARGIN_MS;
            let mut now = at(numbers.below(1_000));
            let mut server_last = None;
            for _ in 0..20 {
                if let Some(code) = mine.spend_code(now) {
                    now = now.plus_millis(numbers.below(FLIGHT_MS));
                    let server_now = now.plus_millis(clock_off);
                    let judged =
                        check(&PARAMETERS, &secret, server_last, code.expose_str(), server_now);
                    let CodeCheck::Fresh(step) = judged else { unreachable!("{judged:?}") };
                    server_last = Some(step);
                }
                now = now.plus_millis(numbers.below(9_000));
            }
            assert!(server_last.is_some());
        }
    }

    #[test]
    fn a_fresh_user_has_two_codes_or_three_at_any_moment_and_one_more_each_step() {
        for second in 0..15 {
            let mut mine = account(1, None);
            let first: Vec<_> = (0..4).map_while(|_| mine.spend_code(at(second))).collect();
            assert!((2..=3).contains(&first.len()), "second {second}");
            assert_ne!(first[0], first[1]);
            assert!(mine.spend_code(at(second + 15)).is_some());
            assert!(mine.spend_code(at(second + 15)).is_none());
        }
    }

    #[test]
    fn a_user_without_a_code_comes_back_at_the_moment_it_has_one() {
        let mut supply = Supply::default();
        let mut mine = account(1, None);
        while mine.spend_code(at(0)).is_some() {}
        supply.put(mine, at(0));
        assert!(supply.take(at(0)).is_none());
        let seconds_waited = (1..60).find(|s| supply.take(at(*s)).is_some()).unwrap();
        assert!(seconds_waited <= 15, "{seconds_waited}");
    }

    #[test]
    fn users_take_turns_and_a_taken_one_is_gone() {
        let mut supply = Supply::default();
        for name in 1..=3 {
            supply.put(account(name, None), at(0));
        }
        let mut order = Vec::new();
        for _ in 0..6 {
            let mut taken = supply.take(at(0)).unwrap();
            assert!(supply.ready.iter().all(|left| left.user_id != taken.user_id));
            assert!(taken.spend_code(at(0)).is_some());
            order.push(taken.user_id.clone());
            supply.put(taken, at(0));
        }
        assert_eq!(order, ["u1", "u2", "u3", "u1", "u2", "u3"]);
        assert!(supply.take(at(0)).is_none());
    }

    #[test]
    fn who_waited_longest_is_first() {
        let mut supply = Supply::default();
        let step = PARAMETERS.step_at(at(0));
        supply.put(account(1, Some(step + 2)), at(0));
        supply.put(account(2, Some(step + 1)), at(0));
        assert_eq!(supply.take(at(300)).unwrap().user_id, "u2");
        assert_eq!(supply.take(at(300)).unwrap().user_id, "u1");
    }

    #[test]
    fn a_user_near_a_lock_is_passed_over_for_a_wrong_code_but_not_for_a_right_one() {
        let mut supply = Supply::default();
        let mut near = account(1, None);
        near.wrong_codes = 3;
        supply.put(near, at(0));
        supply.put(account(2, None), at(0));
        assert_eq!(supply.take_without_code(3).unwrap().user_id, "u2");
        assert!(supply.take_without_code(3).is_none());
        assert_eq!(supply.take(at(0)).unwrap().user_id, "u1");
    }

    #[test]
    fn what_needs_no_code_makes_do_with_a_user_who_has_none() {
        let mut supply = Supply::default();
        supply.put(account(1, Some(PARAMETERS.step_at(at(0)) + 1)), at(0));
        assert!(supply.take(at(0)).is_none());
        assert_eq!(supply.take_without_code(1).unwrap().user_id, "u1");
        assert!(supply.waiting.is_empty());
    }

    #[test]
    fn a_confirmed_enrollment_has_spent_its_step() {
        let now = at(7);
        let step = PARAMETERS.step_at(now);
        let mut mine = account(1, Some(step));
        let code = mine.spend_code(now).unwrap();
        assert_eq!(code, PARAMETERS.code(&mine.secret, step + 1));
    }

    #[test]
    fn a_wrong_code_is_wrong_on_every_clock_nearby() {
        for name in 0..=255 {
            let mine = account(name, None);
            let code = mine.wrong_code(at(0));
            assert_eq!(code.expose().len(), 6);
            for off in -20..=20 {
                let judged = check(&PARAMETERS, &mine.secret, None, code.expose_str(), at(off));
                assert_eq!(judged, CodeCheck::Wrong);
            }
        }
    }
}
