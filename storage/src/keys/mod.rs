//! The keys of all rows. Every key begins with the shard, big-endian, so that a shard's rows lie
//! together and a range names a whole shard. What belongs to the node itself lies under
//! [`NODE`], which is no shard.

use countersign_core::ids::{Pseudonym, ShardId, TenantId, UserHash, UserId, UserKey};
use countersign_core::proposal::AnswerKey;
use countersign_core::time::Timestamp;

use crate::database::Family;
use crate::records::tenant_prefix;

pub(crate) mod outbox;

/// Under this number the node keeps what is its own.
pub(crate) const NODE: ShardId = ShardId(u16::MAX);

/// Kinds of rows in `meta`.
pub(crate) mod meta {
    pub(crate) const VOTE: u8 = 1;
    pub(crate) const COMMITTED: u8 = 2;
    pub(crate) const PURGED: u8 = 3;
    pub(crate) const INSTALLING: u8 = 4;
    pub(crate) const IDENTITY: u8 = 5;
    pub(crate) const BATCH: u8 = 6;
    pub(crate) const PEER_CREDENTIALS: u8 = 7;
    pub(crate) const ACTIVITY: u8 = 8;
    pub(crate) const DISK_HISTORY: u8 = 9;
    pub(crate) const DISK_MARKS: u8 = 10;
    pub(crate) const DISK_REFUSED: u8 = 11;
}

/// Kinds of rows in `state`.
pub(crate) mod state {
    pub(crate) const HEAD: u8 = 1;
    pub(crate) const USER: u8 = 2;
    pub(crate) const USER_BY_HASH: u8 = 3;
    pub(crate) const TENANT: u8 = 4;
    pub(crate) const SYSTEM: u8 = 5;
    pub(crate) const ANSWER: u8 = 6;
    pub(crate) const ANSWER_EXPIRY: u8 = 7;
    pub(crate) const ANSWER_BY_OWNER: u8 = 8;
}

/// Kinds of rows in `audit`.
pub(crate) mod audit {
    pub(crate) const ROW: u8 = 1;
    pub(crate) const ANNEX: u8 = 2;
    pub(crate) const BY_TENANT: u8 = 3;
    pub(crate) const ANCHOR: u8 = 4;
    pub(crate) const CHAIN: u8 = 5;
}

/// Where a row of the state machine lies.
pub(crate) fn family(key: &[u8]) -> Family {
    match key.get(2) {
        Some(kind) if *kind >= outbox::FIRST => Family::Outbox,
        _ => Family::State,
    }
}

/// A row of a kind of which a shard has one.
pub(crate) fn single(shard: ShardId, kind: u8) -> Vec<u8> {
    let [high, low] = shard.0.to_be_bytes();
    vec![high, low, kind]
}

fn keyed(shard: ShardId, kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = single(shard, kind);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// The first key after all that begin with `prefix`.
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    // Only for a prefix of nothing but 0xFF, which no key has: its kind is small.
    vec![u8::MAX; prefix.len() + 1]
}

/// All keys of a shard: from, to.
pub(crate) fn shard_range(shard: ShardId) -> (Vec<u8>, Vec<u8>) {
    let start = shard.0.to_be_bytes().to_vec();
    let end = after(&start);
    (start, end)
}

/// The number of an applied batch, in one of a few places that are used in turn.
pub(crate) fn batch(shard: ShardId, place: u8) -> Vec<u8> {
    keyed(shard, meta::BATCH, &[&[place]])
}

pub(crate) fn log(shard: ShardId, index: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(10);
    key.extend_from_slice(&shard.0.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}

pub(crate) fn log_index(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(2..10)?.try_into().ok()?))
}

/// All users of a tenant, by id.
pub(crate) fn users(shard: ShardId, tenant: &TenantId) -> Vec<u8> {
    keyed(shard, state::USER, &[&tenant_prefix(tenant)])
}

pub(crate) fn user(shard: ShardId, key: &UserKey) -> Vec<u8> {
    let tenant = tenant_prefix(&key.tenant);
    keyed(shard, state::USER, &[&tenant, key.user.as_str().as_bytes()])
}

/// All users of a tenant whose id has this hash.
pub(crate) fn users_by_hash(shard: ShardId, tenant: &TenantId, hash: UserHash) -> Vec<u8> {
    keyed(shard, state::USER_BY_HASH, &[&tenant_prefix(tenant), &hash.0.to_be_bytes()])
}

pub(crate) fn user_by_hash(shard: ShardId, key: &UserKey) -> Vec<u8> {
    let mut row = users_by_hash(shard, &key.tenant, key.hash());
    row.extend_from_slice(key.user.as_str().as_bytes());
    row
}

/// The user id at the end of a key that begins with `prefix`.
pub(crate) fn user_id(key: &[u8], prefix: &[u8]) -> Option<UserId> {
    std::str::from_utf8(key.get(prefix.len()..)?).ok()?.parse().ok()
}

pub(crate) fn tenant(shard: ShardId, id: &TenantId) -> Vec<u8> {
    keyed(shard, state::TENANT, &[&tenant_prefix(id)])
}

pub(crate) fn answer(shard: ShardId, key: &AnswerKey) -> Vec<u8> {
    keyed(shard, state::ANSWER, &[key])
}

