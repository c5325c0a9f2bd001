//! The one gate through which every code goes, whatever factor it is of and whichever call brings
//! it: refused unread while locked, counted when wrong, recorded when spent.
//!
//! A file that judges a code must begin with [`Guess::open`]; there is no other way to count.

use std::net::IpAddr;

use super::alert;
use super::case::{Case, Stop, Verdict, refuse};
use super::messages;
use crate::address;
use crate::audit::{AuditEntry, INVALID_CODE};
use crate::challenge::Challenge;
use crate::context::Context;
use crate::decision::Decision;
use crate::event::UserEvent;
use crate::factor::message::{self, MessageFactor, SentCheck};
use crate::factor::totp::{self, CodeCheck, TotpFactor};
use crate::ids::{DeliveryId, FactorId};
use crate::lockout::Lock;
use crate::message::CODE_DIGITS;
use crate::reply::{Refusal, Reply};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::typed;

/// Where a code is in the body of a call.
pub(super) const CODE: &str = "/code";
/// Where a recovery code is, if another code could be there as well.
pub(super) const RECOVERY_CODE: &str = "/recoveryCode";

/// A text that cannot be a code of this kind at all. Nothing can be learnt from the answer, so
/// nothing is counted; and the person is told what is wrong with it.
pub(super) fn no_code(pointer: &str, detail: String) -> Stop {
    Box::new(refuse(Refusal::NoCode { pointer: pointer.to_owned(), detail }))
}

/// A code that is about to be read.
pub(super) struct Guess<'a> {
    case: &'a Case<'a>,
    challenge: Option<&'a Challenge>,
    /// Whether the challenge was answered before.
    over: bool,
    factor: Option<FactorId>,
    failure_type: &'static str,
}

impl<'a> Guess<'a> {
    /// Opens the gate, or says why it stays shut. The first refusal in a lock's time leaves a trace;
    /// the others cost no write, so that a flood of them is cheap.
    pub(super) fn open(
        case: &'a Case<'a>,
        failure_type: &'static str,
        now: Timestamp,
    ) -> Result<Self, Stop> {
        let lockout = &case.state.lockout;
        let retry_after_seconds = match lockout.at(now) {
            Lock::Open => {
                return Ok(Self { case, challenge: None, over: false, factor: None, failure_type });
            }
            Lock::Until(until) => Some(now.seconds_until(until)),
            Lock::Hard => None,
        };
        let mut verdict =
            Decision::reply(Reply::Refused(Refusal::TooManyAttempts { retry_after_seconds }));
        if !lockout.refusal_noted {
            verdict.events.push(UserEvent::RefusalNoted);
            verdict.audit.push(AuditEntry::failure(failure_type, "too_many_attempts"));
        }
        Err(Box::new(verdict))
    }

