//! Whether this node wants to lead at all. It tells the others with every answer to their pings, so
//! that none gives it a shard, and gives its own away: see [`super::balancer`].

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::currency::Currency;
use super::disk::Room;
use crate::clock::{NodeClock, Trust};

/// How often a node looks whether it wants to lead.
pub(crate) const WILL: Duration = Duration::from_millis(100);
/// A node that has been out of date for so long leads nothing more: it could answer no question. Longer
/// than an election takes.
const OUT_OF_DATE: Duration = Duration::from_secs(2);

/// Whether this node wants to lead: not while it ends, runs out of disk, was asked to hand over, has a
/// clock that is off or was not compared with a majority's yet, or is
/// out of touch with shard 0's leader: it may have a quorum for its other shards all the same, by a
/// node that both of them reach, but those can be asked nothing as long as it leads them.
pub(crate) async fn keep(
    resting: watch::Sender<bool>,
    stopping: watch::Receiver<bool>,
    room: watch::Receiver<Room>,
    rest_until: watch::Receiver<Option<Instant>>,
    currency: Currency,
    clock: NodeClock,
) {
    let mut every = tokio::time::interval(WILL);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut out_of_date: Option<Instant> = None;
    loop {
        every.tick().await;
        out_of_date = match currency.is_current() {
            true => None,
            false => Some(out_of_date.unwrap_or_else(Instant::now)),
        };
        let lost = out_of_date.is_some_and(|since| since.elapsed() > OUT_OF_DATE);
        let rests = rest_until.borrow().is_some_and(|until| Instant::now() < until);
        let right = clock.trust() == Trust::Agreed;
        let wants =
            !*stopping.borrow() && *room.borrow() == Room::Enough && !rests && !lost && right;
        resting.send_if_modified(|resting| std::mem::replace(resting, !wants) == wants);
    }
}
