//! What must hold while a node's clock is ahead by hours, and after it has come back: witnesses are
//! people with an app each, over many shards, who sign in before, meanwhile and afterwards.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::app::{App, PERIOD_SECONDS};
use crate::cluster::Cluster;
use crate::phone::insist;

/// How soon after a jump, and after its end, every right code must work.
const WITHIN: Duration = Duration::from_secs(10);
/// How many people: enough that most shards have one.
const WITNESSES: u64 = 16;
/// A shard whose time is further ahead took it from a clock that was off.
const AHEAD_MAX_MS: i64 = 30_000;

/// A person with an app.
pub(super) struct Witness {
    user: String,
    app: App,
    factor: String,
    /// The last time step that was accepted.
    last: Mutex<u64>,
}

/// Enrolls people and lets each sign in once.
pub(super) async fn witnesses(cluster: &Cluster, round: usize) -> Vec<Witness> {
    let made = (0..WITNESSES).map(|number| async move {
        let user = format!("witness-{round}-{number}");
        let app = App::numbered(700_000 + u64::try_from(round).unwrap() * WITNESSES + number);
        let clients: Vec<_> = (0..cluster.len()).map(|node| cluster.client(node)).collect();
        let path = format!("/v1/users/{user}/mfa/totp/import");
        let body = json!({ "secret": app.base32(), "digits": 8, "period": PERIOD_SECONDS });
        let factor = insist(&clients, &path, body, "import").await.unwrap();
        let factor = factor["id"].as_str().unwrap().to_owned();
        // The oldest step that is taken, so that there are others to come.
        let last = Mutex::new(app.step().saturating_sub(2));
        let witness = Witness { user, app, factor, last };
        witness.signs_in(cluster, 0, Instant::now() + WITHIN).await.unwrap();
        witness
    });
    join_all(made).await
}

impl Witness {
    /// Signs in with the next right code, through any node from `node` on.
    async fn signs_in(
        &self,
        cluster: &Cluster,
        node: usize,
        deadline: Instant,
    ) -> Result<(), String> {
        let step = *self.last.lock().unwrap() + 1;
        // What is right follows from the app's clock alone, so this may have to wait for its time.
        while self.app.step() + 1 < step {
            sleep(Duration::from_millis(100)).await;
        }
        let step = step.max(self.app.step().saturating_sub(1));
        let code = self.app.code_of(step);
        let mut last = Value::Null;
        for turn in node.. {
            let client = cluster.client(turn % cluster.len());
            let body = json!({ "userId": self.user, "purpose": "LOGIN", "context": {} });
            let asked = client.try_post("/v1/mfa/challenges", body).await;
            let challenge =
                asked.and_then(|asked| asked.body["challenge"]["id"].as_str().map(str::to_owned));
            if let Some(challenge) = challenge {
                let answer = client.verify(&challenge, &self.factor, &code).await;
                match answer {
                    Some(answer) if answer.status.is_success() => {
                        *self.last.lock().unwrap() = step;
                        return Ok(());
                    }
                    // An answer that was lost may have been a success.
                    Some(answer) if answer.code() == "code_already_used" && !last.is_null() => {
                        *self.last.lock().unwrap() = step;
                        return Ok(());
                    }
                    Some(answer) if answer.status.is_client_error() => {
                        return Err(format!(
                            "a right code of {} is refused: {}",
                            self.user, answer.body
                        ));
                    }
                    answer => last = answer.map_or_else(|| json!("none"), |answer| answer.body),
                }
            }
            if Instant::now() >= deadline {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{} could not sign in within {WITHIN:?}: {last}", self.user))
    }

    /// Whether a code is refused.
    async fn is_refused(&self, cluster: &Cluster, what: &str, code: &str) -> Result<(), String> {
        let clients: Vec<_> = (0..cluster.len()).map(|node| cluster.client(node)).collect();
        let body = json!({ "userId": self.user, "purpose": "LOGIN", "context": {} });
        let opened = insist(&clients, "/v1/mfa/challenges", body, &format!("{what} code")).await?;
        let challenge = opened["challenge"]["id"].as_str().unwrap_or_default();
        match clients[0].verify(challenge, &self.factor, code).await {
            Some(answer) if answer.status.is_success() => {
                Err(format!("a code of {what} is accepted of {}", self.user))
            }
            _ => Ok(()),
        }
    }
}

/// Every right code works within ten seconds, through whichever node.
pub(super) async fn right_codes_work(
    cluster: &Cluster,
    witnesses: &[Witness],
) -> Result<(), String> {
    let deadline = Instant::now() + WITHIN;
    let all = witnesses.iter().enumerate();
    let signed = join_all(all.map(|(at, one)| one.signs_in(cluster, at, deadline))).await;
    signed.into_iter().collect()
}

/// Neither spent codes nor those that were right by the clock that was ahead are accepted.
pub(super) async fn nothing_old_is_accepted(
    cluster: &Cluster,
    witnesses: &[Witness],
    ahead_seconds: i64,
) -> Result<(), String> {
    let steps = ahead_seconds / i64::from(PERIOD_SECONDS);
    let judged = join_all(witnesses.iter().map(|one| async move {
        let last = *one.last.lock().unwrap();
        one.is_refused(cluster, "before", &one.app.code_of(last)).await?;
        one.is_refused(cluster, "a time that has not come", &one.app.code(steps)).await
    }));
    judged.await.into_iter().collect()
}

/// A node whose clock is off leads nothing and is not ready, and says why.
pub(super) async fn leads_nothing_and_says_why(
    cluster: &Cluster,
    node: usize,
) -> Result<(), String> {
    let deadline = Instant::now() + WITHIN;
    loop {
        let ready = cluster.client(node).get("/readyz").await;
        let says = ready.status == 503 && ready.body.to_string().contains("clock");
        let led = cluster.shards_led(node).await;
        if says && led == 0 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("it leads {led} shards and says {}", ready.body));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// No shard took its time from a clock that was off.
pub(super) async fn no_shard_is_ahead(cluster: &Cluster) -> Result<(), String> {
    for node in 0..cluster.len() {
        let status = cluster.status(node).await.unwrap_or_default();
        for shard in status["shards"].as_array().into_iter().flatten() {
            if shard["timeAheadMs"].as_i64().is_none_or(|ahead_ms| ahead_ms > AHEAD_MAX_MS) {
                let (id, by) = (&shard["id"], &shard["timeAheadMs"]);
                return Err(format!("shard {id} is {by} ms ahead as {} says", cluster.name(node)));
            }
        }
    }
    Ok(())
}
