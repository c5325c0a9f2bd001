//! A security key in a person's hand, before a browser that speaks the JSON of the contract.

use countersign_core::factor::webauthn::Algorithm;
use countersign_core::factor::webauthn::options::{
    Attestation, CreationOptions, Descriptor, RequestOptions, ResidentKey, UserVerification,
};
use countersign_core::ids::FactorId;
use countersign_core::testing::authenticator::Authenticator;
pub use countersign_core::testing::authenticator::Twist;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::client::Client;

/// The relying party of a fresh tenant.
pub const ORIGIN: &str = "http://localhost:8080";

/// A key, and the browser before it.
pub struct Key {
    authenticator: Authenticator,
}

impl Key {
    /// A key on a cord, with a counter.
    pub fn usb(seed: u64) -> Self {
        Self { authenticator: Authenticator::usb(seed) }
    }

    /// A device that keeps passkeys in sync and verifies the person.
    pub fn platform(seed: u64) -> Self {
        Self { authenticator: Authenticator::platform(seed) }
    }

    /// The authenticator itself.
    pub fn authenticator(&mut self) -> &mut Authenticator {
        &mut self.authenticator
    }

    /// `navigator.credentials.create()` and `toJSON()`.
    pub fn create(&mut self, options: &Value) -> Value {
        let read = CreationOptions {
            factor_id: FactorId::from_bytes([0; 16]),
            rp_id: text(&options["rp"]["id"]),
            rp_name: text(&options["rp"]["name"]),
            user_handle: bytes(&options["user"]["id"]),
            user_name: text(&options["user"]["name"]),
            user_display_name: text(&options["user"]["displayName"]),
            challenge: bytes(&options["challenge"]),
            algorithms: vec![Algorithm::Es256],
            timeout_ms: 0,
            exclude: descriptors(&options["excludeCredentials"]),
            attestation: Attestation::None,
            user_verification: UserVerification::Preferred,
            resident_key: ResidentKey::Preferred,
            attachment: None,
        };
        let response = self.authenticator.create(&read, ORIGIN);
        json!({
            "id": response.id,
            "rawId": BASE64URL_NOPAD.encode(&response.raw_id),
            "type": response.credential_type,
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": { "credProps": { "rk": response.resident } },
            "response": {
                "clientDataJSON": BASE64URL_NOPAD.encode(&response.client_data_json),
                "attestationObject": BASE64URL_NOPAD.encode(&response.attestation_object),
                "transports": response.transports,
            },
        })
    }

    /// `navigator.credentials.get()` and `toJSON()`.
    pub fn get(&mut self, options: &Value) -> Value {
        self.get_with(options, &Twist::default())
    }

    /// The same with something wrong.
    pub fn get_with(&mut self, options: &Value, twist: &Twist) -> Value {
        let read = RequestOptions {
            rp_id: text(&options["rpId"]),
            challenge: bytes(&options["challenge"]),
            timeout_ms: 0,
            allow: descriptors(&options["allowCredentials"]),
            user_verification: UserVerification::Preferred,
        };
        let response = self.authenticator.get_with(&read, ORIGIN, twist).expect("a credential");
        let handle = response.user_handle.map(|handle| BASE64URL_NOPAD.encode(&handle));
        json!({
            "id": response.id,
            "rawId": BASE64URL_NOPAD.encode(&response.raw_id),
            "type": response.credential_type,
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": BASE64URL_NOPAD.encode(&response.client_data_json),
                "authenticatorData": BASE64URL_NOPAD.encode(&response.authenticator_data),
                "signature": BASE64URL_NOPAD.encode(&response.signature),
                "userHandle": handle,
            },
        })
    }

    /// Registers; the factor.
    pub async fn enroll(&mut self, client: &Client, user: &str) -> Value {
        let path = |rest: &str| format!("/v1/users/{user}/mfa/webauthn/{rest}");
        let options = client.post(&path("registration-options"), json!({})).await.ok();
        let credential = self.create(&options);
        client.post(&path("verify"), json!({ "credential": credential, "name": "Key" })).await.ok()
    }

    /// An answer to a challenge, ready to be sent.
    pub async fn answer(&mut self, client: &Client, challenge: &str, factor: &Value) -> Value {
        let path = format!("/v1/mfa/challenges/{challenge}/webauthn-options");
        let options = client.post(&path, json!({})).await.ok();
        let assertion = self.get(&options);
        json!({ "challengeId": challenge, "factorId": factor["id"], "assertion": assertion })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is missing: {value}")).to_owned()
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text(value).as_bytes()).unwrap()
}

fn descriptors(value: &Value) -> Vec<Descriptor> {
    let told = value.as_array().unwrap().iter();
    told.map(|one| Descriptor { id: bytes(&one["id"]), transports: Vec::new() }).collect()
}
