//! The keys of the `outbox` family: what waits to leave a shard, and what is counted of it.

use std::str::FromStr;

use countersign_core::ids::{DeliveryId, ShardId, TenantId, UserId, WebhookId};
use countersign_core::message::Channel;
use countersign_core::outbox::OutboxKey;
use countersign_core::sending::LaneKey;
use countersign_core::time::Timestamp;

use super::{keyed, owner, single, sortable, sorted, state};
use crate::records::tenant_prefix;

/// Kinds of rows in `outbox`. None has the number of a kind in `state`: apply keeps rows of both in
/// one map, and tells them apart by it.
pub(crate) const FIRST: u8 = 64;
const _: () = assert!(state::ANSWER_BY_OWNER < FIRST);
/// A message that waits.
pub(crate) const MESSAGE: u8 = 64;
/// A user's messages that wait.
pub(crate) const MESSAGE_BY_OWNER: u8 = 65;
/// Messages counted on one lane.
pub(crate) const TRAFFIC: u8 = 66;
/// How far deliveries to an endpoint have been recorded.
pub(crate) const POSITION: u8 = 67;
/// A delivery to an endpoint.
pub(crate) const DELIVERY: u8 = 68;
/// Rows that may be past their time, by when to look.
pub(crate) const LOOK_AT: u8 = 69;

const TIME_BYTES: usize = 8;
const ID_BYTES: usize = 16;

pub(crate) fn message(shard: ShardId, key: &OutboxKey) -> Vec<u8> {
    keyed(shard, MESSAGE, &[&sortable(key.expires_at), key.delivery.as_bytes()])
}

/// Where messages begin that die at `time` or later.
pub(crate) fn messages_from(shard: ShardId, time: Timestamp) -> Vec<u8> {
    keyed(shard, MESSAGE, &[&sortable(time)])
}

/// All messages of a user.
pub(crate) fn messages_of(shard: ShardId, tenant: &TenantId, user: &UserId) -> Vec<u8> {
    keyed(shard, MESSAGE_BY_OWNER, &[&owner(tenant, Some(user))])
}

pub(crate) fn message_by_owner(
    shard: ShardId,
    tenant: &TenantId,
    user: &UserId,
    key: &OutboxKey,
) -> Vec<u8> {
    let mut row = messages_of(shard, tenant, user);
    row.extend_from_slice(&sortable(key.expires_at));
    row.extend_from_slice(key.delivery.as_bytes());
    row
}

/// The name of a message at the end of its key, or of its row among its owner's.
pub(crate) fn parse_message(key: &[u8]) -> Option<OutboxKey> {
    let tail = key.get(key.len().checked_sub(TIME_BYTES + ID_BYTES)?..)?;
    let (time, delivery) = tail.split_at_checked(TIME_BYTES)?;
    Some(OutboxKey {
        expires_at: sorted(time)?,
        delivery: DeliveryId::from_bytes(delivery.try_into().ok()?),
    })
}

/// All that was counted for a tenant.
pub(crate) fn traffic_of(shard: ShardId, tenant: &TenantId) -> Vec<u8> {
    keyed(shard, TRAFFIC, &[&tenant_prefix(tenant)])
}

pub(crate) fn traffic(shard: ShardId, tenant: &TenantId, key: &LaneKey) -> Vec<u8> {
    let mut row = traffic_of(shard, tenant);
    match key {
        LaneKey::Destination(digest) => {
            row.push(1);
            row.extend_from_slice(digest);
        }
        LaneKey::Prefix(prefix) => {
            row.push(2);
            row.extend_from_slice(prefix.as_bytes());
        }
        LaneKey::Tenant(channel) => row.extend_from_slice(&[
            3,
            match channel {
                Channel::Sms => 1,
                Channel::Email => 2,
            },
        ]),
    }
    row
}

/// All rows of a kind that are of a tenant's endpoints.
pub(crate) fn endpoints_of(shard: ShardId, kind: u8, tenant: &TenantId) -> Vec<u8> {
    keyed(shard, kind, &[&tenant_prefix(tenant)])
}

pub(crate) fn position(shard: ShardId, tenant: &TenantId, webhook: WebhookId) -> Vec<u8> {
    keyed(shard, POSITION, &[&tenant_prefix(tenant), webhook.as_bytes()])
}

/// All deliveries to an endpoint.
pub(crate) fn deliveries(shard: ShardId, tenant: &TenantId, webhook: WebhookId) -> Vec<u8> {
    keyed(shard, DELIVERY, &[&tenant_prefix(tenant), webhook.as_bytes()])
}

