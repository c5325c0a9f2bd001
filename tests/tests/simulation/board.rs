//! What the clients know of one user: what was acknowledged, and therefore must hold.
//!
//! Every check here is of what a client may rely on. What is unknown (no answer, or a refusal that
//! a delayed duplicate may still overtake) allows both outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{ChallengeId, FactorId, UserKey};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;

use crate::transcript::Transcript;

/// The board of one user. The owner alone changes the user's profile and factors; whoever wants
/// may guess and read.
pub(crate) struct Board {
    /// The user.
    pub(crate) key: UserKey,
    transcript: Transcript,
    facts: Mutex<Facts>,
}

#[derive(Default)]
struct Facts {
    /// The newest profile that a reader must see.
    profile_seen: u64,
    /// The newest profile that a reader may see.
    profile_begun: u64,
    factors: BTreeSet<FactorId>,
    /// Confirmations whose outcome is open.
    perhaps: BTreeSet<FactorId>,
    gone: BTreeSet<FactorId>,
    secrets: BTreeMap<FactorId, Secret>,
    steps: BTreeSet<(FactorId, u64)>,
    challenges: BTreeSet<ChallengeId>,
    codes: BTreeSet<Vec<u8>>,
    wrong: u32,
}

impl Board {
    /// Nothing is known yet.
    pub(crate) fn new(key: UserKey, transcript: Transcript) -> Self {
        Self { key, transcript, facts: Mutex::default() }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    fn violation(&self, text: &str) {
        self.transcript.violation(format!("{}: {text}", self.key.user));
    }

    /// The owner begins to write the next profile; its number.
    pub(crate) fn begin_profile(&self) -> u64 {
        let mut facts = self.facts();
        facts.profile_begun += 1;
        facts.profile_begun
    }

    /// A profile was acknowledged.
    pub(crate) fn profile_written(&self, number: u64) {
        let mut facts = self.facts();
        facts.profile_seen = facts.profile_seen.max(number);
    }

    /// What a reader that begins now must see at least.
    pub(crate) fn profile_floor(&self) -> u64 {
        self.facts().profile_seen
    }

    /// A reader that began when `floor` was known has read `number`.
    pub(crate) fn profile_read(&self, floor: u64, number: u64) {
        let begun = self.facts().profile_begun;
        if number < floor || number > begun {
            self.violation(&format!(
                "read profile {number} after {floor} was acknowledged ({begun} were begun)"
            ));
        }
        self.profile_written(number);
    }

    /// A confirmation is under way, of an app with this secret and the usual parameters.
    pub(crate) fn confirming(&self, id: FactorId, secret: &Secret) {
        let mut facts = self.facts();
        facts.perhaps.insert(id);
        facts.secrets.insert(id, secret.clone());
    }

    /// A factor is ACTIVE; its code of this step is spent, or it was imported.
    pub(crate) fn confirmed(&self, id: FactorId, step: u64) {
        let mut facts = self.facts();
        facts.perhaps.remove(&id);
        facts.factors.insert(id);
        facts.steps.insert((id, step));
    }

    /// A factor was removed.
    pub(crate) fn removed(&self, id: FactorId) {
        let mut facts = self.facts();
        facts.factors.remove(&id);
        facts.perhaps.remove(&id);
        facts.gone.insert(id);
    }

    /// Everything was reset.
    pub(crate) fn reset(&self) {
        let mut facts = self.facts();
        let Facts { factors, perhaps, gone, .. } = &mut *facts;
        gone.append(factors);
        gone.append(perhaps);
    }

    /// A factor that the user has, if any.
    pub(crate) fn factor(&self) -> Option<FactorId> {
        self.facts().factors.first().copied()
    }

    /// A code of six digits that the factor's app shows at no time near `now`.
    pub(crate) fn no_code_of(&self, factor: FactorId, now: Timestamp) -> Option<Secret> {
        let parameters = Parameters::default();
        let secret = self.facts().secrets.get(&factor)?.clone();
        let step = parameters.step_at(now);
        let near: Vec<Secret> =
            (step - 5..=step + 5).map(|step| parameters.code(&secret, step)).collect();
        (0..1_000_000u32)
            .map(|guess| Secret::from(format!("{guess:06}")))
            .find(|guess| near.iter().all(|code| code.expose() != guess.expose()))
    }

    /// A code was accepted for a challenge.
    pub(crate) fn code_accepted(&self, challenge: ChallengeId, factor: FactorId, step: u64) {
        self.challenge_accepted(challenge);
        if !self.facts().steps.insert((factor, step)) {
            self.violation(&format!("the code of step {step} was accepted twice"));
        }
    }

    /// A recovery code was accepted.
    pub(crate) fn recovery_code_accepted(&self, code: &[u8]) {
        if !self.facts().codes.insert(code.to_vec()) {
            self.violation("a recovery code was accepted twice");
        }
    }

    fn challenge_accepted(&self, challenge: ChallengeId) {
        if !self.facts().challenges.insert(challenge) {
            self.violation(&format!("challenge {challenge} was accepted twice"));
        }
    }

    /// A code that cannot be right was accepted.
    pub(crate) fn wrong_code_accepted(&self) {
        self.violation("a wrong code was accepted");
    }

    /// A code was called wrong.
    pub(crate) fn wrong_code(&self) {
        self.facts().wrong += 1;
    }

    /// An idempotency key gave two answers.
    pub(crate) fn answered_otherwise(&self, question: &str) {
        self.violation(&format!("the same request ({question}) was answered in two ways"));
    }

    /// Compares with the user at the end, and with how many wrong codes were counted.
    pub(crate) fn settle(&self, state: Option<&UserState>, counted: u32) {
        let facts = self.facts();
        let none = UserState::default();
        let state = state.unwrap_or(&none);
        let has: BTreeSet<FactorId> = state.factors.iter().map(|factor| factor.id).collect();
        let mut wrong = Vec::new();
        for id in facts.factors.difference(&has) {
            wrong.push(format!("factor {id} was acknowledged and is lost"));
        }
        for id in facts.gone.intersection(&has) {
            wrong.push(format!("factor {id} was removed and is back"));
        }
        for id in has.iter().filter(|id| !facts.factors.contains(id)) {
            if !facts.perhaps.contains(id) {
                wrong.push(format!("factor {id} comes from nowhere"));
            }
        }
        let profile = profile_number(state.profile.display_name.as_deref());
        if profile < facts.profile_seen || profile > facts.profile_begun {
            wrong.push(format!("profile {} became {profile}", facts.profile_seen));
        }
        if facts.wrong > counted {
            wrong.push(format!("{} codes were called wrong, {counted} counted", facts.wrong));
        }
        drop(facts);
        for text in wrong {
            self.violation(&text);
        }
    }
}

/// The number that a profile's name carries; 0 for none.
pub(crate) fn profile_number(name: Option<&str>) -> u64 {
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}
