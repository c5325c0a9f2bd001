//! What happened in a run, line by line, and what was wrong with it.

use std::sync::{Arc, Mutex, MutexGuard};

/// Lines that a failure shows.
const SHOWN: usize = 60;
/// Violations after which no more are noted: one fault tends to show in many ways.
const VIOLATIONS_MAX: usize = 20;

/// The transcript of one run. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Transcript(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    now_ms: u64,
    lines: Vec<String>,
    violations: Vec<String>,
}

impl Transcript {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap()
    }

    /// Sets the simulated time of what is noted from here on.
    pub(crate) fn set_time(&self, now_ms: u64) {
        self.lines().now_ms = now_ms;
    }

    /// Notes an event.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let mut lines = self.lines();
        let line = format!("{:>8} ms  {}", lines.now_ms, text.as_ref());
        lines.lines.push(line);
    }

    /// Notes that a promise was broken.
    pub(crate) fn violation(&self, text: impl AsRef<str>) {
        self.note(format!("VIOLATION: {}", text.as_ref()));
        let mut lines = self.lines();
        if lines.violations.len() < VIOLATIONS_MAX {
            lines.violations.push(text.as_ref().to_owned());
        }
    }

    /// All promises that were broken, in order.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.lines().violations.clone()
    }

    /// The last lines before the first violation and a few after it, or just the last lines.
    pub(crate) fn shown(&self) -> String {
        let lines = self.lines();
        let first = lines.lines.iter().position(|line| line.contains("VIOLATION"));
        let end = first.map_or(lines.lines.len(), |at| (at + 5).min(lines.lines.len()));
        lines.lines[end.saturating_sub(SHOWN)..end].join("\n")
    }

    /// Every line, for comparing two runs.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lines().lines.clone()
    }
}
