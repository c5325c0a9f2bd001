//! SIGKILL, and the time until clients are served again.
//!
//! Before a kill, one enrolled user is picked for each shard that the node leads. From the moment
//! of the kill on, a client a user asks the other two nodes for a challenge (a write that a majority
//! must have on disk), the next one whenever one refuses or is silent, until one succeeds. Meanwhile
//! `countersign bench` runs against all three addresses and checks every answer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use countersign_core::ids::{TenantId, UserId, UserKey};
use countersign_tests::app::App;
use countersign_tests::client::Client;
use countersign_tests::cluster::Cluster;
use futures::future::join_all;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::load::{BenchReport, Load};
use crate::options::Options;
use crate::{balance, tell};

/// How long a node may take to answer before the next one is asked.
const TRY: Duration = Duration::from_secs(1);
/// How long to wait before a node that refused is asked again.
const PAUSE: Duration = Duration::from_millis(10);
/// When a client gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kills {
    /// For each kill, until the slowest of its shards served again, milliseconds.
    pub(crate) slowest_ms: Vec<f64>,
    /// For each shard of each kill, milliseconds.
    pub(crate) shards_ms: Vec<f64>,
    /// Kills before which leaders were not spread evenly.
    pub(crate) uneven: u32,
    /// The workload that ran meanwhile.
    pub(crate) load: BenchReport,
}

/// Kills nodes in turn.
pub(crate) async fn measure(cluster: &mut Cluster, options: &Options) -> Kills {
    crate::start_all(cluster).await;
    let users = enroll_one_a_shard(cluster).await;
    let rate = options.rate.to_string();
    let arguments = ["--scenario", "mixed", "--concurrency", "32", "--duration", "24h", "--rate"];
    let load = Load::start(&cluster.urls(), &[&arguments[..], &[&rate]].concat());
    // Its users are prepared by then.
    sleep(Duration::from_secs(5)).await;

    let (mut slowest_ms, mut shards_ms, mut uneven) = (Vec::new(), Vec::new(), 0);
    for kill in 0..options.kills as usize {
        let victim = kill % cluster.len();
        uneven += u32::from(!balance::wait_until_even(cluster).await);
        let others: Vec<Client> = (0..cluster.len())
            .filter(|node| *node != victim)
            .map(|node| cluster.client(node))
            .collect();
        join_all(others.iter().map(Client::is_ready)).await;
        let id = cluster.node_id(victim).await.expect("the victim's id");
        let leaders = balance::leaders(cluster).await.expect("every shard's leader");
        let theirs: Vec<&String> = leaders
            .iter()
            .filter(|(_, leader)| **leader == id)
            .filter_map(|(shard, _)| users.get(shard))
            .collect();
        let killed = Instant::now();
        cluster.kill(victim);
        let served =
            join_all(theirs.iter().enumerate().map(|(n, user)| served(&others, n, user, killed)))
                .await;
        let slowest = served.iter().copied().fold(0.0, f64::max);
        tell(&format!(
            "kill {} of {}: {} shards back after {slowest:.0} ms at most",
            kill + 1,
            options.kills,
            served.len()
        ));
        if !served.is_empty() {
            slowest_ms.push(slowest);
        }
        shards_ms.extend(served);
        cluster.restart(victim).await;
        cluster.wait_until_whole().await;
    }
    load.interrupt();
    Kills { slowest_ms, shards_ms, uneven, load: load.report().await }
}

/// A user with an authenticator app in every shard.
async fn enroll_one_a_shard(cluster: &Cluster) -> BTreeMap<u16, String> {
    let shards = cluster.plan().shards;
    let client = cluster.client(0);
    let mut users = BTreeMap::new();
    for number in 0..10_000_u64 {
        let name = format!("killed-{number}");
        let id = name.parse::<UserId>().expect("a user id");
        let shard = UserKey::new(TenantId::default_tenant(), id).hash().shard(shards).0;
        if let Entry::Vacant(place) = users.entry(shard) {
            client.import(&name, &App::numbered(number)).await.expect("an answer");
            place.insert(name);
        }
        if users.len() == usize::from(shards) {
            break;
        }
    }
    users
}

/// Milliseconds from the kill until one of `nodes` made a challenge for the user.
async fn served(nodes: &[Client], first: usize, user: &str, killed: Instant) -> f64 {
    let body = json!({ "userId": user, "purpose": "LOGIN", "context": {} });
    for turn in first.. {
        let node = &nodes[turn % nodes.len()];
        let asked = timeout(TRY, node.try_post("/v1/mfa/challenges", body.clone())).await;
        let took = killed.elapsed();
        match asked {
            Ok(Some(answer)) if answer.status == 200 => {
                assert!(answer.body["challenge"]["id"].is_string(), "{user}: {}", answer.body);
                return took.as_secs_f64() * 1_000.0;
            }
            Ok(Some(answer)) => assert!(
                answer.status.is_server_error(),
                "{user}: {} {}",
                answer.status,
                answer.body
            ),
            Ok(None) | Err(_) => {}
        }
        assert!(took < PATIENCE, "{user} was not served within {PATIENCE:?} after the kill");
        sleep(PAUSE).await;
    }
    unreachable!("turns do not end")
}
