//! More nodes and fewer, under work.

use countersign_actors::gateway::NodeRemoval;
use countersign_tests::inside::{Cluster, Doors, Plan, Work};

use crate::{alone, flawless};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_grows_to_five_and_shrinks_to_three_under_work_and_loses_nothing() {
    let _machine = alone().await;
    let mut cluster = Cluster::found(Plan::default()).await;
    let doors = Doors::default();
    doors.set(cluster.doors());
    let work = Work::start(&doors, 4);
    for _ in 0..2 {
        work.more(50).await;
        cluster.add().await;
        cluster.add().await;
        cluster.whole().await;
        doors.set(cluster.doors());
    }
    work.more(200).await;
    cluster.balanced().await;
    for place in [4, 3] {
        let staying = cluster.doors().into_iter().filter(|door| door.place() < place);
        doors.set(staying.collect());
        assert_eq!(cluster.remove(0, place).await, Ok(NodeRemoval::Removed));
        cluster.whole().await;
    }
    work.more(50).await;
    let worked = work.stop().await;
    flawless(&worked);
    worked.ledger.holds(&cluster.doors()).await;
    cluster.agree(&[0, 1, 2]).await;
}
