//! Changes of the relying party while there are keys.

use countersign_core::factor::webauthn::{Aaguid, PublicKey, WebAuthnFactor};
use countersign_core::factor::{Factor, FactorKind};
use countersign_core::ids::{FactorId, Pseudonym, TenantId, UserKey};
use countersign_core::user::UserState;
use serde_json::json;

use crate::house::{House, NOW};

/// A key of this relying party.
pub(crate) fn key_of(rp_id: &str) -> Factor {
    let credential = WebAuthnFactor {
        credential_id: vec![1; 20],
        public_key: PublicKey::EdDsa { x: [2; 32] },
        sign_count: 0,
        aaguid: Aaguid::default(),
        transports: Vec::new(),
        backup_eligible: false,
        backed_up: false,
        user_verified: false,
        resident: None,
        attachment: None,
        rp_id: rp_id.to_owned(),
    };
    Factor {
        id: FactorId::from_bytes([1; 16]),
        name: None,
        created_at: NOW,
        last_used_at: None,
        kind: FactorKind::WebAuthn(Box::new(credential)),
    }
}

/// Somebody who has a key of this relying party.
pub(crate) fn has_key(house: &House, user: &str, rp_id: &str) {
    let state = UserState {
        pseudonym: Some(Pseudonym::from_bytes([3; 16])),
        factors: vec![key_of(rp_id)],
        ..UserState::default()
    };
    let key = UserKey::new(TenantId::default_tenant(), user.parse().unwrap());
    house.gateway.users.lock().unwrap().insert(key, state);
}

#[tokio::test]
async fn a_change_that_makes_keys_useless_is_refused_with_their_number_unless_forced() {
    let house = House::new();
    let change = json!({"rpId": "acme.example", "origins": ["https://login.acme.example"]});
    has_key(&house, "ann", "elsewhere.example");
    assert_eq!(house.patch("/v1/settings", &change).await.status, 200, "useless already");
    for user in ["bob", "cem", "dan"] {
        has_key(&house, user, "acme.example");
    }
    for stranding in [
        json!({"rpId": "login.acme.example"}),
        json!({"origins": ["https://acme.test"]}),
        json!({"rpId": "acme.test", "origins": ["https://acme.test"], "force": false}),
    ] {
        let refused = house.patch("/v1/settings", &stranding).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "conflict"));
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("3 security keys and passkeys"), "{detail}");
        assert!(detail.contains("force"), "{detail}");
    }
    assert_eq!(house.get("/v1/settings").await.json()["rpId"], "acme.example");
    // What strands nobody needs no force.
    let more = json!({"origins": ["https://login.acme.example", "https://acme.example"]});
    assert_eq!(house.patch("/v1/settings", &more).await.status, 200);
    assert_eq!(house.patch("/v1/settings", &json!({"rpName": "Acme"})).await.status, 200);
    let listed = house.get("/v1/users/bob/mfa/factors").await.json();
    assert_eq!(listed["data"][0]["usable"], true);
    assert_eq!(listed["data"][0]["webauthn"]["rpId"], "acme.example");

    let forced = json!({"rpId": "login.acme.example", "force": true});
    assert_eq!(house.patch("/v1/settings", &forced).await.status, 200);
    let listed = house.get("/v1/users/bob/mfa/factors").await.json();
    assert_eq!(listed["data"][0]["usable"], false);
    let login = house.post("/v1/mfa/challenges", &json!({"userId": "bob"})).await.json();
    assert_eq!(login["reason"], "NOT_ENROLLED");
}
