//! A service over a shard in memory whose messages and events leave through a provider that does what
//! the test says, on a clock that goes as tokio's does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_actors::carrier::Steward;
use countersign_actors::gateway::{AuditRow, Caller, Question, Target};
use countersign_actors::ports::{Clock, Outbox, Replica};
use countersign_actors::testing::{
    FixedDirectory, FixedVault, MemoryReplica, Provider, RunningClock, SeededSource,
};
use countersign_actors::{Options, Ports, Service};
use countersign_core::audit::AuditEntry;
use countersign_core::command::Command;
use countersign_core::event::UserEvent;
use countersign_core::ids::{Pseudonym, TenantId, UserKey, WebhookId};
use countersign_core::message::Channel;
use countersign_core::outbox::MessageOutcome;
use countersign_core::proposal::{Applied, Change, LogCommand, Proposal};
use countersign_core::reply::Reply;
use countersign_core::user::Profile;
use countersign_core::vault::Vault;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{SHARD, caller, key, options, start_time};

/// Longer than anything takes that is to happen, on a clock that does not wait.
pub(crate) const DAYS: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Who was asked to disable which webhook.
#[derive(Default)]
pub(crate) struct Disabled(Mutex<Vec<WebhookId>>);

impl Disabled {
    pub(crate) fn asked(&self) -> Vec<WebhookId> {
        self.0.lock().unwrap().clone()
    }
}

impl Steward for Disabled {
    fn disable_webhook(&self, _tenant: TenantId, webhook: WebhookId) -> BoxFuture<'_, ()> {
        async move { self.0.lock().unwrap().push(webhook) }.boxed()
    }
}

/// The service and all that it works with.
#[derive(Clone)]
pub(crate) struct Station {
    pub(crate) service: Service,
    pub(crate) replica: Arc<MemoryReplica>,
    pub(crate) directory: Arc<FixedDirectory>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) disabled: Arc<Disabled>,
    pub(crate) clock: Arc<RunningClock>,
    /// Whose users are meant.
    pub(crate) tenant: TenantId,
}

impl Station {
    pub(crate) async fn new() -> Self {
        Self::with(options(), Arc::new(FixedVault)).await
    }

