//! Cut links: whoever is cut off refuses, whoever is left serves.

use std::time::Duration;

use countersign_tests::app::App;
use countersign_tests::cluster::{Cluster, Plan};

use crate::{alone, plan, served};

#[tokio::test]
async fn a_node_cut_off_from_the_others_verifies_nothing_and_serves_again_afterwards() {
    let _machine = alone().await;
    if !Plan::can_cut_links() {
        return;
    }
    let mut cluster = Cluster::start(plan(3).with_links()).await;
    let mut logins = Vec::new();
    for number in 0..12 {
        let app = App::numbered(number);
        let user = format!("cut-{number}");
        let factor = cluster.client(0).import(&user, &app).await.unwrap();
        let challenge = cluster.client(1).challenge(&user).await.unwrap();
        logins.push((challenge, factor, app));
    }
    cluster.isolate(0);
    let client = cluster.client(0);
    let answers = logins.iter().map(|(challenge, factor, app)| {
        let (client, code) = (client.clone(), app.code(0));
        async move { client.verify(challenge, factor, &code).await }
    });
    for answer in futures::future::join_all(answers).await.into_iter().flatten() {
        assert_eq!(answer.status, 503, "{}", answer.body);
    }
    served(&cluster.client(1), 24, Duration::from_secs(10)).await;
    served(&cluster.client(2), 24, Duration::from_secs(10)).await;
    assert!(!cluster.client(0).is_ready().await, "it says that it is ready");
    cluster.mend();
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    let mut accepted = 0;
    for (challenge, factor, app) in &logins {
        let answer = cluster.client(0).verify(challenge, factor, &app.code(0)).await.unwrap();
        accepted += u32::from(answer.status == 200);
        assert!(answer.status == 200 || answer.code() == "code_already_used", "{}", answer.body);
    }
    assert!(accepted > 0, "every code that a cut off node was asked about is spent");
}

#[tokio::test]
async fn two_nodes_that_do_not_reach_each_other_both_serve_through_a_third() {
    let _machine = alone().await;
    if !Plan::can_cut_links() {
        return;
    }
    let mut cluster = Cluster::start(plan(3).with_links()).await;
    served(&cluster.client(0), 24, Duration::from_secs(10)).await;
    cluster.part(0, 1);
    // The one in the middle reaches every leader.
    served(&cluster.client(2), 24, Duration::from_secs(15)).await;
    cluster.mend();
    for node in 0..3 {
        served(&cluster.client(node), 24, Duration::from_secs(15)).await;
    }
}
