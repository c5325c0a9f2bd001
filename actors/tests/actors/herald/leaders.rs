//! Leaders come and go while events are on their way.

use countersign_actors::ports::Outbox;
use countersign_actors::testing::{Fate, Reception};
use countersign_core::webhook::DeliveryState;

use super::{HOOK, happens, hooked, posted, recorded, records, tenant};
use crate::station::{pass, until};
use crate::support::SHARD;

#[tokio::test(start_paused = true)]
async fn what_was_posted_and_not_recorded_is_posted_again_under_the_same_number() {
    let station = hooked().await;
    station.replica.judge_records(|_| Fate::Hold);
    happens(&station, "bob").await;
    station.posted(1).await;
    station.holding(1).await;
    station.service.resign(SHARD);
    station.holding(0).await;
    assert!(records(&station).is_empty());
    station.replica.judge_records(|_| Fate::Apply);
    station.lead().await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    let postings = station.provider.postings();
    assert_eq!((postings.len(), postings[0].id), (2, postings[1].id));
}

#[tokio::test(start_paused = true)]
async fn what_is_on_record_as_delivered_is_never_posted_again() {
    let station = hooked().await;
    for n in 0..30 {
        happens(&station, &format!("user_{n}")).await;
    }
    recorded(&station, 30, DeliveryState::Delivered).await;
    for _ in 0..5 {
        station.service.resign(SHARD);
        station.lead().await;
        pass(30).await;
    }
    assert_eq!(posted(&station).len(), 30);
}

#[tokio::test(start_paused = true)]
async fn the_next_leader_goes_on_where_attempts_and_order_stood() {
    let station = hooked().await;
    station.provider.on_posting(|posting| match posting.event.sequence {
        1 => Reception::Later(None),
        _ => Reception::Take,
    });
    happens(&station, "bob").await;
    happens(&station, "bob").await;
    until(|| records(&station).first().is_some_and(|one| one.attempts == 3)).await;
    let since = records(&station)[0].since;
    station.service.resign(SHARD);
    station.lead().await;
    until(|| records(&station)[0].attempts == 4).await;
    assert_eq!(records(&station)[0].since, since, "a day in all, not a day for each leader");
    assert!(!posted(&station).contains(&2), "bob's second event still waits");
    station.provider.on_posting(|_| Reception::Take);
    recorded(&station, 2, DeliveryState::Delivered).await;
    assert_eq!(posted(&station).last(), Some(&2));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_lost_is_made_again() {
    for lost in [Fate::LoseAnswer, Fate::NotLeader] {
        let station = hooked().await;
        let turn = std::sync::atomic::AtomicUsize::new(0);
        station.replica.judge_records(move |_| {
            match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0..3 => lost,
                _ => Fate::Apply,
            }
        });
        for n in 0..10 {
            happens(&station, &format!("user_{n}")).await;
        }
        recorded(&station, 10, DeliveryState::Delivered).await;
        until(|| station.replica.webhook_position(&tenant(), HOOK).unwrap() == Some(10)).await;
        assert_eq!(posted(&station).len(), 10, "{lost:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_never_gets_ahead_of_the_records_that_it_covers() {
    let station = hooked().await;
    // Many more than one report takes, some reports are lost, and the leader ends in between.
    let turn = std::sync::atomic::AtomicUsize::new(0);
    station.replica.judge_records(move |_| {
        match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 3 {
            0 => Fate::NotLeader,
            1 => Fate::LoseAnswer,
            _ => Fate::Apply,
        }
    });
    let check = || {
        let position = station.replica.webhook_position(&tenant(), HOOK).unwrap().unwrap_or(0);
        let known: Vec<u64> = records(&station).iter().map(|one| one.sequence).collect();
        assert!((1..=position).all(|place| known.contains(&place)), "{position}: {known:?}");
    };
    for round in 0..6 {
        for n in 0..50 {
            happens(&station, &format!("user_{n}")).await;
            if n % 10 == 0 {
                pass(1).await;
                check();
            }
        }
        if round % 2 == 1 {
            station.service.resign(SHARD);
            check();
            station.lead().await;
        }
    }
    recorded(&station, 300, DeliveryState::Delivered).await;
    check();
}

#[tokio::test(start_paused = true)]
async fn who_cannot_confirm_that_it_leads_posts_nothing() {
    let station = hooked().await;
    station.replica.set_quorum(false);
    happens(&station, "bob").await;
    pass(60).await;
    assert!(posted(&station).is_empty());
    station.replica.set_quorum(true);
    recorded(&station, 1, DeliveryState::Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_posted_yet_when_the_word_came_is_not() {
    let station = hooked().await;
    station.replica.open_barrier(false);
    happens(&station, "bob").await;
    station.at_barrier(1).await;
    let retired = station.retiring();
    pass(1).await;
    station.replica.open_barrier(true);
    assert!(retired.await.unwrap());
    assert!(posted(&station).is_empty());
    station.lead().await;
    recorded(&station, 1, DeliveryState::Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_given_up_in_order_posts_nothing_twice() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::TakeLater);
    for n in 0..20 {
        happens(&station, &format!("user_{n}")).await;
    }
    station.posted(8).await;
    let retired = station.retiring();
    pass(1).await;
    assert!(!retired.is_finished());
    station.provider.release();
    assert!(retired.await.unwrap());
    assert_eq!(posted(&station).len(), 8);
    station.lead().await;
    recorded(&station, 20, DeliveryState::Delivered).await;
    pass(60).await;
    assert_eq!(posted(&station).len(), 20);
}
