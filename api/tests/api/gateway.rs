//! A gateway that decides with the real core over states in memory, or answers as a test says, and
//! remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use countersign_actors::gateway::{
    AuditFilter, AuditHead, AuditRow, Caller, DeliveryRow, Gateway, GatewayError, HandOver, Health,
    NodeHealth, NodeRemoval, Page, PolicyPreview, Question, ShardHealth, Target,
};
use countersign_actors::ports::{Clock, Directory};
use countersign_actors::testing::{FixedVault, ManualClock};
use countersign_core::audit::AuditOutcome;
use countersign_core::codec;
use countersign_core::context::{Context, Surroundings};
use countersign_core::decide::{decide, prepare};
use countersign_core::entropy::SeededEntropy;
use countersign_core::event::UserEvent;
use countersign_core::evolve::evolve_all;
use countersign_core::factor::message::SendOutcome;
use countersign_core::ids::{DeliveryId, KeyId, ShardId, TenantId, UserKey, WebhookId};
use countersign_core::message::{Channels, CodeMessage, seal_context};
use countersign_core::preview::Preview;
use countersign_core::query;
use countersign_core::reply::{Refusal, Reply, UserView};
use countersign_core::statistics::{Counts, Statistics, Window};
use countersign_core::system::FEATURE_LEVEL;
use countersign_core::tenant::{self, TenantCommand, TenantReply, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use countersign_core::vault::Vault;
use countersign_core::webhook::{Delivery, DeliveryState};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::house::{MemoryDirectory, NOW};

type Canned<Q, R> = Box<dyn Fn(&Q) -> Result<R, GatewayError> + Send + Sync>;

/// Whose audit rows were asked for, which, from where and how many.
pub(crate) type AuditQuestion = (TenantId, AuditFilter, Option<String>, usize);

/// Whose deliveries were asked for, of which webhook, from where and how many.
pub(crate) type DeliveriesQuestion = (TenantId, WebhookId, Option<String>, usize);

/// A delivery that only this one webhook has.
pub(crate) const DELIVERY: DeliveryId = DeliveryId::from_bytes([7; 16]);

/// See the module.
pub(crate) struct MemoryGateway {
    directory: Arc<MemoryDirectory>,
    clock: Arc<ManualClock>,
    entropy: Mutex<SeededEntropy>,
    pub(crate) users: Mutex<BTreeMap<UserKey, UserState>>,
    /// Messages that a courier would carry out, the newest last.
    pub(crate) sent: Mutex<Vec<CodeMessage>>,
    /// Whose deliveries were asked for, of which webhook, from where and how many.
    pub(crate) deliveries: Mutex<Vec<DeliveriesQuestion>>,
    /// Deliveries that were to be tried anew, and by whom.
    pub(crate) redelivered: Mutex<Vec<(Caller, WebhookId, DeliveryId)>>,
    canned: Mutex<Option<Canned<Question, Reply>>>,
    canned_tenant: Mutex<Option<Canned<TenantCommand, TenantReply>>>,
    pub(crate) asked: Mutex<Vec<(Caller, Target, Question)>>,
    pub(crate) changed: Mutex<Vec<(Caller, TenantId, TenantCommand)>>,
    pub(crate) listed: Mutex<Vec<(TenantId, Option<String>, usize)>>,
    /// What was looked for in them.
    pub(crate) searched: Mutex<Vec<Option<String>>>,
    pub(crate) audited: Mutex<Vec<AuditQuestion>>,
    /// Whose statistics were asked for, and of which window.
    pub(crate) counted: Mutex<Vec<(TenantId, Window)>>,
    pub(crate) health: Mutex<Health>,
    /// Nodes that were to be removed or to hand over, and by whom.
    pub(crate) nodes: Mutex<Vec<(Caller, u64)>>,
    /// How often it was asked whether it is current.
    pub(crate) asked_if_current: Mutex<usize>,
    /// Never answers.
    pub(crate) mute: Mutex<bool>,
}

impl MemoryGateway {
    pub(crate) fn new(directory: Arc<MemoryDirectory>, clock: Arc<ManualClock>) -> Self {
        Self {
            directory,
            clock,
            entropy: Mutex::new(SeededEntropy::new(11)),
            users: Mutex::default(),
            sent: Mutex::default(),
            deliveries: Mutex::default(),
            redelivered: Mutex::default(),
            canned: Mutex::default(),
            canned_tenant: Mutex::default(),
            asked: Mutex::default(),
            changed: Mutex::default(),
            listed: Mutex::default(),
            searched: Mutex::default(),
            audited: Mutex::default(),
            counted: Mutex::default(),
            health: Mutex::new(healthy()),
            nodes: Mutex::default(),
            asked_if_current: Mutex::default(),
            mute: Mutex::new(false),
        }
    }

    /// From here on, questions about users are answered so.
    pub(crate) fn answer(
        &self,
        canned: impl Fn(&Question) -> Result<Reply, GatewayError> + Send + Sync + 'static,
    ) {
        *self.canned.lock().unwrap() = Some(Box::new(canned));
    }

    /// From here on, every question about a user is refused so.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.answer(move |_| Ok(Reply::Refused(refusal.clone())));
    }

    /// From here on, changes of tenants are answered so.
    pub(crate) fn answer_tenant(
        &self,
        canned: impl Fn(&TenantCommand) -> Result<TenantReply, GatewayError> + Send + Sync + 'static,
    ) {
        *self.canned_tenant.lock().unwrap() = Some(Box::new(canned));
    }

    /// The code of the last message, as whoever it went to reads it.
    pub(crate) fn last_code(&self) -> String {
        let sent = self.sent.lock().unwrap();
        sent.last().unwrap().code.expose_str().to_owned()
    }

    /// The last thing that was asked about a user.
    pub(crate) fn last(&self) -> (Caller, Target, Question) {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }

    fn key(&self, caller: &Caller, target: &Target) -> Option<UserKey> {
        match target {
            Target::User(user) => Some(UserKey::new(caller.tenant.clone(), user.clone())),
            Target::Challenge(id) => {
                let hash = FixedVault.challenge_user(*id);
                let users = self.users.lock().unwrap();
                users.keys().find(|key| key.tenant == caller.tenant && key.hash() == hash).cloned()
            }
        }
    }

    /// From here on it is known what became of the message that was made last.
    pub(crate) fn settle(&self, outcome: &SendOutcome) {
        let now = self.clock.now();
        for state in self.users.lock().unwrap().values_mut() {
            let latest = state
                .messages()
                .filter_map(|(factor, _, to)| to.latest().map(|code| (code.sent_at, factor, code)))
                .max_by_key(|(sent_at, ..)| *sent_at)
                .map(|(_, factor, code)| (factor, code.delivery));
            let Some((factor, delivery)) = latest else { continue };
            let outcome = outcome.clone();
            evolve_all(state, &[UserEvent::CodeSettled { factor, delivery, outcome }], now);
        }
    }

    fn decide(&self, caller: &Caller, target: &Target, question: &Question) -> Reply {
        let Some(key) = self.key(caller, target) else {
            return Reply::Refused(Refusal::ChallengeNotFound);
        };
        let tenant = self.directory.tenant(&key.tenant).unwrap();
        let system = self.directory.system();
        let around = Surroundings {
            channels: Channels { sms: true, email: true },
            browser_address: caller.address,
            ..Surroundings::of(&tenant, &system.signing_key().unwrap().kid)
        };
        let now = self.clock.now();
        let mut users = self.users.lock().unwrap();
        let mut state = users.get(&key).cloned().unwrap_or_default();
        let command = match question {
            Question::Tell(query) => return query::answer(&key, &state, query, &around, now),
            Question::Do(command) => command,
        };
        let mut entropy = self.entropy.lock().unwrap();
        let mut context = context(now, &mut entropy, caller.key);
        let work = prepare(&state, command, &around, &mut context);
        let worked = work.map(countersign_core::decision::Work::run);
        let decision = decide(&key, &state, command, worked, &around, &mut context);
        evolve_all(&mut state, &decision.events, now);
        let issued = decision.events.iter().filter_map(|event| match event {
            UserEvent::CodeIssued(issued) => Some(issued),
            _ => None,
        });
        for issued in issued {
            let bound = seal_context(&key, issued.code.delivery);
            let plain = FixedVault.open(&bound, &issued.message).unwrap();
            self.sent.lock().unwrap().push(codec::decode(plain.expose()).unwrap());
        }
        users.insert(key, state);
        decision.reply
    }
}

