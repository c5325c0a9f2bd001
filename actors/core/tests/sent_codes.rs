//! Codes that were sent are accepted once, for five minutes, while no newer one was.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod story;

use countersign_core::command::Command;
use countersign_core::event::UserEvent;
use countersign_core::evolve::evolve_all;
use countersign_core::message::{CODE_LIFETIME_MS, CODE_MAX_WRONG, Channel, seal_context};
use countersign_core::reply::{Refusal, Reply, Verified};
use countersign_core::secret::Secret;
use countersign_core::vault::Vault;
use story::{GlassVault, NUMBER, Sent, Story, secret};

fn verified(reply: Reply) -> Verified {
    match reply {
        Reply::Verified(verified) => verified,
        other => panic!("not verified: {other:?}"),
    }
}

/// Somebody with a number, at a challenge to which a code was sent.
fn at_the_door() -> (Story, countersign_core::ids::ChallengeId, Sent) {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let challenge = story.challenge();
    let sent = story.send(challenge, phone);
    (story, challenge, sent)
}

#[test]
fn a_code_dies_after_five_minutes_and_typing_it_then_is_no_guess() {
    let (story, challenge, sent) = at_the_door();
    let at = |millis| Story {
        state: story.state.clone(),
        now: story.now.plus_millis(millis),
        ..Story::new()
    };
    let mut just = at(CODE_LIFETIME_MS - 1);
    let challenge_then = just.challenge();
    verified(just.answer(challenge_then, sent.factor, &sent.code));
    let mut late = at(CODE_LIFETIME_MS);
    assert_eq!(
        late.answer(challenge, sent.factor, &sent.code),
        Reply::Refused(Refusal::ChallengeExpired)
    );
    let challenge = late.challenge();
    for code in [&sent.code, &sent.wrong()] {
        assert_eq!(late.answer(challenge, sent.factor, code), Reply::Refused(Refusal::CodeExpired));
        assert!(late.events.is_empty() && late.audit.is_empty());
    }
}

#[test]
fn a_code_lives_by_the_shards_own_clock() {
    let (mut story, _, _) = at_the_door();
    // A leader whose clock is behind what the shard has seen: the commit carries the later time.
    let later = story.now.plus_millis(1_000_000);
    let issued = story.events.clone();
    evolve_all(&mut story.state, &issued, later);
    let kept = story.state.factors[0].kind.message().unwrap().1.latest().unwrap();
    assert_eq!((kept.sent_at, kept.expires_at), (later, later.plus_millis(CODE_LIFETIME_MS)));
}

#[test]
fn a_code_is_accepted_once_however_it_is_written() {
    let (story, challenge, sent) = at_the_door();
    let text = sent.code.expose_str().to_owned();
    let spellings = [
        text.clone(),
        format!(" {text}\n"),
        format!("{} {}", &text[..3], &text[3..]),
        format!("{}-{}", &text[..3], &text[3..]),
        format!("\u{a0}{}\u{2003}{}", &text[..1], &text[1..]),
    ];
    for first in &spellings {
        let mut story = Story { state: story.state.clone(), now: story.now, ..Story::new() };
        verified(story.answer(challenge, sent.factor, &secret(first)));
        for second in &spellings {
            let challenge = story.challenge();
            let reply = story.answer(challenge, sent.factor, &secret(second));
            assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed), "{first:?} {second:?}");
            assert_eq!(story.state.lockout.failed_attempts, 0, "a spent code is not a wrong one");
            assert_eq!(story.audit[0].reason.as_deref(), Some("code_already_used"));
        }
    }
}

#[test]
fn a_new_code_voids_the_one_before_and_the_old_one_is_no_guess() {
    let (mut story, challenge, first) = at_the_door();
    story.wait_s(30);
    let second = story.send(challenge, first.factor);
    assert_ne!(first.code, second.code);
    let reply = story.answer(challenge, first.factor, &first.code);
    assert_eq!(reply, Reply::Refused(Refusal::CodeExpired));
    assert_eq!(story.state.lockout.failed_attempts, 0);
    verified(story.answer(challenge, first.factor, &second.code));
}

