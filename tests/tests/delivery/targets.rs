//! A tenant chooses where its events go; the inside of the network is not among the choices.

use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::audit;
use countersign_tests::cluster::{Cluster, Plan};
use countersign_tests::phone::PATIENCE;
use countersign_tests::receiver::Receiver;
use serde_json::json;
use tokio::time::sleep;

use crate::alone;

/// Ways to write this machine's own address, and how the inside is reached by them. `{port}` is the
/// receiver's.
const SPELLINGS: [&str; 12] = [
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://017700000001:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://localhost:{port}/",
    "https://localhost:{port}/",
    "https://localhost.:{port}/",
];

#[tokio::test]
async fn no_event_is_posted_to_the_inside_however_its_address_is_written() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = Cluster::start(Plan { shards: 2, ..Plan::of(1) }).await;
    let client = cluster.client(0);
    let mut made = Vec::new();
    for spelling in SPELLINGS {
        let url = spelling.replace("{port}", &receiver.port().to_string());
        let body = json!({ "url": url, "events": ["mfa.*"] });
        let answer = client.post("/v1/webhooks", body).await;
        match answer.status.as_u16() {
            // What a name stands for is known only when it is asked for.
            201 if spelling.contains("localhost") => {
                made.push(answer.body["id"].as_str().unwrap().to_owned());
            }
            201 => panic!("{url} was taken"),
            _ => assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (422, "validation_failed"),
                "{url}"
            ),
        }
    }
    client.import("ann", &App::numbered(1)).await.unwrap();
    let told = audit::wait_for(&client, "userId=ann", PATIENCE, |_| true).await;
    assert!(told.is_some(), "nothing happened that could be posted");
    for webhook in &made {
        let path = format!("/v1/webhooks/{webhook}/deliveries");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let deliveries = client.get(&path).await.ok();
            let tried = deliveries["data"].as_array().cloned().unwrap_or_default();
            if tried.iter().any(|one| one["attempts"].as_u64() > Some(0)) {
                assert!(tried.iter().all(|one| one["status"] != "DELIVERED"), "{deliveries}");
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "nothing was tried: {deliveries}");
            sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(receiver.connections(), 0, "somebody knocked");
}
