//! How an empty node becomes one of a cluster: it makes its key, asks one seed after another, and
//! keeps what it is told. A node that is killed at any point of this begins again with the same key
//! and is given the same number.

use std::sync::Arc;
use std::time::Duration;

use countersign_actors::ports::Clock;
use countersign_core::secret::Secret;
use countersign_core::system::FEATURE_LEVEL;
use countersign_storage::{Identity, KeyRing, Store};
use tokio::time::{Instant, sleep};

use super::credentials;
use crate::clock::WallClock;
use crate::config::Config;
use crate::error::Error;
use crate::network::{Dial, JoinError, JoinGrant, JoinRequest, KeyPair, join};

/// How long a seed may take.
const SEED: Duration = Duration::from_secs(10);
/// How long seeds are asked that cannot be reached: a cluster that is started all at once needs its
/// time.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two rounds over all seeds.
const ROUND: Duration = Duration::from_millis(500);

/// The nodes that are asked, and what each is told.
pub(crate) struct Seeds {
    addresses: Vec<String>,
    request: JoinRequest,
    secret: Secret,
    key: KeyPair,
    dial: Arc<dyn Dial>,
}

/// Why no seed let this node in.
pub(crate) enum NotGranted {
    /// Asking again may help; what the last one said.
    Later(String),
    /// Asking again would not help.
    Never(Error),
}

impl Seeds {
    /// As the settings name them.
    ///
    /// # Errors
    /// If the cluster secret is not among the settings.
    pub(crate) fn of(
        config: &Config,
        addresses: &[String],
        own: &Addresses,
        keys: &KeyRing,
        key: KeyPair,
        dial: &Arc<dyn Dial>,
    ) -> Result<Self, Error> {
        let secret = config.cluster_secret.clone().ok_or(Error::NoClusterSecret)?;
        let request = JoinRequest {
            name: config.name.clone(),
            api_address: own.api.clone(),
            peer_address: own.peer.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            feature_level: FEATURE_LEVEL,
            key_check: keys.key_check(),
            public_key: key.public_key(),
        };
        let (addresses, dial) = (addresses.to_vec(), Arc::clone(dial));
        Ok(Self { addresses, request, secret, key, dial })
    }

    /// Asks each once. A node that belongs to the cluster already is told the same again.
    ///
    /// # Errors
    /// If none let this node in.
    pub(crate) async fn ask(&self) -> Result<JoinGrant, NotGranted> {
        let mut last = "no seed is known".to_owned();
        for seed in &self.addresses {
            let (dial, key) = (self.dial.as_ref(), &self.key);
            match join(dial, seed, key, &self.secret, &self.request, SEED).await {
                Ok(grant) => return Ok(grant),
                // Asking again or elsewhere would not change it.
                Err(JoinError::Refused(refusal)) if refusal.is_final() => {
                    return Err(NotGranted::Never(Error::Join(refusal.to_string())));
                }
                Err(error @ JoinError::WrongSecret { .. }) => {
                    return Err(NotGranted::Never(Error::Join(error.to_string())));
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(NotGranted::Later(last))
    }
}

/// Asks the seeds in turn until one lets this node in.
///
/// # Errors
/// If it is refused, or no seed could be reached for five minutes.
pub(crate) async fn run(
    config: &Config,
    seeds: &[String],
    own: &Addresses,
    store: &Store,
    keys: &KeyRing,
    dial: &Arc<dyn Dial>,
) -> Result<Identity, Error> {
    if config.cluster_secret.is_none() {
        return Err(Error::NoClusterSecret);
    }
    let key = credentials::joining_key(store, keys)?;
    let seeds = Seeds::of(config, seeds, own, keys, key.clone(), dial)?;
    let grant = ask_in_turn(&seeds).await?;
    if grant.shards == 0 || grant.cluster_id.is_empty() {
        return Err(Error::Join("the cluster's answer makes no sense".to_owned()));
    }
    // The credentials first: an identity without them could not be gone on with.
    credentials::granted(store, keys, key, &grant, WallClock.now())?;
    let identity = Identity {
        node_id: grant.node_id,
        cluster_id: grant.cluster_id,
        name: config.name.clone(),
        shards: grant.shards,
        key_check: keys.key_check(),
    };
    store.set_identity(&identity).map_err(|error| Error::DataDir {
        path: config.data_dir.clone(),
        reason: error.to_string(),
    })?;
    tracing::info!(node = identity.node_id, cluster = %identity.cluster_id, "joined");
    Ok(identity)
}

/// Where others reach this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// The API.
    pub(crate) api: String,
    /// The peers' listener.
    pub(crate) peer: String,
}

async fn ask_in_turn(seeds: &Seeds) -> Result<JoinGrant, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = Instant::now();
    loop {
        let last = match seeds.ask().await {
            Ok(grant) => return Ok(grant),
            Err(NotGranted::Never(error)) => return Err(error),
            Err(NotGranted::Later(last)) => last,
        };
        if Instant::now() >= deadline {
            return Err(Error::Join(format!("no seed let this node in; the last said: {last}")));
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            tracing::warn!("still asking to be let in: {last}");
        }
        sleep(ROUND).await;
    }
}
