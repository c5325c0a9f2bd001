//! A security key in software, with the browser before it: it makes credentials and shows them, and
//! can be told to do any part of it wrongly, signed as if it were right.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Signer as _;
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::SignatureEncoding as _;
use rsa::traits::PublicKeyParts;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::entropy::{Entropy, SeededEntropy};
use crate::factor::webauthn::options::{Attachment, CreationOptions, RequestOptions};
use crate::factor::webauthn::response::{AssertionResponse, RegistrationResponse};
use crate::factor::webauthn::{Aaguid, Algorithm};

/// Somebody was there.
pub const UP: u8 = 1;
/// The person was verified.
pub const UV: u8 = 1 << 2;
/// The key may be on several devices.
pub const BE: u8 = 1 << 3;
/// It is.
pub const BS: u8 = 1 << 4;
const AT: u8 = 1 << 6;

/// RSA keys take seconds to make, so all authenticators of a test share this one. It protects nothing.
const RSA_KEY: &[u8] = include_bytes!("rsa.pk8");

/// A security key, or a device that is one.
pub struct Authenticator {
    /// Its model.
    pub aaguid: Aaguid,
    /// The keys that it makes, if they are asked for.
    pub algorithm: Algorithm,
    /// How it says that it can be reached.
    pub transports: Vec<String>,
    /// What it signs of itself.
    pub flags: u8,
    /// Its counter; it has none if this is `None`.
    pub counter: Option<u32>,
    /// Its credentials.
    pub credentials: Vec<Credential>,
    entropy: SeededEntropy,
}

/// A credential inside.
pub struct Credential {
    /// Its id.
    pub id: Vec<u8>,
    /// The user that it was made for.
    pub user_handle: Vec<u8>,
    /// Whether it can be found without its id, so that the handle is told.
    pub discoverable: bool,
    key: Key,
}

enum Key {
    Es256(Box<p256::ecdsa::SigningKey>),
    EdDsa(Box<ed25519_dalek::SigningKey>),
    Rs256(Box<rsa::RsaPrivateKey>),
}

/// What is done wrongly. The default does everything rightly.
#[derive(Clone, Debug, Default)]
pub struct Twist {
    /// Another `type` in the client data.
    pub kind: Option<&'static str>,
    /// Another challenge.
    pub challenge: Option<Vec<u8>>,
    /// Another origin.
    pub origin: Option<String>,
    /// The page is in a frame of another origin.
    pub cross_origin: bool,
    /// That origin.
    pub top_origin: Option<&'static str>,
    /// Another relying party.
    pub rp_id: Option<&'static str>,
    /// Flags that are turned over.
    pub flip: u8,
    /// Another counter.
    pub counter: Option<u32>,
    /// Another user.
    pub user_handle: Option<Vec<u8>>,
    /// Bytes after the authenticator's data.
    pub trailing: Vec<u8>,
    /// An attestation statement of this format instead of none.
    pub attestation: Option<(&'static str, ciborium::Value)>,
    /// A statement that the key makes about itself, as "packed".
    pub self_attestation: bool,
    /// A certificate beside that statement, as if it were of somebody else.
    pub certificate: bool,
    /// Another key type in the public key.
    pub cose_type: Option<i64>,
    /// Another curve in the public key.
    pub cose_curve: Option<i64>,
    /// Another algorithm in the public key.
    pub cose_algorithm: Option<i64>,
}

impl Authenticator {
    /// A key on a cord: no verification of the person, a counter, bound to its hardware.
    pub fn usb(seed: u64) -> Self {
        Self {
            aaguid: Aaguid([7; 16]),
            algorithm: Algorithm::Es256,
            transports: vec!["usb".to_owned()],
            flags: UP,
            counter: Some(0),
            credentials: Vec::new(),
            entropy: SeededEntropy::new(seed),
        }
    }

    /// A phone or laptop that keeps passkeys in sync and verifies the person.
    pub fn platform(seed: u64) -> Self {
        Self {
            aaguid: Aaguid([8; 16]),
            transports: vec!["internal".to_owned(), "hybrid".to_owned()],
            flags: UP | UV | BE | BS,
            counter: None,
            ..Self::usb(seed)
        }
    }

