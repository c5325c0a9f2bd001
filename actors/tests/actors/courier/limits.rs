//! A dead provider: bounded memory, and nothing else held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use countersign_actors::Options;
use countersign_actors::ports::{Clock, Directory};
use countersign_actors::testing::{FixedVault, Reception};
use countersign_core::ids::TenantId;
use countersign_core::message::Channel;
use countersign_core::tenant::TenantState;
use metrics::{
    Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tokio::time::Instant;

use crate::station::{Station, pass, until};
use crate::support::options;

/// Knows how many messages couriers have in memory, and the most that it ever were.
#[derive(Clone, Default)]
struct Waiting(Arc<(AtomicI64, AtomicI64)>);

impl Waiting {
    fn now(&self) -> i64 {
        self.0.0.load(Ordering::SeqCst)
    }

    fn most(&self) -> i64 {
        self.0.1.load(Ordering::SeqCst)
    }
}

impl GaugeFn for Waiting {
    fn increment(&self, value: f64) {
        let now = self.0.0.fetch_add(value as i64, Ordering::SeqCst) + value as i64;
        self.0.1.fetch_max(now, Ordering::SeqCst);
    }

    fn decrement(&self, value: f64) {
        self.0.0.fetch_sub(value as i64, Ordering::SeqCst);
    }

    fn set(&self, _value: f64) {}
}

impl Recorder for Waiting {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match key.name() {
            "countersign_messages_waiting" => Gauge::from_arc(Arc::new(self.clone())),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

async fn small() -> Station {
    let options = Options { sends_per_shard: 4, sends_waiting: 32, ..options() };
    Station::with(options, Arc::new(FixedVault)).await
}

#[tokio::test(start_paused = true)]
async fn a_dead_provider_of_one_channel_holds_the_other_up_in_nothing() {
    for (dead, alive) in [(Channel::Sms, Channel::Email), (Channel::Email, Channel::Sms)] {
        for reception in [Reception::Hang, Reception::Later(None)] {
            let station = small().await;
            let down = reception.clone();
            station.provider.on_parcel(move |parcel| match parcel.message.channel == dead {
                true => down.clone(),
                false => Reception::Take,
            });
            for n in 0..100 {
                station.send(&format!("user_{n}"), dead).await;
            }
            pass(5).await;
            for n in 100..110 {
                let begun = Instant::now();
                station.send(&format!("user_{n}"), alive).await;
                station.settled(n - 99).await;
                assert!(begun.elapsed() < Duration::from_secs(1), "{reception:?}: user {n}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn memory_and_sends_are_bounded_however_many_messages_wait() {
    let waiting = Waiting::default();
    let _local = metrics::set_default_local_recorder(&waiting);
    for reception in [Reception::Hang, Reception::Later(None)] {
        let station = small().await;
        station.provider.on_parcel(move |_| reception.clone());
        for n in 0..300 {
            station.send(&format!("user_{n}"), Channel::Sms).await;
        }
        pass(60).await;
        assert!(station.provider.at_once() <= 2, "half of four at once");
        assert!((1..=16).contains(&waiting.now()), "half of 32 in memory: {}", waiting.now());
        assert!(station.waiting() >= 299, "the rest is in the store");
        // All of them die unsent and are told to have; a batch at a time has no place in memory.
        station.settled(300).await;
        assert_eq!(station.waiting(), 0);
        assert_eq!(station.told("mfa.delivery.failed").len(), 300);
        assert!(waiting.most() <= 16 + 256 + 64, "{}", waiting.most());
        until(|| waiting.now() == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_new_is_tried_before_those_that_fail_again_and_again() {
    let station = small().await;
    station.provider.on_parcel(|_| Reception::Later(None));
    for n in 0..50 {
        station.send(&format!("user_{n}"), Channel::Sms).await;
    }
    pass(120).await;
    // A provider that fails for some and works for others.
    let failing: Vec<_> = station.provider.parcels().iter().map(|parcel| parcel.id).collect();
    station.provider.on_parcel(move |parcel| match failing.contains(&parcel.id) {
        true => Reception::Later(None),
        false => Reception::Take,
    });
    for n in 50..60 {
        let begun = Instant::now();
        station.send(&format!("user_{n}"), Channel::Sms).await;
        station.settled(n - 49).await;
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "user {n} waits behind the failing for {:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_found_no_room_is_sent_once_the_provider_is_back() {
    let station = small().await;
    station.provider.on_parcel(|_| Reception::Later(None));
    for n in 0..200 {
        station.send(&format!("user_{n}"), Channel::Email).await;
    }
    pass(120).await;
    station.provider.on_parcel(|_| Reception::Take);
    let begun = Instant::now();
    let settled = station.settled(200).await;
    assert!(settled.iter().all(|(outcome, _)| *outcome == crate::station::sent()));
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn many_messages_of_the_same_moment_are_all_found() {
    let station = small().await;
    station.provider.on_parcel(|_| Reception::TakeLater);
    for n in 0..300 {
        station.send(&format!("user_{n}"), Channel::Sms).await;
    }
    station.provider.release();
    station.settled(300).await;
    assert_eq!(station.provider.parcels().len(), 300);
}

#[tokio::test(start_paused = true)]
async fn the_messages_of_a_tenant_that_is_unknown_here_keep_nobody_waiting() {
    let station = small().await;
    let known = station.directory.tenant(&TenantId::default_tenant()).unwrap();
    let mut other = TenantState::clone(&known);
    other.id = "other".parse().unwrap();
    station.directory.put(other.clone());
    let others = Station { tenant: other.id.clone(), ..station.clone() };
    station.provider.on_parcel(|_| Reception::Later(None));
    for n in 0..2 {
        others.send(&format!("user_{n}"), Channel::Sms).await;
    }
    station.handed(2).await;
    other.removed_at = Some(station.clock.now());
    station.directory.put(other);
    station.provider.on_parcel(|_| Reception::Take);
    pass(5).await;
    for n in 2..12 {
        let begun = Instant::now();
        station.send(&format!("user_{n}"), Channel::Sms).await;
        station.settled(n - 1).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "user {n}");
    }
    let parcels = station.provider.parcels();
    assert_eq!(parcels.len(), 12, "nothing of the other's was sent once it was unknown");
}
