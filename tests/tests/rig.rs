//! The rig itself, on a cluster of one: what it claims to do to a node really happens.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

use countersign_tests::app::App;
use countersign_tests::cluster::{Cluster, Plan};
use serde_json::json;

const DISK_BYTES: u64 = 512 << 20;

fn plan() -> Plan {
    let plan = Plan { shards: 2, ..Plan::of(1).with_links().with_disks(DISK_BYTES) };
    Plan { arguments: vec!["--disk-reserve".into(), "32MiB".into()], ..plan }
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_loss_of_power() {
    if !Plan::can_cut_power() {
        return;
    }
    let mut cluster = Cluster::start(plan()).await;
    let app = App::numbered(1);
    let factor = cluster.client(0).import("ann", &app).await.unwrap();
    cluster.cut_power(&[0]);
    cluster.restart(0).await;
    let factors = cluster.client(0).get("/v1/users/ann/mfa/factors").await.ok();
    assert_eq!(factors["data"][0]["id"], factor.as_str());
}

#[tokio::test]
async fn a_paused_node_answers_once_it_goes_on() {
    let mut cluster = Cluster::start(plan()).await;
    let client = cluster.client(0);
    cluster.pause(0);
    let asking = tokio::spawn(async move { client.is_ready().await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!asking.is_finished());
    cluster.resume(0);
    assert!(asking.await.unwrap());
    assert_eq!(cluster.stop(0).await, Some(0));
}

#[tokio::test]
async fn a_node_lives_by_the_clock_that_it_is_given() {
    if !Cluster::can_skew() {
        return;
    }
    let mut cluster = Cluster::start(plan()).await;
    cluster.kill(0);
    cluster.set_skew(0, 3600);
    cluster.restart(0).await;
    let app = App::numbered(2);
    let factor = cluster.client(0).import("bob", &app).await.unwrap();
    let factors = cluster.client(0).get("/v1/users/bob/mfa/factors").await.ok();
    assert_eq!(factors["data"][0]["id"], factor.as_str());
    // The code of now is one of an hour ago over there; that of an hour ahead is good.
    let challenge = cluster.client(0).challenge("bob").await.unwrap();
    let old = cluster.client(0).verify(&challenge, &factor, &app.code(0)).await.unwrap();
    assert_eq!(old.code(), "invalid_code");
    let new = cluster.client(0).verify(&challenge, &factor, &app.code(30)).await.unwrap();
    assert_eq!(new.status, 200, "{}", new.body);
}

#[tokio::test]
async fn a_node_with_a_full_disk_refuses_and_serves_again_once_there_is_room() {
    if !Plan::can_cut_power() {
        return;
    }
    let mut cluster = Cluster::start(plan()).await;
    let client = cluster.client(0);
    client.import("cleo", &App::numbered(3)).await.unwrap();
    cluster.fill_disk(0, 8 << 20);
    let put = |name: &'static str| {
        let client = cluster.client(0);
        async move {
            let path = "/v1/users/cleo";
            let body = json!({ "displayName": name });
            client.send(reqwest::Method::PUT, path, Some(body), None).await
        }
    };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let refused = put("Cleo").await.is_none_or(|answer| answer.status == 503);
        if refused {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "it goes on writing to a full disk");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    cluster.unfill_disk(0);
    cluster.kill(0);
    cluster.restart(0).await;
    let client = cluster.client(0);
    let factors = client.get("/v1/users/cleo/mfa/factors").await.ok();
    assert_eq!(factors["data"].as_array().unwrap().len(), 1);
}
