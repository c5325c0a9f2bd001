//! Leaders come and go while messages are on their way.

use std::time::Duration;

use countersign_actors::ports::{Clock, Outbox, Replica};
use countersign_actors::testing::{Fate, Reception};
use countersign_core::message::Channel;
use countersign_core::outbox::Settlement;
use countersign_core::proposal::LogCommand;

use crate::station::{Station, failed, pass, sent, until};
use crate::support::SHARD;

#[tokio::test(start_paused = true)]
async fn a_leader_that_ends_between_send_and_record_has_it_sent_again_under_the_same_number() {
    for round in 0..50 {
        let station = Station::new().await;
        station.replica.judge_records(|_| Fate::Hold);
        station.send("bob", Channel::Sms).await;
        station.holding(1).await;
        assert_eq!(station.provider.parcels().len(), 1);
        station.service.resign(SHARD);
        station.holding(0).await;
        assert_eq!(station.waiting(), 1, "round {round}: nothing was recorded");

        station.replica.judge_records(|_| Fate::Apply);
        station.lead().await;
        assert_eq!(station.settled(1).await, [(sent(), 1)]);
        let parcels = station.provider.parcels();
        assert_eq!(parcels.len(), 2, "round {round}: at least once");
        assert_eq!(parcels[0].id, parcels[1].id, "so that the receiver can drop the second");

        // From the record on it is exactly once, whoever leads.
        station.service.resign(SHARD);
        station.lead().await;
        pass(400).await;
        assert_eq!(station.provider.parcels().len(), 2, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_ends_before_it_sends_leaves_the_message_to_the_next() {
    for round in 0..50 {
        let station = Station::new().await;
        station.replica.open_barrier(false);
        station.send("bob", Channel::Sms).await;
        station.at_barrier(1).await;
        station.service.resign(SHARD);
        station.replica.open_barrier(true);
        pass(30).await;
        assert!(
            station.provider.parcels().is_empty(),
            "round {round}: it knew that it was deposed"
        );
        station.lead().await;
        assert_eq!(station.settled(1).await, [(sent(), 1)]);
        assert_eq!(station.provider.parcels().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_leader_recorded_meanwhile_is_not_sent() {
    let station = Station::new().await;
    station.replica.open_barrier(false);
    station.send("bob", Channel::Sms).await;
    station.at_barrier(1).await;
    // This node has seen the message; now it hears, with its confirmation, what was done about it.
    let row = station.replica.messages(None, 1).unwrap().remove(0);
    let outcomes = vec![(row.key(), sent(), 1)];
    let settlement = Settlement { now: station.clock.now(), outcomes };
    station.replica.propose(LogCommand::Settle(Box::new(settlement))).await.unwrap();
    station.replica.open_barrier(true);
    pass(400).await;
    assert!(station.provider.parcels().is_empty());
    assert_eq!(station.settled(1).await, [(sent(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_confirm_that_it_leads_sends_nothing_and_asks_ever_more_rarely() {
    let station = Station::new().await;
    station.replica.set_quorum(false);
    station.send("bob", Channel::Sms).await;
    pass(60).await;
    assert!(station.provider.parcels().is_empty());
    station.replica.set_quorum(true);
    assert_eq!(station.settled(1).await, [(sent(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_given_up_in_order_sends_nothing_twice() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::TakeLater);
    for n in 0..20 {
        station.send(&format!("user_{n}"), Channel::Sms).await;
    }
    station.handed(8).await;
    let retired = station.retiring();
    pass(1).await;
    assert!(!retired.is_finished(), "what is under way is waited for");
    station.provider.release();
    assert!(retired.await.unwrap());
    let begun = station.provider.parcels().len();
    assert_eq!(begun, 8, "nothing was begun after the word");
    assert_eq!(station.replica.settled().len(), begun, "all of it is recorded");
    station.lead().await;
    station.settled(20).await;
    pass(400).await;
    let mut ids: Vec<_> = station.provider.parcels().iter().map(|parcel| parcel.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), station.provider.parcels().len()), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_handed_over_yet_when_the_word_came_is_not() {
    let station = Station::new().await;
    station.replica.open_barrier(false);
    station.send("bob", Channel::Sms).await;
    station.at_barrier(1).await;
    let retired = station.retiring();
    pass(1).await;
    station.replica.open_barrier(true);
    assert!(retired.await.unwrap());
    assert!(station.provider.parcels().is_empty());
    station.lead().await;
    assert_eq!(station.settled(1).await, [(sent(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn questions_are_answered_while_what_is_under_way_is_waited_for() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::TakeLater);
    station.send("bob", Channel::Sms).await;
    station.handed(1).await;
    let retired = station.retiring();
    pass(1).await;
    // Written now, and sent by whoever leads next.
    station.send("ann", Channel::Sms).await;
    assert_eq!(station.provider.parcels().len(), 1);
    station.provider.release();
    assert!(retired.await.unwrap());
    station.lead().await;
    station.settled(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_does_not_keep_a_shard_from_being_given_up() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::Hang);
    station.send("bob", Channel::Sms).await;
    station.handed(1).await;
    let begun = tokio::time::Instant::now();
    assert!(station.service.retire(SHARD, Duration::from_secs(2)).await, "no question waits");
    assert!(begun.elapsed() <= Duration::from_secs(2));
    until(|| station.provider.held() == 0).await;
    station.provider.on_parcel(|_| Reception::Take);
    station.lead().await;
    assert_eq!(station.settled(1).await, [(sent(), 1)]);
    let parcels = station.provider.parcels();
    assert_eq!((parcels.len(), parcels[0].id), (2, parcels[1].id));
}

#[tokio::test(start_paused = true)]
async fn what_died_while_nobody_led_is_told_and_not_sent() {
    let station = Station::new().await;
    station.replica.open_barrier(false);
    station.send("bob", Channel::Sms).await;
    station.service.resign(SHARD);
    pass(301).await;
    station.replica.open_barrier(true);
    station.lead().await;
    assert_eq!(station.settled(1).await, [(failed("expired"), 0)]);
    assert!(station.provider.parcels().is_empty());
}
