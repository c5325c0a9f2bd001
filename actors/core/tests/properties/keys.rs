//! Random histories of a security key: ceremonies begun, answered, answered again, late, for
//! something else, and wrongly.

use std::collections::BTreeSet;

use countersign_core::challenge::ChallengeStatus;
use countersign_core::command::{Command, Proof};
use countersign_core::evolve::evolve_all;
use countersign_core::factor::webauthn::ceremony::CEREMONY_LIFETIME_MS;
use countersign_core::factor::webauthn::options::RequestOptions;
use countersign_core::factor::webauthn::response::AssertionResponse;
use countersign_core::ids::{ChallengeId, FactorId};
use countersign_core::reply::Reply;
use countersign_core::testing::authenticator::{Authenticator, Twist};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use proptest::prelude::*;

use crate::story::Story;

const ORIGIN: &str = "http://localhost:8080";

/// One move of a random history. Numbers choose among what there is, whatever that is.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    Wait(i64),
    FreshChallenge,
    Begin { within: Option<usize> },
    Sign { ceremony: usize, flip: u8, low: bool },
    Show { answer: usize, within: Option<usize>, broken: bool },
    Enroll,
    Remove,
    Reset,
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let within = proptest::option::of(any::<usize>());
    let one = prop_oneof![
        2 => (0i64..200_000).prop_map(Move::Wait),
        2 => Just(Move::FreshChallenge),
        6 => within.clone().prop_map(|within| Move::Begin { within }),
        8 => (any::<usize>(), prop_oneof![6 => Just(0u8), 1 => Just(1), 1 => Just(1 << 3)],
              prop::bool::weighted(0.1))
            .prop_map(|(ceremony, flip, low)| Move::Sign { ceremony, flip, low }),
        10 => (any::<usize>(), within, prop::bool::weighted(0.1))
            .prop_map(|(answer, within, broken)| Move::Show { answer, within, broken }),
        1 => Just(Move::Enroll),
        1 => Just(Move::Remove),
        1 => Just(Move::Reset),
    ];
    proptest::collection::vec(one, 1..80)
}

struct Begun {
    options: RequestOptions,
    purpose: Option<ChallengeId>,
    at: Timestamp,
}

struct Signed {
    ceremony: usize,
    response: AssertionResponse,
    /// Whether the key did all of it rightly.
    right: bool,
}

pub(crate) struct Player {
    pub(crate) story: Story,
    key: Authenticator,
    factor: Option<FactorId>,
    challenges: Vec<ChallengeId>,
    begun: Vec<Begun>,
    signed: Vec<Signed>,
    accepted: BTreeSet<Vec<u8>>,
    counter: u32,
    log: UserState,
}

impl Player {
    pub(crate) fn new() -> Self {
        let mut player = Self {
            story: Story::new(),
            key: Authenticator::usb(1),
            factor: None,
            challenges: Vec::new(),
            begun: Vec::new(),
            signed: Vec::new(),
            accepted: BTreeSet::new(),
            counter: 0,
            log: UserState::default(),
        };
        player.enroll();
        player
    }

    pub(crate) fn play(&mut self, one: &Move) {
        match one {
            Move::Wait(millis) => self.story.wait_ms(*millis),
            Move::FreshChallenge => {
                let login = Command::CreateChallenge {
                    purpose: countersign_core::challenge::Purpose::StepUp,
                    context: Default::default(),
                    device_token: None,
                };
                if let Reply::Challenge(answer) = self.ask(&login) {
                    self.challenges.extend(answer.challenge.map(|challenge| challenge.id));
                }
            }
            Move::Begin { within } => self.begin(*within),
            Move::Sign { ceremony, flip, low } => self.sign(*ceremony, *flip, *low),
            Move::Show { answer, within, broken } => self.show(*answer, *within, *broken),
            Move::Enroll => self.enroll(),
            Move::Remove => {
                if let Some(id) = self.factor.take() {
                    self.ask(&Command::RemoveFactor { id });
                }
            }
            Move::Reset => {
                self.ask(&Command::Reset { reason: None });
                self.factor = None;
            }
        }
    }