    pub(crate) async fn with(options: Options, vault: Arc<dyn Vault>) -> Self {
        let (provider, disabled) = (Provider::new(), Arc::new(Disabled::default()));
        let directory = Arc::new(FixedDirectory::new());
        let clock = Arc::new(RunningClock::new(start_time()));
        let ports = Ports {
            directory: Arc::clone(&directory) as _,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededSource::new(7)),
            vault,
            carrier: Arc::clone(&provider) as _,
            poster: Arc::clone(&provider) as _,
            steward: Arc::clone(&disabled) as _,
        };
        let service = Service::start(options, ports).await.unwrap();
        let replica = MemoryReplica::new(SHARD);
        let tenant = TenantId::default_tenant();
        let station = Self { service, replica, directory, provider, disabled, clock, tenant };
        station.lead().await;
        station
    }

    pub(crate) async fn lead(&self) {
        self.service.lead(Arc::clone(&self.replica) as Arc<dyn Replica>).await.unwrap();
    }

    pub(crate) async fn act(&self, user: &str, command: Command) -> Reply {
        let target = Target::User(user.parse().unwrap());
        let caller = Caller { tenant: self.tenant.clone(), ..caller() };
        self.service.ask(SHARD, caller, target, Question::Do(command), DAYS).await.unwrap()
    }

    /// Has a code sent that confirms an enrollment which is begun for it.
    pub(crate) async fn send(&self, user: &str, channel: Channel) {
        let begin = match channel {
            Channel::Sms => {
                let number = format!("+4179{:07}", 1_000_000 + key(user).hash().0 % 8_000_000);
                Command::BeginSms { number: number.parse().unwrap(), name: None }
            }
            Channel::Email => {
                let profile = Profile {
                    email: Some(format!("{user}@example.org")),
                    email_verified: true,
                    ..Profile::default()
                };
                self.act(user, Command::PutProfile(profile)).await;
                Command::BeginEmail { name: None }
            }
        };
        let begun = self.act(user, begin).await;
        assert!(matches!(begun, Reply::MessageEnrollment(_)), "{begun:?}");
        self.send_again(user, channel).await;
    }

    /// Has another code sent to the same enrollment.
    pub(crate) async fn send_again(&self, user: &str, channel: Channel) {
        let sent = self.act(user, Command::SendEnrollmentCode { channel }).await;
        assert!(matches!(sent, Reply::CodeSent(_)), "{sent:?}");
    }

    /// Returns once `n` messages are settled; what became of them, in order.
    pub(crate) async fn settled(&self, n: usize) -> Vec<(MessageOutcome, u32)> {
        until(|| self.replica.settled().len() >= n).await;
        let settled = self.replica.settled();
        settled.into_iter().map(|(_, outcome, attempts)| (outcome, attempts)).collect()
    }

    /// Returns once `n` parcels were handed over.
    pub(crate) async fn handed(&self, n: usize) {
        timeout(DAYS, self.provider.handed(n)).await.unwrap();
    }

    /// Returns once `n` postings were made.
    pub(crate) async fn posted(&self, n: usize) {
        timeout(DAYS, self.provider.posted(n)).await.unwrap();
    }

    /// Returns once `n` attempts wait at the closed barrier.
    pub(crate) async fn at_barrier(&self, n: usize) {
        timeout(DAYS, self.replica.at_barrier(n)).await.unwrap();
    }

    /// Returns once the replica holds `n` proposals; with 0, once it holds none.
    pub(crate) async fn holding(&self, n: usize) {
        let held = async {
            match n {
                0 => self.replica.holding_none().await,
                n => self.replica.holding(n).await,
            }
        };
        timeout(DAYS, held).await.unwrap();
    }

    /// Begins to give the shard up in order, in a task.
    pub(crate) fn retiring(&self) -> JoinHandle<bool> {
        let service = self.service.clone();
        tokio::spawn(async move { service.retire(SHARD, DAYS).await })
    }

    /// Messages that wait in the store.
    pub(crate) fn waiting(&self) -> usize {
        self.replica.messages(None, usize::MAX).unwrap().len()
    }

    /// The audit rows of a type.
    pub(crate) fn told(&self, event_type: &str) -> Vec<AuditRow> {
        let rows = self.replica.chain();
        rows.into_iter().filter(|row| row.event_type == event_type).collect()
    }

    /// Puts an audit row into the chain, about a user; its place.
    pub(crate) async fn note(&self, user: &str, entry: AuditEntry) -> u64 {
        let key = UserKey::new(self.tenant.clone(), user.parse().unwrap());
        let row = self.replica.peek(&key);
        let pseudonym = Pseudonym::from_bytes([key.hash().0.to_be_bytes()[0]; 16]);
        let created = UserEvent::Created { pseudonym };
        let events = if row.value.exists() { Vec::new() } else { vec![created] };
        let proposal = Proposal {
            change: Change::User { key, events },
            expected_version: row.version,
            now: self.clock.now(),
            clock: self.clock.now(),
            audit: vec![entry],
            answer: None,
        };
        let applied = self.replica.propose(LogCommand::Propose(Box::new(proposal))).await.unwrap();
        assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
        self.replica.chain().len() as u64
    }
}

/// Returns once something is so. Looks ever more rarely, since days may pass in a moment.
pub(crate) async fn until(fits: impl Fn() -> bool) {
    let begun = Instant::now();
    let reached = async {
        while !fits() {
            sleep((begun.elapsed() / 200).max(Duration::from_millis(10))).await;
        }
    };
    timeout(DAYS, reached).await.unwrap();
}

/// Lets time pass.
pub(crate) async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

pub(crate) fn sent() -> MessageOutcome {
    MessageOutcome::Sent { reference: Some("taken".to_owned()) }
}

pub(crate) fn failed(reason: &str) -> MessageOutcome {
    MessageOutcome::Failed { reason: reason.to_owned() }
}
