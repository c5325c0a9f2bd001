//! Openraft's own suite for stores.

use std::sync::Arc;

use countersign_storage::{ShardLog, ShardMachine, Store, TypeConfig};
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use tempfile::TempDir;

use crate::stage::{SHARD, open};

struct Builder;

impl StoreBuilder<TypeConfig, ShardLog, ShardMachine, (TempDir, Arc<Store>)> for Builder {
    async fn build(
        &self,
    ) -> Result<((TempDir, Arc<Store>), ShardLog, ShardMachine), StorageError<TypeConfig>> {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let (log, machine) = (store.log(SHARD), store.machine(SHARD).unwrap());
        Ok(((folder, store), log, machine))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_passes_the_suite_of_openraft() {
    Suite::test_all(Builder).await.unwrap();
}
