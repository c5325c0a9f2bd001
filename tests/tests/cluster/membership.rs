//! Who belongs: a wiped node does not come back as itself, and a cluster grows under load.

use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::cluster::Cluster;

use crate::balancer::Traffic;
use crate::{alone, membership_of, plan, served};

#[tokio::test]
async fn a_wiped_node_is_refused_under_its_old_name_until_it_was_removed() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let app = App::numbered(1);
    let factor = cluster.client(2).import("ann", &app).await.unwrap();
    let name = cluster.name(2).to_owned();
    let old = cluster.node_id(2).await.unwrap();
    cluster.wipe(2);
    cluster.spawn(2);
    // It must not serve. Whether it ends or goes on asking is its own affair.
    let refused = cluster.try_wait_until_ready(2, Duration::from_secs(8)).await;
    assert!(refused.is_err(), "an emptied node serves under the name of a member");
    assert!(cluster.log(2).contains(&name), "it does not say which name was refused");
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    cluster.kill(2);

    let path = format!("/v1/cluster/nodes/{old}");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let removed = cluster.client(0).delete(&path).await;
        if removed.status == 204 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} {}", removed.status, removed.body);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // The same name may come again, as another node.
    cluster.wipe(2);
    cluster.restart(2).await;
    cluster.wait_until_whole().await;
    assert_ne!(cluster.node_id(2).await, Some(old), "an id was given twice");
    let factors = cluster.client(2).get("/v1/users/ann/mfa/factors").await.ok();
    assert_eq!(factors["data"][0]["id"], factor.as_str());
}

#[tokio::test]
async fn a_cluster_grows_from_one_to_three_to_five_while_it_serves() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(1)).await;
    let traffic = Traffic::start(&cluster, 3).await;
    for nodes in 2..=5 {
        cluster.add().await;
        assert_eq!(membership_of(&cluster, 0).await.0.len(), nodes);
    }
    let (done, failures) = traffic.stop().await;
    assert!(done > 100, "only {done} requests were made");
    assert!(failures.is_empty(), "{} of {done}:\n{}", failures.len(), failures.join("\n"));
    // Five bear the loss of two.
    cluster.kill(0);
    cluster.kill(1);
    served(&cluster.client(4), 24, Duration::from_secs(15)).await;
}