    /// Makes a credential, as `navigator.credentials.create()` on a page of `origin`.
    pub fn create(&mut self, options: &CreationOptions, origin: &str) -> RegistrationResponse {
        self.create_with(options, origin, &Twist::default())
    }

    /// Makes one with something wrong.
    pub fn create_with(
        &mut self,
        options: &CreationOptions,
        origin: &str,
        twist: &Twist,
    ) -> RegistrationResponse {
        let credential = self.fresh(options);
        let client = client_data("webauthn.create", &options.challenge, origin, twist);
        let mut data = self.head(&options.rp_id, AT, twist);
        data.extend(self.aaguid.0);
        data.extend(u16::try_from(credential.id.len()).unwrap().to_be_bytes());
        data.extend(&credential.id);
        data.extend(cbor(&credential.key.cose(twist)));
        data.extend(&twist.trailing);
        let (format, statement) = match &twist.attestation {
            Some((format, statement)) => (*format, statement.clone()),
            None if twist.self_attestation => {
                let signed = [&data[..], &Sha256::digest(&client)].concat();
                let algorithm = credential.key.algorithm().cose();
                let mut statement = vec![
                    (text("alg"), ciborium::Value::from(algorithm)),
                    (text("sig"), ciborium::Value::Bytes(credential.key.sign(&signed))),
                ];
                if twist.certificate {
                    let chain = vec![ciborium::Value::Bytes(vec![0x30, 0])];
                    statement.push((text("x5c"), ciborium::Value::Array(chain)));
                }
                ("packed", ciborium::Value::Map(statement))
            }
            None => ("none", ciborium::Value::Map(Vec::new())),
        };
        let object = ciborium::Value::Map(vec![
            (text("fmt"), text(format)),
            (text("attStmt"), statement),
            (text("authData"), ciborium::Value::Bytes(data)),
        ]);
        let response = RegistrationResponse {
            id: BASE64URL_NOPAD.encode(&credential.id),
            raw_id: credential.id.clone(),
            credential_type: "public-key".to_owned(),
            client_data_json: client,
            attestation_object: cbor(&object),
            transports: self.transports.clone(),
            resident: Some(credential.discoverable),
            attachment: Some(if self.transports.iter().any(|one| one == "internal") {
                Attachment::Platform
            } else {
                Attachment::CrossPlatform
            }),
        };
        self.credentials.push(credential);
        response
    }

    /// Shows the first of its credentials that is asked for, as `navigator.credentials.get()` on a
    /// page of `origin`; `None` if it has none of them.
    pub fn get(&mut self, options: &RequestOptions, origin: &str) -> Option<AssertionResponse> {
        self.get_with(options, origin, &Twist::default())
    }

    /// Shows one with something wrong.
    pub fn get_with(
        &mut self,
        options: &RequestOptions,
        origin: &str,
        twist: &Twist,
    ) -> Option<AssertionResponse> {
        let asked = |one: &Credential| options.allow.iter().any(|allowed| allowed.id == one.id);
        let position = self.credentials.iter().position(asked)?;
        Some(self.show(position, options, origin, twist))
    }

    /// Shows the credential at `position`, whether it was asked for or not.
    pub fn show(
        &mut self,
        position: usize,
        options: &RequestOptions,
        origin: &str,
        twist: &Twist,
    ) -> AssertionResponse {
        if let Some(counter) = &mut self.counter {
            *counter += 1;
        }
        let client = client_data("webauthn.get", &options.challenge, origin, twist);
        let mut data = self.head(&options.rp_id, 0, twist);
        data.extend(&twist.trailing);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        let credential = &self.credentials[position];
        let told = credential.discoverable.then(|| credential.user_handle.clone());
        AssertionResponse {
            id: BASE64URL_NOPAD.encode(&credential.id),
            raw_id: credential.id.clone(),
            credential_type: "public-key".to_owned(),
            client_data_json: client,
            authenticator_data: data,
            signature: credential.key.sign(&signed),
            user_handle: twist.user_handle.clone().or(told),
        }
    }

