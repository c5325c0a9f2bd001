//! Random histories of an authenticator app.

use std::collections::BTreeSet;

use countersign_core::command::{Command, Proof};
use countersign_core::evolve::evolve_all;
use countersign_core::factor::totp::Parameters;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::user::UserState;
use proptest::prelude::*;

use crate::story::{App, Story, secret};

/// One move of a random history.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    Wait(i64),
    Submit { step_offset: i64, spaced: bool },
    SubmitWrong,
    FreshChallenge,
    RemoveAndImport,
    Reset,
    Unlock,
    Begin,
    Rename,
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0i64..40_000).prop_map(Move::Wait),
        1 => Just(Move::Wait(3_700_000)),
        8 => (-2i64..=2, any::<bool>())
            .prop_map(|(step_offset, spaced)| Move::Submit { step_offset, spaced }),
        3 => Just(Move::SubmitWrong),
        3 => Just(Move::FreshChallenge),
        1 => Just(Move::RemoveAndImport),
        1 => Just(Move::Reset),
        1 => Just(Move::Unlock),
        1 => Just(Move::Begin),
        1 => Just(Move::Rename),
    ];
    proptest::collection::vec(one, 1..120)
}

pub(crate) struct Player {
    pub(crate) story: Story,
    app: App,
    challenge: Option<countersign_core::ids::ChallengeId>,
    accepted: BTreeSet<u64>,
    log: UserState,
}

impl Player {
    pub(crate) fn new() -> Self {
        let mut story = Story::new();
        let app = story.enroll();
        // `enroll` spent the confirming step, sixty seconds ago.
        let spent = app.parameters.step_at(story.now.plus_millis(-60_000));
        let log = story.state.clone();
        Self { story, app, challenge: None, accepted: BTreeSet::from([spent]), log }
    }

    fn ask(&mut self, command: &Command) -> Reply {
        let before = self.story.state.lockout.failed_attempts;
        let reply = self.story.ask(command);
        // Replaying the events gives the state that was shown.
        evolve_all(&mut self.log, &self.story.events, self.story.now);
        assert_eq!(self.log, self.story.state);
        let after = self.story.state.lockout.failed_attempts;
        let may_fall = matches!(reply, Reply::Verified(_))
            || matches!(command, Command::Reset { .. } | Command::Unlock);
        assert!(after >= before || may_fall, "the counter fell after {command:?}: {reply:?}");
        if matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })) {
            assert_eq!(after, before + 1, "a wrong code is counted once");
        }
        reply
    }

    fn submit(&mut self, code: countersign_core::secret::Secret) -> Reply {
        let Some(challenge) = self.challenge.or_else(|| self.open()) else {
            return Reply::Done;
        };
        self.ask(&Command::Verify {
            challenge,
            proof: Proof::Code { factor: self.app.id, code },
            remember_device: None,
        })
    }

    fn open(&mut self) -> Option<countersign_core::ids::ChallengeId> {
        let command = Command::CreateChallenge {
            purpose: countersign_core::challenge::Purpose::Login,
            context: Default::default(),
            device_token: None,
        };
        match self.ask(&command) {
            Reply::Challenge(answer) => {
                self.challenge = answer.challenge.map(|challenge| challenge.id);
            }
            Reply::Refused(Refusal::TooManyOpen { .. }) => {}
            other => panic!("no challenge: {other:?}"),
        }
        self.challenge
    }

    fn import(&mut self) {
        let import = Command::ImportTotp {
            secret: self.app.secret.clone(),
            parameters: self.app.parameters,
            name: None,
        };
        if let Reply::Factor { factor, .. } = self.ask(&import) {
            self.app.id = factor.id;
        }
    }

    pub(crate) fn play(&mut self, one: &Move) {
        match one {
            Move::Wait(millis) => self.story.wait_ms(*millis),
            Move::Submit { step_offset, spaced } => {
                let step = self.app.parameters.step_at(self.story.now) as i64 + step_offset;
                let code = self.app.code_off(self.story.now, *step_offset);
                let text = code.expose_str();
                let typed =
                    if *spaced { format!(" {} {}", &text[..2], &text[2..]) } else { text.into() };
                if let Reply::Verified(_) = self.submit(secret(&typed)) {
                    let fresh = self.accepted.insert(u64::try_from(step).unwrap());
                    assert!(fresh, "step {step} was accepted twice");
                }
            }
            Move::SubmitWrong => {
                let code = self.app.wrong_code(self.story.now);
                let reply = self.submit(code);
                assert!(!matches!(reply, Reply::Verified(_)), "a wrong code was accepted");
            }
            Move::FreshChallenge => {
                self.open();
            }
            Move::RemoveAndImport => {
                self.ask(&Command::RemoveFactor { id: self.app.id });
                self.import();
            }
            Move::Reset => {
                self.ask(&Command::Reset { reason: None });
                self.import();
            }
            Move::Unlock => {
                self.ask(&Command::Unlock);
            }
            Move::Begin => {
                let parameters = Parameters::default();
                self.ask(&Command::BeginTotp {
                    name: None,
                    parameters,
                    account_name: None,
                    resume: None,
                });
            }
            Move::Rename => {
                self.ask(&Command::RenameFactor { id: self.app.id, name: Some("x".into()) });
            }
        }
    }
}
