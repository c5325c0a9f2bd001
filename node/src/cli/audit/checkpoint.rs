//! Signed checkpoints, and the keys that verify them: compact JWS (RFC 7515) with ES256 (RFC 7518
//! section 3.4) by keys of a JWK set (RFC 7517). The key comes from outside the export, never from it.

use std::collections::HashMap;

use countersign_core::time::Timestamp;
use countersign_storage::{Chain, ChainPoint};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::file::Signed;

/// Of what type a checkpoint's signature is.
const TYPE: &str = "audit-head+jws";

/// Public keys by their id.
#[derive(Default)]
pub(super) struct Keys(HashMap<String, VerifyingKey>);

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    crv: String,
    x: String,
    y: String,
}

impl Keys {
    /// Takes in the keys of a JWK set that can verify a checkpoint.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let set: KeySet = serde_json::from_str(text)
            .map_err(|error| format!("not a set of public keys (RFC 7517): {error}"))?;
        for key in set.keys {
            // Keys of other kinds sign no checkpoints.
            let Ok(key) = serde_json::from_value::<Key>(key) else { continue };
            if key.crv != "P-256" {
                continue;
            }
            let coordinate = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
            let point = coordinate(&key.x).zip(coordinate(&key.y));
            let point = point.map(|(x, y)| [&[4][..], &x, &y].concat());
            let public = point.and_then(|point| VerifyingKey::from_sec1_bytes(&point).ok());
            let public = public.ok_or_else(|| format!("the key {} is malformed", key.kid))?;
            self.0.insert(key.kid, public);
        }
        match self.0.is_empty() {
            true => Err("no key in it can verify checkpoints (P-256)".to_owned()),
            false => Ok(()),
        }
    }
}

/// What a checkpoint says, once its signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// The cluster and the tenant. Not the issuer, which a setting changes.
    pub(super) whose: (String, String),
    /// How many shards there are.
    pub(super) shards: u16,
    /// In which of them.
    pub(super) shard: u16,
    /// Where the chain begins and ends.
    pub(super) chain: Chain,
    /// When it was signed, in seconds since 1970.
    pub(super) signed_at: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    cluster_id: String,
    tenant: String,
    shards: u16,
    shard: u16,
    sequence: u64,
    hash: String,
    at: String,
    start_sequence: u64,
    start_hash: String,
    iat: i64,
}

impl Checkpoint {
    /// Verifies a checkpoint's signature, and that it says what it shows.
    pub(super) fn read(signed: &Signed, keys: &Keys) -> Result<Self, String> {
        let at = |reason: &str| format!("{}: {reason}", signed.at);
        let payload = verified(&signed.signature, keys).map_err(|reason| at(&reason))?;
        let shown = |field: &str| signed.shown.get(field).cloned().unwrap_or(Value::Null);
        for (field, meant) in [
            ("shard", json!(payload.shard)),
            ("sequence", json!(payload.sequence)),
            ("hash", json!(payload.hash)),
            ("at", json!(payload.at)),
            ("startSequence", json!(payload.start_sequence)),
            ("startHash", json!(payload.start_hash)),
        ] {
            if shown(field) != meant {
                let shown = shown(field);
                return Err(at(&format!(
                    "the checkpoint was altered: {field} says {shown}, but {meant} was signed"
                )));
            }
        }
        let hash = |text: &str| {
            let bytes = HEXLOWER.decode(text.as_bytes()).ok();
            let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            hash.ok_or_else(|| at("the checkpoint's hash is not 32 bytes in hex"))
        };
        let point = |sequence, text: &str| {
            let at = Timestamp::from_millis(i64::MIN);
            hash(text).map(|hash| ChainPoint { sequence, hash, at })
        };
        let Payload { cluster_id, tenant, shards, shard, .. } = payload;
        if shard >= shards || payload.start_sequence > payload.sequence {
            return Err(at("the checkpoint contradicts itself"));
        }
        Ok(Self {
            whose: (cluster_id, tenant),
            shards,
            shard,
            chain: Chain {
                start: point(payload.start_sequence, &payload.start_hash)?,
                head: point(payload.sequence, &payload.hash)?,
                set_back: 0,
            },
            signed_at: payload.iat,
        })
    }
}

/// The payload of a JWS that one of the keys signed.
fn verified(jws: &str, keys: &Keys) -> Result<Payload, String> {
    let malformed = || "the checkpoint's signature is malformed".to_owned();
    let (signed, signature) = jws.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
    let header: Header = part(header).ok_or_else(malformed)?;
    if (header.alg.as_str(), header.typ.as_str()) != ("ES256", TYPE) {
        return Err(format!("what is signed is no checkpoint ({TYPE}, ES256)"));
    }
    let key = keys.0.get(&header.kid).ok_or_else(|| {
        format!("the checkpoint is signed by the key {}, which no --jwks file has", header.kid)
    })?;
    let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| malformed())?;
    let signature = Signature::from_slice(&bytes).map_err(|_| malformed())?;
    key.verify(signed.as_bytes(), &signature)
        .map_err(|_| "the checkpoint's signature is wrong".to_owned())?;
    part(payload).ok_or_else(|| {
        "the checkpoint says too little: it must name the tenant, the shards and both ends"
            .to_owned()
    })
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}