pub(crate) fn delivery(
    shard: ShardId,
    tenant: &TenantId,
    webhook: WebhookId,
    sequence: u64,
) -> Vec<u8> {
    let mut row = deliveries(shard, tenant, webhook);
    row.extend_from_slice(&sequence.to_be_bytes());
    row
}

/// The endpoint that a position or a delivery is of.
pub(crate) fn endpoint(key: &[u8]) -> Option<(TenantId, WebhookId)> {
    let (&length, rest) = key.get(3..)?.split_first()?;
    let (tenant, rest) = rest.split_at_checked(usize::from(length))?;
    let tenant = TenantId::from_str(std::str::from_utf8(tenant).ok()?).ok()?;
    let webhook = rest.get(..ID_BYTES)?.try_into().ok()?;
    Some((tenant, WebhookId::from_bytes(webhook)))
}

/// Says when to look whether the row of the key `of` is past its time.
pub(crate) fn look_at(shard: ShardId, time: Timestamp, of: &[u8]) -> Vec<u8> {
    keyed(shard, LOOK_AT, &[&sortable(time), of.get(2..).unwrap_or_default()])
}

/// All that is to be looked at before `time`: from, to.
pub(crate) fn looks_before(shard: ShardId, time: Timestamp) -> (Vec<u8>, Vec<u8>) {
    (single(shard, LOOK_AT), keyed(shard, LOOK_AT, &[&sortable(time)]))
}

/// The key of the row that is to be looked at.
pub(crate) fn looked_at(key: &[u8]) -> Option<Vec<u8>> {
    let (shard, rest) = key.split_at_checked(2)?;
    Some([shard, rest.get(1 + TIME_BYTES..)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: ShardId = ShardId(3);

    fn tenant(text: &str) -> TenantId {
        text.parse().unwrap()
    }

    #[test]
    fn messages_sort_by_when_they_die_and_their_names_come_back() {
        let names =
            [(-5, 9), (0, 1), (0, 2), (1_700_000_000_000, 0)].map(|(time, delivery)| OutboxKey {
                expires_at: Timestamp::from_millis(time),
                delivery: DeliveryId::from_bytes([delivery; 16]),
            });
        let rows = names.map(|name| message(SHARD, &name));
        assert!(rows.is_sorted());
        for (name, row) in names.iter().zip(&rows) {
            assert_eq!(parse_message(row), Some(*name));
            let user = "u".parse().unwrap();
            let owned = message_by_owner(SHARD, &tenant("a"), &user, name);
            assert_eq!(parse_message(&owned), Some(*name));
        }
        assert!(messages_from(SHARD, Timestamp::from_millis(0)) <= rows[1]);
        assert!(messages_from(SHARD, Timestamp::from_millis(1)) > rows[2]);
    }

    #[test]
    fn what_is_counted_apart_has_keys_of_its_own() {
        let keys = [
            LaneKey::Destination([1; 16]),
            LaneKey::Destination([2; 16]),
            LaneKey::Prefix("+1".to_owned()),
            LaneKey::Prefix("+12".to_owned()),
            LaneKey::Tenant(Channel::Sms),
            LaneKey::Tenant(Channel::Email),
        ];
        let rows: std::collections::BTreeSet<_> = ["a", "ab"]
            .iter()
            .flat_map(|name| keys.iter().map(|key| traffic(SHARD, &tenant(name), key)))
            .collect();
        assert_eq!(rows.len(), 12);
        assert!(!traffic_of(SHARD, &tenant("ab")).starts_with(&traffic_of(SHARD, &tenant("a"))));
    }

    #[test]
    fn an_endpoint_is_read_back_from_its_rows() {
        let webhook = WebhookId::from_bytes([7; 16]);
        let of = (tenant("default"), webhook);
        assert_eq!(endpoint(&position(SHARD, &of.0, webhook)), Some(of.clone()));
        assert_eq!(endpoint(&delivery(SHARD, &of.0, webhook, 5)), Some(of));
    }

    #[test]
    fn what_is_to_be_looked_at_is_found_by_its_time() {
        let row = delivery(SHARD, &tenant("default"), WebhookId::from_bytes([7; 16]), 5);
        let look = look_at(SHARD, Timestamp::from_millis(10), &row);
        assert_eq!(looked_at(&look), Some(row));
        let (from, to) = looks_before(SHARD, Timestamp::from_millis(10));
        assert!(from < look && to <= look);
        assert!(looks_before(SHARD, Timestamp::from_millis(11)).1 > look);
    }
}