fn context(now: Timestamp, entropy: &mut SeededEntropy, actor: Option<KeyId>) -> Context<'_> {
    Context { now, clock: now, entropy, vault: &FixedVault, actor, feature_level: FEATURE_LEVEL }
}

impl Gateway for MemoryGateway {
    fn ask(
        &self,
        caller: Caller,
        target: Target,
        question: Question,
    ) -> BoxFuture<'_, Result<Reply, GatewayError>> {
        async move {
            self.asked.lock().unwrap().push((caller.clone(), target.clone(), question.clone()));
            if *self.mute.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            match self.canned.lock().unwrap().as_ref() {
                Some(canned) => canned(&question),
                None => Ok(self.decide(&caller, &target, &question)),
            }
        }
        .boxed()
    }

    fn change_tenant(
        &self,
        caller: Caller,
        id: TenantId,
        command: TenantCommand,
    ) -> BoxFuture<'_, Result<TenantReply, GatewayError>> {
        self.changed.lock().unwrap().push((caller.clone(), id.clone(), command.clone()));
        if let Some(canned) = self.canned_tenant.lock().unwrap().as_ref() {
            return futures::future::ready(canned(&command)).boxed();
        }
        let now = self.clock.now();
        let mut entropy = self.entropy.lock().unwrap();
        let mut context = context(now, &mut entropy, caller.key);
        let mut tenants = self.directory.tenants.lock().unwrap();
        let place = tenants.iter().position(|tenant| tenant.id == id);
        let mut state = place.map(|place| tenants.remove(place));
        let decision = tenant::decide(&id, state.as_ref(), &command, &mut context);
        for event in &decision.events {
            tenant::evolve(&mut state, &id, event, now);
        }
        tenants.extend(state);
        futures::future::ready(Ok(decision.reply)).boxed()
    }

    fn users(
        &self,
        tenant: TenantId,
        query: Option<String>,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<UserView>, GatewayError>> {
        self.searched.lock().unwrap().push(query);
        self.listed.lock().unwrap().push((tenant.clone(), cursor, limit));
        let users = self.users.lock().unwrap();
        let own = users.iter().filter(|(key, state)| key.tenant == tenant && state.exists());
        let data = own.map(|(key, state)| UserView {
            id: key.user.clone(),
            profile: state.profile.clone(),
            created_at: state.created_at,
            updated_at: state.updated_at,
            created: false,
        });
        let page = Page { data: data.collect(), next_cursor: Some("next".to_owned()) };
        futures::future::ready(Ok(page)).boxed()
    }

    fn audit(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<AuditRow>, GatewayError>> {
        self.audited.lock().unwrap().push((tenant, filter, cursor, limit));
        let page = Page { data: vec![audit_row()], next_cursor: None };
        futures::future::ready(Ok(page)).boxed()
    }

    fn audit_heads(
        &self,
        _tenant: TenantId,
    ) -> BoxFuture<'_, Result<Vec<AuditHead>, GatewayError>> {
        let head = |shard| AuditHead {
            shard,
            sequence: 42,
            hash: [0xab; 32],
            at: NOW,
            start_sequence: 7,
            start_hash: [0xcd; 32],
        };
        futures::future::ready(Ok(vec![head(ShardId(3)), head(ShardId(10))])).boxed()
    }

    fn current(&self) -> BoxFuture<'_, Result<(), GatewayError>> {
        *self.asked_if_current.lock().unwrap() += 1;
        let answer = if self.health.lock().unwrap().current {
            Ok(())
        } else {
            Err(GatewayError::Unavailable("the test says so".to_owned()))
        };
        futures::future::ready(answer).boxed()
    }

    fn webhook_deliveries(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        cursor: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page<DeliveryRow>, GatewayError>> {
        self.deliveries.lock().unwrap().push((tenant, webhook, cursor, limit));
        let page = Page { data: vec![delivery_row()], next_cursor: Some("next".to_owned()) };
        futures::future::ready(Ok(page)).boxed()
    }

    fn redeliver(
        &self,
        caller: Caller,
        webhook: WebhookId,
        delivery: DeliveryId,
    ) -> BoxFuture<'_, Result<bool, GatewayError>> {
        self.redelivered.lock().unwrap().push((caller, webhook, delivery));
        futures::future::ready(Ok(delivery == DELIVERY)).boxed()
    }

    fn statistics(
        &self,
        tenant: TenantId,
        window: Window,
    ) -> BoxFuture<'_, Result<Statistics, GatewayError>> {
        self.counted.lock().unwrap().push((tenant, window));
        let last = window.slot(NOW);
        let counts = Counts { logins: 3, challenges: 2, failures: 1, ..Counts::default() };
        let slots = [(last - 1, Counts::default()), (last, counts)];
        let statistics = Statistics {
            window,
            slots: slots.map(|(slot, counts)| (window.begins(slot), counts)).into(),
            counted_since: None,
        };
        futures::future::ready(Ok(statistics)).boxed()
    }

    fn preview(
        &self,
        current: Arc<TenantState>,
        next: TenantState,
    ) -> BoxFuture<'_, Result<PolicyPreview, GatewayError>> {
        let mut found = Preview::default();
        for (key, state) in self.users.lock().unwrap().iter() {
            if key.tenant == current.id {
                found.add(&current, &next, state, self.clock.now());
            }
        }
        let users = Some(found.scanned);
        futures::future::ready(Ok(PolicyPreview { found, complete: true, users })).boxed()
    }

    fn remove_node(
        &self,
        caller: Caller,
        node: u64,
    ) -> BoxFuture<'_, Result<NodeRemoval, GatewayError>> {
        self.nodes.lock().unwrap().push((caller, node));
        let mut health = self.health.lock().unwrap();
        let known = health.nodes.iter().position(|known| known.id == node);
        let removal = match known {
            None => NodeRemoval::Unknown,
            Some(_) if health.nodes.len() < 2 => {
                NodeRemoval::Refused("it would cost the quorum".to_owned())
            }
            Some(place) => {
                health.nodes.remove(place);
                NodeRemoval::Removed
            }
        };
        futures::future::ready(Ok(removal)).boxed()
    }

    fn hand_over(
        &self,
        caller: Caller,
        node: u64,
    ) -> BoxFuture<'_, Result<HandOver, GatewayError>> {
        self.nodes.lock().unwrap().push((caller, node));
        futures::future::ready(Ok(HandOver { moved: 1, kept: 1 })).boxed()
    }

    fn set_time(
        &self,
        caller: Caller,
        shard: ShardId,
    ) -> BoxFuture<'_, Result<Option<i64>, GatewayError>> {
        self.nodes.lock().unwrap().push((caller, u64::from(shard.0)));
        let health = self.health.lock().unwrap();
        let known = health.shards.iter().find(|known| known.id == shard);
        futures::future::ready(Ok(known.map(|known| known.ahead_ms))).boxed()
    }

    fn health(&self) -> Health {
        self.health.lock().unwrap().clone()
    }
}

