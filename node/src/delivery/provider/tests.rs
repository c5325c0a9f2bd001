use std::collections::VecDeque;
use std::sync::Mutex;

use countersign_core::message::Channel;
use futures::FutureExt;
use futures::future::{pending, ready};

use super::*;
use crate::delivery::render::tests::parcel;

/// Answers what it was told to; `None` never.
struct Scripted(Mutex<VecDeque<Option<Result<Carried, Refusal>>>>);

impl Provider for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn send<'a>(
        &'a self,
        _parcel: &'a Parcel,
        _words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>> {
        match self.0.lock().unwrap().pop_front() {
            Some(Some(answer)) => ready(answer).boxed(),
            Some(None) => pending().boxed(),
            None => panic!("asked once too often"),
        }
    }
}

fn guarded(answers: impl IntoIterator<Item = Option<Result<Carried, Refusal>>>) -> Guarded {
    Guarded::new(Box::new(Scripted(Mutex::new(answers.into_iter().collect()))))
}

fn later(reason: &str) -> NotCarried {
    NotCarried::Later { reason: reason.to_owned(), after: None }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_left_alone_and_then_tried_again() {
    let failures = (0..5).map(|_| Some(Err(Refusal::fault("http_503"))));
    let guarded = guarded(failures.chain([Some(Ok(Carried::default()))]));
    let sms = parcel(Channel::Sms);
    for _ in 0..5 {
        assert_eq!(guarded.carry(&sms).await, Err(later("http_503")));
    }
    let Err(NotCarried::Closed { reopens_in }) = guarded.carry(&sms).await else { panic!("asked") };
    tokio::time::advance(reopens_in).await;
    assert_eq!(guarded.carry(&sms).await, Ok(Carried::default()));
    assert!(guarded.breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_messages_does_not_close_a_provider() {
    let refusals = [Refusal::never("smtp_550"), Refusal::later("smtp_450")];
    let guarded = guarded(refusals.into_iter().cycle().take(20).map(|one| Some(Err(one))));
    let sms = parcel(Channel::Sms);
    for _ in 0..20 {
        assert!(!matches!(guarded.carry(&sms).await, Err(NotCarried::Closed { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_costs_ten_seconds_and_then_nothing() {
    let guarded = guarded((0..5).map(|_| None));
    let sms = parcel(Channel::Sms);
    for _ in 0..5 {
        let begun = Instant::now();
        assert_eq!(guarded.carry(&sms).await, Err(later(TIMEOUT)));
        assert_eq!(begun.elapsed().as_secs(), WHOLE.as_secs());
    }
    assert!(matches!(guarded.carry(&sms).await, Err(NotCarried::Closed { .. })));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_few_are_under_way_and_the_rest_do_not_wait_long() {
    let guarded = guarded((0..AT_ONCE).map(|_| None));
    let sms = parcel(Channel::Sms);
    let all = (0..AT_ONCE + 3).map(|_| guarded.carry(&sms));
    let outcomes = futures::future::join_all(all).await;
    let count = |reason: &str| outcomes.iter().filter(|one| **one == Err(later(reason))).count();
    assert_eq!((count(TIMEOUT), count(BUSY)), (AT_ONCE, 3));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_leaves_the_way_to_the_next() {
    let failures = (0..5).map(|_| Some(Err(Refusal::fault("connect"))));
    let guarded = guarded(failures.chain([None, Some(Ok(Carried::default()))]));
    let sms = parcel(Channel::Sms);
    for _ in 0..5 {
        let _ = guarded.carry(&sms).await;
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(timeout(Duration::from_secs(1), guarded.carry(&sms)).await.is_err());
    assert_eq!(guarded.carry(&sms).await, Ok(Carried::default()));
}
