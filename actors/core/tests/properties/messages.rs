//! Random histories of codes that are sent to a number.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::command::{Command, Proof};
use countersign_core::evolve::evolve_all;
use countersign_core::ids::{ChallengeId, DeliveryId, FactorId};
use countersign_core::lockout::Lock;
use countersign_core::message::{CODE_MAX_WRONG, Channel};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::secret::Secret;
use countersign_core::user::UserState;
use proptest::prelude::*;

use crate::story::{NUMBER, Sent, Story, secret};

/// One move of a random history of codes that are sent.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    Wait(i64),
    SendChallenge,
    BeginAgain,
    SendEnrollment,
    /// The code that was sent so many messages ago, to the place it is for or to the other.
    Submit {
        back: usize,
        spaced: bool,
        confirm: bool,
    },
    SubmitWrong {
        confirm: bool,
    },
    FreshChallenge,
    Reset,
    Unlock,
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0i64..70_000).prop_map(Move::Wait),
        1 => Just(Move::Wait(299_999)),
        1 => Just(Move::Wait(3_700_000)),
        4 => Just(Move::SendChallenge),
        2 => Just(Move::BeginAgain),
        3 => Just(Move::SendEnrollment),
        9 => (0usize..4, any::<bool>(), any::<bool>())
            .prop_map(|(back, spaced, confirm)| Move::Submit { back, spaced, confirm }),
        6 => any::<bool>().prop_map(|confirm| Move::SubmitWrong { confirm }),
        3 => Just(Move::FreshChallenge),
        1 => Just(Move::Reset),
        1 => Just(Move::Unlock),
    ];
    proptest::collection::vec(one, 1..120)
}

/// Somebody with a number, and one who tries everything with the codes that were sent there.
pub(crate) struct Player {
    pub(crate) story: Story,
    log: UserState,
    challenge: Option<ChallengeId>,
    sent: Vec<Sent>,
    accepted: BTreeSet<DeliveryId>,
    /// Wrong codes that were read since the counter last fell.
    guesses: u32,
    /// Wrong codes that were read while a code was the newest of its factor.
    guesses_at: BTreeMap<DeliveryId, u32>,
}

impl Player {
    pub(crate) fn new() -> Self {
        let mut story = Story::new();
        story.tenant.policy.sends.cooldown_seconds = 1;
        story.tenant.policy.sends.per_ten_minutes = 50;
        story.tenant.policy.sends.per_day = 500;
        story.tenant.guards.per_destination_per_day = 500;
        let log = story.state.clone();
        let mut player = Self {
            story,
            log,
            challenge: None,
            sent: Vec::new(),
            accepted: BTreeSet::new(),
            guesses: 0,
            guesses_at: BTreeMap::new(),
        };
        player.play(&Move::BeginAgain);
        player.play(&Move::SendEnrollment);
        player.play(&Move::Submit { back: 0, spaced: false, confirm: true });
        player
    }

