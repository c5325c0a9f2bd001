//! Events reach their endpoint: every one, in order for each user, whoever dies meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::audit;
use countersign_tests::client::Client;
use countersign_tests::cluster::{Cluster, Plan};
use countersign_tests::receiver::{Reaction, Received, Receiver};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{alone, plan};

/// How long everything may take to arrive: the first delays after a failure are five seconds and
/// thirty.
const PATIENCE: Duration = Duration::from_secs(90);
/// People to whom things happen.
const PEOPLE: u64 = 24;

fn with_webhooks(nodes: usize, receiver: &Receiver) -> Plan {
    let mut plan = plan(nodes, receiver);
    plan.environment.push(("COUNTERSIGN_WEBHOOKS_ALLOW_PRIVATE".into(), "true".into()));
    plan
}

/// Makes an endpoint; its id and its secret.
async fn register(client: &Client, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let body = json!({ "url": receiver.url("/hook"), "events": events });
    let made = client.post("/v1/webhooks", body).await.ok();
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (text("id"), text("secret"))
}

fn event_of(received: &Received) -> &str {
    received.body["data"]["id"].as_str().unwrap_or_default()
}

/// Lets something happen to a person, through whichever node answers.
async fn something(clients: &[Client], user: &str, number: u64) {
    let app = App::numbered(number);
    let path = format!("/v1/users/{user}/mfa/totp/import");
    let body = json!({ "secret": app.base32(), "digits": 8, "period": 120 });
    let key = format!("{user}-{number}");
    let deadline = Instant::now() + Duration::from_secs(30);
    for client in clients.iter().cycle() {
        let asked = client.send(reqwest::Method::POST, &path, Some(body.clone()), Some(&key));
        let answer = timeout(Duration::from_secs(2), asked).await.ok().flatten();
        if answer.as_ref().is_some_and(|answer| answer.status.is_success()) {
            return;
        }
        assert!(Instant::now() < deadline, "{path}: {answer:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Lets so many things happen to everybody, a few people at once.
async fn life(clients: &[Client], from: u64, to: u64) {
    let lives = (0..PEOPLE).map(|person| async move {
        for number in from..to {
            something(clients, &format!("person-{person}"), person * 1_000 + number).await;
        }
    });
    join_all(lives).await;
}

#[tokio::test]
async fn every_event_arrives_in_order_for_its_user_over_dead_endpoints_and_dead_leaders() {
    let _machine = alone().await;
    let mut receiver = Receiver::start().await;
    let mut cluster = Cluster::start(with_webhooks(3, &receiver)).await;
    let clients: Vec<Client> = (0..3).map(|node| cluster.client(node)).collect();
    let (webhook, secret) = register(&clients[0], &receiver, &["mfa.*"]).await;

    life(&clients, 0, 2).await;
    // The endpoint goes in the middle of it, and comes back.
    let down = async {
        sleep(Duration::from_millis(100)).await;
        receiver.close().await;
    };
    tokio::join!(life(&clients, 2, 4), down);
    sleep(Duration::from_secs(1)).await;
    receiver.open().await;
    // Then it answers badly now and then, and a node dies while it waits for an answer.
    let died = kill_a_leader_while_it_posts(&cluster, &receiver).await;
    life(&clients, 4, 6).await;
    let deadline = Instant::now() + PATIENCE;
    let name = loop {
        if let Some(name) = died.lock().unwrap().clone() {
            break name;
        }
        assert!(Instant::now() < deadline, "nobody died");
        sleep(Duration::from_millis(10)).await;
    };
    let victim = (0..3).find(|node| cluster.name(*node) == name).unwrap();
    cluster.kill(victim);
    cluster.restart(victim).await;
    receiver.answer(Reaction::Status(200));

    let events = expected(&clients[0], &webhook).await;
    assert!(events.len() >= usize::try_from(PEOPLE * 6).unwrap(), "{} events", events.len());
    wait_for_all(&receiver, &events).await;
    judge(&receiver, &events, &secret);
}

/// From now on the endpoint answers badly now and then, and once the leader of an event's shard dies
/// before it has its answer. Its name, once it has happened.
async fn kill_a_leader_while_it_posts(
    cluster: &Cluster,
    receiver: &Receiver,
) -> Arc<Mutex<Option<String>>> {
    let mut leaders = BTreeMap::new();
    for shard in 0..cluster.plan().shards {
        let Some(leader) = cluster.leader_of(shard.into()).await else { continue };
        let process = i32::try_from(cluster.process_id(leader).unwrap()).unwrap();
        let process = Pid::from_raw(process).unwrap();
        leaders.insert(shard, (cluster.name(leader).to_owned(), process));
    }
    let died = Arc::new(Mutex::new(None));
    let (noted, count) = (Arc::clone(&died), AtomicU64::new(0));
    receiver.answer_with(move |one| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let mut noted = noted.lock().unwrap();
        let shard = event_of(one).split('_').nth(1).and_then(|shard| shard.parse::<u16>().ok());
        let leader = shard.and_then(|shard| leaders.get(&shard));
        if let (Some((name, process)), None, 20..) = (leader, &*noted, number) {
            kill_process(*process, Signal::KILL).unwrap();
            *noted = Some(name.clone());
            return Reaction::HangUp;
        }
        match number % 23 {
            5 => Reaction::Status(500),
            11 => Reaction::RetryAfter(429, 1),
            17 => Reaction::HangUp,
            _ => Reaction::Status(200),
        }
    });
    died
}

/// The events that the endpoint must get, oldest first within a shard.
async fn expected(client: &Client, webhook: &str) -> Vec<Value> {
    let all = audit::all(client, "").await;
    let about_itself = |event: &Value| event["details"].to_string().contains(webhook);
    let made = all.iter().find(|event| about_itself(event)).expect("the webhook's own event");
    let since = made["at"].as_str().unwrap().to_owned();
    all.into_iter()
        .filter(|event| event["type"].as_str().is_some_and(|kind| kind.starts_with("mfa.")))
        .filter(|event| event["userId"].is_string() && event["at"].as_str() > Some(since.as_str()))
        .collect()
}

async fn wait_for_all(receiver: &Receiver, events: &[Value]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let taken: BTreeSet<String> =
            taken(receiver).iter().map(|one| event_of(one).to_owned()).collect();
        let missing: Vec<&Value> =
            events.iter().filter(|event| !taken.contains(event["id"].as_str().unwrap())).collect();
        if missing.is_empty() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{} of {} events did not come, such as {}",
            missing.len(),
            events.len(),
            missing[0]
        );
        sleep(Duration::from_millis(100)).await;
    }
}