    fn ask(&mut self, command: &Command) -> Reply {
        let reply = self.story.ask(command);
        // Replaying the events gives the state that was shown.
        evolve_all(&mut self.log, &self.story.events, self.story.now);
        assert_eq!(self.log, self.story.state);
        assert_eq!(self.story.state.lockout.failed_attempts, 0, "keys are not guessed at");
        let kept = self.factor.and_then(|id| self.story.state.factor(id));
        if let Some(credential) = kept.and_then(|factor| factor.kind.webauthn()) {
            assert!(credential.sign_count >= self.counter, "the counter fell");
            self.counter = credential.sign_count;
        }
        reply
    }

    /// Registers the key, unless it is.
    fn enroll(&mut self) {
        if self.factor.is_some() {
            return;
        }
        let begin = Command::BeginWebAuthn { wish: Default::default() };
        let Reply::CreationOptions(options) = self.ask(&begin) else { panic!() };
        self.key.credentials.clear();
        self.key.counter = Some(5);
        self.counter = 0;
        let response = Box::new(self.key.create(&options, ORIGIN));
        let confirm = Command::ConfirmWebAuthn { response, name: None, challenge: None };
        let Reply::Factor { factor, .. } = self.ask(&confirm) else { panic!() };
        self.factor = Some(factor.id);
    }

    fn one_of(&self, within: Option<usize>) -> Option<ChallengeId> {
        let place = within? % self.challenges.len().max(1);
        self.challenges.get(place).copied()
    }

    fn begin(&mut self, within: Option<usize>) {
        let purpose = self.one_of(within);
        let begin = Command::BeginAssertion { user_verification: None, challenge: purpose };
        if let Reply::RequestOptions(options) = self.ask(&begin) {
            self.begun.push(Begun { options: *options, purpose, at: self.story.now });
        }
    }

    fn sign(&mut self, ceremony: usize, flip: u8, low: bool) {
        if self.begun.is_empty() {
            return;
        }
        let ceremony = ceremony % self.begun.len();
        let twist = Twist { flip, counter: low.then_some(0), ..Twist::default() };
        let options = &self.begun[ceremony].options;
        if let Some(response) = self.key.get_with(options, ORIGIN, &twist) {
            self.signed.push(Signed { ceremony, response, right: flip == 0 && !low });
        }
    }

    fn show(&mut self, answer: usize, within: Option<usize>, broken: bool) {
        if self.signed.is_empty() {
            return;
        }
        let place = answer % self.signed.len();
        let Signed { ceremony, ref response, right } = self.signed[place];
        let mut response = Box::new(response.clone());
        if broken {
            response.signature.reverse();
        }
        let purpose = self.one_of(within);
        let open = purpose.is_none_or(|id| {
            let challenge = self.story.state.challenge(id);
            challenge.is_some_and(|one| one.status(self.story.now) == ChallengeStatus::Pending)
        });
        let factor = self.factor.unwrap_or(FactorId::from_bytes([0; 16]));
        let command = match purpose {
            None => Command::Assert { response: response.clone() },
            Some(challenge) => Command::Verify {
                challenge,
                proof: Proof::Assertion { factor: Some(factor), response: response.clone() },
                remember_device: None,
            },
        };
        let reply = self.ask(&command);
        if matches!(reply, Reply::Asserted { .. } | Reply::Verified(_)) {
            let begun = &self.begun[ceremony];
            assert!(right && !broken, "accepted although wrong");
            assert_eq!(begun.purpose, purpose, "accepted for something else");
            assert!(open, "the challenge was over");
            let age = self.story.now.millis_since(begun.at);
            assert!(age < CEREMONY_LIFETIME_MS, "accepted after {age} ms");
            assert!(self.factor.is_some(), "accepted of a factor that had ended");
            let once = self.accepted.insert(begun.options.challenge.clone());
            assert!(once, "accepted twice");
        }
    }
}
