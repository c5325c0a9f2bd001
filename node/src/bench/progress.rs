//! A bar on the terminal for whoever waits. Nothing where nobody looks: not with `--json`, not into
//! a file.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar, or none.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error, if that is a terminal and the report is for people.
    pub(super) fn new(json: bool) -> Self {
        let bar = ProgressBar::new(0);
        if json || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        Self(bar)
    }

    /// Begins counting up to `count` things.
    pub(super) fn begin(&self, what: &'static str, count: u64) {
        self.style("{msg:>18} {bar:32} {pos}/{len}  {eta} left");
        self.start(what, count);
    }

    /// Begins showing how much of `duration` is over.
    pub(super) fn begin_time(&self, what: &'static str, duration: Duration) {
        self.style("{msg:>18} {bar:32} {elapsed} of {prefix}");
        self.0.set_prefix(format!("{:.0} s", duration.as_secs_f64()));
        self.start(what, millis(duration));
    }

    fn start(&self, what: &'static str, length: u64) {
        self.0.reset();
        self.0.set_length(length);
        self.0.set_message(what);
    }

    /// One more.
    pub(super) fn advance(&self) {
        self.0.inc(1);
    }

    /// So much is over, and this is worth knowing.
    pub(super) fn time(&self, over: Duration, worth_knowing: String) {
        self.0.set_position(millis(over));
        self.0.set_message(worth_knowing);
    }

    /// Takes the bar away, for the report.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }

    fn style(&self, template: &str) {
        // A template that does not parse leaves the bar as it is.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
