//! A user as one perfect server would keep it: the sequential model.
//!
//! It is far simpler than the real thing, and written from the contract, not from the code. Time
//! is left out: whoever records a history sees to it that no code, challenge or lock expires
//! within it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stateright::semantics::SequentialSpec;

/// Wrong codes after which codes are refused unread.
pub const ATTEMPTS_MAX: u32 = 5;
/// Wrong answers that end a challenge.
const CHALLENGE_ATTEMPTS_MAX: u32 = 5;
/// Codes that a set of recovery codes has.
pub const CODES_IN_SET: u32 = 10;

/// What is asked about one user. Apps, challenges, sets and devices go by the numbers that the
/// client gave them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// Takes over an authenticator app.
    Import(u8),
    /// Removes its factor.
    Remove(u8),
    /// Asks for a challenge, as a browser with this remembered device or without one.
    Challenge {
        /// The challenge.
        challenge: u32,
        /// The device.
        device: Option<u32>,
    },
    /// Answers a challenge with a code.
    Verify {
        /// The challenge.
        challenge: u32,
        /// Whose code it is.
        app: u8,
        /// The code's time step; `None` for a wrong code.
        step: Option<u64>,
        /// The device to remember on success.
        remember: Option<u32>,
    },
    /// Makes recovery codes, if none are left.
    MakeCodes {
        /// The new set.
        set: u32,
    },
    /// Makes recovery codes in the place of those that are left.
    RemakeCodes {
        /// The new set.
        set: u32,
    },
    /// Spends a recovery code, on a challenge or without one.
    Recover {
        /// The challenge.
        challenge: Option<u32>,
        /// Its set and its place there; `None` for a wrong code.
        code: Option<(u32, u32)>,
    },
    /// Revokes every device.
    RevokeDevices,
    /// Ends everything.
    Reset,
    /// Ends a lock.
    Unlock,
    /// Lists the factors.
    Factors,
    /// Asks for the status.
    Status,
}

