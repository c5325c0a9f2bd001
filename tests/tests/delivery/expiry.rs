//! Codes that died: they open nothing and they never leave.

use countersign_tests::audit;
use countersign_tests::cluster::Cluster;
use countersign_tests::phone::{PATIENCE, Phone};
use countersign_tests::receiver::Receiver;
use tokio::time::Instant;

use crate::{alone, refused, unlimited};

/// Longer than a code lives.
const LATER_SECONDS: i64 = 301;

async fn restart_at(cluster: &mut Cluster, seconds: i64) {
    cluster.kill(0);
    cluster.set_skew(0, seconds);
    cluster.restart(0).await;
}

#[tokio::test]
async fn a_code_is_gone_after_five_minutes_and_no_slow_clock_brings_it_back() {
    let _machine = alone().await;
    if !Cluster::can_skew() {
        return;
    }
    let receiver = Receiver::start().await;
    let mut cluster = unlimited(1, &receiver).await;
    let client = cluster.client(0);
    let phone = Phone::of("ann", 1);
    let factor = phone.enroll(&client, &receiver).await;
    let (_, login) = phone.challenge(&client, &receiver, &factor).await;
    let (pending, asked_at) = (Phone::of("bob", 2), Instant::now());
    pending.begin(&client).await.ok();
    pending.ask(&client).await.ok();
    let confirming = pending.code(&receiver, asked_at).await;

    // The second time its clock says that the codes are alive.
    for seconds in [LATER_SECONDS, 0] {
        restart_at(&mut cluster, seconds).await;
        let challenge = client.challenge("ann").await.unwrap();
        let late = client.verify(&challenge, &factor, &login).await.unwrap();
        refused(&late, 410, "code_expired");
        refused(&pending.confirm(&client, &confirming).await, 410, "code_expired");
    }
    let status = client.get("/v1/users/ann/mfa/status").await.ok();
    assert_eq!(status["failedAttempts"], 0, "nothing was guessed: {status}");
    restart_at(&mut cluster, LATER_SECONDS).await;
    let (challenge, code) = phone.challenge(&client, &receiver, &factor).await;
    client.verify(&challenge, &factor, &code).await.unwrap().ok();
}

#[tokio::test]
async fn codes_that_died_while_nobody_took_them_are_not_sent_and_the_audit_log_says_so() {
    let _machine = alone().await;
    if !Cluster::can_skew() {
        return;
    }
    let mut receiver = Receiver::start().await;
    let mut cluster = unlimited(1, &receiver).await;
    let client = cluster.client(0);
    receiver.close().await;
    let dead: Vec<Phone> = (0..20).map(|n| Phone::of(format!("dead-{n}"), n)).collect();
    for phone in &dead {
        phone.begin(&client).await.ok();
        assert_eq!(phone.ask(&client).await.status, 202);
    }
    cluster.kill(0);
    cluster.set_skew(0, LATER_SECONDS);
    receiver.open().await;
    cluster.restart(0).await;
    let live = Phone::of("live", 100);
    live.enroll(&client, &receiver).await;
    for phone in &dead {
        let query = format!("userId={}&type=mfa.delivery.failed", phone.user);
        let failed = audit::wait_for(&client, &query, PATIENCE, |_| true).await;
        let failed = failed.unwrap_or_else(|| panic!("no failure of {} is told", phone.user));
        assert_eq!(failed["reason"], "expired", "{failed}");
        assert_eq!(failed["details"]["channel"], "sms", "{failed}");
        assert!(phone.messages(&receiver).is_empty(), "{} got a dead code", phone.user);
    }
}
