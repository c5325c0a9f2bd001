//! Where text messages leave: `sms.*`.

use countersign_core::secret::Secret;
use data_encoding::{BASE64, BASE64_NOPAD};
use rustls::pki_types::CertificateDer;
use url::Url;

use super::{Endpoint, alone};
use crate::config::parse::{Reader, filled};
use crate::config::webhooks::roots;
use crate::error::Error;

/// What a Standard Webhooks secret begins with; base64 follows.
const SIGNING_PREFIX: &str = "whsec_";
/// The region of Amazon's default address.
const REGION: &str = "us-east-1";

/// Who carries text messages, and as whom we are known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsProvider {
    /// Twilio's Messages API.
    Twilio {
        /// The account's SID, `AC…`.
        account: String,
        /// The auth token.
        token: Secret,
        /// A number, an alphanumeric sender, or a messaging service `MG…`.
        from: String,
    },
    /// Vonage's SMS API.
    Vonage {
        /// The API key.
        key: String,
        /// The API secret.
        secret: Secret,
        /// A number or an alphanumeric sender.
        from: String,
    },
    /// Amazon SNS.
    Sns {
        /// The id of the access key.
        access_key: String,
        /// The secret access key.
        secret: Secret,
        /// The region in which requests are signed.
        region: String,
        /// An origination number `+…` or a sender id; the account's own if absent.
        from: Option<String>,
    },
    /// A receiver of the operator's own.
    Http {
        /// The key that signs.
        key: Secret,
    },
}

/// Where text messages leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsSettings {
    /// Who carries them.
    pub provider: SmsProvider,
    /// Where it listens, without what its interface puts behind.
    pub url: Endpoint,
    /// Certificates of authorities that are trusted beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
}

/// What was written under `sms`.
struct Written<'a, 'b> {
    read: &'a Reader<'b>,
    name: &'static str,
    account: Option<String>,
    token: Option<Secret>,
    from: Option<String>,
}

impl Written<'_, '_> {
    fn needed<T>(&self, key: &'static str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| alone(self.read, "sms.provider", key, &format!("{} needs", self.name)))
    }

    fn account(&self) -> Result<String, Error> {
        self.needed("sms.account", self.account.clone())
    }

    fn token(&self) -> Result<Secret, Error> {
        self.needed("sms.token", self.token.clone())
    }

    fn from(&self) -> Result<String, Error> {
        self.needed("sms.from", self.from.clone())
    }
}

pub(super) fn read(read: &Reader<'_>) -> Result<Option<SmsSettings>, Error> {
    let name = read.optional("sms.provider", provider)?;
    let url = read.optional("sms.url", base)?;
    let written = Written {
        read,
        name: name.unwrap_or_default(),
        account: read.optional("sms.account", word)?,
        token: read.optional("sms.token", |text| filled(text).map(Secret::from))?,
        from: read.optional("sms.from", filled)?,
    };
    let roots = read.optional("sms.ca_file", roots)?.unwrap_or_default();
    if name.is_none() {
        let rest = ["sms.url", "sms.account", "sms.token", "sms.from", "sms.ca_file"];
        return match rest.into_iter().find(|key| read.is_set(key)) {
            Some(key) => Err(alone(read, key, "sms.provider", "it is of use only with")),
            None => Ok(None),
        };
    }
    let theirs = |text: &str| -> Result<Url, Error> {
        match &url {
            Some(url) => Ok(url.clone()),
            None => Url::parse(text).map_err(|error| Error::Usage(error.to_string())),
        }
    };
    let (url, provider) = match written.name {
        "twilio" => {
            let (account, token) = (written.account()?, written.token()?);
            let provider = SmsProvider::Twilio { account, token, from: written.from()? };
            (theirs("https://api.twilio.com")?, provider)
        }
        "vonage" => {
            let (key, secret) = (written.account()?, written.token()?);
            let provider = SmsProvider::Vonage { key, secret, from: written.from()? };
            (theirs("https://rest.nexmo.com")?, provider)
        }
        "sns" => {
            let url = theirs(&format!("https://sns.{REGION}.amazonaws.com"))?;
            let (access_key, secret) = (written.account()?, written.token()?);
            let region = region(&url);
            let provider = SmsProvider::Sns { access_key, secret, region, from: written.from };
            (without_query(url), provider)
        }
        _ => {
            written.token()?;
            let key = written.needed("sms.token", read.optional("sms.token", signing_key)?)?;
            (written.needed("sms.url", url.clone())?, SmsProvider::Http { key })
        }
    };
    Ok(Some(SmsSettings { provider, url: Endpoint(url), roots }))
}

