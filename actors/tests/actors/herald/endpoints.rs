//! What an endpoint gets and what it does not, and what comes of endpoints that change or go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_actors::ports::{Clock, Outbox};
use countersign_actors::testing::{Fate, Reception};
use countersign_core::ids::{DeliveryId, WebhookId};
use countersign_core::time::{HOUR_MS, MINUTE_MS};
use countersign_core::webhook::{DeliveryState, Disabled};

use super::{
    HOOK, change, entry, happens, hook, hooked, posted, recorded, records, secret, tenant,
};
use crate::station::{Station, pass, until};
use crate::support::SHARD;

const DAY_S: u64 = 24 * 3_600;

#[tokio::test(start_paused = true)]
async fn an_event_is_posted_once_soon_and_its_delivery_recorded() {
    let station = hooked().await;
    let begun = station.clock.now();
    let sequence = happens(&station, "bob").await;
    station.posted(1).await;
    assert!(station.clock.now().millis_since(begun) < 200);
    recorded(&station, 1, DeliveryState::Delivered).await;
    pass(DAY_S).await;
    let postings = station.provider.postings();
    assert_eq!(postings.len(), 1);
    assert_eq!(postings[0].id, DeliveryId::of_event(HOOK, SHARD, sequence));
    assert_eq!(postings[0].event.event_type, "mfa.factor.enrolled");
    assert_eq!(postings[0].url, "https://example.org/hook?token=hidden");
    let record = &records(&station)[0];
    assert_eq!((record.sequence, record.attempts, record.last_status), (sequence, 1, Some(200)));
    assert_eq!(station.replica.webhook_position(&tenant(), HOOK).unwrap(), Some(sequence));
    let shown = format!("{:?}", postings[0]);
    assert!(!shown.contains("hidden") && !shown.contains("bob"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_gets_the_events_that_it_asked_for_from_its_making_on() {
    let station = Station::new().await;
    happens(&station, "early").await;
    pass(1).await;
    let mut wanting = hook(HOOK, &station);
    wanting.events = vec!["mfa.factor.*".to_owned(), "mfa.user.locked".to_owned()];
    change(&station, |tenant| tenant.webhooks.push(wanting));
    // Made a moment before the herald looks.
    let first = happens(&station, "bob").await;
    pass(3).await;
    station.note("bob", entry("mfa.challenge.created")).await;
    let locked = station.note("bob", entry("mfa.user.locked")).await;
    station.note("bob", entry("mfa.user.locked_again")).await;
    recorded(&station, 2, DeliveryState::Delivered).await;
    pass(60).await;
    assert_eq!(posted(&station), [first, locked]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_told_of_others_and_never_of_itself() {
    let station = hooked().await;
    let other = WebhookId::from_bytes([2; 16]);
    let about = |id: WebhookId| entry("mfa.webhook.disabled").detail("webhookId", id);
    station.note("bob", about(HOOK)).await;
    let others = station.note("bob", about(other)).await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    pass(60).await;
    assert_eq!(posted(&station), [others]);
}

#[tokio::test(start_paused = true)]
async fn every_endpoint_gets_its_own() {
    let station = hooked().await;
    let other = WebhookId::from_bytes([2; 16]);
    let second = hook(other, &station);
    change(&station, |tenant| tenant.webhooks.push(second));
    pass(3).await;
    station.provider.on_posting(move |posting| {
        let failing = posting.id == DeliveryId::of_event(HOOK, SHARD, posting.event.sequence);
        if failing { Reception::Later(None) } else { Reception::Take }
    });
    for n in 0..30 {
        happens(&station, &format!("user_{n}")).await;
    }
    let delivered = || station.replica.deliveries(&tenant(), other, None, 100).unwrap();
    let took = |one: &countersign_core::webhook::Delivery| one.state == DeliveryState::Delivered;
    until(|| delivered().iter().filter(|one| took(one)).count() == 30).await;
    assert!(records(&station).iter().all(|one| one.state == DeliveryState::Pending));
}

#[tokio::test(start_paused = true)]
async fn while_nobody_has_a_webhook_no_event_is_read() {
    let station = Station::new().await;
    for n in 0..50 {
        happens(&station, &format!("user_{n}")).await;
        pass(60).await;
    }
    assert_eq!(station.replica.event_reads(), 0);
}

#[tokio::test(start_paused = true)]
async fn all_secrets_that_still_sign_are_at_hand_the_newest_first() {
    let station = hooked().await;
    let now = station.clock.now();
    change(&station, |tenant| {
        tenant.webhooks[0].secrets = vec![
            secret(HOOK, b"oldest", Some(now.plus_millis(-1))),
            secret(HOOK, b"older", Some(now.plus_millis(MINUTE_MS))),
            secret(HOOK, b"newest", None),
        ];
    });
    happens(&station, "bob").await;
    station.posted(1).await;
    pass(61).await;
    happens(&station, "bob").await;
    station.posted(2).await;
    let signed: Vec<Vec<Vec<u8>>> = station
        .provider
        .postings()
        .iter()
        .map(|posting| posting.secrets.iter().map(|one| one.expose().to_vec()).collect())
        .collect();
    assert_eq!(signed, [vec![b"newest".to_vec(), b"older".to_vec()], vec![b"newest".to_vec()]]);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_endpoint_gets_nothing_and_what_is_young_enough_once_it_is_enabled() {
    let station = hooked().await;
    let at = station.clock.now();
    change(&station, |tenant| tenant.webhooks[0].disabled = Some(Disabled { at, failing: false }));
    pass(3).await;
    happens(&station, "old").await;
    pass(2 * 3_600).await;
    let young = happens(&station, "young").await;
    pass(DAY_S - 3_600).await;
    assert!(posted(&station).is_empty() && records(&station).is_empty());
    change(&station, |tenant| tenant.webhooks[0].disabled = None);
    recorded(&station, 1, DeliveryState::Delivered).await;
    pass(60).await;
    assert_eq!(posted(&station), [young], "the other one is older than a day");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_an_endpoint_that_is_disabled_waits_on() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Later(None));
    let sequence = happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Pending).await;
    let at = station.clock.now();
    change(&station, |tenant| tenant.webhooks[0].disabled = Some(Disabled { at, failing: true }));
    pass(3 * 3_600).await;
    let tried = posted(&station).len();
    assert!(tried <= 2, "{tried}");
    station.provider.on_posting(|_| Reception::Take);
    change(&station, |tenant| tenant.webhooks[0].disabled = None);
    recorded(&station, 1, DeliveryState::Delivered).await;
    assert_eq!(posted(&station).last(), Some(&sequence));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_an_endpoint_that_is_gone_for_long_goes_too() {
    let station = hooked().await;
    happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    change(&station, |tenant| tenant.webhooks.clear());
    pass(300).await;
    assert_eq!(station.replica.webhooks().unwrap().len(), 1, "this node may have heard wrongly");
    until(|| station.replica.webhooks().unwrap().is_empty()).await;
    assert!(records(&station).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_a_node_has_not_heard_of_for_a_while_loses_nothing() {
    let station = hooked().await;
    happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    let back = hook(HOOK, &station);
    change(&station, |tenant| tenant.webhooks.clear());
    pass(300).await;
    change(&station, |tenant| tenant.webhooks.push(back));
    pass(1_200).await;
    assert_eq!(records(&station).len(), 1);
    assert_eq!(posted(&station).len(), 1, "nor is it told anything twice");
}

#[tokio::test(start_paused = true)]
async fn rows_that_nobody_wants_move_the_place_on_record_now_and_then() {
    let station = hooked().await;
    let reports = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reports);
    station.replica.judge_records(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Fate::Apply
    });
    let position = || station.replica.webhook_position(&tenant(), HOOK).unwrap();
    for _ in 0..500 {
        station.note("bob", entry("other")).await;
    }
    pass(30).await;
    assert_eq!((position(), reports.load(Ordering::SeqCst)), (None, 0));
    pass(35).await;
    assert_eq!((position(), reports.load(Ordering::SeqCst)), (Some(500), 1));
    for _ in 0..1_200 {
        station.note("bob", entry("other")).await;
    }
    pass(5).await;
    assert!(position() >= Some(1_500), "{:?}", position());
    assert!(reports.load(Ordering::SeqCst) <= 3);
    assert!(records(&station).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_answers_nothing_for_a_day_is_disabled() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Later(None));
    let begun = station.clock.now();
    happens(&station, "bob").await;
    until(|| !station.disabled.asked().is_empty()).await;
    assert_eq!(station.disabled.asked(), [HOOK]);
    let after = station.clock.now().millis_since(begun);
    assert!((24 * HOUR_MS..25 * HOUR_MS).contains(&after), "{after}");
    recorded(&station, 1, DeliveryState::Dead).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_takes_other_events_is_not_disabled() {
    let station = hooked().await;
    station.provider.on_posting(|posting| match posting.event.user.as_ref().unwrap().as_str() {
        "poison" => Reception::Never(400),
        _ => Reception::Take,
    });
    happens(&station, "poison").await;
    pass(12 * 3_600).await;
    happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Dead).await;
    pass(60).await;
    assert!(station.disabled.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_says_that_it_is_gone_is_believed() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::Never(410));
    happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Dead).await;
    assert_eq!(posted(&station).len(), 1);
    until(|| station.disabled.asked() == [HOOK]).await;
}
