//! Deliveries to a webhook, over all shards: within a shard those of the newest events first, and
//! between shards those that began last.

use std::cmp::Reverse;
use std::collections::VecDeque;

use countersign_actors::gateway::{DeliveryRow, GatewayError, Page};
use countersign_core::ids::{DeliveryId, ShardId, TenantId, WebhookId};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Delivery;
use serde::{Deserialize, Serialize};

use super::{Listing, fault, parse, write};

impl Listing {
    /// The deliveries to a tenant's webhook.
    pub(crate) async fn deliveries(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<Page<DeliveryRow>, GatewayError> {
        let from: Option<Cursor> = parse(cursor.as_deref())?;
        let strange = |from: &Cursor| {
            from.webhook != webhook || from.before.len() != usize::from(self.shards)
        };
        if from.as_ref().is_some_and(strange) {
            return Err(GatewayError::InvalidCursor);
        }
        let chains = (0..self.shards)
            .map(|shard| {
                let before = from.as_ref().and_then(|from| from.before.get(usize::from(shard)));
                Chain::new(ShardId(shard), before.copied().unwrap_or(u64::MAX))
            })
            .collect();
        let store = self.store.clone();
        self.readers
            .read(&tenant.clone(), self.shards, move |_| {
                merge(chains, webhook, limit, |shard, before, count| {
                    let rows = store.rows(shard);
                    rows.deliveries_page(&tenant, webhook, Some(before), count).map_err(fault)
                })
            })
            .await
    }
}

/// Where the list goes on: for each shard, the place before which deliveries are wanted.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    webhook: WebhookId,
    before: Vec<u64>,
}

/// One shard's deliveries on their way into the merge.
struct Chain {
    shard: ShardId,
    /// Read and not yet taken, of the newest event first.
    waiting: VecDeque<Delivery>,
    /// Before which place nothing was taken or read yet.
    before: u64,
    ended: bool,
}

impl Chain {
    const fn new(shard: ShardId, before: u64) -> Self {
        // Places begin at 1.
        Self { shard, waiting: VecDeque::new(), before, ended: before <= 1 }
    }

    /// Reads on, if nothing waits.
    fn fill(
        &mut self,
        count: usize,
        read: impl Fn(ShardId, u64, usize) -> Result<Vec<Delivery>, GatewayError>,
    ) -> Result<(), GatewayError> {
        if self.waiting.is_empty() && !self.ended {
            self.waiting = read(self.shard, self.before, count)?.into();
            self.ended = self.waiting.len() < count;
            self.before = self.waiting.back().map_or(0, |last| last.sequence);
        }
        Ok(())
    }

    fn newest(&self) -> Option<(Timestamp, Reverse<ShardId>)> {
        self.waiting.front().map(|delivery| (delivery.since, Reverse(self.shard)))
    }

    /// The place before which this chain's next delivery lies; 0 if there is none.
    fn place(&self) -> u64 {
        match self.waiting.front() {
            Some(delivery) => delivery.sequence.saturating_add(1),
            None if self.ended => 0,
            None => self.before,
        }
    }
}

fn merge(
    mut chains: Vec<Chain>,
    webhook: WebhookId,
    limit: usize,
    read: impl Fn(ShardId, u64, usize) -> Result<Vec<Delivery>, GatewayError>,
) -> Result<Page<DeliveryRow>, GatewayError> {
    let count = limit / chains.len().max(1) + 8;
    let mut data = Vec::new();
    loop {
        for chain in &mut chains {
            chain.fill(count, &read)?;
        }
        if data.len() >= limit {
            break;
        }
        let newest = chains.iter_mut().max_by_key(|chain| chain.newest());
        let taken = newest.and_then(|chain| Some((chain.shard, chain.waiting.pop_front()?)));
        let Some((shard, delivery)) = taken else { break };
        data.push(DeliveryRow {
            id: DeliveryId::of_event(webhook, shard, delivery.sequence),
            event: format!("evt_{shard}_{}", delivery.sequence),
            delivery,
        });
    }
    let before: Vec<u64> = chains.iter().map(Chain::place).collect();
    let more = before.iter().any(|before| *before > 0);
    let next_cursor = if more { Some(write(&Cursor { webhook, before })?) } else { None };
    Ok(Page { data, next_cursor })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use countersign_core::webhook::DeliveryState;

    use super::*;

    const WEBHOOK: WebhookId = WebhookId::from_bytes([5; 16]);

    fn delivery(sequence: u64, since: i64) -> Delivery {
        Delivery {
            sequence,
            event_type: "mfa.factor.enrolled".to_owned(),
            state: DeliveryState::Delivered,
            attempts: 1,
            since: Timestamp::from_millis(since),
            last_attempt_at: None,
            next_attempt_at: None,
            last_status: Some(200),
            last_error: None,
        }
    }

    type Shelf = BTreeMap<u16, Vec<Delivery>>;

    /// All pages of `limit`, as events.
    fn pages(shelf: &Shelf, limit: usize) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut before = vec![u64::MAX; 3];
        loop {
            let chains = (0..3).map(|shard| Chain::new(ShardId(shard), before[shard as usize]));
            let page = merge(chains.collect(), WEBHOOK, limit, |shard, before, count| {
                let all = shelf.get(&shard.0).cloned().unwrap_or_default();
                let older = all.into_iter().rev().filter(|one| one.sequence < before);
                Ok(older.take(count).collect())
            })
            .unwrap();
            pages.push(page.data.into_iter().map(|row| row.event).collect());
            match parse::<Cursor>(page.next_cursor.as_deref()).unwrap() {
                Some(cursor) => before = cursor.before,
                None => return pages,
            }
        }
    }

    fn shelf() -> Shelf {
        let chain = |times: &[i64]| {
            times.iter().zip(1..).map(|(since, sequence)| delivery(sequence, *since)).collect()
        };
        Shelf::from([(0, chain(&[10, 40, 50])), (2, chain(&[20, 30, 60]))])
    }

    #[test]
    fn deliveries_come_newest_first_over_all_shards() {
        let expected = ["evt_2_3", "evt_0_3", "evt_0_2", "evt_2_2", "evt_2_1", "evt_0_1"];
        assert_eq!(pages(&shelf(), 100), [expected]);
    }

    #[test]
    fn pages_of_any_size_hold_each_delivery_once() {
        let whole = pages(&shelf(), 100).concat();
        for limit in 1..8 {
            let pages = pages(&shelf(), limit);
            assert_eq!(pages.concat(), whole, "{limit}");
            assert_eq!(pages.len(), whole.len().div_ceil(limit), "{limit}");
        }
        assert_eq!(pages(&Shelf::new(), 5), [Vec::<String>::new()]);
    }

    #[test]
    fn long_chains_are_read_in_parts() {
        let chain = (1..=100).map(|sequence| delivery(sequence, sequence as i64)).collect();
        let shelf = Shelf::from([(1, chain)]);
        let pages = pages(&shelf, 30);
        let expected: Vec<String> = (1..=100).rev().map(|place| format!("evt_1_{place}")).collect();
        assert_eq!(pages.concat(), expected);
    }

    #[test]
    fn one_that_was_sent_again_comes_earlier_and_hides_nothing() {
        let mut shelf = shelf();
        shelf.get_mut(&0).unwrap()[0].since = Timestamp::from_millis(99);
        let mut all = pages(&shelf, 2).concat();
        all.sort();
        assert_eq!(all, ["evt_0_1", "evt_0_2", "evt_0_3", "evt_2_1", "evt_2_2", "evt_2_3"]);
    }
}
