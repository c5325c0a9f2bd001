//! Clocks that are wrong. One of three leads nothing until it is right. All of them at once, ahead by
//! hours, freeze and prolong nothing once they are right again; behind, they reopen nothing.

use std::time::Duration;

use countersign_actors::gateway::GatewayError;
use countersign_core::challenge::Purpose;
use countersign_core::command::{Command, Proof};
use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::ids::{ChallengeId, FactorId, ShardId};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_tests::app::{App, PERIOD_SECONDS};
use countersign_tests::inside::{Cluster, Door, Plan, until};
use serde_json::json;

use crate::alone;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// How soon everything must be right after a clock is.
const WITHIN: Duration = Duration::from_secs(10);
/// A shard whose time is further ahead took it from a clock that was off.
const AHEAD_MAX_MS: i64 = 10_000;
/// Time steps of an app in an hour.
const STEPS_AN_HOUR: i64 = 3_600 / PERIOD_SECONDS as i64;

async fn import(door: &Door, name: &str, app: &App) -> FactorId {
    let parameters =
        Parameters { algorithm: Algorithm::Sha1, digits: 8, period_seconds: PERIOD_SECONDS };
    let secret = Secret::new(app.bytes().to_vec());
    match door.tell(name, Command::ImportTotp { secret, parameters, name: None }).await {
        Ok(Reply::Factor { factor, .. }) => factor.id,
        other => panic!("{other:?}"),
    }
}

async fn challenge(door: &Door, name: &str) -> ChallengeId {
    let command = Command::CreateChallenge {
        purpose: Purpose::Login,
        context: LoginContext::default(),
        device_token: None,
    };
    match door.tell(name, command).await {
        Ok(Reply::Challenge(answer)) => answer.challenge.expect("a challenge").id,
        other => panic!("{other:?}"),
    }
}

async fn verify(
    door: &Door,
    name: &str,
    challenge: ChallengeId,
    factor: FactorId,
    code: String,
) -> Reply {
    let proof = Proof::Code { factor, code: Secret::from(code) };
    door.tell(name, Command::Verify { challenge, proof, remember_device: None }).await.unwrap()
}

fn is_verified(reply: &Reply) -> bool {
    matches!(reply, Reply::Verified(_))
}

/// Sets every clock, and waits until the nodes agree that they are right.
async fn set_all(cluster: &Cluster, milliseconds: i64) {
    for place in cluster.running() {
        cluster.clock(place).skew(milliseconds);
    }
    agreed(cluster).await;
}

/// Waits until all nodes have compared their clocks, as they are now, and found them right.
async fn agreed(cluster: &Cluster) {
    // What was said of a clock before it was set counts for a second at most.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    cluster.whole().await;
}

/// Waits until a node says that its clock is off, and leads nothing.
async fn leads_nothing(cluster: &Cluster, place: usize) {
    let by = (place + 1) % 3;
    until("the node whose clock is off leads nothing and says so", WITHIN, async || {
        cluster.health(place).clock.is_some_and(|why| why.contains("clock"))
            && cluster.led(by).get(&place) == Some(&0)
            && cluster.led(by).values().sum::<usize>() == cluster.shards().count()
    })
    .await;
}

/// How far the shard is ahead whose time is furthest, in milliseconds, as a node sees it.
fn furthest_ahead_ms(cluster: &Cluster, by: usize) -> i64 {
    cluster.health(by).shards.iter().map(|shard| shard.ahead_ms).max().unwrap()
}

