//! How an empty node becomes one of a cluster: it makes its key, asks one seed after another, and
//! keeps what it is told. A node that is killed at any point of this begins again with the same key
//! and is given the same number.

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

/// What a new member knows before its log tells it more.
pub(crate) struct Joined {
    /// Who it is.
    pub(crate) identity: Identity,
    /// Where the others are.
    pub(crate) nodes: Vec<(u64, String)>,
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
    dial: &dyn Dial,
) -> Result<Joined, Error> {
    let secret = config.cluster_secret.as_ref().ok_or(Error::NoClusterSecret)?;
    let key = credentials::joining_key(store, keys)?;
    let request = JoinRequest {
        name: config.name.clone(),
        api_address: own.api.clone(),
        peer_address: own.peer.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        feature_level: FEATURE_LEVEL,
        key_check: keys.key_check(),
        public_key: key.public_key(),
    };
    let grant = ask_in_turn(seeds, &request, secret, &key, dial).await?;
    if grant.shards == 0 || grant.cluster_id.is_empty() {
        return Err(Error::Join("the cluster's answer makes no sense".to_owned()));
    }
    // The credentials first: an identity without them could not be gone on with.
    let (certificate, authority) = (grant.certificate, grant.authority);
    credentials::granted(store, keys, key, certificate, authority, WallClock.now())?;
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
    Ok(Joined { identity, nodes: grant.nodes })
}

/// Where others reach this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// The API.
    pub(crate) api: String,
    /// The peers' listener.
    pub(crate) peer: String,
}

async fn ask_in_turn(
    seeds: &[String],
    request: &JoinRequest,
    secret: &Secret,
    key: &KeyPair,
    dial: &dyn Dial,
) -> Result<JoinGrant, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = Instant::now();
    loop {
        let mut last = "no seed is known".to_owned();
        for seed in seeds {
            match join(dial, seed, key, secret, request, SEED).await {
                Ok(grant) => return Ok(grant),
                // Asking again or elsewhere would not change it.
                Err(JoinError::Refused(refusal)) if refusal.is_final() => {
                    return Err(Error::Join(refusal.to_string()));
                }
                Err(error @ JoinError::WrongSecret { .. }) => {
                    return Err(Error::Join(error.to_string()));
                }
                Err(error) => last = error.to_string(),
            }
        }
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
