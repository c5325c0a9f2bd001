//! The beginning of a cluster: what happens once, on one empty node, through shard 0's log like
//! everything else. Each step looks first whether it was taken, so that a founding that was
//! killed half way goes on where it stopped.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::Service;
use countersign_actors::gateway::Caller;
use countersign_actors::ports::{Clock, Directory, Replica};
use countersign_core::entropy::Entropy;
use countersign_core::ids::{ShardId, TenantId};
use countersign_core::proposal::{Applied, Change, LogCommand, Proposal};
use countersign_core::reply::Refusal;
use countersign_core::secret::Secret;
use countersign_core::system::{self, NodeRecord, SystemEvent};
use countersign_core::tenant::{TenantCommand, TenantReply};
use countersign_storage::{KeyRing, Store};
use data_encoding::BASE32_DNSSEC;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::cluster::credentials::OwnCredentials;
use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::leadership::Led;
use crate::raft::Groups;
use crate::replica::ShardReplica;

/// What every API key begins with.
const KEY_PREFIX: &str = "csk_";

/// How long a founding node waits for its own election.
const FOUNDING_ELECTION: Duration = Duration::from_secs(30);
/// How long one step may take.
const STEP: Duration = Duration::from_secs(30);

/// The name of the tenant that every cluster begins with.
const FIRST_TENANT: &str = "Default";

/// A fresh API key: `csk_` and thirty-two random bytes in base32.
pub(crate) fn new_root_key() -> Secret {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    let random = Zeroizing::new(entropy.bytes::<32>());
    Secret::from(format!("{KEY_PREFIX}{}", BASE32_DNSSEC.encode(&*random)))
}

/// A fresh id of a cluster: `clu_` and sixteen random bytes in base32.
pub(crate) fn new_cluster_id() -> String {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    format!("clu_{}", BASE32_DNSSEC.encode(&entropy.bytes::<16>()))
}

/// Whether every step was taken, as far as this node has applied.
pub(crate) fn complete(directory: &dyn Directory, node: u64) -> bool {
    let system = directory.system();
    system.founded()
        && system.signing_key().is_some()
        && system.authority.is_some()
        && system.node(node).is_some()
        && directory.tenant(&TenantId::default_tenant()).is_some()
}

/// What founding works with.
pub(crate) struct Founding<'a> {
    /// Shard 0, led here.
    pub(crate) replica: Arc<dyn Replica>,
    /// The actors.
    pub(crate) service: &'a Service,
    /// What was applied.
    pub(crate) directory: &'a dyn Directory,
    /// Makes and holds data keys.
    pub(crate) keys: &'a Arc<KeyRing>,
    /// The time.
    pub(crate) clock: &'a dyn Clock,
    /// `clu_…`, chosen when the node got its identity.
    pub(crate) cluster_id: &'a str,
    /// How many shards.
    pub(crate) shards: u16,
    /// What the first node shows others, and the authority behind it.
    pub(crate) credentials: &'a OwnCredentials,
    /// The first node, as the registry will have it.
    pub(crate) node: NodeRecord,
}

