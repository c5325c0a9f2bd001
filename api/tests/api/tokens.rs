//! Access tokens and the keys that verify them.

use countersign_actors::testing::{FixedVault, SeededSource};
use countersign_api::{RETIRED_KEY_KEPT_MS, new_signing_key};
use countersign_core::ids::KeyId;
use countersign_core::reply::{Reply, TokenGrant, Verified};
use countersign_core::settings::TokenType;
use countersign_core::system::{SystemEvent, evolve};
use countersign_core::vault::Vault;
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::house::{House, ISSUER, NOW};
use crate::table::grant;

async fn jwks(house: &House) -> Vec<Value> {
    let answer = house.knock("GET", "/.well-known/jwks.json").send().await;
    answer.json()["keys"].as_array().unwrap().clone()
}

/// Header and payload of a compact JWS that a key of the set signed.
async fn verified(house: &House, token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap());
    let (header, payload, signature) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let header: Value = serde_json::from_slice(&header).unwrap();
    let key = jwks(house).await.into_iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let coordinate = |name: &str| BASE64URL_NOPAD.decode(key[name].as_str().unwrap().as_bytes());
    let point = [vec![4], coordinate("x").unwrap(), coordinate("y").unwrap()].concat();
    let key = VerifyingKey::from_sec1_bytes(&point).unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    key.verify(signed.as_bytes(), &Signature::from_slice(&signature).unwrap()).unwrap();
    (header, serde_json::from_slice(&payload).unwrap())
}

fn kid(house: &House) -> String {
    house.directory.system.lock().unwrap().signing_key().unwrap().kid.clone()
}

/// Lets every verification succeed with a token of the key `kid`.
fn verify_with(house: &House, kid: String) {
    house.gateway.answer(move |_| {
        Ok(Reply::Verified(Verified {
            user: "ann".parse().unwrap(),
            factor_id: None,
            tokens: grant(&kid),
            device_token: None,
            device_token_expires_at: None,
        }))
    });
}

async fn token(house: &House) -> String {
    let body = json!({
        "challengeId": "chl_0c1g60o30c1g60o30c1g60o30c", "recoveryCode": "7K3M-9QTX-B2WD",
    });
    let answer = house.post("/v1/mfa/challenges/verify", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let tokens = &answer.json()["tokens"];
    assert_eq!(tokens["tokenType"], "Bearer");
    assert_eq!(tokens["expiresIn"], 900);
    tokens["accessToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_verifies_against_the_published_keys_and_says_what_was_granted() {
    let house = House::new();
    verify_with(&house, kid(&house));
    let (header, claims) = verified(&house, &token(&house).await).await;
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": kid(&house)}));
    let seconds = NOW.unix_seconds();
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "aud": "countersign", "sub": "ann", "iat": seconds,
            "exp": seconds + 900, "jti": grant("").id.to_string(), "auth_time": seconds,
            "acr": "aal2", "amr": ["pwd", "otp", "mfa"], "tenant": "default",
        })
    );
}

#[tokio::test]
async fn what_tokens_say_is_told_to_whoever_verifies_them() {
    let house = House::new();
    verify_with(&house, kid(&house));
    let (_, claims) = verified(&house, &token(&house).await).await;
    let facts = house.get("/v1/tokens").await.json();
    assert_eq!(facts["issuer"], claims["iss"]);
    assert_eq!(facts["audience"], claims["aud"]);
    assert_eq!(facts["tenantId"], claims["tenant"]);
    assert_eq!(facts["ttlSeconds"], 900);
}

#[tokio::test]
async fn the_same_grant_gives_the_same_token() {
    let house = House::new();
    verify_with(&house, kid(&house));
    let first = token(&house).await;
    house.clock.advance(60_000);
    assert_eq!(first, token(&house).await);
}

#[tokio::test]
async fn a_published_key_shows_its_public_part_alone_and_is_named_by_its_thumbprint() {
    let house = House::new();
    let keys = jwks(&house).await;
    let key = keys[0].as_object().unwrap();
    let members: Vec<&str> = key.keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    let canonical = json!({"crv": key["crv"], "kty": key["kty"], "x": key["x"], "y": key["y"]});
    let thumbprint = BASE64URL_NOPAD.encode(&Sha256::digest(canonical.to_string()));
    assert_eq!(key["kid"], thumbprint);
}

#[tokio::test]
async fn a_retired_key_is_published_for_a_day() {
    let house = House::new();
    let old = kid(&house);
    let second = new_signing_key(&SeededSource::new(8), &FixedVault, NOW).unwrap();
    {
        let mut system = house.directory.system.lock().unwrap();
        evolve(&mut system, &SystemEvent::SigningKeyAdded(second.clone()), NOW);
    }
    let kids = async || {
        let keys = jwks(&house).await;
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kids().await, [second.kid.clone(), old.clone()]);
    // An answer that was kept before the rotation is still signed by the key that it names.
    verify_with(&house, old.clone());
    assert_eq!(verified(&house, &token(&house).await).await.0["kid"], old.as_str());
    house.clock.advance(RETIRED_KEY_KEPT_MS);
    assert_eq!(kids().await, [second.kid]);
}

#[tokio::test]
async fn a_key_that_this_node_has_not_applied_yet_means_later() {
    let house = House::new();
    verify_with(&house, "unknown".to_owned());
    let body = json!({
        "challengeId": "chl_0c1g60o30c1g60o30c1g60o30c", "recoveryCode": "7K3M-9QTX-B2WD",
    });
    assert_eq!(house.post("/v1/mfa/challenges/verify", &body).await.problem(), "unavailable");
}

