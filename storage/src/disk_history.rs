//! What tells a disk from an older copy of itself.
//!
//! Each disk has a counter. It is raised at each start of its node, and once a second while entries or
//! votes are written. A value is synced to the disk before other nodes learn it, and they remember it.
//! Each start also has a random id, so that two runs that began from the same copy differ although
//! their counters are equal. A disk that lacks what another node remembers of it is an older copy, or
//! descends from one: entries and votes that this node acknowledged may be missing on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Runs that a disk remembers. Whoever has heard nothing for longer than that cannot tell.
const RUNS_KEPT: usize = 64;

/// From one start of a node to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskRun {
    /// Drawn at the start.
    pub id: u64,
    /// The count at its beginning.
    pub from: u64,
}

/// What a disk knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskHistory {
    /// The runs over this disk, oldest first.
    pub runs: Vec<DiskRun>,
    /// Never goes back.
    pub count: u64,
}

/// What another node remembers of a disk: that it had come so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskMark {
    /// In which run.
    pub run: u64,
    /// The count then.
    pub count: u64,
}

/// What a node remembers of the disks of others, by their numbers.
pub type DiskMarks = BTreeMap<u64, DiskMark>;

impl DiskHistory {
    /// Begins a run; `id` must be random.
    pub fn begin(&mut self, id: u64) {
        self.count = self.count.saturating_add(1);
        self.runs.push(DiskRun { id, from: self.count });
        let over = self.runs.len().saturating_sub(RUNS_KEPT);
        self.runs.drain(..over);
    }

    /// How far the disk has come; `None` before the first run.
    pub fn mark(&self) -> Option<DiskMark> {
        self.runs.last().map(|run| DiskMark { run: run.id, count: self.count })
    }

    /// Whether the disk has all that it had when it was seen.
    pub fn has(&self, seen: DiskMark) -> bool {
        let Some(oldest) = self.runs.first() else { return false };
        if seen.count < oldest.from {
            // Forgotten since.
            return true;
        }
        let then = self.runs.iter().rfind(|run| run.from <= seen.count);
        self.count >= seen.count && then.is_some_and(|run| run.id == seen.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(runs: &[(u64, u64)], count: u64) -> DiskHistory {
        let runs = runs.iter().map(|(id, from)| DiskRun { id: *id, from: *from }).collect();
        DiskHistory { runs, count }
    }

    #[test]
    fn a_disk_that_went_on_has_what_it_had() {
        let mut disk = DiskHistory::default();
        disk.begin(71);
        disk.count += 5;
        let seen = disk.mark().unwrap();
        assert!(disk.has(seen));
        disk.begin(72);
        assert!(disk.has(seen));
        assert!(disk.has(disk.mark().unwrap()));
    }

    #[test]
    fn a_copy_of_a_running_disk_lacks_what_was_counted_since() {
        let copy = history(&[(71, 1)], 4);
        let seen = DiskMark { run: 71, count: 9 };
        assert!(!copy.has(seen));
        let mut started = copy;
        started.begin(73);
        assert!(!started.has(seen));
        // Nor does it have it once it has counted as far.
        started.count = 20;
        assert!(!started.has(seen));
    }

    #[test]
    fn a_copy_of_a_stopped_disk_lacks_the_runs_since() {
        let mut copy = history(&[(71, 1)], 4);
        let mut original = copy.clone();
        original.begin(72);
        copy.begin(73);
        assert!(!copy.has(original.mark().unwrap()));
        assert!(!original.has(copy.mark().unwrap()));
    }

    #[test]
    fn an_empty_disk_lacks_everything_and_a_long_history_forgets() {
        assert!(!DiskHistory::default().has(DiskMark { run: 71, count: 1 }));
        let mut disk = DiskHistory::default();
        (0..200).for_each(|id| disk.begin(id));
        assert_eq!(disk.runs.len(), RUNS_KEPT);
        assert!(disk.has(DiskMark { run: 5, count: 6 }));
        assert!(!disk.has(DiskMark { run: 5, count: 190 }));
    }
}
