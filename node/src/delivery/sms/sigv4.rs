//! AWS Signature Version 4, as far as a POST without a query needs it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;
use zeroize::Zeroizing;

use crate::delivery::refusal::{PROTOCOL, Refusal};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs, and for whom.
pub(super) struct Signer {
    pub(super) access_key: String,
    pub(super) secret: Secret,
    pub(super) region: String,
    pub(super) service: &'static str,
}

/// What is added to a request.
pub(super) struct Signed {
    /// The header `x-amz-date`.
    pub(super) date: String,
    /// The header `authorization`.
    pub(super) authorization: String,
}

impl Signer {
    /// Signs a POST: its path as it stands in the request line, its host with a port that is not
    /// the scheme's own, its content type and its body, at a time.
    pub(super) fn sign(
        &self,
        path: &str,
        host: &str,
        content_type: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Signed, Refusal> {
        let (date, day) = moments(now)?;
        let signed_headers = "content-type;host;x-amz-date";
        let headers = format!("content-type:{content_type}\nhost:{host}\nx-amz-date:{date}\n");
        let body = HEXLOWER.encode(&Sha256::digest(body));
        // The empty line is the query.
        let request = format!("POST\n{path}\n\n{headers}\n{signed_headers}\n{body}");
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let request = HEXLOWER.encode(&Sha256::digest(request.as_bytes()));
        let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{request}");
        let key = self.key(&day)?;
        let signature = HEXLOWER.encode(mac(key.as_slice(), to_sign.as_bytes())?.as_slice());
        let credential = format!("{}/{scope}", self.access_key);
        let authorization = format!(
            "{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, \
             Signature={signature}"
        );
        Ok(Signed { date, authorization })
    }

    /// The key of one day.
    fn key(&self, day: &str) -> Result<Zeroizing<[u8; 32]>, Refusal> {
        let mut first = Zeroizing::new(b"AWS4".to_vec());
        first.extend_from_slice(self.secret.expose());
        let mut key = mac(&first, day.as_bytes())?;
        for part in [self.region.as_str(), self.service, "aws4_request"] {
            key = mac(key.as_slice(), part.as_bytes())?;
        }
        Ok(key)
    }
}

fn mac(key: &[u8], data: &[u8]) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    // A key of any length is taken (RFC 2104 section 3).
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refusal::never(PROTOCOL))?;
    mac.update(data);
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// The time as `20150830T123600Z`, and its day.
fn moments(now: Timestamp) -> Result<(String, String), Refusal> {
    let date = i64::try_from(now.unix_seconds())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| {
            time.format(format_description!("[year][month][day]T[hour][minute][second]Z")).ok()
        })
        .ok_or_else(|| Refusal::never(PROTOCOL))?;
    let day = date.chars().take(8).collect();
    Ok((date, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30T12:36:00Z, the moment of all vectors.
    const NOW: Timestamp = Timestamp::from_millis(1_440_938_160_000);

    fn signer(service: &'static str) -> Signer {
        Signer {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret: Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            region: "us-east-1".to_owned(),
            service,
        }
    }

    /// The example of the documents: the signing key for IAM.
    #[test]
    fn the_signing_key_is_the_documented_one() {
        let key = signer("iam").key("20150830").unwrap();
        assert_eq!(
            HEXLOWER.encode(key.as_slice()),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    /// `post-x-www-form-urlencoded` of the published test suite: a form, as SNS takes it.
    #[test]
    fn a_form_is_signed_as_in_the_published_vector() {
        let signed = signer("service")
            .sign(
                "/",
                "example.amazonaws.com",
                "application/x-www-form-urlencoded",
                b"Param1=value1",
                NOW,
            )
            .unwrap();
        assert_eq!(signed.date, "20150830T123600Z");
        assert_eq!(
            signed.authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }

    #[test]
    fn everything_that_is_sent_is_signed() {
        let sign = |path: &str, host: &str, kind: &str, body: &[u8], now| {
            signer("sns").sign(path, host, kind, body, now).unwrap().authorization
        };
        let whole = sign("/", "h", "t", b"b", NOW);
        for other in [
            sign("/x", "h", "t", b"b", NOW),
            sign("/", "h:1", "t", b"b", NOW),
            sign("/", "h", "u", b"b", NOW),
            sign("/", "h", "t", b"c", NOW),
            sign("/", "h", "t", b"b", NOW.plus_millis(1_000)),
        ] {
            assert_ne!(whole, other);
        }
    }
}