/// A name with a number for each shard.
fn people(cluster: &Cluster, number: usize) -> Vec<String> {
    cluster.shards().map(|shard| cluster.user_of(shard, number)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_off_leads_nothing_and_is_not_ready_until_it_is_right() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan::default()).await;
    cluster.balanced().await;
    let names = people(&cluster, 0);
    let mut apps = Vec::new();
    for (name, number) in names.iter().zip(100..) {
        let app = App::numbered(number);
        let factor = import(&cluster.door(0), name, &app).await;
        apps.push((name.clone(), app, factor));
    }
    for (round, off) in [6 * HOUR_MS, -6 * HOUR_MS].into_iter().enumerate() {
        cluster.balanced().await;
        assert!(cluster.led(0)[&2] > 0);
        cluster.clock(2).skew(off);
        // Before it has noticed, too: what it stamps is what a majority agreed to.
        for place in [2, 0] {
            for (name, ..) in &apps {
                assert!(cluster.door(place).put(name, "meanwhile").await.is_ok());
            }
        }
        leads_nothing(&cluster, 2).await;
        let ready = cluster.client(2).get("/readyz").await;
        assert_eq!(ready.status, 503);
        let detail = ready.body["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("clock is") && detail.contains("the majority's"), "{detail}");
        let nodes = cluster.health(0).nodes;
        let shown = nodes.iter().find(|node| node.name == "n2").unwrap().clock_ahead_ms.unwrap();
        assert!((shown - off).abs() < 5_000, "off by {off}, shown as {shown}");
        // A right code works through every node, also through this one.
        for (number, (name, app, factor)) in apps.iter().enumerate() {
            let door = cluster.door(if number % 2 == 0 { 2 } else { 1 });
            let login = challenge(&door, name).await;
            let step = i64::try_from(round).unwrap();
            let reply = verify(&door, name, login, *factor, app.code(step)).await;
            assert!(is_verified(&reply), "{name}: {reply:?}");
        }
        // It starts again with the same clock: nothing is stamped with that.
        cluster.crash(2).await;
        cluster.start(2).await;
        leads_nothing(&cluster, 2).await;
        cluster.clock(2).skew(0);
        until("all is well again", WITHIN, async || cluster.health(2).clock.is_none()).await;
        cluster.whole().await;
        assert!(furthest_ahead_ms(&cluster, 0) < AHEAD_MAX_MS);
    }
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_all_go_back_reopen_nothing() {
    let _machine = alone().await;
    let cluster = Cluster::of(3, Plan::default()).await;
    let (app, door) = (App::numbered(7), cluster.door(0));
    let factor = import(&door, "ann", &app).await;
    let spent = app.code(0);
    let login = challenge(&door, "ann").await;
    assert!(is_verified(&verify(&door, "ann", login, factor, spent.clone()).await));
    let open = challenge(&door, "ann").await;
    // Six minutes later the challenge has ended, and something is written about the user.
    set_all(&cluster, 6 * MINUTE_MS).await;
    assert!(door.put("ann", "six minutes later").await.is_ok());
    for off in [6 * MINUTE_MS, -5 * HOUR_MS] {
        set_all(&cluster, off).await;
        for place in [2, 0] {
            let door = cluster.door(place);
            let code = app.code(off / (2 * MINUTE_MS));
            let late = verify(&door, "ann", open, factor, code).await;
            assert_eq!(late, Reply::Refused(Refusal::ChallengeExpired), "through node {place}");
            let again = challenge(&door, "ann").await;
            let replayed = verify(&door, "ann", again, factor, spent.clone()).await;
            assert!(matches!(replayed, Reply::Refused(_)), "a spent code: {replayed:?}");
        }
    }
    set_all(&cluster, 0).await;
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_were_all_ahead_freeze_and_prolong_nothing_once_they_are_right() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan::default()).await;
    let (app, door) = (App::numbered(8), cluster.door(0));
    let factor = import(&door, "bob", &app).await;
    set_all(&cluster, 6 * HOUR_MS).await;
    // Written while the clocks are ahead: the shard's time is theirs.
    let (young, other) = (challenge(&door, "bob").await, challenge(&door, "bob").await);
    set_all(&cluster, 0).await;
    assert!(furthest_ahead_ms(&cluster, 0) > 5 * HOUR_MS);

    // Codes by real time, although the shard's time is not.
    let ahead = verify(&door, "bob", young, factor, app.code(6 * STEPS_AN_HOUR)).await;
    assert!(matches!(ahead, Reply::Refused(Refusal::InvalidCode { .. })), "{ahead:?}");
    let Reply::Verified(verified) = verify(&door, "bob", young, factor, app.code(0)).await else {
        panic!("a right code is refused");
    };
    let now = countersign_actors::ports::Clock::now(&countersign::WallClock);
    let age_ms = now.millis_since(verified.tokens.issued_at);
    assert!((0..10_000).contains(&age_ms), "a token was issued {age_ms} ms ago");

    for _ in 0..5 {
        verify(&door, "bob", other, factor, app.wrong_code()).await;
    }
    let locked = challenge(&door, "bob").await;
    let refused = verify(&door, "bob", locked, factor, app.code(1)).await;
    let short = matches!(
        refused,
        Reply::Refused(Refusal::TooManyAttempts { retry_after_seconds: Some(0..=30) })
    );
    assert!(short, "{refused:?}");
    // Six minutes pass: what lives five has ended, and a lock of thirty seconds too.
    for place in 0..3 {
        cluster.clock(place).suspend(6 * MINUTE_MS.unsigned_abs());
    }
    set_all(&cluster, 6 * MINUTE_MS).await;
    let late = verify(&door, "bob", locked, factor, app.code(4)).await;
    assert_eq!(late, Reply::Refused(Refusal::ChallengeExpired));
    let login = challenge(&door, "bob").await;
    let right = verify(&door, "bob", login, factor, app.code(3)).await;
    assert!(is_verified(&right), "{right:?}");

    // The same if nobody remembers how much time has passed.
    let before = challenge(&door, "bob").await;
    for place in 0..3 {
        cluster.crash(place).await;
    }
    for place in 0..3 {
        cluster.clock(place).skew(12 * MINUTE_MS);
    }
    for place in 0..3 {
        cluster.start(place).await;
    }
    cluster.whole().await;
    let door = cluster.door(0);
    let late = verify(&door, "bob", before, factor, app.code(6)).await;
    assert_eq!(late, Reply::Refused(Refusal::ChallengeExpired), "after a restart");
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_machine_was_suspended_asks_a_quorum_before_it_answers() {
    let _machine = alone().await;
    let plan = Plan { request_timeout: Duration::from_secs(2), ..Plan::default() };
    let cluster = Cluster::of(3, plan).await;
    cluster.balanced().await;
    let victim = cluster.leader(0, ShardId(1)).unwrap();
    let name = cluster.user_of(ShardId(1), 0);
    let door = cluster.door(victim);
    assert!(door.put(&name, "old").await.is_ok());
    assert_eq!(door.shown(&name).await, Ok(Some("old".to_owned())));
    // By the clock that leases are counted by, hardly any time passes until it is asked.
    cluster.clock(victim).suspend(30_000);
    for other in (0..3).filter(|place| *place != victim) {
        cluster.links().part(victim, other);
    }
    let told = door.shown(&name).await;
    assert!(matches!(told, Err(GatewayError::Unavailable(_))), "{told:?}");
    cluster.links().heal_all();
    cluster.whole().await;
    assert_eq!(door.shown(&name).await, Ok(Some("old".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_let_in_by_others_with_other_clocks_is_trusted_at_once() {
    let _machine = alone().await;
    let mut cluster = Cluster::found(Plan::default()).await;
    cluster.clock(0).skew(3_000);
    let new = cluster.add().await;
    cluster.clock(new).skew(-1_000);
    cluster.whole().await;
    assert!(cluster.door(new).put("ann", "Ann").await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sets_the_time_of_every_shard_right_and_nothing_is_open_again() {
    let _machine = alone().await;
    let cluster = Cluster::of(3, Plan::default()).await;
    let (app, door) = (App::numbered(9), cluster.door(0));
    let factor = import(&door, "bob", &app).await;
    let before = challenge(&door, "bob").await;
    set_all(&cluster, 6 * HOUR_MS).await;
    for name in people(&cluster, 0) {
        assert!(door.put(&name, "ahead").await.is_ok());
    }
    let ahead = challenge(&door, "bob").await;
    set_all(&cluster, 0).await;
    let open = challenge(&door, "bob").await;
    for shard in cluster.shards() {
        let path = format!("/v1/cluster/shards/{}/set-time", shard.0);
        // Through any node, and as often as wished.
        let set = cluster.client(usize::from(shard.0) % 3).post(&path, json!({})).await.ok();
        let back_ms = set["setBackMs"].as_i64().unwrap();
        assert!(back_ms > 5 * HOUR_MS || back_ms == 0, "{back_ms} of shard {shard}");
        let again = cluster.client(0).post(&path, json!({})).await.ok();
        assert_eq!(again["setBackMs"], 0);
    }
    until("every node knows", WITHIN, async || {
        (0..3).all(|by| furthest_ahead_ms(&cluster, by) < AHEAD_MAX_MS)
    })
    .await;
    for old in [before, ahead, open] {
        let answer = verify(&door, "bob", old, factor, app.code(0)).await;
        let over = matches!(
            answer,
            Reply::Refused(Refusal::ChallengeExpired | Refusal::ChallengeNotFound)
        );
        assert!(over, "{answer:?}");
    }
    let login = challenge(&door, "bob").await;
    assert!(is_verified(&verify(&door, "bob", login, factor, app.code(0)).await));
    assert!(furthest_ahead_ms(&cluster, 0) < AHEAD_MAX_MS);
    let told = cluster.client(1).get("/v1/audit?type=mfa.cluster.time_set").await.ok();
    assert!(!told["data"].as_array().unwrap().is_empty(), "{told}");
    cluster.agree(&[0, 1, 2]).await;
}
