//! Events of one user come in order, whatever fails; nobody else waits for them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_actors::Options;
use countersign_actors::ports::{Clock, Directory};
use countersign_actors::testing::{FixedVault, Reception};
use countersign_core::audit::AuditEntry;
use countersign_core::ids::{TenantId, WebhookId};
use countersign_core::tenant::TenantState;
use countersign_core::time::HOUR_MS;
use countersign_core::webhook::{DeliveryState, Webhook};
use std::sync::Arc;

use super::{HOOK, change, happens, hook, hooked, posted, recorded, records, secret_of};
use crate::station::{Station, pass, until};
use crate::support::options;

#[tokio::test(start_paused = true)]
async fn a_users_next_event_waits_until_the_one_before_was_taken() {
    let station = hooked().await;
    let tries = AtomicUsize::new(0);
    station.provider.on_posting(move |posting| {
        let first = posting.event.sequence == 1;
        match first && tries.fetch_add(1, Ordering::SeqCst) < 3 {
            true => Reception::Later(None),
            false => Reception::Take,
        }
    });
    for user in ["bob", "bob", "ann", "bob", "ann"] {
        happens(&station, user).await;
    }
    recorded(&station, 5, DeliveryState::Delivered).await;
    let posted = posted(&station);
    assert_eq!(posted.len(), 8);
    assert_eq!(&posted[posted.len() - 4..], [1, 1, 2, 4], "bob's, in order: {posted:?}");
    let anns: Vec<_> = posted.iter().filter(|one| [3, 5].contains(*one)).collect();
    assert_eq!(anns, [&3, &5], "ann's meanwhile: {posted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_failures_never_turns_a_users_events_around() {
    let station = hooked().await;
    let turn = AtomicUsize::new(0);
    station.provider.on_posting(move |_| match turn.fetch_add(1, Ordering::SeqCst) % 3 {
        0 => Reception::Later(None),
        1 => Reception::Panic,
        _ => Reception::Take,
    });
    for n in 0..90 {
        happens(&station, &format!("user_{}", n % 9)).await;
    }
    recorded(&station, 90, DeliveryState::Delivered).await;
    let mut last = BTreeMap::new();
    for posting in station.provider.postings() {
        let user = posting.event.user.clone().unwrap();
        let before = last.insert(user, posting.event.sequence);
        assert!(before.is_none_or(|before| before <= posting.event.sequence), "{before:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_lets_the_users_next_events_go() {
    let station = hooked().await;
    station.provider.on_posting(|posting| match posting.event.sequence {
        1 => Reception::Never(400),
        _ => Reception::Take,
    });
    happens(&station, "bob").await;
    happens(&station, "bob").await;
    pass(12 * 3_600).await;
    assert!(!posted(&station).contains(&2));
    recorded(&station, 1, DeliveryState::Delivered).await;
    let states: Vec<_> = records(&station).iter().map(|one| one.state).collect();
    assert_eq!(states, [DeliveryState::Dead, DeliveryState::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_asked_by_so_many_at_once_and_by_one_once_it_fails() {
    let station = hooked().await;
    station.provider.on_posting(|_| Reception::TakeLater);
    for n in 0..40 {
        happens(&station, &format!("user_{n}")).await;
    }
    pass(10).await;
    assert_eq!((station.provider.held(), station.provider.at_once()), (8, 8));
    // All of these fail at the end of their time.
    station.provider.on_posting(|_| Reception::Hang);
    pass(120).await;
    assert_eq!(station.provider.held(), 1);
    station.provider.on_posting(|_| Reception::Take);
    recorded(&station, 40, DeliveryState::Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_hang_leave_room_for_the_others() {
    let options = Options { postings_per_shard: 8, ..options() };
    let station = Station::with(options, Arc::new(FixedVault)).await;
    let dead: Vec<WebhookId> = (10..16).map(|n| WebhookId::from_bytes([n; 16])).collect();
    for id in dead.iter().copied().chain([HOOK]) {
        let mut hook = hook(id, &station);
        hook.url = if id == HOOK { "alive".to_owned() } else { "dead".to_owned() };
        change(&station, |tenant| tenant.webhooks.push(hook));
    }
    station.provider.on_posting(|posting| match posting.url.as_str() {
        "alive" => Reception::Take,
        _ => Reception::Hang,
    });
    pass(3).await;
    for n in 0..20 {
        happens(&station, &format!("user_{n}")).await;
    }
    pass(300).await;
    assert!(station.provider.at_once() <= 8);
    let begun = tokio::time::Instant::now();
    let before = records(&station).len();
    for n in 20..40 {
        happens(&station, &format!("user_{n}")).await;
    }
    recorded(&station, before + 20, DeliveryState::Delivered).await;
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_tenants_endpoints_that_hang_leave_room_for_anothers() {
    let options = Options { postings_per_shard: 8, postings_per_tenant: 4, ..options() };
    let station = Station::with(options, Arc::new(FixedVault)).await;
    let other: TenantId = "other".parse().unwrap();
    let mut tenant =
        TenantState::clone(&station.directory.tenant(&TenantId::default_tenant()).unwrap());
    tenant.id = other.clone();
    let alive = hook(HOOK, &station);
    for id in (10..22).map(|n| WebhookId::from_bytes([n; 16])) {
        let secrets = vec![secret_of(&other, id, b"first", None)];
        let dead = Webhook { url: "dead".to_owned(), secrets, ..hook(id, &station) };
        tenant.webhooks.push(dead);
    }
    station.directory.put(tenant);
    change(&station, |tenant| tenant.webhooks.push(alive));
    station.provider.on_posting(|posting| match posting.url.as_str() {
        "dead" => Reception::Hang,
        _ => Reception::Take,
    });
    pass(3).await;
    // Twelve endpoints of one tenant hang for a minute each, before any of them has failed once.
    let others = Station { tenant: other, ..station.clone() };
    for n in 0..20 {
        others.note(&format!("user_{n}"), AuditEntry::success("mfa.factor.enrolled")).await;
    }
    pass(2).await;
    assert_eq!(station.provider.held(), 4, "so many of one tenant");
    let begun = tokio::time::Instant::now();
    for n in 0..20 {
        happens(&station, &format!("user_{n}")).await;
    }
    recorded(&station, 20, DeliveryState::Delivered).await;
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_new_events_are_taken_up_while_a_hundred_wait() {
    let station = hooked().await;
    let open = Arc::new(Mutex::new(false));
    let opened = Arc::clone(&open);
    station.provider.on_posting(move |_| match *opened.lock().unwrap() {
        true => Reception::Take,
        false => Reception::Later(None),
    });
    for n in 0..250 {
        happens(&station, &format!("user_{n}")).await;
    }
    pass(3_600).await;
    assert_eq!(records(&station).len(), 100);
    *open.lock().unwrap() = true;
    until(|| posted(&station).contains(&250)).await;
    recorded(&station, 250, DeliveryState::Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_shard_whose_time_is_ahead_is_posted_with_real_time() {
    let station = hooked().await;
    station.replica.set_last_now(station.clock.now().plus_millis(6 * HOUR_MS));
    happens(&station, "bob").await;
    recorded(&station, 1, DeliveryState::Delivered).await;
    let posting = station.provider.postings().remove(0);
    assert!(posting.now <= station.clock.now(), "{:?}", posting.now);
}
