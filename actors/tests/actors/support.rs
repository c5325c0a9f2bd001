//! A service over a shard in memory, and short words for what the tests ask.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::gateway::{Caller, GatewayError, Idempotency, Question, Target};
use countersign_actors::ports::{Directory, Replica};
use countersign_actors::testing::{
    FixedDirectory, FixedVault, ManualClock, MemoryReplica, Nowhere, SeededSource,
};
use countersign_actors::{Options, Ports, Service};
use countersign_core::command::{Command, Query};
use countersign_core::ids::{ShardId, TenantId, UserKey};
use countersign_core::policy::Policy;
use countersign_core::reply::Reply;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::Profile;
use countersign_core::vault::Vault;
use tokio::time::timeout;

/// Longer than any test takes: where it runs out, the test has failed.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// The shard of all tests. Which users really fall into it does not matter here.
pub(crate) const SHARD: ShardId = ShardId(0);

/// When the tests begin.
pub(crate) fn start_time() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

/// A service that leads [`SHARD`], and all that it works with.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) replica: Arc<MemoryReplica>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) directory: Arc<FixedDirectory>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) options: Options,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(options(), Arc::new(FixedVault)).await
    }

    pub(crate) async fn with(options: Options, vault: Arc<dyn Vault>) -> Self {
        let clock = Arc::new(ManualClock::new(start_time()));
        let directory = Arc::new(FixedDirectory::new());
        Self::over(MemoryReplica::new(SHARD), options, vault, clock, directory).await
    }

    /// Another node that believes that it leads the same shard.
    pub(crate) async fn another(&self) -> Self {
        Self::over(
            Arc::clone(&self.replica),
            self.options.clone(),
            Arc::clone(&self.vault),
            Arc::clone(&self.clock),
            Arc::clone(&self.directory),
        )
        .await
    }

    async fn over(
        replica: Arc<MemoryReplica>,
        options: Options,
        vault: Arc<dyn Vault>,
        clock: Arc<ManualClock>,
        directory: Arc<FixedDirectory>,
    ) -> Self {
        let ports = Ports {
            directory: Arc::clone(&directory) as _,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededSource::new(next_seed())),
            vault: Arc::clone(&vault),
            carrier: Arc::new(Nowhere),
            poster: Arc::new(Nowhere),
            steward: Arc::new(Nowhere),
        };
        let service = Service::start(options.clone(), ports).await.unwrap();
        let world = Self { service, replica, clock, directory, vault, options };
        world.lead().await;
        world
    }

    /// Changes the policy of the default tenant, as this and every other node knows it.
    pub(crate) fn change_policy(&self, change: impl FnOnce(&mut Policy)) {
        let tenant = self.directory.tenant(&TenantId::default_tenant()).unwrap();
        let mut tenant = TenantState::clone(&tenant);
        change(&mut tenant.policy);
        self.directory.put(tenant);
    }

    pub(crate) async fn lead(&self) {
        self.service.lead(Arc::clone(&self.replica) as Arc<dyn Replica>).await.unwrap();
    }

    pub(crate) async fn ask(
        &self,
        caller: Caller,
        user: &str,
        question: Question,
    ) -> Result<Reply, GatewayError> {
        let target = Target::User(user.parse().unwrap());
        self.service.ask(SHARD, caller, target, question, LONG).await
    }

    pub(crate) async fn act(&self, user: &str, command: Command) -> Result<Reply, GatewayError> {
        self.ask(caller(), user, Question::Do(command)).await
    }

    pub(crate) async fn tell(&self, user: &str, query: Query) -> Result<Reply, GatewayError> {
        self.ask(caller(), user, Question::Tell(query)).await
    }

    /// Returns once the replica holds `n` proposals.
    pub(crate) async fn holding(&self, n: usize) {
        timeout(LONG, self.replica.holding(n)).await.unwrap();
    }

    /// Returns once `n` callers wait at the barrier.
    pub(crate) async fn at_barrier(&self, n: usize) {
        timeout(LONG, self.replica.at_barrier(n)).await.unwrap();
    }

    /// Returns once there are `n` actors.
    pub(crate) async fn actors(&self, n: usize) {
        let reached = async {
            while self.service.actors(SHARD) != n {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LONG, reached).await.unwrap();
    }

    /// Writes the user, under a name to show.
    pub(crate) async fn put(&self, user: &str, name: &str) -> Result<Reply, GatewayError> {
        self.act(user, put(name)).await
    }

    /// The name that a user shows; `None` if there is no such user.
    pub(crate) async fn name_of(&self, user: &str) -> Option<String> {
        match self.tell(user, Query::User).await.unwrap() {
            Reply::User(view) => view.profile.display_name,
            _ => None,
        }
    }
}

/// The usual bounds; only what is held may take long.
pub(crate) fn options() -> Options {
    Options { propose_timeout: LONG, ..Options::default() }
}

/// Two nodes must not draw the same bytes.
fn next_seed() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn put(name: &str) -> Command {
    Command::PutProfile(Profile { display_name: Some(name.to_owned()), ..Profile::default() })
}

pub(crate) fn key(user: &str) -> UserKey {
    UserKey::new(TenantId::default_tenant(), user.parse().unwrap())
}

pub(crate) fn caller() -> Caller {
    Caller {
        tenant: TenantId::default_tenant(),
        key: None,
        request_id: "req_test".to_owned(),
        address: None,
        idempotency: None,
    }
}

/// A caller with an idempotency key, and the request that came with it.
pub(crate) fn repeating(key: u8, request: u8) -> Caller {
    Caller { idempotency: Some(Idempotency { key: [key; 32], request: [request; 32] }), ..caller() }
}

/// Which user a proposal changes.
pub(crate) fn changes(proposal: &countersign_core::proposal::Proposal, user: &str) -> bool {
    match &proposal.change {
        countersign_core::proposal::Change::User { key, .. } => key.user.as_str() == user,
        _ => false,
    }
}
