//! Nobody burns money through us: what is more than a limit allows is not sent, and is told.

use countersign_tests::audit;
use countersign_tests::client::{Answer, Client};
use countersign_tests::cluster::Cluster;
use countersign_tests::phone::{PATIENCE, Phone};
use countersign_tests::receiver::Receiver;
use serde_json::{Value, json};

use crate::{alone, plan, refused, unlimited};

async fn set(client: &Client, sends: Value) {
    client.patch("/v1/mfa/policy", json!({ "sends": sends })).await.ok();
}

/// Begins and has a code sent.
async fn ask(client: &Client, phone: &Phone) -> Answer {
    phone.begin(client).await.ok();
    phone.ask(client).await
}

/// Demands that nothing is sent, and a time after which it makes sense to ask again.
#[track_caller]
fn too_many(answer: &Answer, at_most_seconds: u64) {
    refused(answer, 429, "too_many_sends");
    let seconds = answer.body["retryAfterSeconds"].as_u64().unwrap_or(0);
    assert!((1..=at_most_seconds).contains(&seconds), "{}", answer.body);
}

/// The alerts about floods.
async fn floods(client: &Client) -> Vec<Value> {
    audit::all(client, "type=mfa.alert.send_flood").await
}

/// Demands that one more flood was told than before, for this reason and in words.
async fn told_once(client: &Client, before: usize, reason: &str) {
    let floods = floods(client).await;
    assert_eq!(floods.len(), before + 1, "{floods:#?}");
    let alert = floods.iter().find(|alert| alert["reason"] == reason);
    let alert = alert.unwrap_or_else(|| panic!("none for {reason}: {floods:#?}"));
    assert!(alert["details"]["summary"].as_str().is_some_and(|text| text.len() > 20), "{alert}");
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

#[tokio::test]
async fn every_limit_holds_and_a_flood_is_told_once() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = unlimited(1, &receiver).await;
    let client = cluster.client(0);
    let mut sent = 0;

    // A pause between two codes, as a new tenant begins.
    set(&client, json!({ "cooldownSeconds": 30 })).await;
    let ann = Phone::of("ann", 1);
    let first = ask(&client, &ann).await.ok();
    sent += 1;
    assert!(first["resendAvailableAt"].is_string(), "{first}");
    too_many(&ann.ask(&client).await, 30);
    // To begin again does not shorten it.
    too_many(&ask(&client, &ann).await, 30);

    // Per user.
    set(&client, json!({ "cooldownSeconds": 0, "perTenMinutes": 3 })).await;
    for _ in 0..2 {
        ann.ask(&client).await.ok();
        sent += 1;
    }
    too_many(&ann.ask(&client).await, 600);
    set(&client, json!({ "perTenMinutes": 100, "perDay": 4 })).await;
    ann.ask(&client).await.ok();
    sent += 1;
    for _ in 0..3 {
        too_many(&ann.ask(&client).await, DAY);
    }
    set(&client, json!({ "perDay": 1_000 })).await;
    let refusals = audit::all(&client, "userId=ann&type=mfa.code.refused").await;
    assert_eq!(refusals.len(), 2, "one for each limit, however often: {refusals:#?}");
    assert!(floods(&client).await.is_empty());

    // Per number, over users.
    set(&client, json!({ "perDestinationPerDay": 3 })).await;
    for user in ["bea", "bob", "ben"] {
        ask(&client, &Phone::of(user, 2)).await.ok();
        sent += 1;
    }
    for user in ["bert", "bill"] {
        too_many(&ask(&client, &Phone::of(user, 2)).await, DAY);
    }
    told_once(&client, 0, "per_destination").await;

    // Per prefix, over numbers; another prefix is no concern of it.
    set(&client, json!({ "perDestinationPerDay": 10_000, "perPrefixPerHour": 5 })).await;
    for serial in 0..5 {
        ask(&client, &Phone::within("+1212", format!("cat-{serial}"), serial)).await.ok();
        sent += 1;
    }
    for serial in 5..8 {
        let phone = Phone::within("+1212", format!("cat-{serial}"), serial);
        too_many(&ask(&client, &phone).await, HOUR);
    }
    told_once(&client, 1, "per_prefix").await;
    ask(&client, &Phone::within("+1917", "dan", 1)).await.ok();
    sent += 1;

    // By country, and numbers that earn from being called.
    set(&client, json!({ "allowedCountries": ["US"], "perPrefixPerHour": 1_000_000 })).await;
    let abroad = Phone { user: "eli".into(), number: "+447400123456".into() };
    refused(&abroad.begin(&client).await, 403, "factor_not_allowed");
    set(&client, json!({ "allowedCountries": [], "blockedCountries": ["GB"] })).await;
    refused(&abroad.begin(&client).await, 403, "factor_not_allowed");
    set(&client, json!({ "blockedCountries": [] })).await;
    let premium = Phone { user: "eli".into(), number: "+19005552671".into() };
    refused(&premium.begin(&client).await, 422, "validation_failed");

    // Per day, over everything.
    set(&client, json!({ "perTenantPerDay": sent + 2 })).await;
    for serial in 0..4 {
        let answer = ask(&client, &Phone::within("+1646", format!("flo-{serial}"), serial)).await;
        match serial {
            0 | 1 => drop(answer.ok()),
            _ => too_many(&answer, DAY),
        }
    }
    sent += 2;
    told_once(&client, 2, "per_tenant").await;

    // What was refused did not leave.
    let arrived = receiver.wait_for(PATIENCE, |_| receiver.received().len() >= sent).await;
    assert!(arrived.is_some(), "of {sent} messages {} came", receiver.received().len());
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(receiver.received().len(), sent, "more left than was allowed");
}