    /// It answers this challenge.
    pub(super) fn answering(mut self, challenge: &'a Challenge) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// It comes after this challenge was answered. It counts against the user alone.
    pub(super) fn after(self, challenge: &'a Challenge) -> Self {
        Self { over: true, ..self.answering(challenge) }
    }

    /// It is said to be of this factor.
    pub(super) fn of_factor(mut self, factor: FactorId) -> Self {
        self.factor = Some(factor);
        self
    }

    /// Reads a TOTP code: the time step that it spends, or the verdict on a spent or wrong one.
    pub(super) fn totp(
        &self,
        id: FactorId,
        totp: &TotpFactor,
        code: &Secret,
        context: &Context<'_>,
    ) -> Result<u64, Stop> {
        match self.check_totp(id, totp, code, context)? {
            CodeCheck::Fresh(step) => Ok(step),
            CodeCheck::Spent => Err(Box::new(self.spent())),
            CodeCheck::Wrong => Err(Box::new(self.wrong(context.now))),
        }
    }

    /// Reads a TOTP code. Whoever asks must count a wrong one.
    pub(super) fn check_totp(
        &self,
        id: FactorId,
        totp: &TotpFactor,
        code: &Secret,
        context: &Context<'_>,
    ) -> Result<CodeCheck, Stop> {
        let seal_context = self.case.key.seal_context(&super::enroll::secret_purpose(id));
        let Ok(secret) = context.vault.open(&seal_context, &totp.secret) else {
            return Err(Box::new(refuse(Refusal::Unreadable)));
        };
        let digits = usize::from(totp.parameters.digits);
        let Some(code) = typed::code(code.expose_str(), digits) else {
            return Err(no_code(CODE, format!("must be the {digits} digits that the app shows")));
        };
        let last = totp.last_step;
        // By real time, as the app counts (RFC 6238 section 4.2). A clock that goes back reopens
        // nothing: the highest accepted step is kept.
        Ok(totp::check(&totp.parameters, &secret, last, code.expose_str(), context.clock))
    }

    /// Reads a code that was sent: the message that it spends, or the verdict on any other.
    ///
    /// A code that can no longer be accepted, or one typed while there is none to be guessed at, is
    /// not counted: nothing can be learnt from the answer.
    pub(super) fn sent_code(
        &self,
        id: FactorId,
        to: &MessageFactor,
        code: &Secret,
        context: &Context<'_>,
    ) -> Result<DeliveryId, Stop> {
        let Some(code) = typed::code(code.expose_str(), CODE_DIGITS) else {
            return Err(no_code(CODE, format!("must be the {CODE_DIGITS} digits that were sent")));
        };
        let now = context.now;
        let digest =
            |delivery| messages::code_digest(self.case, id, delivery, &code, context.vault);
        Err(Box::new(match message::check(to, digest, now) {
            SentCheck::Fresh(delivery) => return Ok(delivery),
            SentCheck::Spent => self.spent(),
            SentCheck::Over => refuse(Refusal::CodeExpired),
            SentCheck::Wrong { attempts_remaining } => self.missed(id, attempts_remaining, now),
        }))
    }

    /// Counts a wrong code. The reply says how many are left; it leaves after the count is applied.
    pub(super) fn wrong(&self, now: Timestamp) -> Verdict {
        self.count(None, u32::MAX, now)
    }

    /// Counts a wrong code against the one that was sent as well, which has so many left.
    fn missed(&self, factor: FactorId, of_code: u32, now: Timestamp) -> Verdict {
        self.count(Some(UserEvent::CodeMissed { factor }), of_code, now)
    }

    fn count(&self, missed: Option<UserEvent>, of_code: u32, now: Timestamp) -> Verdict {
        let policy = self.case.policy().lockout;
        let open = self.challenge.filter(|_| !self.over);
        let challenge = open.map(|challenge| challenge.id);
        let enrolling = |id: &FactorId| self.case.state.pending.iter().any(|one| one.id == *id);
        let enrollment = self.factor.filter(enrolling);
        let mut events = vec![UserEvent::AttemptFailed { policy, challenge, enrollment }];
        events.extend(missed);
        let after = self.case.after(&events, now);
        let of_user = after.lockout.attempts_remaining(&policy);
        let of_challenge = open.map_or(u32::MAX, |one| one.attempts_remaining().saturating_sub(1));
        let entry = self.entry(INVALID_CODE);
        // Alerts have other reasons, or the wrong code would be counted twice.
        let alerts = [
            alert::brute_force(self.case, &after, &entry),
            alert::address_failures(self.case, &entry),
        ];
        let mut audit = vec![entry.detail("failedAttempts", after.lockout.failed_attempts)];
        audit.extend(alerts.into_iter().flatten());
        let locked = match after.lockout.at(now) {
            Lock::Open => None,
            Lock::Until(until) => Some(format!("{} s", now.seconds_until(until))),
            Lock::Hard => Some("until unlocked".to_owned()),
        };
        if let Some(duration) = locked {
            audit.push(
                AuditEntry::failure("mfa.user.locked", "too_many_attempts")
                    .detail("failedAttempts", after.lockout.failed_attempts)
                    .detail("lockedFor", duration)
                    .from_address(self.address()),
            );
        }
        let attempts_remaining = of_user.min(of_challenge).min(of_code);
        Decision {
            reply: Reply::Refused(Refusal::InvalidCode { attempts_remaining }),
            events,
            audit,
        }
    }

    /// A code that was right once: not counted, but recorded. If it does not come from where it was
    /// accepted, somebody may be relaying it; from there, or for the very challenge that was answered,
    /// somebody has sent a form twice.
    pub(super) fn spent(&self) -> Verdict {
        let entry = self.entry("code_already_used");
        let places = self.address().zip(self.case.state.verified_from);
        let same = places.is_some_and(|(here, there)| address::same_block(here, there));
        let relay = (self.case.around.tenant.alerts.relays && !same && !self.over)
            .then(|| alert::possible_relay(entry.clone(), places.is_some()));
        Decision {
            reply: Reply::Refused(Refusal::CodeAlreadyUsed),
            events: Vec::new(),
            audit: [entry].into_iter().chain(relay).collect(),
        }
    }

    fn entry(&self, reason: &str) -> AuditEntry {
        let mut entry = AuditEntry::failure(self.failure_type, reason).from_address(self.address());
        entry.factor_id = self.factor;
        entry.challenge_id = self.challenge.map(|challenge| challenge.id);
        if self.over { entry.detail("challenge", "already verified") } else { entry }
    }

    fn address(&self) -> Option<IpAddr> {
        let asked_from = self.challenge.and_then(|challenge| challenge.context.ip_address);
        asked_from.or(self.case.around.browser_address)
    }
}
