//! The provider is down while everybody signs in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::client::Client;
use countersign_tests::cluster::Cluster;
use countersign_tests::phone::Phone;
use countersign_tests::receiver::{Reaction, Receiver};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::{alone, number_from, unlimited};

/// Seconds for which the provider is down. `OUTAGE=120` makes it the long one; above 300, codes die
/// of it.
const OUTAGE_SECONDS: u32 = 8;
/// How long it was up before.
const BEFORE: Duration = Duration::from_secs(5);
/// Codes that are asked for in a second, whether the provider is up or not.
const CODES_A_SECOND: u32 = 20;
/// Apps with which people sign in meanwhile.
const WORKERS: u64 = 4;
/// What a node may need beyond what it had.
const GROWTH_MIB: u64 = 64;
/// And for each second of work: what is written stays in memory for a while. With the provider up a
/// node grows by two thirds of this; what waits for it adds a few kilobytes a code.
const GROWTH_MIB_A_SECOND: u64 = 1;
/// How long a code lives, with the time that is measured imprecisely.
const LIFE: Duration = Duration::from_secs(302);

/// A login with an app: when it began and how long challenge and answer took together.
type Login = (Instant, Duration);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_provider_is_down_others_sign_in_as_before_and_live_codes_come_afterwards() {
    let _machine = alone().await;
    let outage = Duration::from_secs(number_from("OUTAGE", OUTAGE_SECONDS).into());
    let mut receiver = Receiver::start().await;
    let cluster = unlimited(3, &receiver).await;
    let clients: Vec<Client> = (0..3).map(|node| cluster.client(node)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let mut logins = JoinSet::new();
    for worker in 0..WORKERS {
        logins.spawn(sign_in(clients.clone(), worker, Arc::clone(&stop)));
    }
    let codes = tokio::spawn(ask_for_codes(clients.clone(), Arc::clone(&stop)));

    // The first second finds everything cold.
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    sleep(BEFORE).await;
    let memory = resident(&cluster);
    let down = Instant::now();
    // First it takes what comes and says nothing; then it is not there at all.
    receiver.answer(Reaction::Hang);
    sleep(outage / 2).await;
    receiver.close().await;
    sleep(outage / 2).await;
    let memory_after = resident(&cluster);
    let up = Instant::now();
    receiver.answer(Reaction::Status(200));
    receiver.open().await;
    stop.store(true, Ordering::SeqCst);
    let asked = codes.await.unwrap();
    let logins: Vec<Login> = logins.join_all().await.into_iter().flatten().collect();

    let before = slowest_percent(&logins, begun, down);
    let during = slowest_percent(&logins, down, up);
    println!("p99 of a login: {before:?} before, {during:?} while the provider was down");
    println!("memory in MiB: {memory:?} before, {memory_after:?} at the end of it");
    assert!(during <= before * 3 + Duration::from_millis(250), "from {before:?} to {during:?}");
    let growth = GROWTH_MIB + GROWTH_MIB_A_SECOND * outage.as_secs();
    for (node, (before, after)) in memory.iter().zip(&memory_after).enumerate() {
        assert!(*after <= before + growth, "node {node}: from {before} to {after} MiB");
    }

    let waiting = asked.iter().filter(|(_, at)| (down..up).contains(at)).count();
    let due = |at: Instant| at + LIFE > Instant::now();
    let deadline = up + Duration::from_secs(120);
    for (phone, at) in &asked {
        loop {
            let taken = phone.messages(&receiver).iter().any(|message| message.reaction.takes());
            if taken || !due(*at) {
                break;
            }
            assert!(Instant::now() < deadline, "no code came for {} after the outage", phone.user);
            sleep(Duration::from_millis(20)).await;
        }
    }
    println!("{waiting} codes waited; all were out {:?} after the provider was back", up.elapsed());

    // Time for what should not be.
    sleep(Duration::from_secs(2)).await;
    let mut again = 0;
    for (phone, at) in &asked {
        let messages = phone.messages(&receiver);
        let taken: Vec<_> = messages.iter().filter(|message| message.reaction.takes()).collect();
        again += taken.len().saturating_sub(1);
        assert!(messages.iter().all(|message| message.id == messages[0].id), "{messages:?}");
        let dead = taken.iter().find(|message| message.at > *at + LIFE);
        assert!(dead.is_none(), "{} got a code that was dead: {dead:?}", phone.user);
    }
    // Nobody died, but a shard may have changed hands between a send and its record.
    assert!(again <= 2, "{again} messages were taken twice");
    for (phone, _) in asked.iter().rev().step_by(17).take(8).filter(|(_, at)| due(*at)) {
        let message = phone.messages(&receiver).pop().unwrap();
        phone.confirm(&clients[1], message.code().unwrap()).await.ok();
    }
}

/// Signs new people in with new apps, one after the other.
async fn sign_in(clients: Vec<Client>, worker: u64, stop: Arc<AtomicBool>) -> Vec<Login> {
    let mut logins = Vec::new();
    for number in 0u64.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let client = &clients[usize::try_from(worker + number).unwrap() % clients.len()];
        let (user, app) = (format!("app-{worker}-{number}"), App::numbered(worker << 32 | number));
        let factor = client.import(&user, &app).await.unwrap();
        let began = Instant::now();
        let challenge = client.challenge(&user).await.unwrap();
        client.verify(&challenge, &factor, &app.code(0)).await.unwrap().ok();
        logins.push((began, began.elapsed()));
        sleep(Duration::from_millis(5)).await;
    }
    logins
}

/// Has a code sent to one new person after the other. Answers to whom and when.
async fn ask_for_codes(clients: Vec<Client>, stop: Arc<AtomicBool>) -> Vec<(Phone, Instant)> {
    let mut asking = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / CODES_A_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0u32.. {
        ticks.tick().await;
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let client = clients[usize::try_from(number).unwrap() % clients.len()].clone();
        asking.spawn(async move {
            let phone = Phone::of(format!("caller-{number}"), 1 + number);
            phone.begin(&client).await.ok();
            let at = Instant::now();
            phone.ask(&client).await.ok();
            (phone, at)
        });
    }
    let mut asked = asking.join_all().await;
    asked.sort_by_key(|(_, at)| *at);
    asked
}

fn resident(cluster: &Cluster) -> Vec<u64> {
    (0..cluster.len()).map(|node| cluster.resident_mib(node).unwrap()).collect()
}

/// The time that 99 in 100 logins of a period did not exceed.
fn slowest_percent(logins: &[Login], from: Instant, to: Instant) -> Duration {
    let within = logins.iter().filter(|(began, _)| (from..to).contains(began));
    let mut took: Vec<Duration> = within.map(|(_, took)| *took).collect();
    took.sort_unstable();
    assert!(took.len() >= 50, "only {} logins", took.len());
    took[took.len() * 99 / 100]
}
