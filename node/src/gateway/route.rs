//! The way of a call to the node that leads its shard: this one, or one hop further.
//!
//! Who leads is known from the group's own metrics and corrected by the answers. A call that meets
//! an election waits for its end, within its deadline. A call that was certainly not done is sent
//! again; one whose outcome is unknown only if doing it twice is the same as doing it once.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::{GatewayError, Question};
use countersign_core::ids::ShardId;
use openraft::async_runtime::WatchReceiver;
use tokio::time::{Instant, sleep, timeout};

use super::here::Here;
use crate::network::{Answer, Call, CallError, Peers};

/// How long to wait for a change of leaders before looking again.
const LOOK: Duration = Duration::from_millis(20);
/// How long a call waits for the answer of a node that does not lead the shard any more.
const AFTERMATH: Duration = Duration::from_millis(250);
/// How long a call waits although too few nodes are there: one may just be coming back.
const HOPE: Duration = Duration::from_secs(3);
/// For how long a call is sent again that finds the shard led but not able to answer.
const INSIST: Duration = Duration::from_secs(4);

/// Sends calls to where they can be answered. Clones are the same.
#[derive(Clone)]
pub(crate) struct Route {
    /// This node's own parts.
    pub(crate) here: Arc<Here>,
    /// The others.
    pub(crate) peers: Peers,
}

/// What came of one sending.
enum Outcome {
    /// An answer for the caller.
    Answered(Box<Answer>),
    /// Certainly not done; perhaps this node can.
    NotDone(Option<u64>),
    /// Nobody knows.
    Unknown(String),
    /// A leader said that it cannot.
    Unable(String),
}

impl Route {
    /// Has a call about a shard done by whoever leads it.
    ///
    /// # Errors
    /// `Unavailable` if nobody did by `deadline`, or if it is unknown whether somebody did and the
    /// call cannot be repeated.
    pub(crate) async fn send(
        &self,
        shard: ShardId,
        call: Call,
        deadline: Instant,
    ) -> Result<Answer, GatewayError> {
        let mut hint = None;
        let mut unable_since = None;
        let mut reason = format!("shard {shard} has no leader");
        let begun = Instant::now();
        let mut sendings = 0_u32;
        loop {
            sendings = sendings.saturating_add(1);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(GatewayError::Unavailable(reason));
            }
            match self.send_once(shard, call.clone().within(left), left, hint.take()).await {
                Outcome::Answered(answer) => return Ok(*answer),
                Outcome::NotDone(None) if begun.elapsed() > HOPE && self.hopeless(shard) => {
                    let text = format!("too few nodes can be reached to decide for shard {shard}");
                    return Err(GatewayError::Unavailable(text));
                }
                Outcome::NotDone(leader) => hint = leader,
                Outcome::Unknown(why) if repeatable(&call) => reason = why,
                Outcome::Unknown(why) => {
                    let text = format!("whether it was done is not known: {why}");
                    return Err(GatewayError::Unavailable(text));
                }
                Outcome::Unable(why) => {
                    let since = *unable_since.get_or_insert_with(Instant::now);
                    if !repeatable(&call) || since.elapsed() > INSIST {
                        return Err(GatewayError::Unavailable(why));
                    }
                    reason = why;
                }
            }
            // Two nodes that each take the other for the leader must not make this a hot loop.
            if hint.is_none() || sendings.is_multiple_of(2) {
                self.pause(shard).await;
            }
        }
    }

    /// Whether so few of a shard's voters are there that nobody can lead it.
    fn hopeless(&self, shard: ShardId) -> bool {
        let Some(group) = self.here.groups.get(&shard) else { return false };
        let metrics = group.server_metrics();
        let metrics = metrics.borrow_watched();
        let own = metrics.id;
        let membership = metrics.membership_config.membership();
        let voters: Vec<u64> = membership.voter_ids().collect();
        let there = |node: &&u64| **node == own || self.here.liveness.is_up(**node);
        voters.iter().filter(there).count() * 2 <= voters.len()
    }

    async fn send_once(
        &self,
        shard: ShardId,
        call: Call,
        left: Duration,
        hint: Option<u64>,
    ) -> Outcome {
        let own = self.here.book.own();
        if self.here.led.is_led(shard) {
            return judge(self.here.perform(call).await);
        }
        // What an answer said is younger than what this node's own metrics say.
        match hint.or_else(|| self.here.leader(shard)) {
            Some(leader) if leader == own => judge(self.here.perform(call).await),
            Some(leader) => self.forward(shard, leader, &call, left).await,
            None => Outcome::NotDone(None),
        }
    }

    async fn forward(&self, shard: ShardId, to: u64, call: &Call, left: Duration) -> Outcome {
        let called = async {
            match self.peers.call(to, call, left).await {
                Ok(answer) => judge(answer),
                Err(CallError::NotSent(_) | CallError::Refused(_)) => Outcome::NotDone(None),
                Err(CallError::Unknown(why)) => Outcome::Unknown(why),
            }
        };
        tokio::select! {
            outcome = called => outcome,
            // A node that was deposed may never answer: it may be stopped or cut off.
            () = self.deposed(shard, to) => {
                Outcome::Unknown(format!("node {to} ceased to lead shard {shard}"))
            }
        }
    }

    /// Returns a while after another node than `leader` leads a shard.
    async fn deposed(&self, shard: ShardId, leader: u64) {
        let Some(group) = self.here.groups.get(&shard) else {
            return std::future::pending().await;
        };
        let mut metrics = group.server_metrics();
        loop {
            let now = metrics.borrow_watched().current_leader;
            if now.is_some_and(|now| now != leader) {
                return sleep(AFTERMATH).await;
            }
            if metrics.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits a moment, or until something about the shard's leader changes.
    async fn pause(&self, shard: ShardId) {
        let Some(group) = self.here.groups.get(&shard) else { return sleep(LOOK).await };
        let mut metrics = group.server_metrics();
        let before = metrics.borrow_watched().current_leader;
        let changed = async {
            while metrics.changed().await.is_ok() {
                if metrics.borrow_watched().current_leader != before {
                    return;
                }
            }
        };
        let _ = timeout(LOOK, changed).await;
    }
}

/// Whether doing a call twice is the same as doing it once.
fn repeatable(call: &Call) -> bool {
    match call {
        Call::Ask { question: Question::Tell(_), .. } => true,
        Call::Ask { caller, .. } | Call::ChangeTenant { caller, .. } => {
            caller.idempotency.is_some()
        }
        // Each looks first whether it was done.
        Call::ChangeCluster { .. } | Call::SetTime { .. } => true,
        Call::ReadIndex { .. } | Call::WaitApplied { .. } => true,
        Call::Ping | Call::Members | Call::RememberDisk(_) => true,
        // At worst the endpoint gets the event once more, which it must bear anyway.
        Call::Redeliver { .. } => true,
        Call::HandOver { .. } => false,
    }
}

fn judge(answer: Answer) -> Outcome {
    let failure = match &answer {
        Answer::Reply(Err(error))
        | Answer::Tenant(Err(error))
        | Answer::Changed(Err(error))
        | Answer::TimeSet(Err(error))
        | Answer::Redelivered(Err(error)) => error,
        _ => return Outcome::Answered(Box::new(answer)),
    };
    match failure {
        GatewayError::NotLeading { leader } => Outcome::NotDone(*leader),
        GatewayError::Unavailable(why) => Outcome::Unable(why.clone()),
        _ => Outcome::Answered(Box::new(answer)),
    }
}
