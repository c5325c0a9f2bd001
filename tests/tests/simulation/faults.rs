//! What goes wrong in a run, and when: three tracks of faults, each one after another, side by side.

use rand::Rng;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;

/// One thing done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The power of these nodes goes, at once.
    Crash(Vec<u64>),
    /// They start again.
    Start(Vec<u64>),
    /// No message passes between the two.
    Part(u64, u64),
    /// Nobody hears of whoever leads this shard then, but for the clients.
    PartLeader(u16),
    /// All messages pass again.
    MendAll,
    /// No message passes in this direction.
    PartOneWay(u64, u64),
    /// Messages pass again, both ways.
    Mend(u64, u64),
    /// Messages wait.
    Hold(u64, u64),
    /// What waited is delivered.
    Release(u64, u64),
    /// Messages between the two take up to so many milliseconds.
    Delay(u64, u64, u64),
    /// The node's syncs take so many milliseconds, at least and at most.
    Disk(u64, u64, u64),
    /// The node's clock is ahead by so many milliseconds.
    Clock(u64, i64),
}

/// An action and when, in milliseconds from the beginning.
pub(crate) type Due = (u64, Action);

/// The faults of a run of `nodes` nodes and `shards` shards between `from` and `until`. All of them are over at
/// `until`, but for clocks, which stay wrong. `latency` is what a message takes at most otherwise.
pub(crate) fn schedule(
    random: &mut ChaCha8Rng,
    nodes: u64,
    from: u64,
    until: u64,
    shards: u16,
    latency: u64,
) -> Vec<Due> {
    let mut all = crashes(random, nodes, from, until);
    all.extend(links(random, nodes, from, until, shards, latency));
    all.extend(machines(random, nodes, from, until));
    // Stable, so that an end stays before a beginning at the same time.
    all.sort_by_key(|(at, _)| *at);
    all
}

fn crashes(random: &mut ChaCha8Rng, nodes: u64, from: u64, until: u64) -> Vec<Due> {
    let mut due = Vec::new();
    let mut at = from + random.random_range(0..1_500);
    loop {
        let back = at + random.random_range(30..1_500);
        if back >= until {
            return due;
        }
        let count = match random.random_range(0..10) {
            0..6 => 1,
            6..8 => 2,
            _ => usize::try_from(nodes).unwrap(),
        };
        let victims = (1..=nodes).choose_multiple(random, count);
        due.push((at, Action::Crash(victims.clone())));
        due.push((back, Action::Start(victims)));
        at = back + random.random_range(200..2_500);
    }
}

fn links(
    random: &mut ChaCha8Rng,
    nodes: u64,
    from: u64,
    until: u64,
    shards: u16,
    latency: u64,
) -> Vec<Due> {
    let mut due = Vec::new();
    let mut at = from + random.random_range(0..1_000);
    loop {
        let end = at + random.random_range(100..3_500);
        if end >= until {
            return due;
        }
        let pair = (1..=nodes).choose_multiple(random, 2);
        let (one, other) = (pair[0], pair[1]);
        match random.random_range(0..8) {
            5..8 => {
                // Long enough for another leader, whatever the first one thinks.
                let end = (at + random.random_range(1_200..4_000)).min(until);
                due.push((at, Action::PartLeader(random.random_range(0..shards))));
                due.push((end, Action::MendAll));
                at = end + random.random_range(50..1_000);
                continue;
            }
            0 => {
                // One node alone against all others.
                for peer in (1..=nodes).filter(|peer| *peer != one) {
                    due.push((at, Action::Part(one, peer)));
                    due.push((end, Action::Mend(one, peer)));
                }
            }
            1 => {
                for peer in (1..=nodes).filter(|peer| *peer != one) {
                    let (from, to) = if other % 2 == 0 { (one, peer) } else { (peer, one) };
                    due.push((at, Action::PartOneWay(from, to)));
                    due.push((end, Action::Mend(from, to)));
                }
            }
            2 => {
                // One link of many: the rest of the cluster is a bridge.
                due.push((at, Action::Part(one, other)));
                due.push((end, Action::Mend(one, other)));
            }
            3 => {
                due.push((at, Action::Hold(one, other)));
                due.push((end, Action::Release(one, other)));
            }
            _ => {
                for peer in (1..=nodes).filter(|peer| *peer != one) {
                    let slow = random.random_range(50..400);
                    due.push((at, Action::Delay(one, peer, slow)));
                    due.push((end, Action::Delay(one, peer, latency)));
                }
            }
        }
        at = end + random.random_range(50..1_000);
    }
}

fn machines(random: &mut ChaCha8Rng, nodes: u64, from: u64, until: u64) -> Vec<Due> {
    let mut due = Vec::new();
    let mut at = from;
    loop {
        let end = at + random.random_range(200..2_000);
        if end >= until {
            return due;
        }
        let node = random.random_range(1..=nodes);
        if random.random_bool(0.6) {
            let slow = random.random_range(20..250);
            due.push((at, Action::Disk(node, slow / 4, slow)));
            due.push((end, Action::Disk(node, 1, 4)));
        } else {
            due.push((at, Action::Clock(node, random.random_range(-40_000..40_000))));
        }
        at = end + random.random_range(50..800);
    }
}
