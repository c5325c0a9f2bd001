//! The story of codes that are sent: what arrives, and what is counted on the way.

use std::collections::BTreeMap;

use countersign_core::codec;
use countersign_core::command::{Command, Proof};
use countersign_core::context::TrafficCounter;
use countersign_core::event::UserEvent;
use countersign_core::ids::{ChallengeId, DeliveryId, FactorId};
use countersign_core::message::{Channel, CodeMessage, seal_context};
use countersign_core::reply::{CodeSent, MessageEnrollment, Reply};
use countersign_core::secret::Secret;
use countersign_core::sending::{Lane, LaneKey, Traffic, TrafficCounts};
use countersign_core::time::Timestamp;
use countersign_core::user::Profile;
use countersign_core::vault::Vault;

use super::{GlassVault, Story};

pub(crate) const NUMBER: &str = "+14155552671";
pub(crate) const EMAIL: &str = "ann@example.com";

/// Counts messages as every node does from what it applies.
#[derive(Clone, Default)]
pub(crate) struct Traffics(BTreeMap<LaneKey, TrafficCounts>);

impl Traffics {
    pub(crate) fn apply(&mut self, events: &[UserEvent], at: Timestamp) {
        for event in events {
            match event {
                UserEvent::CodeIssued(issued) => self.sent(&issued.lane, at),
                UserEvent::CodeSpent { lane, .. } => self.verified(lane, at),
                UserEvent::FloodNoted { key } => self.counts(key).noted(at),
                _ => {}
            }
        }
    }

    pub(crate) fn sent(&mut self, lane: &Lane, at: Timestamp) {
        for key in lane.keys() {
            self.counts(&key).sent(at);
        }
    }

    pub(crate) fn verified(&mut self, lane: &Lane, at: Timestamp) {
        for key in lane.keys() {
            self.counts(&key).verified(at);
        }
    }

    fn counts(&mut self, key: &LaneKey) -> &mut TrafficCounts {
        self.0.entry(key.clone()).or_default()
    }
}

impl TrafficCounter for Traffics {
    fn traffic(&self, lane: &Lane, now: Timestamp) -> Traffic {
        let mut traffic = Traffic::default();
        for key in lane.keys() {
            if let Some(counts) = self.0.get(&key) {
                counts.add_to(traffic.window_mut(&key), now);
            }
        }
        traffic
    }
}

/// A message as it arrives.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) factor: FactorId,
    pub(crate) delivery: DeliveryId,
    pub(crate) code: Secret,
    pub(crate) message: CodeMessage,
    pub(crate) lane: Lane,
    pub(crate) answer: CodeSent,
}

impl Sent {
    /// The next code after this one: wrong, unless it was sent as well.
    pub(crate) fn wrong(&self) -> Secret {
        let number: u32 = self.code.expose_str().parse().unwrap();
        Secret::from(format!("{:06}", (number + 1) % 1_000_000))
    }
}

impl Story {
    /// The message that the last decision made.
    pub(crate) fn arrived(&self, answer: CodeSent) -> Sent {
        let issued = self.events.iter().find_map(|event| match event {
            UserEvent::CodeIssued(issued) => Some(issued),
            _ => None,
        });
        let issued = issued.expect("a code was issued");
        let delivery = issued.code.delivery;
        let context = seal_context(&self.key, delivery);
        let plain = GlassVault.open(&context, &issued.message).unwrap();
        let message: CodeMessage = codec::decode(plain.expose()).unwrap();
        let (code, lane) = (message.code.clone(), issued.lane.clone());
        Sent { factor: issued.factor, delivery, code, message, lane, answer }
    }

    pub(crate) fn try_send(&mut self, command: &Command) -> Result<Sent, Box<Reply>> {
        match self.ask(command) {
            Reply::CodeSent(answer) => Ok(self.arrived(answer)),
            other => Err(Box::new(other)),
        }
    }

    pub(crate) fn send_enrollment(&mut self, channel: Channel) -> Sent {
        self.try_send(&Command::SendEnrollmentCode { channel }).unwrap()
    }

    pub(crate) fn send(&mut self, challenge: ChallengeId, factor: FactorId) -> Sent {
        self.try_send(&Command::SendChallengeCode { challenge, factor }).unwrap()
    }

    pub(crate) fn send_in_fresh_challenge(&mut self, factor: FactorId) -> Sent {
        let challenge = self.challenge();
        self.send(challenge, factor)
    }

    pub(crate) fn begin_sms(&mut self, number: &str) -> MessageEnrollment {
        let begin = Command::BeginSms { number: number.parse().unwrap(), name: None };
        match self.ask(&begin) {
            Reply::MessageEnrollment(enrollment) => enrollment,
            other => panic!("no enrollment: {other:?}"),
        }
    }

    pub(crate) fn begin_email(&mut self) -> MessageEnrollment {
        match self.ask(&Command::BeginEmail { name: None }) {
            Reply::MessageEnrollment(enrollment) => enrollment,
            other => panic!("no enrollment: {other:?}"),
        }
    }

    /// The application tells of a verified address.
    pub(crate) fn has_email(&mut self, address: &str) {
        let email = Some(address.to_owned());
        self.ask(&Command::PutProfile(Profile {
            email,
            email_verified: true,
            ..Profile::default()
        }));
    }

    pub(crate) fn confirm(&mut self, channel: Channel, code: &Secret) -> Reply {
        let code = code.clone();
        self.ask(&Command::ConfirmMessage { channel, code, name: None, challenge: None })
    }

    /// Begins, sends and confirms what is begun already, and lets the pause pass.
    fn finish(&mut self, channel: Channel) -> FactorId {
        let sent = self.send_enrollment(channel);
        match self.confirm(channel, &sent.code) {
            Reply::Factor { .. } => {}
            other => panic!("not confirmed: {other:?}"),
        }
        self.wait_s(60);
        sent.factor
    }

    pub(crate) fn enroll_sms(&mut self) -> FactorId {
        self.begin_sms(NUMBER);
        self.finish(Channel::Sms)
    }

    pub(crate) fn enroll_email(&mut self) -> FactorId {
        self.has_email(EMAIL);
        self.begin_email();
        self.finish(Channel::Email)
    }

    pub(crate) fn answer(
        &mut self,
        challenge: ChallengeId,
        factor: FactorId,
        code: &Secret,
    ) -> Reply {
        let proof = Proof::Code { factor, code: code.clone() };
        self.ask(&Command::Verify { challenge, proof, remember_device: None })
    }
}