#[tokio::test]
async fn nothing_is_sent_to_a_prefix_where_hardly_any_code_is_used() {
    let _machine = alone().await;
    if !Cluster::can_skew() {
        return;
    }
    let receiver = Receiver::start().await;
    let mut cluster = unlimited(1, &receiver).await;
    let client = cluster.client(0);
    set(&client, json!({ "conversion": { "enabled": true, "minSends": 6, "minPercent": 50 } }))
        .await;
    for serial in 0..7 {
        // Nobody is there where codes are sent for the money.
        ask(&client, &Phone::within("+1212", format!("pumped-{serial}"), serial)).await.ok();
        Phone::within("+1415", format!("used-{serial}"), serial).enroll(&client, &receiver).await;
    }
    cluster.kill(0);
    // Whoever was sent a code had time to use it, and no hour has passed.
    cluster.set_skew(0, 25 * 60);
    cluster.restart(0).await;
    let came = receiver.received().len();
    for serial in 10..13 {
        let phone = Phone::within("+1212", format!("pumped-{serial}"), serial);
        too_many(&ask(&client, &phone).await, HOUR);
    }
    told_once(&client, 0, "conversion").await;
    Phone::within("+1415", "used-10", 10).enroll(&client, &receiver).await;
    ask(&client, &Phone::within("+1917", "fresh", 1)).await.ok();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(receiver.received().len(), came + 2, "something left that was refused");
}

#[tokio::test]
async fn a_limit_over_users_holds_over_three_nodes_but_for_what_is_on_its_way() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = Cluster::start(plan(3, &receiver)).await;
    countersign_tests::phone::without_limits(&cluster.client(0)).await;
    set(&cluster.client(0), json!({ "perPrefixPerHour": 20 })).await;
    let mut accepted = 0;
    for wave in 0..10 {
        let asked = (0..6).map(|number| {
            let client = cluster.client(number % 3);
            let serial = u32::try_from(wave * 6 + number).unwrap();
            async move {
                let phone = Phone::within("+1212", format!("wave-{serial}"), serial);
                ask(&client, &phone).await
            }
        });
        for answer in futures::future::join_all(asked).await {
            match answer.status.as_u16() {
                202 => accepted += 1,
                _ => too_many(&answer, HOUR),
            }
        }
    }
    // Six at once may have been let through by six shards that did not know of each other.
    assert!((20..=20 + 2 * 6).contains(&accepted), "{accepted} of 60 were let through");
    let alerts = floods(&cluster.client(1)).await;
    assert!(!alerts.is_empty(), "nobody was told");
}
