//! Messages that wait, as the courier reads them.

use countersign_core::outbox::{OutboxKey, OutboxRow};
use tokio::sync::watch;

use super::Rows;
use crate::database::Family;
use crate::error::StorageError;
use crate::keys::{self, outbox};
use crate::records;

impl Rows {
    /// Messages that wait, those that die first first, at most `limit`, after a given one.
    ///
    /// # Errors
    /// If the rows cannot be read.
    pub fn messages(
        &self,
        after: Option<OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StorageError> {
        let shard = self.shard.id;
        let all = keys::single(shard, outbox::MESSAGE);
        let from = match after {
            // All names are equally long: this is the next possible one.
            Some(name) => [outbox::message(shard, &name).as_slice(), &[0]].concat(),
            None => all.clone(),
        };
        let walk = self.store.database.walk(Family::Outbox, &from, &keys::after(&all))?;
        let mut messages = Vec::new();
        for row in walk.take(limit) {
            let (_, bytes) = row.map_err(StorageError::database("list messages"))?;
            messages.push(records::decode("message", shard, &bytes)?);
        }
        Ok(messages)
    }

    /// One of them; `None` once it is settled.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn message(&self, key: &OutboxKey) -> Result<Option<OutboxRow>, StorageError> {
        self.row("message", &outbox::message(self.shard.id, key))
    }

    /// Changes whenever messages were put in, once they can be read.
    pub fn messages_put(&self) -> watch::Receiver<u64> {
        self.shard.messages_put.subscribe()
    }

    /// The index of the last applied entry, and its changes; 0 before the first entry.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.shard.applied.subscribe()
    }
}
