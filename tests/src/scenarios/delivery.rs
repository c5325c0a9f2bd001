//! The node that is to send a code dies, and the code arrives.
//!
//! In each round a person who signs in has a code sent, and the node that leads this person's shard
//! is killed at a chosen [`Moment`]. Then the code must come within its life, under one id however
//! often, it must be good, and once the audit log has that it was sent it must not come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_core::ids::{TenantId, UserKey};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::audit;
use crate::client::Client;
use crate::cluster::{Cluster, Plan, Program};
use crate::phone::{self, Phone, SIGNING_SECRET, insist};
use crate::receiver::{Reaction, Received, Receiver};

/// When the node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Just as the answer arrives that says that the code is on its way.
    Answered,
    /// After that, before any provider could take the message.
    Unsent,
    /// When the provider has the message, before the node knows.
    Unrecorded,
    /// Never. Then nothing may come twice.
    Never,
}

/// How it went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Messages that had not come when the node was killed.
    pub unsent: usize,
    /// Messages that came more than once.
    pub repeated: usize,
    /// The longest that one took from the question to its first whole delivery.
    pub slowest: Duration,
}

/// How long a code may take; an election is some of it, and a code lives five minutes.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nothing more may come after the last round.
const QUIET: Duration = Duration::from_secs(2);

/// A code that came.
struct Arrived {
    phone: Phone,
    asked_at: Instant,
    id: String,
    /// When it was on record that it was sent.
    recorded_at: Instant,
}

struct Story {
    cluster: Cluster,
    receiver: Receiver,
    moment: Moment,
    told: Told,
}

/// Tells so many rounds.
///
/// # Errors
/// What was promised and not held.
///
/// # Panics
/// If the cluster cannot be started, or a killed node not again.
pub async fn delivery(program: Program, moment: Moment, rounds: u32) -> Result<Told, String> {
    let receiver = Receiver::start().await;
    let environment = phone::environment(&receiver);
    let cluster = Cluster::start(Plan { program, environment, ..Plan::of(3) }).await;
    let client = cluster.client(0);
    phone::without_limits(&client).await;
    let phones: Vec<Phone> =
        (0..rounds).map(|round| Phone::of(format!("{moment:?}-{round}"), 1 + round)).collect();
    let mut factors = Vec::new();
    for some in phones.chunks(10) {
        factors.extend(join_all(some.iter().map(|phone| phone.enroll(&client, &receiver))).await);
    }

    let mut story = Story { cluster, receiver, moment, told: Told::default() };
    let mut arrived = Vec::new();
    for (phone, factor) in phones.into_iter().zip(factors) {
        arrived.push(story.round(phone, &factor).await?);
    }
    sleep(QUIET).await;
    for code in &arrived {
        story.look_back(code).await?;
    }
    Ok(story.told)
}

impl Story {
    async fn round(&mut self, phone: Phone, factor: &str) -> Result<Arrived, String> {
        let user = phone.user.clone();
        let leader = self.leader(&user).await;
        let asked = (leader + 1) % self.cluster.len();
        let body = json!({ "userId": user, "purpose": "LOGIN", "context": {} });
        let everybody = self.clients(None);
        let challenge = insist(&everybody, "/v1/mfa/challenges", body, "challenge");
        let challenge = challenge.await?["challenge"]["id"].as_str().unwrap().to_owned();

        let asked_at = Instant::now();
        let wanted = |message: &Received| phone.is_for_me(message) && message.at >= asked_at;
        let sent = self.send(&phone, &challenge, factor, leader, asked);
        let killed = sent.await?;
        let wait = self.receiver.wait_for(PATIENCE, |one| wanted(one) && one.reaction.takes());
        let Some(message) = wait.await else {
            return Err(format!("lost: no code for {user} came within {PATIENCE:?}"));
        };
        message.is_signed_with(SIGNING_SECRET).map_err(|wrong| format!("signed: {wrong}"))?;
        let took = message.at.saturating_duration_since(asked_at);
        self.told.slowest = self.told.slowest.max(took);
        let id = message.id.clone();
        let code = message.code().ok_or("a message without a code")?.to_owned();

        let clients = self.clients(killed);
        let query = format!("userId={user}&type=mfa.code.sent");
        let is_of_this = |event: &serde_json::Value| event["details"]["deliveryId"] == id.as_str();
        let recorded = audit::wait_for(&clients[0], &query, PATIENCE, is_of_this).await;
        let recorded_at = Instant::now();
        recorded.ok_or_else(|| format!("unrecorded: no mfa.code.sent of {user}"))?;
        let body = json!({ "challengeId": challenge, "factorId": factor, "code": code });
        let verified = insist(&clients, "/v1/mfa/challenges/verify", body, "verify").await?;
        if verified["verified"] != true {
            return Err(format!("the code that came to {user} is not good: {verified}"));
        }
        if let Some(node) = killed {
            self.cluster.restart(node).await;
        }
        Ok(Arrived { phone, asked_at, id, recorded_at })
    }

