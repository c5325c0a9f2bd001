use countersign_actors::gateway::{Caller, DeliveryRow};
use countersign_core::entropy::SeededEntropy;
use countersign_core::outbox::HeraldReport;
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use countersign_core::webhook::{Delivery, DeliveryState};
use tempfile::TempDir;

use super::*;
use crate::config::{Beginning, Config};
use crate::node::Node;

const PATIENCE: Duration = Duration::from_secs(60);
const SHARDS: u16 = 4;

#[test]
fn a_delivery_is_found_by_its_name_and_only_under_its_webhook() {
    let entropy = &mut SeededEntropy::new(4);
    let (webhook, other) = (WebhookId::random(entropy), WebhookId::random(entropy));
    let delivery = DeliveryId::of_event(webhook, ShardId(3), 17);
    assert_eq!(place(webhook, delivery, 4), Some((ShardId(3), 17)));
    assert_eq!(place(other, delivery, 4), None);
    assert_eq!(place(webhook, delivery, 3), None, "no shard of this cluster");
    assert_eq!(place(webhook, DeliveryId::random(entropy), u16::MAX), None);
}

/// Two nodes that lead two shards each, or so.
struct Pair {
    nodes: Vec<Node>,
    _dirs: [TempDir; 2],
}

impl Pair {
    async fn start() -> Self {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let config = |dir: &TempDir, name: &str, beginning| Config {
            name: name.to_owned(),
            beginning,
            shards: SHARDS,
            cluster_secret: Some(Secret::from("the secret of the cluster".to_owned())),
            ..Config::local(dir.path().to_owned(), [9; 32])
        };
        let first = Node::start(config(&dirs[0], "n1", Beginning::Bootstrap)).await.unwrap();
        assert!(first.ready(PATIENCE).await);
        let join = Beginning::Join(vec![first.peer_address().to_string()]);
        let second = Node::start(config(&dirs[1], "n2", join)).await.unwrap();
        let nodes = vec![first, second];
        for node in &nodes {
            assert!(node.ready(PATIENCE).await);
        }
        Self { nodes, _dirs: dirs }
    }

    /// Puts a command into a shard's log, through whoever leads it.
    async fn write(&self, shard: ShardId, command: &LogCommand) -> Applied {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for node in self.nodes.iter().filter(|node| node.led().is_led(shard)) {
                let group = node.groups()[&shard].clone();
                let Ok(leader) = group.as_leader() else { continue };
                let fence = leader.to_committed_leader_id();
                let rows = node.store().rows(shard);
                let replica = ShardReplica::new(shard, group, rows, fence).into_port();
                if let Ok(applied) = replica.propose(command.clone()).await {
                    return applied;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody leads shard {shard}");
    }

    async fn list(&self, node: usize, webhook: WebhookId, limit: usize) -> Vec<DeliveryRow> {
        let mut listed = Vec::new();
        let mut cursor = None;
        loop {
            let gateway = self.nodes[node].gateway();
            let asked = gateway.webhook_deliveries(tenant(), webhook, cursor, limit);
            let page = asked.await.unwrap();
            listed.extend(page.data);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return listed;
            }
        }
    }

    async fn again(&self, node: usize, webhook: WebhookId, delivery: DeliveryId) -> bool {
        let caller = Caller {
            tenant: tenant(),
            key: None,
            request_id: "test".to_owned(),
            address: None,
            idempotency: None,
        };
        self.nodes[node].gateway().redeliver(caller, webhook, delivery).await.unwrap()
    }

    async fn stop(self) {
        for node in self.nodes {
            node.stop().await;
        }
    }
}

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

fn dead(sequence: u64, since: i64) -> Delivery {
    let at = Timestamp::from_millis(1_000_000 + since);
    Delivery {
        sequence,
        event_type: "mfa.factor.enrolled".to_owned(),
        state: DeliveryState::Dead,
        attempts: 9,
        since: at,
        last_attempt_at: Some(at),
        next_attempt_at: None,
        last_status: Some(500),
        last_error: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_lists_the_deliveries_of_all_shards_and_has_them_tried_again() {
    let pair = Pair::start().await;
    let entropy = &mut SeededEntropy::new(8);
    let (webhook, other) = (WebhookId::random(entropy), WebhookId::random(entropy));
    for shard in 0..SHARDS {
        let deliveries = (1..=3).map(|n| dead(n, i64::from(shard) + 10 * n.cast_signed()));
        for webhook in [webhook, other] {
            let report = HeraldReport {
                now: Timestamp::from_millis(1_000_000),
                tenant: tenant(),
                webhook,
                position: Some(3),
                deliveries: deliveries.clone().collect(),
            };
            let report = LogCommand::Herald(Box::new(report));
            assert_eq!(pair.write(ShardId(shard), &report).await, Applied::Noted);
        }
    }
    let newest_first: Vec<String> = (1..=3)
        .rev()
        .flat_map(|n| (0..SHARDS).rev().map(move |shard| format!("evt_{shard}_{n}")))
        .collect();
    for (node, limit) in [(0, 100), (1, 100), (1, 5)] {
        let listed = pair.list(node, webhook, limit).await;
        let events: Vec<&str> = listed.iter().map(|row| row.event.as_str()).collect();
        assert_eq!(events, newest_first, "node {node}, pages of {limit}");
    }

    // Through either node, whichever leads: each delivery by one of them.
    for (turn, row) in pair.list(0, webhook, 100).await.into_iter().enumerate() {
        assert!(pair.again(turn % 2, webhook, row.id).await, "{}", row.event);
        // Seen at once, by the other node.
        let listed = pair.list((turn + 1) % 2, webhook, 100).await;
        let seen = listed.into_iter().find(|seen| seen.id == row.id).unwrap().delivery;
        assert_eq!((seen.state, seen.attempts), (DeliveryState::Pending, 0), "{}", row.event);
        assert!(seen.since > row.delivery.since && seen.next_attempt_at.is_some());
    }
    let untouched = pair.list(0, other, 100).await;
    assert!(untouched.iter().all(|row| row.delivery.state == DeliveryState::Dead));

    for strange in [
        DeliveryId::of_event(webhook, ShardId(1), 4),
        DeliveryId::of_event(webhook, ShardId(SHARDS), 1),
        DeliveryId::of_event(other, ShardId(1), 1),
        DeliveryId::random(entropy),
    ] {
        assert!(!pair.again(0, webhook, strange).await, "{strange}");
        assert!(!pair.again(1, webhook, strange).await, "{strange}");
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_listing_is_refused() {
    let pair = Pair::start().await;
    let entropy = &mut SeededEntropy::new(9);
    let (webhook, other) = (WebhookId::random(entropy), WebhookId::random(entropy));
    let report = HeraldReport {
        now: Timestamp::from_millis(1_000_000),
        tenant: tenant(),
        webhook,
        position: Some(2),
        deliveries: vec![dead(1, 1), dead(2, 2)],
    };
    pair.write(ShardId(0), &LogCommand::Herald(Box::new(report))).await;
    let gateway = pair.nodes[0].gateway();
    let page = gateway.webhook_deliveries(tenant(), webhook, None, 1).await.unwrap();
    let cursor = page.next_cursor;
    assert!(cursor.is_some());
    let elsewhere = gateway.webhook_deliveries(tenant(), other, cursor.clone(), 1).await;
    assert_eq!(elsewhere, Err(GatewayError::InvalidCursor));
    let page = gateway.webhook_deliveries(tenant(), webhook, cursor, 1).await.unwrap();
    assert_eq!((page.data[0].delivery.sequence, page.next_cursor), (1, None));
    pair.stop().await;
}