#[tokio::test]
async fn a_sealed_key_that_was_altered_signs_nothing() {
    let house = House::new();
    let kid = kid(&house);
    let broken = FixedVault.seal(b"signing-key\0another", [0; 24], &[7; 32]);
    house.directory.system.lock().unwrap().signing_keys[0].private = broken;
    verify_with(&house, kid);
    let body = json!({
        "challengeId": "chl_0c1g60o30c1g60o30c1g60o30c", "recoveryCode": "7K3M-9QTX-B2WD",
    });
    assert_eq!(house.post("/v1/mfa/challenges/verify", &body).await.problem(), "internal");
}

#[test]
fn a_signing_key_is_sealed_for_its_own_id() {
    let key = new_signing_key(&SeededSource::new(1), &FixedVault, NOW).unwrap();
    let context = [b"signing-key\0", key.kid.as_bytes()].concat();
    assert_eq!(FixedVault.open(&context, &key.private).unwrap().expose().len(), 32);
    assert!(FixedVault.open(b"signing-key\0", &key.private).is_err());
    assert_eq!(key.public.len(), 65);
    let other = new_signing_key(&SeededSource::new(2), &FixedVault, NOW).unwrap();
    assert_ne!(key.kid, other.kid);
}

#[tokio::test]
async fn audit_heads_are_signed_by_a_published_key() {
    let house = House::new();
    let answer = house.get("/v1/audit/checkpoints").await.json();
    let head = &answer["data"][0];
    assert_eq!(head["shard"], 3);
    assert_eq!(head["sequence"], 42);
    let (header, payload) = verified(&house, head["signature"].as_str().unwrap()).await;
    assert_eq!(header["typ"], "audit-head+jws");
    assert_eq!(
        payload,
        json!({
            "iss": ISSUER, "clusterId": "clu_test", "tenant": "default", "shards": payload["shards"],
            "shard": 3, "sequence": 42, "hash": head["hash"], "at": head["at"],
            "startSequence": 7, "startHash": "cd".repeat(32), "iat": payload["iat"],
        })
    );
}

#[tokio::test]
async fn a_tenant_may_have_access_tokens_of_rfc_9068() {
    let house = House::new();
    let settings = house.patch("/v1/settings", &json!({"tokenType": "AT_JWT"})).await;
    assert_eq!(settings.status, 200, "{}", settings.text());
    assert_eq!(settings.json()["tokenType"], "AT_JWT");
    assert_eq!(house.get("/v1/settings").await.json()["tokenType"], "AT_JWT");
    let odd = house.patch("/v1/settings", &json!({"tokenType": "jwt"})).await;
    assert_eq!(odd.problem(), "validation_failed");
    let kid = kid(&house);
    house.gateway.answer(move |_| {
        Ok(Reply::Verified(Verified {
            user: "ann".parse().unwrap(),
            factor_id: None,
            tokens: TokenGrant { token_type: TokenType::AccessToken, ..grant(&kid) },
            device_token: None,
            device_token_expires_at: None,
        }))
    });
    let (header, claims) = verified(&house, &token(&house).await).await;
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(claims["client_id"], KeyId::from_bytes([2; 16]).to_string());
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert!(!claims[claim].is_null(), "RFC 9068 section 2.2 asks for {claim}");
    }
    let document = house.knock("GET", "/.well-known/openid-configuration").send().await.json();
    let told = document["claims_supported"].as_array().unwrap().clone();
    for claim in claims.as_object().unwrap().keys() {
        assert!(told.contains(&json!(claim)), "{claim} is told");
    }
}

#[tokio::test]
async fn a_verifier_finds_the_keys_from_the_issuer_alone() {
    for (issuer, found, absent) in [
        (
            "https://mfa.example",
            vec![
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
                "/.well-known/jwks.json",
            ],
            vec![
                "/.well-known/openid-configuration/acme",
                "/acme/.well-known/openid-configuration",
                "/.well-known/openid-configuration/",
            ],
        ),
        (
            "https://id.example/acme/mfa",
            vec![
                "/acme/mfa/.well-known/openid-configuration",
                "/.well-known/openid-configuration/acme/mfa",
                "/.well-known/oauth-authorization-server/acme/mfa",
                "/acme/mfa/.well-known/jwks.json",
                // A proxy may take the path away.
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ],
            vec![
                "/acme/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/acme/mfax",
                "/.well-known/oauth-authorization-serveracme/mfa",
            ],
        ),
    ] {
        let house = House::with(|options| options.issuer_url = issuer.to_owned());
        for path in found {
            let answer = house.knock("GET", path).send().await;
            assert_eq!(answer.status, 200, "{issuer} {path}");
            if path.ends_with("jwks.json") {
                continue;
            }
            let document = answer.json();
            assert_eq!(document["issuer"], issuer);
            assert_eq!(document["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
            assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256"]));
            assert_eq!(document["response_types_supported"], json!([]));
            assert!(document.get("authorization_endpoint").is_none());
            assert!(document.get("token_endpoint").is_none());
            assert_eq!(answer.header("cache-control"), "public, max-age=300");
        }
        for path in absent {
            assert_eq!(house.knock("GET", path).send().await.problem(), "not_found", "{path}");
        }
        let path = "/acme/mfa/.well-known/openid-configuration";
        assert_eq!(house.knock("POST", path).send().await.problem(), "not_found");
    }
    let house = House::with(|options| options.issuer_url = "urn:countersign:clu_x".to_owned());
    let answer = house.knock("GET", "/.well-known/openid-configuration").send().await;
    assert_eq!(answer.problem(), "not_found");
    assert!(answer.json()["detail"].as_str().unwrap().contains("`issuer_url`"));
}
