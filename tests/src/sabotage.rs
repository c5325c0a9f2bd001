//! Builds that are broken on purpose, and what finds each.
//!
//! A proof that finds nothing proves little until it has found what is there. Each of these is the
//! node with one duty left out, as a failpoint of the binary that `make prove` builds for this
//! alone; the rig must notice, and it is told how long that took.

use std::time::Duration;

use tokio::time::Instant;

use crate::chaos::{Fault, Options, run};
use crate::cluster::Program;
use crate::scenarios::{self, Copied, Moment};

/// Codes that are sent where a story is told of them.
const CODES: u32 = 10;

/// How a broken build is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// Chaos with these faults alone.
    Chaos(&'static [Fault]),
    /// The story of a leader that stood still.
    StaleLeader,
    /// The story of a peer with a key that nobody registered.
    UnknownKey,
    /// The story of a node with an older copy of its disk.
    OlderDisk,
    /// The story of a code on its way.
    Delivery(Moment),
    /// The story of a changed password.
    PasswordChange,
}

/// A duty that is left out.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    /// Its name, as it is given on the command line.
    pub name: &'static str,
    /// What is left out.
    pub what: &'static str,
    /// The failpoints that leave it out.
    pub failpoints: &'static str,
    /// What finds it.
    pub scene: Scene,
}

/// All that must be found.
pub const ALL: [Broken; 14] = [
    Broken {
        name: "no-fsync",
        what: "the log is reported without being synced",
        failpoints: "storage::skip_sync=return",
        scene: Scene::Chaos(&[Fault::PowerAll]),
    },
    Broken {
        name: "vote-not-persisted",
        what: "votes and terms live in memory alone",
        failpoints: "storage::forget_vote=return",
        scene: Scene::Chaos(&[Fault::KillAll]),
    },
    Broken {
        name: "no-version-check",
        // With it goes the patience of the actors: while an actor waits for the log, it decides on
        // nothing else, and no row is ever decided on from an old version.
        what: "a change is applied to whatever version the row has",
        failpoints: "storage::skip_version_check=return;actors::impatient=20%return",
        scene: Scene::Chaos(&[Fault::Kill]),
    },
    Broken {
        name: "reply-before-commit",
        what: "a reply leaves before its change is committed and applied",
        failpoints: "actors::reply_before_commit=return",
        scene: Scene::Chaos(&[Fault::Kill]),
    },
    Broken {
        name: "step-in-memory",
        what: "the last accepted time step lives in the actor's memory alone",
        failpoints: "storage::forget_step=return",
        scene: Scene::Chaos(&[Fault::Kill]),
    },
    Broken {
        name: "answers-in-memory",
        what: "answers to idempotency keys live in one process's memory alone",
        failpoints: "actors::answers_in_memory=return",
        scene: Scene::Chaos(&[Fault::Kill]),
    },
    Broken {
        name: "attempts-in-memory",
        what: "wrong codes are counted in the actor's memory alone",
        failpoints: "storage::forget_attempt=return",
        scene: Scene::Chaos(&[Fault::Kill]),
    },
    Broken {
        name: "count-later",
        what: "a wrong code is answered before it is counted",
        failpoints: "actors::count_later=return",
        scene: Scene::Chaos(&[Fault::Kill]),
    },
    Broken {
        name: "stale-reads",
        // Each of the two alone is enough to keep a deposed leader from answering, so each alone is
        // not to be noticed.
        what: "a leader answers from memory, asking neither whether it leads nor whether it is in touch",
        failpoints: "actors::skip_barrier=return;node::trust_memory=return",
        scene: Scene::StaleLeader,
    },
    Broken {
        name: "unknown-key",
        what: "a peer with an unknown key is let in",
        failpoints: "node::any_peer_key=return",
        scene: Scene::UnknownKey,
    },
    Broken {
        name: "older-disk",
        what: "a node goes on with an older copy of its disk",
        failpoints: "node::any_disk=return",
        scene: Scene::OlderDisk,
    },
    Broken {
        name: "sent-again",
        what: "a message goes out again after its success is on record",
        failpoints: "courier::forgets_outcome=return",
        scene: Scene::Delivery(Moment::Never),
    },
    Broken {
        name: "password-change-leaves-challenge",
        what: "a changed password leaves open what was begun with the old one",
        failpoints: "actors::password_change_ends_nothing=return",
        scene: Scene::PasswordChange,
    },
    Broken {
        name: "fast-clock",
        what: "a shard's time is taken from one fast clock",
        failpoints: "node::trust_own_clock=return;node::shard_time_stands=return;\
                     actors::shard_time_is_real=return",
        scene: Scene::Chaos(&[Fault::ClockJump]),
    },
];