fn provider(text: &str) -> Result<&'static str, String> {
    ["twilio", "vonage", "sns", "http"]
        .into_iter()
        .find(|known| *known == text)
        .ok_or_else(|| "twilio, vonage, sns or http is expected".into())
}

/// No message repeats what was written: some keep a secret in it.
fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let url = url.ok_or("an address that begins with https:// or http:// is expected")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("no user and password are expected in it: sms.account and sms.token have \
                    their place"
            .to_owned());
    }
    if url.fragment().is_some() {
        return Err("nothing is expected behind a #".to_owned());
    }
    Ok(url)
}

/// A name that can stand in a path, in basic authentication (RFC 7617 section 2) and in a scope.
fn word(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    fits.then(|| text.to_owned())
        .ok_or_else(|| "characters out of A–Z a–z 0–9 . _ - are expected".into())
}

/// The bytes that sign: what stands behind `whsec_` in base64, or the text itself.
fn signing_key(text: &str) -> Result<Secret, String> {
    let Some(encoded) = text.strip_prefix(SIGNING_PREFIX) else {
        return filled(text).map(Secret::from);
    };
    BASE64
        .decode(encoded.as_bytes())
        .or_else(|_| BASE64_NOPAD.decode(encoded.as_bytes()))
        .ok()
        .filter(|key| !key.is_empty())
        .map(Secret::new)
        .ok_or_else(|| format!("base64 is expected behind {SIGNING_PREFIX}"))
}

/// The region that an address of Amazon's names, `sns.eu-west-1.amazonaws.com` or a private
/// endpoint's `vpce-….sns.eu-west-1.vpce.amazonaws.com`; of any other, what `?region=` says.
fn region(url: &Url) -> String {
    let told = url.query_pairs().find(|(name, _)| name == "region").map(|(_, value)| value);
    let host = url.host_str().unwrap_or_default();
    let amazon = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
    let named = || {
        amazon.iter().any(|end| host.ends_with(end)).then_some(())?;
        let mut labels = host.split('.').skip_while(|label| !["sns", "sns-fips"].contains(label));
        labels.nth(1).map(str::to_owned)
    };
    told.map(|told| told.into_owned()).or_else(named).unwrap_or_else(|| REGION.to_owned())
}

fn without_query(mut url: Url) -> Url {
    url.set_query(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_that_of_the_address() {
        for (address, expected) in [
            ("https://sns.eu-west-1.amazonaws.com", "eu-west-1"),
            ("https://sns-fips.us-west-2.amazonaws.com", "us-west-2"),
            ("https://sns.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("https://sns.ap-south-1.api.aws", "ap-south-1"),
            ("https://vpce-1.sns.eu-central-1.vpce.amazonaws.com", "eu-central-1"),
            ("http://127.0.0.1:4566", "us-east-1"),
            ("http://127.0.0.1:4566/?region=eu-north-1", "eu-north-1"),
            ("https://sns.example.com", "us-east-1"),
        ] {
            assert_eq!(region(&Url::parse(address).unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn a_signing_key_is_raw_or_base64_behind_its_prefix() {
        assert_eq!(signing_key("whsec_AAEC").unwrap().expose(), [0, 1, 2]);
        assert_eq!(signing_key("whsec_AAE").unwrap().expose(), [0, 1]);
        assert_eq!(signing_key("plain words").unwrap().expose(), b"plain words");
        for text in ["whsec_", "whsec_§§§"] {
            assert!(signing_key(text).unwrap_err().contains("base64"), "{text}");
        }
    }
}
