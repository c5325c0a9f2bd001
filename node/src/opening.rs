//! From a data directory to a node that is somebody: the store is opened, the master key checked
//! against it, and an empty node founds a cluster or joins one.

use std::path::Path;
use std::sync::Arc;

use countersign_storage::{Identity, KeyRing, MasterKey, StorageError, Store, StoreOptions};
use zeroize::Zeroizing;

use crate::cluster::joining::{self, Addresses};
use crate::config::{Beginning, Config};
use crate::error::Error;
use crate::founding;
use crate::network::Dial;

/// The number of the node that founds a cluster.
pub(crate) const FIRST_NODE: u64 = 1;

/// A store, and the keys that open what is in it.
pub(crate) struct Opened {
    /// The store.
    pub(crate) store: Arc<Store>,
    /// The keys.
    pub(crate) keys: Arc<KeyRing>,
    identity: Option<Identity>,
}

impl Opened {
    /// Opens the data directory and checks the master key against it, before anything is written.
    ///
    /// # Errors
    /// If it cannot be opened, is sealed with another key, or holds nothing and no way to begin was
    /// chosen.
    pub(crate) fn open(config: &Config) -> Result<Self, Error> {
        let dir = config.data_dir.as_path();
        let data = |error: &StorageError| Error::DataDir {
            path: dir.to_owned(),
            reason: error.to_string(),
        };
        if !holds_data(dir) && config.beginning == Beginning::Refuse {
            return Err(Error::NothingThere { path: dir.to_owned() });
        }
        let master = master_key(config)?;
        let store = Store::open(dir, StoreOptions::default()).map_err(|error| data(&error))?;
        let identity = store.identity().map_err(|error| data(&error))?;
        let keys = Arc::new(KeyRing::new(master));
        if identity.as_ref().is_some_and(|found| keys.verify_key_check(&found.key_check).is_err()) {
            return Err(Error::WrongMasterKey { path: dir.to_owned() });
        }
        let system = store.directory().system();
        if system.founded() {
            keys.load(&system).map_err(|error| Error::DataDir {
                path: dir.to_owned(),
                reason: format!("a data key cannot be opened: {error}"),
            })?;
        }
        Ok(Self { store, keys, identity })
    }

    /// Gives an empty node its identity: its own, or one that a cluster gives it.
    ///
    /// # Errors
    /// If it cannot be kept, or no cluster lets this node in.
    pub(crate) async fn begin(
        &self,
        config: &Config,
        own: &Addresses,
        dial: &Arc<dyn Dial>,
    ) -> Result<Identity, Error> {
        if let Some(identity) = &self.identity {
            // One that was let in and has heard nothing since may have moved: it asks again.
            let waits =
                !self.store.directory().system().founded() && identity.node_id != FIRST_NODE;
            if let (true, Beginning::Join(seeds)) = (waits, &config.beginning) {
                return joining::run(config, seeds, own, &self.store, &self.keys, dial).await;
            }
            return Ok(identity.clone());
        }
        match &config.beginning {
            Beginning::Refuse => Err(Error::NothingThere { path: config.data_dir.clone() }),
            Beginning::Join(seeds) => {
                joining::run(config, seeds, own, &self.store, &self.keys, dial).await
            }
            Beginning::Bootstrap => {
                let identity = Identity {
                    node_id: FIRST_NODE,
                    cluster_id: founding::new_cluster_id(),
                    name: config.name.clone(),
                    shards: config.shards,
                    key_check: self.keys.key_check(),
                };
                self.store.set_identity(&identity).map_err(|error| Error::DataDir {
                    path: config.data_dir.clone(),
                    reason: error.to_string(),
                })?;
                Ok(identity)
            }
        }
    }
}

/// Whether a store was ever opened there. Looks without opening, so that a refusal to begin
/// leaves nothing behind.
fn holds_data(dir: &Path) -> bool {
    dir.join("db").is_dir()
}

fn master_key(config: &Config) -> Result<MasterKey, Error> {
    let bytes =
        Zeroizing::new(config.master_key.expose().try_into().map_err(|_| Error::NoMasterKey)?);
    Ok(MasterKey::from_bytes(*bytes))
}
