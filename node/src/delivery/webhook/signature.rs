//! What proves to a receiver that a message is ours: the `webhook-signature` of the Standard
//! Webhooks specification, symmetric scheme `v1`.

use countersign_core::secret::Secret;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that names the message: the same over all attempts.
pub(crate) const ID: &str = "webhook-id";
/// The header that says when it is sent, in seconds since the Unix epoch.
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures.
pub(crate) const SIGNATURE: &str = "webhook-signature";

/// The value of [`SIGNATURE`]: one signature for each secret, so that a receiver may know the new
/// one or the old one while a secret is being replaced. `None` without a secret: nothing leaves
/// unsigned.
pub(crate) fn sign(secrets: &[Secret], id: &str, timestamp: u64, body: &[u8]) -> Option<String> {
    let signatures: Option<Vec<String>> = secrets
        .iter()
        .map(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            Some(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
        })
        .collect();
    signatures.filter(|signatures| !signatures.is_empty()).map(|all| all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    /// The secret of the vector, without its `whsec_`.
    fn known() -> Secret {
        Secret::new(BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap())
    }

    #[test]
    fn the_signature_is_that_of_the_published_vector() {
        assert_eq!(sign(&[known()], ID, AT, BODY).as_deref(), Some(SIGNED));
    }

    #[test]
    fn id_time_and_body_are_all_signed() {
        for (id, at, body) in [("msg_x", AT, BODY), (ID, AT + 1, BODY), (ID, AT, b"{}".as_slice())]
        {
            assert_ne!(sign(&[known()], id, at, body).as_deref(), Some(SIGNED), "{id} {at}");
        }
    }

    #[test]
    fn each_secret_gives_a_signature_and_none_gives_nothing() {
        let other = Secret::new(vec![7; 32]);
        let both = sign(&[known(), other.clone()], ID, AT, BODY).unwrap();
        let alone = sign(&[other], ID, AT, BODY).unwrap();
        assert_eq!(both, format!("{SIGNED} {alone}"));
        assert_eq!(sign(&[], ID, AT, BODY), None);
    }
}
