//! A node's gateway, asked from outside on the node's own threads.

use std::sync::{Arc, Weak};

use countersign_actors::gateway::{
    Caller, Gateway, GatewayError, HandOver, Health, Idempotency, NodeRemoval, Question, Target,
};
use countersign_core::command::{Command, Query};
use countersign_core::ids::{TenantId, UserId};
use countersign_core::reply::Reply;
use countersign_core::tenant::{TenantCommand, TenantReply};
use tokio::runtime::Handle;

/// Asks one node. Does not keep it alive: a node that ended is not there.
#[derive(Clone)]
pub struct Door {
    place: usize,
    runtime: Handle,
    gateway: Weak<dyn Gateway>,
}

impl Door {
    pub(super) fn new(place: usize, runtime: Handle, gateway: &Arc<dyn Gateway>) -> Self {
        Self { place, runtime, gateway: Arc::downgrade(gateway) }
    }

    /// Whose door it is.
    pub const fn place(&self) -> usize {
        self.place
    }

    async fn through<T, A>(
        &self,
        ask: impl FnOnce(Arc<dyn Gateway>) -> A + Send + 'static,
    ) -> Result<T, GatewayError>
    where
        A: Future<Output = Result<T, GatewayError>> + Send,
        T: Send + 'static,
    {
        let gateway = self.gateway.clone();
        let asked = self.runtime.spawn(async move {
            match gateway.upgrade() {
                Some(gateway) => ask(gateway).await,
                None => Err(ended()),
            }
        });
        asked.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Asks about a user.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn ask(
        &self,
        caller: Caller,
        target: Target,
        question: Question,
    ) -> Result<Reply, GatewayError> {
        self.through(move |gateway| async move { gateway.ask(caller, target, question).await })
            .await
    }

    /// Has something done about a user of the default tenant.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn tell(&self, name: &str, command: Command) -> Result<Reply, GatewayError> {
        self.ask(caller(None), Target::User(user(name)), Question::Do(command)).await
    }

    /// Asks what is known of a user of the default tenant.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn query(&self, name: &str, query: Query) -> Result<Reply, GatewayError> {
        self.ask(caller(None), Target::User(user(name)), Question::Tell(query)).await
    }

    /// Writes the name that a user shows.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn put(&self, name: &str, shown: &str) -> Result<Reply, GatewayError> {
        let profile = countersign_core::user::Profile {
            display_name: Some(shown.to_owned()),
            ..Default::default()
        };
        self.tell(name, Command::PutProfile(profile)).await
    }

    /// Reads it; `None` if there is no such user.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn shown(&self, name: &str) -> Result<Option<String>, GatewayError> {
        match self.query(name, Query::User).await? {
            Reply::User(view) => Ok(view.profile.display_name),
            _ => Ok(None),
        }
    }

    /// Changes the default tenant, once for each `number`, however often it is asked.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn change(
        &self,
        number: u64,
        command: TenantCommand,
    ) -> Result<TenantReply, GatewayError> {
        let tenant = TenantId::default_tenant();
        self.through(move |gateway| async move {
            gateway.change_tenant(caller(Some(number)), tenant, command).await
        })
        .await
    }

    /// Waits until the node knows what is current.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn current(&self) -> Result<(), GatewayError> {
        self.through(|gateway| async move { gateway.current().await }).await
    }

    /// Takes a node out of the cluster.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn remove_node(&self, node: u64) -> Result<NodeRemoval, GatewayError> {
        self.through(move |gateway| async move { gateway.remove_node(caller(None), node).await })
            .await
    }

    /// Makes a node hand over what it leads.
    ///
    /// # Errors
    /// What the gateway says.
    pub async fn hand_over(&self, node: u64) -> Result<HandOver, GatewayError> {
        self.through(move |gateway| async move { gateway.hand_over(caller(None), node).await })
            .await
    }

    /// The cluster as the node sees it; `None` if it has ended.
    pub fn health(&self) -> Option<Health> {
        let _entered = self.runtime.enter();
        self.gateway.upgrade().map(|gateway| gateway.health())
    }
}

fn ended() -> GatewayError {
    GatewayError::Unavailable("the node has ended".to_owned())
}

/// Who asks here: the default tenant, under an idempotency key if a number is given for it.
pub fn caller(number: Option<u64>) -> Caller {
    let idempotency = number.map(|number| {
        let mut key = [0x1d; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        Idempotency { key, request: key }
    });
    Caller {
        tenant: TenantId::default_tenant(),
        key: None,
        request_id: "req_inside".to_owned(),
        address: None,
        idempotency,
    }
}

/// The user of that name.
pub fn user(name: &str) -> UserId {
    name.parse().expect("a user's id")
}
