//! What was counted of one tenant in one shard: by the minute for an hour, by the quarter of an
//! hour for a day. Only times at which something happened take room.

use std::collections::VecDeque;

use countersign_core::statistics::{Counted, Counts, Window};
use countersign_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Slots with what was counted in them, oldest first. A chain's times never fall, so new ones come
/// to the end.
type Slots = VecDeque<(i64, Counts)>;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Series {
    minutes: Slots,
    quarters: Slots,
}

impl Series {
    pub(super) fn add(&mut self, at: Timestamp, counted: Counted) {
        for window in [Window::Hour, Window::Day] {
            let slots = self.of(window);
            let slot = window.slot(at);
            match slots.back_mut() {
                Some((last, counts)) if *last >= slot => counts.add(counted),
                _ => {
                    let mut counts = Counts::default();
                    counts.add(counted);
                    slots.push_back((slot, counts));
                    forget(slots, slot - window.slots());
                }
            }
        }
    }

    /// Forgets what no window that ends at `now` or later shows, and what happened more than
    /// `reach_ms` before.
    pub(super) fn forget(&mut self, now: Timestamp, reach_ms: i64) {
        for window in [Window::Hour, Window::Day] {
            let slots = window.slots().min(reach_ms / window.slot_ms());
            forget(self.of(window), window.slot(now) - slots);
        }
    }

    pub(super) fn slots_of(&self, window: Window) -> impl Iterator<Item = &(i64, Counts)> {
        match window {
            Window::Hour => self.minutes.iter(),
            Window::Day => self.quarters.iter(),
        }
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.minutes.len() + self.quarters.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots() == 0
    }

    const fn of(&mut self, window: Window) -> &mut Slots {
        match window {
            Window::Hour => &mut self.minutes,
            Window::Day => &mut self.quarters,
        }
    }
}

/// Drops the slots before and at `last`.
fn forget(slots: &mut Slots, last: i64) {
    while slots.front().is_some_and(|(slot, _)| *slot <= last) {
        slots.pop_front();
    }
}