#[test]
fn a_spent_code_stays_spent_after_a_new_one_was_sent() {
    let (mut story, challenge, first) = at_the_door();
    verified(story.answer(challenge, first.factor, &first.code));
    story.wait_s(30);
    let challenge = story.challenge();
    let second = story.send(challenge, first.factor);
    let reply = story.answer(challenge, first.factor, &first.code);
    assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
    verified(story.answer(challenge, first.factor, &second.code));
}

#[test]
fn five_wrong_answers_void_a_code_and_a_new_code_resets_no_counter() {
    let (mut story, _, sent) = at_the_door();
    story.tenant.policy.lockout.max_attempts = 50;
    for attempts_remaining in (0..CODE_MAX_WRONG).rev() {
        // A fresh challenge each time: it is the code that has had enough, not the challenge.
        let challenge = story.challenge();
        let reply = story.answer(challenge, sent.factor, &sent.wrong());
        assert_eq!(reply, Reply::Refused(Refusal::InvalidCode { attempts_remaining }));
    }
    let challenge = story.challenge();
    for code in [&sent.code, &sent.wrong()] {
        let reply = story.answer(challenge, sent.factor, code);
        assert_eq!(reply, Reply::Refused(Refusal::CodeExpired));
    }
    story.wait_s(30);
    let next = story.send(challenge, sent.factor);
    assert_eq!(story.state.lockout.failed_attempts, 5, "a new code resets no counter");
    let reply = story.answer(challenge, sent.factor, &next.wrong());
    assert_eq!(reply, Reply::Refused(Refusal::InvalidCode { attempts_remaining: 4 }));
    assert_eq!(story.state.lockout.failed_attempts, 6);
    verified(story.answer(challenge, sent.factor, &next.code));
    assert_eq!(story.state.lockout.failed_attempts, 0);
}

#[test]
fn a_guess_at_a_spent_code_is_counted() {
    let (mut story, challenge, sent) = at_the_door();
    verified(story.answer(challenge, sent.factor, &sent.code));
    let challenge = story.challenge();
    let reply = story.answer(challenge, sent.factor, &sent.wrong());
    assert!(matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })));
    assert_eq!(story.state.lockout.failed_attempts, 1);
}

#[test]
fn where_no_code_was_sent_nothing_is_read() {
    let mut story = Story::new();
    story.begin_sms(NUMBER);
    let reply = story.confirm(Channel::Sms, &secret("000000"));
    assert_eq!(reply, Reply::Refused(Refusal::CodeExpired));
    assert!(story.events.is_empty());
}

#[test]
fn the_code_that_confirmed_an_enrollment_is_spent_by_it() {
    let mut story = Story::new();
    story.begin_sms(NUMBER);
    let sent = story.send_enrollment(Channel::Sms);
    assert!(matches!(story.confirm(Channel::Sms, &sent.code), Reply::Factor { .. }));
    let challenge = story.challenge();
    let reply = story.answer(challenge, sent.factor, &sent.code);
    assert_eq!(reply, Reply::Refused(Refusal::CodeAlreadyUsed));
    let reply = story.confirm(Channel::Sms, &sent.code);
    assert_eq!(reply, Reply::Refused(Refusal::NoPendingEnrollment));
}

#[test]
fn a_code_proves_its_own_factor_alone() {
    let mut story = Story::new();
    let phone = story.enroll_sms();
    let mailbox = story.enroll_email();
    let challenge = story.challenge();
    let sent = story.send(challenge, phone);
    let to_mailbox = story.send(challenge, mailbox);
    let reply = story.answer(challenge, mailbox, &sent.code);
    assert!(matches!(reply, Reply::Refused(Refusal::InvalidCode { .. })));
    verified(story.answer(challenge, mailbox, &to_mailbox.code));
}

#[test]
fn another_users_equal_code_is_another_code() {
    let mut ann = Story::of("ann");
    let mut bob = Story::of("bob");
    // The same randomness: the same code, of a factor and in a message of the same ids.
    bob.entropy = countersign_core::entropy::SeededEntropy::new(ann.key.hash().0);
    let enroll = |story: &mut Story| {
        story.begin_sms(NUMBER);
        story.send_enrollment(Channel::Sms)
    };
    let (of_ann, of_bob) = (enroll(&mut ann), enroll(&mut bob));
    assert_eq!((&of_ann.code, of_ann.delivery), (&of_bob.code, of_bob.delivery));
    let kept = |story: &Story| story.state.pending[0].kind.message().unwrap().1.clone();
    assert_ne!(kept(&ann).codes[0].digest, kept(&bob).codes[0].digest);
    assert!(matches!(ann.confirm(Channel::Sms, &of_ann.code), Reply::Factor { .. }));
    assert!(matches!(bob.confirm(Channel::Sms, &of_bob.code), Reply::Factor { .. }));
}