impl Op {
    /// Whether it changes nothing, so that without an answer it says nothing.
    pub const fn is_query(&self) -> bool {
        matches!(self, Self::Factors | Self::Status)
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Ret {
    /// Done.
    Done,
    /// A challenge was opened.
    Challenged,
    /// No challenge is needed, for this reason.
    NotRequired(String),
    /// The proof was accepted.
    Verified,
    /// The code was wrong; so many attempts are left.
    Wrong {
        /// Attempts left.
        remaining: u32,
    },
    /// The factors.
    Factors(BTreeSet<u8>),
    /// The status.
    Status {
        /// Wrong codes since the last success.
        failed: u32,
        /// Whether codes are refused.
        locked: bool,
        /// How many factors there are.
        factors: u32,
        /// How many recovery codes are left.
        codes: u32,
        /// How many devices are remembered.
        devices: u32,
    },
    /// Refused with this code of the contract.
    Refused(String),
}

/// The model's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserModel {
    exists: bool,
    factors: BTreeSet<u8>,
    /// The last accepted step of each app; outlives the factor.
    spent: BTreeMap<u8, u64>,
    challenges: BTreeMap<u32, Challenge>,
    codes: Option<Codes>,
    devices: BTreeSet<u32>,
    failed: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    Open { wrong: u32 },
    Verified,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Codes {
    set: u32,
    used: BTreeSet<u32>,
}

fn refused(code: &str) -> Ret {
    Ret::Refused(code.to_owned())
}

impl UserModel {
    fn locked(&self) -> bool {
        self.failed >= ATTEMPTS_MAX
    }

    fn codes_left(&self) -> u32 {
        self.codes
            .as_ref()
            .map_or(0, |codes| CODES_IN_SET - u32::try_from(codes.used.len()).unwrap_or(0))
    }

    fn wrong(&mut self, challenge: Option<u32>) -> Ret {
        self.failed += 1;
        let mut remaining = ATTEMPTS_MAX.saturating_sub(self.failed);
        if let Some(Challenge::Open { wrong }) =
            challenge.and_then(|number| self.challenges.get_mut(&number))
        {
            *wrong += 1;
            let left = CHALLENGE_ATTEMPTS_MAX.saturating_sub(*wrong);
            remaining = remaining.min(left);
            if left == 0 {
                self.challenges.extend(challenge.map(|number| (number, Challenge::Failed)));
            }
        }
        Ret::Wrong { remaining }
    }

    /// Why an answer to a challenge is not read.
    fn shut(&self, challenge: u32) -> Option<Ret> {
        let found = self.challenges.get(&challenge);
        match found {
            None => Some(refused("challenge_not_found")),
            Some(_) if self.locked() => Some(refused("too_many_attempts")),
            Some(Challenge::Failed) => Some(refused("challenge_expired")),
            Some(Challenge::Open { .. } | Challenge::Verified) => None,
        }
    }

    /// Whether a challenge was answered rightly: what comes after is read, but opens nothing.
    fn over(&self, challenge: u32) -> bool {
        matches!(self.challenges.get(&challenge), Some(Challenge::Verified))
    }

    fn verified(&mut self, challenge: Option<u32>) -> Ret {
        self.failed = 0;
        self.challenges.extend(challenge.map(|number| (number, Challenge::Verified)));
        Ret::Verified
    }

    fn verify(&mut self, challenge: u32, app: u8, step: Option<u64>, remember: Option<u32>) -> Ret {
        if let Some(shut) = self.shut(challenge) {
            return shut;
        }
        if !self.factors.contains(&app) {
            return refused("factor_not_found");
        }
        let Some(step) = step else { return self.wrong(Some(challenge)) };
        if self.spent.get(&app).is_some_and(|last| step <= *last) {
            return refused("code_already_used");
        }
        if self.over(challenge) {
            return refused("challenge_expired");
        }
        self.spent.insert(app, step);
        self.devices.extend(remember);
        self.verified(Some(challenge))
    }

    fn recover(&mut self, challenge: Option<u32>, code: Option<(u32, u32)>) -> Ret {
        match challenge {
            Some(challenge) => {
                if let Some(shut) = self.shut(challenge) {
                    return shut;
                }
            }
            None if !self.exists => return refused("user_not_found"),
            None if self.locked() => return refused("too_many_attempts"),
            None => {}
        }
        let over = challenge.is_some_and(|challenge| self.over(challenge));
        match (&mut self.codes, code) {
            (Some(codes), Some((set, place))) if codes.set == set => {
                if over && !codes.used.contains(&place) {
                    refused("challenge_expired")
                } else if codes.used.insert(place) {
                    self.verified(challenge)
                } else {
                    refused("code_already_used")
                }
            }
            _ => self.wrong(challenge),
        }
    }

    fn open(&mut self, challenge: u32, device: Option<u32>) -> Ret {
        self.exists = true;
        if self.factors.is_empty() {
            return Ret::NotRequired("NOT_ENROLLED".to_owned());
        }
        if device.is_some_and(|device| self.devices.contains(&device)) {
            return Ret::NotRequired("TRUSTED_DEVICE".to_owned());
        }
        self.challenges.insert(challenge, Challenge::Open { wrong: 0 });
        Ret::Challenged
    }

    fn make_codes(&mut self, set: u32) -> Ret {
        self.exists = true;
        self.codes = Some(Codes { set, used: BTreeSet::new() });
        Ret::Done
    }

    fn reset(&mut self) {
        self.factors.clear();
        self.codes = None;
        self.devices.clear();
        self.failed = 0;
        for challenge in self.challenges.values_mut() {
            if let Challenge::Open { .. } = challenge {
                *challenge = Challenge::Failed;
            }
        }
    }

    fn status(&self) -> Ret {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Ret::Status {
            failed: self.failed,
            locked: self.locked(),
            factors: count(self.factors.len()),
            codes: self.codes_left(),
            devices: count(self.devices.len()),
        }
    }
}

impl SequentialSpec for UserModel {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match op {
            Op::Import(app) => {
                if !self.factors.insert(*app) {
                    return refused("factor_already_enrolled");
                }
                self.exists = true;
                Ret::Done
            }
            Op::Challenge { challenge, device } => self.open(*challenge, *device),
            Op::Verify { challenge, app, step, remember } => {
                self.verify(*challenge, *app, *step, *remember)
            }
            Op::MakeCodes { .. } if self.codes_left() > 0 => refused("recovery_codes_exist"),
            Op::MakeCodes { set } | Op::RemakeCodes { set } => self.make_codes(*set),
            Op::Recover { challenge, code } => self.recover(*challenge, *code),
            _ if !self.exists => refused("user_not_found"),
            Op::Remove(app) if !self.factors.remove(app) => refused("factor_not_found"),
            Op::Remove(_) => Ret::Done,
            Op::RevokeDevices => {
                self.devices.clear();
                Ret::Done
            }
            Op::Reset => {
                self.reset();
                Ret::Done
            }
            Op::Unlock => {
                self.failed = 0;
                Ret::Done
            }
            Op::Factors => Ret::Factors(self.factors.clone()),
            Op::Status => self.status(),
        }
    }
}
