//! Connections of which it is not known that a member of the cluster is at the other end: a bounded
//! number. The oldest makes room for the newest, for a member's handshake takes milliseconds: whoever
//! fills all places with connections that say nothing keeps no member out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::network::refused::Refused;

/// All of them, oldest first.
pub(super) struct Strangers {
    most: usize,
    present: Arc<Mutex<VecDeque<Arc<Notify>>>>,
}

/// One of them, until dropped.
pub(super) struct Stranger {
    evicted: Arc<Notify>,
    present: Arc<Mutex<VecDeque<Arc<Notify>>>>,
}

impl Strangers {
    /// None yet.
    pub(super) fn new(most: usize) -> Self {
        Self { most, present: Arc::default() }
    }

    /// One more; the oldest has to go if there are too many.
    pub(super) fn enter(&self) -> Stranger {
        let evicted = Arc::new(Notify::new());
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.push_back(Arc::clone(&evicted));
        if present.len() > self.most
            && let Some(oldest) = present.pop_front()
        {
            Refused::Busy.count();
            oldest.notify_one();
        }
        Stranger { evicted, present: Arc::clone(&self.present) }
    }
}

impl Stranger {
    /// Returns if this connection has to make room.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.retain(|one| !Arc::ptr_eq(one, &self.evicted));
    }
}
