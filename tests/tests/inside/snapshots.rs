//! A node that was away for longer than the log is kept, and one that comes to a cluster whose log
//! has no beginning any more: both are brought up by a snapshot.

use std::time::Duration;

use countersign_core::ids::ShardId;
use countersign_tests::inside::{Cluster, Doors, Plan, Work, until};
use futures::StreamExt;
use openraft::storage::RaftLogStorage;

use crate::{alone, flawless};

/// Entries after which a snapshot is made, and some, for those that are kept behind it.
const ENTRIES: u32 = 12_800;
/// Users that they are about: what a snapshot holds.
const USERS: u32 = 3_000;
/// The link of the node that comes back, bytes a second: slow enough to be cut in the middle.
const SLOW: u32 = 512 << 10;
/// Bytes after which it is cut: more than the entries that its leader still had in hand for it.
const HALF_WAY: u64 = 600 << 10;

/// The last entry that a node's log has no more.
async fn purged(cluster: &Cluster, place: usize, shard: ShardId) -> u64 {
    let state = cluster.store(place).log(shard).get_log_state().await.unwrap();
    state.last_purged_log_id.map_or(0, |id| id.index)
}

fn applied(cluster: &Cluster, place: usize, shard: ShardId) -> u64 {
    cluster.store(place).rows(shard).last_applied()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_past_the_logs_end_is_brought_up_although_the_transfer_breaks_once() {
    let _machine = alone().await;
    let mut cluster = Cluster::of(3, Plan { shards: 1, ..Plan::default() }).await;
    let shard = ShardId::SYSTEM;
    let leader = cluster.leader(0, shard).unwrap();
    let [victim, other] = [(leader + 1) % 3, (leader + 2) % 3];
    for place in [leader, other] {
        cluster.links().part(victim, place);
    }
    let known = applied(&cluster, victim, shard);
    let door = cluster.door(leader);
    let writes = futures::stream::iter(0..ENTRIES).map(|number| {
        let door = door.clone();
        // What does not compress, so that there is something to send.
        let noise = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
        let shown = format!("{noise:032x}{:032x}", noise.wrapping_mul(noise | 1));
        async move { door.put(&format!("many-{}", number % USERS), &shown).await.unwrap() }
    });
    let mut writes = writes.buffer_unordered(256);
    while writes.next().await.is_some() {}
    until("the log begins after what the absent node has", Duration::from_secs(60), async || {
        purged(&cluster, leader, shard).await > known
            && purged(&cluster, other, shard).await > known
    })
    .await;

    // The leader serves all the while.
    let doors = Doors::default();
    doors.set(vec![cluster.door(leader), cluster.door(other)]);
    let work = Work::start(&doors, 3);
    let own_work = cluster.store(victim).statistics().entries_applied;
    let carried = || cluster.links().carried(leader, victim);
    let sent = carried();
    cluster.links().heal_all();
    cluster.links().slow(leader, victim, SLOW);
    cluster.links().slow(victim, leader, SLOW);
    until("the snapshot is half way", Duration::from_secs(30), async || {
        carried() > sent + HALF_WAY
    })
    .await;
    let before = applied(&cluster, victim, shard);
    assert!(before < purged(&cluster, leader, shard).await, "it came before it could be cut");
    cluster.links().part(leader, victim);
    cluster.links().break_off(leader, victim);
    work.more(100).await;
    assert_eq!(applied(&cluster, victim, shard), before, "it had all that it needed");
    cluster.links().heal_all();
    cluster.whole().await;
    let worked = work.stop().await;
    flawless(&worked);
    worked.ledger.holds(&cluster.doors()).await;
    cluster.agree(&[0, 1, 2]).await;
    let missed = applied(&cluster, victim, shard) - known;
    let itself = cluster.store(victim).statistics().entries_applied - own_work;
    assert!(itself < missed / 2, "it applied {itself} of {missed} entries itself");

    // One that comes empty begins with a snapshot as well.
    let new = cluster.add().await;
    cluster.whole().await;
    cluster.agree(&[0, 1, 2, new]).await;
    assert!(purged(&cluster, new, shard).await > 0, "its log goes back to the first entry");
    worked.ledger.holds(&cluster.doors()).await;
}