impl Founding<'_> {
    /// Takes the steps that were not taken yet. Without a `root_key` the first API key is made
    /// here, and given to `announce` before it is committed, so that no kill in between loses it.
    ///
    /// # Errors
    /// If a step fails; the next start goes on with it.
    pub(crate) async fn run(
        &self,
        root_key: Option<Secret>,
        announce: impl FnOnce(&Secret),
    ) -> Result<(), Error> {
        self.found().await?;
        self.first_signing_key().await?;
        self.authority().await?;
        self.first_node().await?;
        self.first_tenant(root_key, announce).await
    }

    /// The cluster's id and its first data key, in one entry: nothing is ever sealed before.
    async fn found(&self) -> Result<(), Error> {
        if self.directory.system().founded() {
            return Ok(());
        }
        let now = self.clock.now();
        let key = self.keys.new_data_key(1, &mut SystemEntropy, now);
        let events = vec![
            SystemEvent::Founded { cluster_id: self.cluster_id.to_owned(), shards: self.shards },
            SystemEvent::DataKeyAdded(key),
        ];
        self.propose("the cluster's first entry", events).await
    }

    async fn first_signing_key(&self) -> Result<(), Error> {
        let system = self.directory.system();
        self.keys.load(&system).map_err(|error| Error::Founding {
            step: "loading the data key",
            reason: error.to_string(),
        })?;
        if system.signing_key().is_some() {
            return Ok(());
        }
        let vault = self.keys.as_ref();
        let made = countersign_api::new_signing_key(&SystemEntropy, vault, self.clock.now());
        let key = made.map_err(|error| Error::Founding {
            step: "making a signing key",
            reason: error.to_string(),
        })?;
        self.propose("the first signing key", vec![SystemEvent::SigningKeyAdded(key)]).await
    }

    /// What vouches for nodes to each other.
    async fn authority(&self) -> Result<(), Error> {
        if self.directory.system().authority.is_some() {
            return Ok(());
        }
        // Made with the node's identity: its own certificate is by it already.
        let made = self.credentials.founding_authority().ok_or_else(|| Error::Founding {
            step: "the nodes' authority",
            reason: "it was made and lost; begin again with an empty data directory".to_owned(),
        })?;
        self.propose("the nodes' authority", vec![SystemEvent::AuthorityMade(made)]).await
    }

    async fn first_node(&self) -> Result<(), Error> {
        if self.directory.system().node(self.node.id).is_some() {
            return Ok(());
        }
        let admitted = SystemEvent::NodeAdmitted(self.node.clone());
        self.propose("the first node", vec![admitted]).await
    }

    async fn first_tenant(
        &self,
        root_key: Option<Secret>,
        announce: impl FnOnce(&Secret),
    ) -> Result<(), Error> {
        let id = TenantId::default_tenant();
        if self.directory.tenant(&id).is_some() {
            return Ok(());
        }
        let key = root_key.unwrap_or_else(|| {
            let made = new_root_key();
            announce(&made);
            made
        });
        let caller = Caller {
            tenant: id.clone(),
            key: None,
            request_id: "founding".to_owned(),
            address: None,
            idempotency: None,
        };
        let command =
            TenantCommand::Create { name: FIRST_TENANT.to_owned(), key: Some(key), root: true };
        let failed = |reason: String| Error::Founding { step: "the first tenant", reason };
        match self.service.change_tenant(caller, id, command, STEP).await {
            Ok(TenantReply::Created { .. } | TenantReply::Refused(Refusal::Conflict(_))) => Ok(()),
            Ok(TenantReply::Refused(refusal)) => Err(failed(refusal.to_string())),
            Ok(_) => Err(failed("an answer to another question".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn propose(&self, step: &'static str, events: Vec<SystemEvent>) -> Result<(), Error> {
        let failed = |reason: String| Error::Founding { step, reason };
        let row = self.replica.system().map_err(|error| failed(error.to_string()))?;
        let proposal = Proposal {
            audit: events.iter().filter_map(|event| system::audit(&row.value, event)).collect(),
            change: Change::System { events },
            expected_version: row.version,
            now: self.clock.now(),
            clock: self.clock.now(),
            answer: None,
        };
        let proposed = self.replica.propose(LogCommand::Propose(Box::new(proposal)));
        let applied = tokio::time::timeout(STEP, proposed)
            .await
            .map_err(|_| failed("no quorum in time".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        match applied {
            Applied::Done { .. } => Ok(()),
            other => Err(failed(format!("unexpected outcome {other:?}"))),
        }
    }
}

/// Shard 0's replica, once it is led here.
///
/// # Errors
/// If it is not led here within half a minute.
pub(crate) async fn system_replica(
    store: &Arc<Store>,
    groups: &Groups,
    led: &Led,
) -> Result<Arc<dyn Replica>, Error> {
    let shard = ShardId::SYSTEM;
    let failed =
        |reason: &str| Error::Founding { step: "the first election", reason: reason.to_owned() };
    if !led.wait(shard, Instant::now() + FOUNDING_ELECTION).await {
        return Err(failed("shard 0 has no leader"));
    }
    let group = groups.get(&shard).ok_or_else(|| failed("there is no shard 0"))?;
    let leader = group.as_leader().map_err(|error| failed(&error.to_string()))?;
    let fence = leader.to_committed_leader_id();
    Ok(ShardReplica::new(shard, group.clone(), store.rows(shard), fence).into_port())
}