fn taken(receiver: &Receiver) -> Vec<Arc<Received>> {
    receiver.those(|one| one.path == "/hook" && one.reaction.takes())
}

fn judge(receiver: &Receiver, events: &[Value], secret: &str) {
    let mut ids = BTreeMap::new();
    for one in receiver.those(|one| one.path == "/hook") {
        one.is_signed_with(secret).unwrap_or_else(|wrong| panic!("{wrong}: {}", one.body));
        let id = ids.entry(event_of(&one).to_owned()).or_insert_with(|| one.id.clone());
        assert_eq!(*id, one.id, "another id for the same event: {}", one.body);
    }
    let distinct: BTreeSet<&String> = ids.values().collect();
    assert_eq!(distinct.len(), ids.len(), "one id for several events");

    // The place in the shard's chain tells in which order things happened to a user.
    let place = |event: &Value| event["proof"]["sequence"].as_u64().unwrap();
    let known: BTreeMap<&str, &Value> =
        events.iter().map(|event| (event["id"].as_str().unwrap(), event)).collect();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for one in taken(receiver) {
        let Some(event) = known.get(event_of(&one)) else { continue };
        if !seen.insert(event_of(&one).to_owned()) {
            continue;
        }
        let user = event["userId"].as_str().unwrap();
        let before = last.insert(user, place(event)).unwrap_or(0);
        assert!(before < place(event), "{user}: {event} came after number {before}");
    }
}

#[tokio::test]
async fn a_new_secret_signs_beside_the_old_one_and_a_delivery_can_be_sent_again() {
    let _machine = alone().await;
    let receiver = Receiver::start().await;
    let cluster = Cluster::start(with_webhooks(1, &receiver)).await;
    let clients = [cluster.client(0)];
    let client = &clients[0];
    let (webhook, old) = register(client, &receiver, &["mfa.factor.*"]).await;
    something(&clients, "ann", 1).await;
    let first = receiver.wait_for(PATIENCE, |one| one.path == "/hook").await.unwrap();
    first.is_signed_with(&old).unwrap();
    let now = unix_seconds();
    assert!(first.sent_at().abs_diff(now) < 60, "sent at {}, it is {now}", first.sent_at());

    let path = format!("/v1/webhooks/{webhook}/rotate-secret");
    let rotated = client.post(&path, json!({})).await.ok();
    let new = rotated["secret"].as_str().unwrap_or_else(|| panic!("{rotated}"));
    assert_ne!(new, old);
    something(&clients, "ann", 2).await;
    let second = receiver.wait_for(PATIENCE, |one| one.path == "/hook" && one.id != first.id);
    let second = second.await.unwrap();
    second.is_signed_with(&old).unwrap();
    second.is_signed_with(new).unwrap();

    delivered(client, &webhook, 2).await;
    let path = format!("/v1/webhooks/{webhook}/deliveries/{}/redeliver", first.id);
    let answer = client.post(&path, json!({})).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    let again = receiver.wait_for(PATIENCE, |one| one.id == first.id && one.at > second.at).await;
    let again = again.expect("the delivery was not sent again");
    assert_eq!(again.body, first.body);

    let answer = client.delete(&format!("/v1/webhooks/{webhook}")).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    let count = receiver.received().len();
    something(&clients, "ann", 3).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.received().len(), count, "an endpoint that was removed got an event");
}

/// Waits until so many deliveries are on record, all of them done.
async fn delivered(client: &Client, webhook: &str, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let listed = client.get(&format!("/v1/webhooks/{webhook}/deliveries")).await.ok();
        let all = listed["data"].as_array().unwrap();
        if all.len() == count && all.iter().all(|one| one["status"] == "DELIVERED") {
            return;
        }
        assert!(Instant::now() < deadline, "not {count} that are done: {listed}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a receiver compares with the wall clock of its own")]
fn unix_seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}