#[test]
fn who_is_locked_out_gets_no_code_and_the_first_refusal_leaves_a_trace() {
    let (mut story, challenge, sent) = at_the_door();
    for _ in 0..5 {
        story.answer(challenge, sent.factor, &sent.wrong());
    }
    story.wait_s(29);
    let challenge = story.challenge();
    let send = Command::SendChallengeCode { challenge, factor: sent.factor };
    let locked = Refusal::TooManyAttempts { retry_after_seconds: Some(1) };
    assert_eq!(story.refusal(&send), locked);
    assert_eq!(story.events, [UserEvent::RefusalNoted]);
    assert_eq!(story.audit_types(), ["mfa.code.refused"]);
    assert_eq!(story.audit[0].challenge_id, Some(challenge));
    for _ in 0..10 {
        assert_eq!(story.refusal(&send), locked);
        assert!(story.events.is_empty() && story.audit.is_empty());
    }
    story.wait_s(1);
    let next = story.send(challenge, sent.factor);
    verified(story.answer(challenge, sent.factor, &next.code));
}

#[test]
fn a_code_for_a_challenge_that_was_answered_opens_nothing_and_stays_unspent() {
    let (mut story, challenge, first) = at_the_door();
    verified(story.answer(challenge, first.factor, &first.code));
    story.wait_s(30);
    let next = story.challenge();
    let second = story.send(next, first.factor);
    let reply = story.answer(challenge, first.factor, &second.code);
    assert_eq!(reply, Reply::Refused(Refusal::ChallengeExpired));
    assert!(story.events.is_empty());
    verified(story.answer(next, first.factor, &second.code));
}

#[test]
fn what_is_removed_or_reset_takes_its_codes_along() {
    for farewell in [0, 1] {
        let (mut story, challenge, sent) = at_the_door();
        story.ask(&match farewell {
            0 => Command::RemoveFactor { id: sent.factor },
            _ => Command::Reset { reason: None },
        });
        assert!(!matches!(story.answer(challenge, sent.factor, &sent.code), Reply::Verified(_)));
        story.wait_s(60);
        // The number comes back as another factor: the old code is none of its codes.
        story.begin_sms(NUMBER);
        let reply = story.confirm(Channel::Sms, &sent.code);
        assert_eq!(reply, Reply::Refused(Refusal::CodeExpired));
    }
}

#[test]
fn a_message_is_bound_to_its_user_and_its_number() {
    let (story, challenge, sent) = at_the_door();
    let UserEvent::CodeIssued(issued) = &story.events[0] else { panic!("no code") };
    let bob = Story::of("bob");
    assert!(GlassVault.open(&seal_context(&bob.key, sent.delivery), &issued.message).is_err());
    let other = countersign_core::ids::DeliveryId::from_bytes([9; 16]);
    assert!(GlassVault.open(&seal_context(&story.key, other), &issued.message).is_err());
    assert_eq!(issued.factor, sent.factor);
    assert!(story.state.challenge(challenge).is_some());
}

#[test]
fn every_code_is_as_likely_as_any_other() {
    use countersign_core::entropy::Entropy;
    use countersign_core::factor::message::generate;
    /// Draws that were chosen by the test.
    struct Chosen(Vec<u32>);
    impl Entropy for Chosen {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0.remove(0).to_be_bytes());
        }
    }
    let drawn = |draws: &[u32]| {
        let code: Secret = generate(&mut Chosen(draws.to_vec()));
        code.expose_str().to_owned()
    };
    assert_eq!(drawn(&[0]), "000000");
    assert_eq!(drawn(&[42_000_042]), "000042");
    assert_eq!(drawn(&[4_293_999_999]), "999999");
    // 2^32 is no multiple of a million: the draws past the last whole one would make the low codes
    // more likely, so they are drawn again.
    assert_eq!(drawn(&[4_294_000_000, u32::MAX, 7]), "000007");
}