/// What came of looking at a broken build.
#[derive(Clone, Debug)]
pub struct Caught {
    /// The first thing that gave it away; `None` if nothing did.
    pub by: Option<String>,
    /// How long that took, or how long nothing was found; starting the cluster is not counted in
    /// chaos.
    pub after: Duration,
}

/// What is to be said of a broken build.
#[derive(Clone, Debug)]
pub enum Finding {
    /// It was caught.
    Caught(Caught),
    /// It was not.
    Missed(Caught),
    /// The rig itself died: nothing is known of the build.
    RigDied(String),
}

impl Finding {
    /// Looks, and outlives a rig that panics.
    pub fn of(look: impl FnOnce() -> Caught) -> Self {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)) {
            Ok(caught) if caught.by.is_some() => Self::Caught(caught),
            Ok(missed) => Self::Missed(missed),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into()));
                Self::RigDied(text.unwrap_or_else(|| "a panic without words".to_owned()))
            }
        }
    }

    /// Whether it is what the proof wants.
    pub const fn is_proof(&self) -> bool {
        matches!(self, Self::Caught(_))
    }

    /// The rest of the build's row in the table.
    pub fn row(&self) -> String {
        let short = |text: &str| -> String {
            text.lines().next().unwrap_or_default().chars().take(90).collect()
        };
        match self {
            Self::Caught(Caught { by, after }) => {
                format!("{:.1} s | {} |", after.as_secs_f64(), short(by.as_deref().unwrap_or("")))
            }
            Self::Missed(Caught { after, .. }) => {
                format!("NOT within {:.1} s | |", after.as_secs_f64())
            }
            Self::RigDied(why) => format!("UNKNOWN: the rig died | {} |", short(why)),
        }
    }
}

impl Broken {
    /// Looks at the broken build until it is caught, for `seconds` at most. Only faults that this
    /// machine allows are used.
    pub async fn look(&self, seconds: u64, seed: u64) -> Caught {
        let program = Program::sabotaged(self.failpoints);
        match self.scene {
            Scene::Chaos(faults) => {
                let options = Options {
                    faults: faults.to_vec(),
                    program,
                    stop_when_broken: true,
                    ..Options::new(seconds, seed)
                };
                let outcome = run(options).await;
                Caught { by: outcome.violations.first().cloned(), after: outcome.took }
            }
            Scene::StaleLeader => {
                let begun = Instant::now();
                let told = scenarios::stale_leader(program).await;
                Caught { by: told.err(), after: begun.elapsed() }
            }
            Scene::UnknownKey => {
                let begun = Instant::now();
                let told = scenarios::unknown_key(program).await;
                Caught { by: told.err(), after: begun.elapsed() }
            }
            Scene::OlderDisk => {
                let begun = Instant::now();
                let told = scenarios::older_disk(program, Copied::Running).await;
                Caught { by: told.err(), after: begun.elapsed() }
            }
            Scene::Delivery(moment) => {
                let begun = Instant::now();
                let told = scenarios::delivery(program, moment, CODES).await;
                Caught { by: told.err(), after: begun.elapsed() }
            }
            Scene::PasswordChange => {
                let begun = Instant::now();
                let told = scenarios::password_change(program).await;
                Caught { by: told.err(), after: begun.elapsed() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rig_that_dies_is_neither_caught_nor_missed_and_is_no_proof() {
        let found = |by: Option<&str>| {
            let by = by.map(str::to_owned);
            Finding::of(|| Caught { by, after: Duration::from_millis(1_500) })
        };
        let caught = found(Some("once: a code was accepted twice\nmore"));
        assert!(caught.is_proof());
        assert_eq!(caught.row(), "1.5 s | once: a code was accepted twice |");
        let missed = found(None);
        assert!(matches!(missed, Finding::Missed(_)) && !missed.is_proof());
        let died = Finding::of(|| panic!("no cluster"));
        assert!(matches!(died, Finding::RigDied(_)) && !died.is_proof());
        assert_eq!(died.row(), "UNKNOWN: the rig died | no cluster |");
    }
}
