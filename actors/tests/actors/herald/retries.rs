//! Trying again, on the schedule and on request.

use std::time::Duration;

use countersign_actors::ports::{Clock, Outbox, Replica};
use countersign_actors::testing::Reception;
use countersign_core::proposal::{Applied, LogCommand};
use countersign_core::webhook::DeliveryState;

use super::{HOOK, happens, hooked, posted, recorded, records, tenant};
use crate::station::{Station, pass, until};

async fn ask_again(station: &Station, sequence: u64) -> Applied {
    let command = LogCommand::Redeliver {
        tenant: tenant(),
        webhook: HOOK,
        sequence,
        now: station.clock.now(),
    };
    station.replica.propose(command).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_attempt_leaves_its_trace_and_the_next_is_later_each_time() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Later(None));
    happens(&station, "bob").await;
    station.posted(5).await;
    let times: Vec<i64> =
        station.provider.postings().iter().map(|posting| posting.now.millis()).collect();
    let delays: Vec<i64> = times.windows(2).map(|pair| (pair[1] - pair[0]) / 1_000).collect();
    for (delay, about) in delays.iter().zip([5, 30, 120, 600]) {
        assert!((about * 3 / 4..=about * 5 / 4 + 1).contains(delay), "{delays:?}");
    }
    until(|| records(&station)[0].attempts == 5).await;
    let record = &records(&station)[0];
    assert_eq!((record.state, record.last_status), (DeliveryState::Pending, Some(503)));
    assert!(record.next_attempt_at > record.last_attempt_at);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_not_asked_before_the_time_that_it_named() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Later(Some(Duration::from_secs(1_000))));
    happens(&station, "bob").await;
    pass(990).await;
    assert_eq!(posted(&station).len(), 1);
    station.posted(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_sent_again_when_asked_for() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Never(410));
    let sequence = happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Dead).await;
    station.provider.on_posting(|_| Reception::Take);
    pass(3_600).await;
    assert_eq!(posted(&station).len(), 1);
    assert_eq!(ask_again(&station, sequence).await, Applied::Noted);
    recorded(&station, 1, DeliveryState::Delivered).await;
    let postings = station.provider.postings();
    assert_eq!((postings.len(), postings[0].id), (2, postings[1].id));
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_is_sent_again_when_asked_for_and_keeps_nobody_waiting() {
    let station = hooked().await;
    let first = happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    station.provider.on_posting(move |posting| match posting.event.sequence == first {
        true => Reception::Later(None),
        false => Reception::Take,
    });
    ask_again(&station, first).await;
    recorded(&station, 1, DeliveryState::Pending).await;
    station.posted(2).await;
    let second = happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    assert!(posted(&station).contains(&second), "the first one has had its turn");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_next_attempt_is_tried_at_once_when_asked_for() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Later(Some(Duration::from_secs(3_000))));
    let sequence = happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Pending).await;
    until(|| records(&station)[0].attempts == 1).await;
    station.provider.on_posting(|_| Reception::Take);
    ask_again(&station, sequence).await;
    let begun = tokio::time::Instant::now();
    recorded(&station, 1, DeliveryState::Delivered).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(records(&station)[0].attempts, 1, "counted anew");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_not_in_the_chain_is_nobody_s_to_deliver() {
    let station = hooked().await;
    assert_eq!(ask_again(&station, 77).await, Applied::Unknown);
    pass(60).await;
    assert!(station.replica.delivery(&tenant(), HOOK, 77).unwrap().is_none());
    assert!(posted(&station).is_empty());
}
