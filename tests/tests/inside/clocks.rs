//! Clocks that are wrong: hours behind reopens nothing, an hour ahead ends nothing but what an hour
//! explains.

use std::time::Duration;

use countersign_core::challenge::Purpose;
use countersign_core::command::{Command, Proof, Query};
use countersign_core::factor::totp::{Algorithm, Parameters};
use countersign_core::ids::{ChallengeId, FactorId};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_tests::app::{App, PERIOD_SECONDS};
use countersign_tests::inside::{Cluster, Door, Plan, until};

use crate::alone;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
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

/// Makes one node lead every shard: the others are asked to hand over.
async fn reign(cluster: &Cluster, place: usize) {
    until(&format!("node {place} leads all"), Duration::from_secs(20), async || {
        for other in cluster.running().into_iter().filter(|other| *other != place) {
            // Some may have nobody to give it to for a moment.
            let _ = cluster.door(place).hand_over(cluster.node(other).id()).await;
        }
        cluster.led(place).get(&place) == Some(&cluster.shards().count())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_clock_is_hours_behind_reopens_nothing() {
    let _machine = alone().await;
    let cluster = Cluster::of(3, Plan::default()).await;
    let (app, door) = (App::numbered(7), cluster.door(0));
    let factor = import(&door, "ann", &app).await;
    let spent = app.code(0);
    let login = challenge(&door, "ann").await;
    assert!(is_verified(&verify(&door, "ann", login, factor, spent.clone()).await));
    let open = challenge(&door, "ann").await;
    // Six minutes later the challenge has ended, and something is written about the user.
    for place in 0..3 {
        cluster.clock(place).skew(6 * MINUTE_MS);
    }
    assert!(door.put("ann", "six minutes later").await.is_ok());

    cluster.clock(2).skew(-5 * HOUR_MS);
    reign(&cluster, 2).await;
    for place in [2, 0] {
        let door = cluster.door(place);
        let late = verify(&door, "ann", open, factor, app.code(3)).await;
        assert_eq!(late, Reply::Refused(Refusal::ChallengeExpired), "through node {place}");
        // A code of five hours ago, as the leader's clock would have it, is nothing either.
        let again = challenge(&door, "ann").await;
        let old = verify(&door, "ann", again, factor, app.code(-5 * STEPS_AN_HOUR)).await;
        assert!(matches!(old, Reply::Refused(Refusal::InvalidCode { .. })), "{old:?}");
        let replayed = verify(&door, "ann", again, factor, spent.clone()).await;
        assert!(matches!(replayed, Reply::Refused(_)), "a spent code: {replayed:?}");
        if place == 0 {
            // The time stands at what was written last, and there a fresh code is good.
            let fresh = verify(&door, "ann", again, factor, app.code(3)).await;
            assert!(is_verified(&fresh), "{fresh:?}");
        }
    }
    for place in 0..3 {
        cluster.clock(place).skew(0);
    }
    cluster.agree(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_clock_is_an_hour_ahead_ends_nothing_but_what_an_hour_explains() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan::default()).await;
    let (app, door) = (App::numbered(8), cluster.door(0));
    let factor = import(&door, "bob", &app).await;
    assert!(matches!(door.put("bob", "before").await, Ok(Reply::User(_))));
    let login = challenge(&door, "bob").await;
    assert!(is_verified(&verify(&door, "bob", login, factor, app.code(0)).await));

    cluster.clock(2).skew(HOUR_MS);
    reign(&cluster, 2).await;
    let fast = cluster.door(2);
    assert_eq!(fast.shown("bob").await, Ok(Some("before".to_owned())));
    let factors = fast.query("bob", Query::Factors).await.unwrap();
    assert!(matches!(&factors, Reply::Factors(all) if all.len() == 1), "{factors:?}");
    // It lets a node in, whose certificate is good at once by the others' clocks.
    let new = cluster.add().await;
    cluster.whole().await;
    assert_eq!(cluster.door(new).shown("bob").await, Ok(Some("before".to_owned())));
    // What it makes itself lives as long as ever, by its clock and by the others'.
    let young = challenge(&fast, "bob").await;
    cluster.crash(2).await;
    until("others lead", Duration::from_secs(20), async || {
        cluster.door(0).put("bob", "after").await.is_ok()
    })
    .await;
    let state = cluster.door(0).query("bob", Query::Challenge(young)).await.unwrap();
    let Reply::ChallengeState(view) = &state else { panic!("{state:?}") };
    assert_eq!(view.status, countersign_core::challenge::ChallengeStatus::Pending);
    // The shard's time does not go back: an app that is right is an hour behind it until the clocks
    // have come there. That is the price of reopening nothing, and only of what was written.
    let right = verify(&cluster.door(0), "bob", young, factor, app.code(1)).await;
    assert!(matches!(right, Reply::Refused(Refusal::InvalidCode { .. })), "{right:?}");
    // By the shard's time it is good, so nothing of the user was lost.
    let ahead = verify(&cluster.door(0), "bob", young, factor, app.code(STEPS_AN_HOUR)).await;
    assert!(is_verified(&ahead), "{ahead:?}");
    cluster.clock(2).skew(0);
    cluster.start(2).await;
    cluster.whole().await;
    cluster.agree(&[0, 1, 2, new]).await;
}
