//! The audit log, with what it takes to verify it offline.

use std::collections::BTreeMap;

use countersign_actors::gateway::{AuditHead, AuditRow};
use countersign_core::ids::TenantId;
use data_encoding::{BASE64, HEXLOWER};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Outcome, Time};
use crate::error::ApiError;
use crate::state::ApiState;

/// One thing that was decided.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEvent {
    /// Its id, unique within the tenant.
    #[schema(example = "evt_0_42")]
    id: String,
    /// When.
    at: Time,
    /// What, dotted.
    #[serde(rename = "type")]
    #[schema(example = "mfa.challenge.verified")]
    event_type: String,
    /// Whose; null if it is no user's or the user was erased.
    #[schema(example = "user_42")]
    user_id: Option<String>,
    /// The stand-in that outlives the user.
    #[schema(example = "psn_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    pseudonym: Option<String>,
    /// The factor concerned.
    factor_id: Option<String>,
    /// The challenge concerned.
    challenge_id: Option<String>,
    /// The id of the API key that asked; null for the system itself.
    actor: Option<String>,
    /// The person's address, where known.
    #[schema(example = "203.0.113.7")]
    ip_address: Option<String>,
    /// How it went.
    outcome: Outcome,
    /// Why, as a stable word.
    #[schema(example = "invalid_code")]
    reason: Option<String>,
    /// More, by stable names.
    #[schema(example = json!({}))]
    details: BTreeMap<String, String>,
    /// What it takes to verify the event offline.
    proof: AuditProof,
}

/// An event's place in the tenant's hash chain in its shard.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditProof {
    /// In which shard.
    shard: u16,
    /// The place in the tenant's chain there, from 1.
    sequence: u64,
    /// The chained bytes, base64.
    chained: String,
    /// The personal part's bytes, base64; null if the user was erased. The chained bytes hold its
    /// salted digest.
    annex: Option<String>,
    /// The chain's hash after this event, hex: SHA-256 over the hash before it and `chained`.
    hash: String,
}

impl From<AuditRow> for AuditEvent {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at.into(),
            event_type: row.event_type,
            user_id: row.user.map(|user| user.as_str().to_owned()),
            pseudonym: row.pseudonym,
            factor_id: row.factor_id,
            challenge_id: row.challenge_id,
            actor: row.actor,
            ip_address: row.ip_address,
            outcome: row.outcome.into(),
            reason: row.reason,
            details: row.details,
            proof: AuditProof {
                shard: row.shard.0,
                sequence: row.sequence,
                chained: BASE64.encode(&row.chained),
                annex: row.annex.map(|bytes| BASE64.encode(&bytes)),
                hash: HEXLOWER.encode(&row.hash),
            },
        }
    }
}

/// The head of the tenant's chain in a shard, signed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditCheckpoint {
    /// In which shard.
    shard: u16,
    /// The last event's place; 0 if there is none.
    sequence: u64,
    /// The hash after it, hex; zeros if there is none.
    hash: String,
    /// The time of the last event; 1970 if there is none.
    at: Time,
    /// Events up to this place were removed since they are no longer kept; 0 if none was.
    start_sequence: u64,
    /// The hash after the last of them, hex; zeros if none was.
    start_hash: String,
    /// A compact JWS (RFC 7515) of type `audit-head+jws` over `{iss, clusterId, tenant, shards, shard,
    /// sequence, hash, at, startSequence, startHash, iat}`, by a key of `/.well-known/jwks.json`.
    /// `shards` is how many there are, `iat` the time of signing in seconds.
    signature: String,
}

/// What is signed of a head.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedHead<'a> {
    iss: &'a str,
    cluster_id: &'a str,
    tenant: &'a str,
    shards: u16,
    shard: u16,
    sequence: u64,
    hash: &'a str,
    at: Time,
    start_sequence: u64,
    start_hash: &'a str,
    iat: u64,
}

impl AuditCheckpoint {
    /// Signs a head of a tenant's chain.
    pub(crate) fn sign(
        head: &AuditHead,
        tenant: &TenantId,
        api: &ApiState,
    ) -> Result<Self, ApiError> {
        let hash = HEXLOWER.encode(&head.hash);
        let start_hash = HEXLOWER.encode(&head.start_hash);
        let system = api.directory.system();
        let signed = SignedHead {
            iss: &api.options.issuer_url,
            cluster_id: &system.cluster_id,
            tenant: tenant.as_str(),
            shards: system.shards,
            shard: head.shard.0,
            sequence: head.sequence,
            hash: &hash,
            at: head.at.into(),
            start_sequence: head.start_sequence,
            start_hash: &start_hash,
            iat: api.clock.now().unix_seconds(),
        };
        let signature = api.tokens.attest("audit-head+jws", &signed)?;
        let (shard, sequence, at) = (head.shard.0, head.sequence, head.at.into());
        let start_sequence = head.start_sequence;
        Ok(Self { shard, sequence, hash, at, start_sequence, start_hash, signature })
    }
}