fn delivery_row() -> DeliveryRow {
    DeliveryRow {
        id: DELIVERY,
        event: "evt_3_42".to_owned(),
        delivery: Delivery {
            sequence: 42,
            event_type: "mfa.challenge.failed".to_owned(),
            state: DeliveryState::Pending,
            attempts: 2,
            since: NOW,
            last_attempt_at: Some(NOW.plus_millis(5_000)),
            next_attempt_at: Some(NOW.plus_millis(65_000)),
            last_status: Some(503),
            last_error: None,
        },
    }
}

/// A row as the audit route shows it.
pub(crate) fn audit_row() -> AuditRow {
    AuditRow {
        id: "evt_3_42".to_owned(),
        shard: ShardId(3),
        sequence: 42,
        at: NOW,
        event_type: "mfa.challenge.failed".to_owned(),
        user: Some("ann".parse().unwrap()),
        pseudonym: Some("psn_x".to_owned()),
        factor_id: None,
        challenge_id: None,
        actor: None,
        ip_address: Some("203.0.113.7".to_owned()),
        outcome: AuditOutcome::Failure,
        reason: Some("invalid_code".to_owned()),
        details: BTreeMap::from([("attemptsRemaining".to_owned(), "4".to_owned())]),
        chained: vec![1, 2, 3],
        annex: None,
        hash: [0xab; 32],
    }
}

/// Two nodes, of which the first leads both shards.
pub(crate) fn healthy() -> Health {
    let shard = |id| ShardHealth {
        id: ShardId(id),
        leader: Some(1),
        term: 4,
        last_applied: 1_042,
        committed: 1_042,
        followers: vec![(2, 1_040)],
        voters: vec![1],
        learners: vec![2],
        caught_up: true,
        ahead_ms: 0,
    };
    let node = |id: u64| NodeHealth {
        id,
        name: format!("n{id}"),
        api_address: format!("127.0.0.1:808{id}"),
        peer_address: format!("127.0.0.1:708{id}"),
        state: "UP".to_owned(),
        clock_ahead_ms: Some(0),
    };
    Health {
        cluster_id: "clu_test".to_owned(),
        version: "1.2.3".to_owned(),
        leaderless: Vec::new(),
        nodes: vec![node(1), node(2)],
        shards: vec![shard(0), shard(1)],
        current: true,
        clock: None,
        stopping: false,
    }
}