/// Whose rows an answer tells of: a user, or a tenant itself. No owner's bytes begin another's, for
/// a user id has at least one character.
pub(crate) fn owner(tenant: &TenantId, user: Option<&UserId>) -> Vec<u8> {
    let mut owner = tenant_prefix(tenant);
    let user = user.map_or(&[][..], |user| user.as_str().as_bytes());
    // A user id has at most 128 characters.
    owner.push(u8::try_from(user.len()).unwrap_or(u8::MAX));
    owner.extend_from_slice(user);
    owner
}

/// All answers that tell of an owner's rows.
pub(crate) fn answers_of(shard: ShardId, owner: &[u8]) -> Vec<u8> {
    keyed(shard, state::ANSWER_BY_OWNER, &[owner])
}

pub(crate) fn answer_by_owner(shard: ShardId, owner: &[u8], key: &AnswerKey) -> Vec<u8> {
    keyed(shard, state::ANSWER_BY_OWNER, &[owner, key])
}

/// The answer's key at the end of a row of the owners' index.
pub(crate) fn owned_answer(key: &[u8]) -> Option<AnswerKey> {
    key.get(key.len().checked_sub(32)?..)?.try_into().ok()
}

pub(crate) fn answer_expiry(shard: ShardId, expires_at: Timestamp, key: &AnswerKey) -> Vec<u8> {
    keyed(shard, state::ANSWER_EXPIRY, &[&sortable(expires_at), key])
}

/// The time and the answer's key in a row of the expiry index.
pub(crate) fn parse_answer_expiry(key: &[u8]) -> Option<(Timestamp, AnswerKey)> {
    let answer = key.get(11..43)?.try_into().ok()?;
    Some((sorted(key.get(3..11)?)?, answer))
}

/// A time as eight bytes that sort like it: two's complement with the sign turned round.
fn sortable(time: Timestamp) -> [u8; 8] {
    (time.millis().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The time behind what [`sortable`] made.
fn sorted(bytes: &[u8]) -> Option<Timestamp> {
    let time = u64::from_be_bytes(bytes.try_into().ok()?);
    Some(Timestamp::from_millis((time ^ (1 << 63)).cast_signed()))
}

/// An audit row, by its place in the order in which the shard wrote them.
pub(crate) fn audit_row(shard: ShardId, place: u64) -> Vec<u8> {
    keyed(shard, audit::ROW, &[&place.to_be_bytes()])
}

/// How a tenant's chain stands.
pub(crate) fn audit_chain(shard: ShardId, tenant: &TenantId) -> Vec<u8> {
    keyed(shard, audit::CHAIN, &[&tenant_prefix(tenant)])
}

/// All annexes of a pseudonym, which is also the list of its rows.
pub(crate) fn annexes(shard: ShardId, pseudonym: Pseudonym) -> Vec<u8> {
    keyed(shard, audit::ANNEX, &[pseudonym.as_bytes()])
}

pub(crate) fn annex(shard: ShardId, pseudonym: Pseudonym, sequence: u64) -> Vec<u8> {
    keyed(shard, audit::ANNEX, &[pseudonym.as_bytes(), &sequence.to_be_bytes()])
}

/// A tenant's chain: for each row its place in the shard.
pub(crate) fn audit_of_tenant(shard: ShardId, tenant: &TenantId) -> Vec<u8> {
    keyed(shard, audit::BY_TENANT, &[&tenant_prefix(tenant)])
}

pub(crate) fn audit_by_tenant(shard: ShardId, tenant: &TenantId, sequence: u64) -> Vec<u8> {
    keyed(shard, audit::BY_TENANT, &[&tenant_prefix(tenant), &sequence.to_be_bytes()])
}

/// The place in the chain at the end of a key.
pub(crate) fn last_sequence(key: &[u8]) -> Option<u64> {
    let tail = key.len().checked_sub(8)?;
    Some(u64::from_be_bytes(key.get(tail..)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_tenant_never_lie_within_another() {
        let shard = ShardId(3);
        let short: TenantId = "a".parse().unwrap();
        let long: TenantId = "ab".parse().unwrap();
        assert!(!users(shard, &long).starts_with(&users(shard, &short)));
    }

    #[test]
    fn the_answers_of_one_owner_never_lie_within_anothers() {
        let owners = [
            owner(&"a".parse().unwrap(), None),
            owner(&"a".parse().unwrap(), Some(&"u".parse().unwrap())),
            owner(&"a".parse().unwrap(), Some(&"u1".parse().unwrap())),
            owner(&"ab".parse().unwrap(), None),
        ];
        for (place, one) in owners.iter().enumerate() {
            let others = owners.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(others.into_iter().all(|(_, other)| !other.starts_with(one)));
        }
        let row = answer_by_owner(ShardId(3), &owners[1], &[9; 32]);
        assert_eq!(owned_answer(&row), Some([9; 32]));
    }

    #[test]
    fn expiry_keys_sort_by_time_and_come_back() {
        let shard = ShardId(0);
        let key = [7; 32];
        let times = [-5, -1, 0, 1, 1_700_000_000_000].map(Timestamp::from_millis);
        let rows = times.map(|time| answer_expiry(shard, time, &key));
        assert!(rows.is_sorted());
        for (time, row) in times.into_iter().zip(&rows) {
            assert_eq!(parse_answer_expiry(row), Some((time, key)));
        }
    }

    #[test]
    fn the_end_of_a_prefix_is_behind_all_its_keys() {
        assert_eq!(after(&[0, 3, 1]), [0, 3, 2]);
        assert_eq!(after(&[0, 3, 255]), [0, 4]);
        let (start, end) = shard_range(ShardId(255));
        assert_eq!((start, end), (vec![0, 255], vec![1]));
    }
}