    /// Has a code sent and a node killed. Answers which.
    async fn send(
        &mut self,
        phone: &Phone,
        challenge: &str,
        factor: &str,
        leader: usize,
        asked: usize,
    ) -> Result<Option<usize>, String> {
        let path = format!("/v1/mfa/challenges/{challenge}/send");
        let body = json!({ "factorId": factor });
        let since = Instant::now();
        let mut clients = vec![self.cluster.client(asked)];
        clients.extend(self.clients(Some(asked)));
        let ask = insist(&clients, &path, body, "send");
        let killed = match self.moment {
            Moment::Never => {
                ask.await?;
                return Ok(None);
            }
            Moment::Answered => {
                ask.await?;
                leader
            }
            Moment::Unsent => {
                self.receiver.close().await;
                ask.await?;
                leader
            }
            Moment::Unrecorded => {
                let killed = self.kill_whoever_sends_to(&phone.number);
                ask.await?;
                self.receiver
                    .wait_for(PATIENCE, |one| phone.is_for_me(one) && one.at >= since)
                    .await
                    .ok_or_else(|| format!("lost: no code for {} was sent", phone.user))?;
                let name = killed.lock().unwrap().clone().ok_or("nobody was killed")?;
                let nodes = 0..self.cluster.len();
                nodes.into_iter().find(|node| self.cluster.name(*node) == name).unwrap()
            }
        };
        self.cluster.kill(killed);
        let came = self.receiver.those(|one| phone.is_for_me(one) && one.at >= since);
        self.told.unsent += usize::from(came.is_empty());
        self.receiver.open().await;
        Ok(Some(killed))
    }

    /// Kills the node that sends the next message to a number, in the moment in which the message is
    /// here and not yet answered. Its name, once it has happened.
    fn kill_whoever_sends_to(&self, number: &str) -> Arc<Mutex<Option<String>>> {
        let nodes = 0..self.cluster.len();
        let processes: HashMap<String, Pid> = nodes
            .filter_map(|node| {
                let id = i32::try_from(self.cluster.process_id(node)?).ok()?;
                Some((self.cluster.name(node).to_owned(), Pid::from_raw(id)?))
            })
            .collect();
        let killed = Arc::new(Mutex::new(None));
        let (number, noted) = (number.to_owned(), Arc::clone(&killed));
        self.receiver.answer_with(move |message| {
            let name = message.path.trim_start_matches('/').to_owned();
            let mut noted = noted.lock().unwrap();
            if message.to() != number || noted.is_some() {
                return Reaction::Status(200);
            }
            kill_process(processes[&name], Signal::KILL).unwrap();
            *noted = Some(name);
            Reaction::HangUp
        });
        killed
    }

    async fn look_back(&mut self, code: &Arrived) -> Result<(), String> {
        let user = &code.phone.user;
        let messages =
            self.receiver.those(|one| code.phone.is_for_me(one) && one.at >= code.asked_at);
        let what =
            |message: &Arc<Received>| (message.id.clone(), message.code().map(str::to_owned));
        if messages.iter().any(|one| what(one) != what(&messages[0]) || one.body["id"] != *one.id) {
            let all: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
            return Err(format!("another id or code: {user} got {all:?}"));
        }
        let late = messages.iter().filter(|one| one.at > code.recorded_at).count();
        let taken = messages.iter().filter(|one| one.reaction.takes()).count();
        if late > 0 || (self.moment == Moment::Never && taken > 1) {
            return Err(format!(
                "twice: {user} got a code again although it was on record as sent"
            ));
        }
        self.told.repeated += usize::from(messages.len() > 1);
        let sent = format!("userId={user}&type=mfa.code.sent");
        let sent = audit::all(&self.cluster.client(0), &sent).await;
        let of_this = sent.iter().filter(|event| event["details"]["deliveryId"] == *code.id);
        match of_this.count() {
            1 => Ok(()),
            count => Err(format!("recorded: mfa.code.sent of {user} is there {count} times")),
        }
    }

    /// Clients of all nodes but one.
    fn clients(&self, but: Option<usize>) -> Vec<Client> {
        let nodes = (0..self.cluster.len()).filter(|node| Some(*node) != but);
        nodes.map(|node| self.cluster.client(node)).collect()
    }

    /// The node that leads a user's shard.
    async fn leader(&self, user: &str) -> usize {
        let key = UserKey::new(TenantId::default_tenant(), user.parse().unwrap());
        let shard = key.hash().shard(self.cluster.plan().shards);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.cluster.leader_of(u64::from(shard.0)).await {
                Some(leader) if self.cluster.runs(leader) => return leader,
                other => assert!(Instant::now() < deadline, "{shard:?} is led by {other:?}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}