    fn fresh(&mut self, options: &CreationOptions) -> Credential {
        use crate::factor::webauthn::options::ResidentKey;
        let entropy: &mut dyn Entropy = &mut self.entropy;
        let key = match self.algorithm {
            Algorithm::Es256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&entropy.bytes::<32>()).unwrap();
                Key::Es256(Box::new(key))
            }
            Algorithm::EdDsa => {
                Key::EdDsa(Box::new(ed25519_dalek::SigningKey::from_bytes(&entropy.bytes())))
            }
            Algorithm::Rs256 => {
                Key::Rs256(Box::new(rsa::RsaPrivateKey::from_pkcs8_der(RSA_KEY).unwrap()))
            }
        };
        Credential {
            id: entropy.bytes::<32>().to_vec(),
            user_handle: options.user_handle.clone(),
            // Phones and laptops make all of theirs so, whatever they are asked for.
            discoverable: options.resident_key != ResidentKey::Discouraged
                || self.transports.iter().any(|one| one == "internal"),
            key,
        }
    }

    fn head(&self, rp_id: &str, more: u8, twist: &Twist) -> Vec<u8> {
        let rp_id = twist.rp_id.unwrap_or(rp_id);
        let flags = (self.flags | more) ^ twist.flip;
        let counter = twist.counter.or(self.counter).unwrap_or(0);
        [&Sha256::digest(rp_id.as_bytes())[..], &[flags], &counter.to_be_bytes()].concat()
    }
}

fn client_data(kind: &str, challenge: &[u8], origin: &str, twist: &Twist) -> Vec<u8> {
    let challenge = twist.challenge.as_deref().unwrap_or(challenge);
    let mut data = json!({
        "type": twist.kind.unwrap_or(kind),
        "challenge": BASE64URL_NOPAD.encode(challenge),
        "origin": twist.origin.as_deref().unwrap_or(origin),
        "crossOrigin": twist.cross_origin,
        "other_keys_can_be_added_here": "as browsers do now and then",
    });
    if let Some(top) = twist.top_origin {
        data["topOrigin"] = top.into();
    }
    data.to_string().into_bytes()
}

fn text(text: &str) -> ciborium::Value {
    ciborium::Value::Text(text.to_owned())
}

fn cbor(value: &ciborium::Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

impl Key {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Self::EdDsa(key) => key.sign(message).to_bytes().to_vec(),
            Self::Rs256(key) => {
                let key = pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key.as_ref().clone());
                rsa::signature::Signer::sign(&key, message).to_vec()
            }
        }
    }

    /// The public key in COSE form (RFC 9052 section 7).
    fn cose(&self, twist: &Twist) -> ciborium::Value {
        let bytes = |bytes: &[u8]| ciborium::Value::Bytes(bytes.to_vec());
        let number = |number: i64| ciborium::Value::from(number);
        let algorithm = twist.cose_algorithm.unwrap_or(self.algorithm().cose());
        let (kind, rest) = match self {
            Self::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let rest = vec![
                    (number(-1), number(twist.cose_curve.unwrap_or(1))),
                    (number(-2), bytes(point.x().unwrap())),
                    (number(-3), bytes(point.y().unwrap())),
                ];
                (2, rest)
            }
            Self::EdDsa(key) => {
                let point = key.verifying_key().to_bytes();
                let curve = number(twist.cose_curve.unwrap_or(6));
                (1, vec![(number(-1), curve), (number(-2), bytes(&point))])
            }
            Self::Rs256(key) => {
                let (n, e) = (key.n().to_be_bytes_trimmed_vartime(), [1, 0, 1]);
                (3, vec![(number(-1), bytes(&n)), (number(-2), bytes(&e))])
            }
        };
        let kind = twist.cose_type.unwrap_or(kind);
        let head = vec![(number(1), number(kind)), (number(3), number(algorithm))];
        ciborium::Value::Map([head, rest].concat())
    }
}