    fn ask(&mut self, command: &Command) -> Reply {
        let before = self.story.state.lockout.clone();
        let locked = before.at(self.story.now) != Lock::Open;
        let reply = self.story.ask(command);
        evolve_all(&mut self.log, &self.story.events, self.story.now);
        assert_eq!(self.log, self.story.state);
        let after = self.story.state.lockout.failed_attempts;
        // A confirmed enrollment takes back the guesses that were meant for it.
        let may_fall = matches!(reply, Reply::Factor { .. })
            || matches!(reply, Reply::Verified(_))
            || matches!(command, Command::Reset { .. } | Command::Unlock);
        assert!(after >= before.failed_attempts || may_fall, "{command:?}: {reply:?}");
        if may_fall {
            self.guesses = self.guesses.min(after);
        }
        if matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })) {
            assert!(!locked, "a code was read while locked");
            self.guesses += 1;
        }
        assert_eq!(after, self.guesses, "what is read is counted once, and nothing else is");
        reply
    }

    fn open(&mut self) -> Option<ChallengeId> {
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

    fn phone(&self) -> Option<FactorId> {
        self.story.state.factors.first().map(|factor| factor.id)
    }

    fn pending(&self) -> Option<FactorId> {
        self.story.state.pending.first().map(|pending| pending.id)
    }

    fn send(&mut self, command: &Command) {
        if let Reply::CodeSent(answer) = self.ask(command) {
            let sent = self.story.arrived(answer);
            self.sent.push(sent);
        }
    }

    fn submit(&mut self, confirm: bool, code: Secret) -> Reply {
        if confirm {
            let channel = Channel::Sms;
            return self.ask(&Command::ConfirmMessage {
                channel,
                code,
                name: None,
                challenge: None,
            });
        }
        let challenge = self.challenge.or_else(|| self.open());
        let (Some(challenge), Some(factor)) = (challenge, self.phone()) else { return Reply::Done };
        let proof = Proof::Code { factor, code };
        self.ask(&Command::Verify { challenge, proof, remember_device: None })
    }

    /// A code was accepted as one of `factor`: the newest that was sent there, alive, and once.
    fn accepts(&mut self, sent: &Sent, factor: Option<FactorId>) {
        assert!(self.accepted.insert(sent.delivery), "a code was accepted twice");
        assert_eq!(Some(sent.factor), factor, "a code of another factor was accepted");
        let newest = self.sent.iter().rev().find(|one| one.factor == sent.factor);
        assert_eq!(newest.map(|one| one.delivery), Some(sent.delivery), "a replaced code");
        assert!(self.story.now < sent.answer.expires_at, "a dead code was accepted");
        let guesses = self.guesses_at.get(&sent.delivery).copied().unwrap_or(0);
        assert!(guesses < CODE_MAX_WRONG, "a code was accepted after {guesses} wrong answers");
    }

    pub(crate) fn play(&mut self, one: &Move) {
        match one {
            Move::Wait(millis) => self.story.wait_ms(*millis),
            Move::SendChallenge => {
                let challenge = self.challenge.or_else(|| self.open());
                if let (Some(challenge), Some(factor)) = (challenge, self.phone()) {
                    self.send(&Command::SendChallengeCode { challenge, factor });
                }
            }
            Move::BeginAgain => {
                // The second number of somebody who has the first.
                let number = if self.phone().is_none() { NUMBER } else { "+14155552672" };
                self.ask(&Command::BeginSms { number: number.parse().unwrap(), name: None });
            }
            Move::SendEnrollment => {
                self.send(&Command::SendEnrollmentCode { channel: Channel::Sms });
            }
            Move::Submit { back, spaced, confirm } => {
                let Some(sent) = self.sent.iter().rev().nth(*back).cloned() else { return };
                let factor = if *confirm { self.pending() } else { self.phone() };
                let text = sent.code.expose_str();
                let typed =
                    if *spaced { format!(" {}-{}", &text[..3], &text[3..]) } else { text.into() };
                let reply = self.submit(*confirm, secret(&typed));
                self.missed(factor, &reply);
                if matches!(reply, Reply::Verified(_) | Reply::Factor { .. }) {
                    self.accepts(&sent, factor);
                }
            }
            Move::SubmitWrong { confirm } => {
                let factor = if *confirm { self.pending() } else { self.phone() };
                let typed = (0..1_000_000).map(|code| secret(&format!("{code:06}")));
                let wrong = |code: &Secret| self.sent.iter().all(|sent| sent.code != *code);
                let code = typed.into_iter().find(wrong).unwrap();
                let reply = self.submit(*confirm, code);
                assert!(!matches!(reply, Reply::Verified(_) | Reply::Factor { .. }));
                self.missed(factor, &reply);
            }
            Move::FreshChallenge => {
                self.open();
            }
            Move::Reset => {
                self.ask(&Command::Reset { reason: None });
            }
            Move::Unlock => {
                self.ask(&Command::Unlock);
            }
        }
    }

    fn missed(&mut self, factor: Option<FactorId>, reply: &Reply) {
        let newest = self.sent.iter().rev().find(|sent| Some(sent.factor) == factor);
        if let (Reply::Refused(Refusal::InvalidCode { .. }), Some(newest)) = (reply, newest) {
            let guesses = self.guesses_at.entry(newest.delivery).or_default();
            *guesses += 1;
            assert!(*guesses <= CODE_MAX_WRONG, "{guesses} guesses at one code were read");
        }
    }
}
