//! From texts to values, one setting at a time.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_api::{ForwardedHeader, TrustedProxies};
use countersign_core::ids::SLOTS;
use countersign_core::secret::Secret;
use data_encoding::{BASE64, BASE64_NOPAD};
use url::Url;

use super::secret_file;
use super::sources::{Given, Origin, Sources};
use super::{
    AUDIT_RETENTION_DAYS_DEFAULT, Beginning, Config, DISK_RESERVE_DEFAULT, LogFormat,
    REQUEST_TIMEOUT_DEFAULT, SHARDS_DEFAULT, SHUTDOWN_GRACE_DEFAULT, Webhooks, keys, messaging,
    webhooks,
};
use crate::error::Error;

/// Bytes of the master key.
const MASTER_KEY_LENGTH: usize = 32;
/// What every API key begins with.
const API_KEY_PREFIX: &str = "csk_";
/// The fewest characters of a chosen API key after its prefix.
const ROOT_KEY_MIN: usize = 32;
/// The fewest characters of a cluster secret.
const CLUSTER_SECRET_MIN: usize = 16;

pub(super) fn config(sources: &Sources) -> Result<Config, Error> {
    let read = Reader(sources);
    Ok(Config {
        data_dir: read.required("data_dir", "--data-dir", path)?,
        name: read.required("name", "--name", name)?,
        api_listen: read.optional("api_listen", address)?.unwrap_or(localhost(8080)),
        peer_listen: read.optional("peer_listen", address)?.unwrap_or(localhost(7080)),
        api_advertise: read.optional("api_advertise", advertised)?,
        peer_advertise: read.optional("peer_advertise", advertised)?,
        beginning: beginning(&read)?,
        root_key: read.optional("root_key", root_key)?,
        replace_root_key: replace_root_key(&read)?,
        master_key: master_key(&read)?,
        cluster_secret: read.optional("cluster_secret", cluster_secret)?,
        shards: read.optional("shards", shards)?.unwrap_or(SHARDS_DEFAULT),
        issuer_url: read.optional("issuer_url", issuer)?,
        public_url: read.optional("public_url", web_origin)?,
        trusted_proxies: TrustedProxies {
            networks: read.optional("trusted_proxies", webhooks::networks)?.unwrap_or_default(),
            header: read.optional("forwarded_header", forwarded_header)?.unwrap_or_default(),
        },
        log_format: read.optional("log_format", log_format)?.unwrap_or(LogFormat::Text),
        log_level: read.optional("log_level", log_level)?.unwrap_or_else(|| "info".to_owned()),
        request_timeout: read
            .optional("request_timeout", request_timeout)?
            .unwrap_or(REQUEST_TIMEOUT_DEFAULT),
        shutdown_grace: read
            .optional("shutdown_grace", shutdown_grace)?
            .unwrap_or(SHUTDOWN_GRACE_DEFAULT),
        disk_reserve: read.optional("disk_reserve", bytes)?.unwrap_or(DISK_RESERVE_DEFAULT),
        geoip_database: read.optional("geoip.database", path)?,
        audit_retention_days: read
            .optional("audit.retention_days", days)?
            .unwrap_or(AUDIT_RETENTION_DAYS_DEFAULT),
        messaging: messaging::read(&read)?,
        webhooks: Webhooks {
            allow_private: read.optional("webhooks.allow_private", truth)?.unwrap_or(false),
            allow_networks: read
                .optional("webhooks.allow_networks", webhooks::networks)?
                .unwrap_or_default(),
            roots: read.optional("webhooks.ca_file", webhooks::roots)?.unwrap_or_default(),
        },
        inbox: false,
        sample: false,
    })
}

/// Reads single settings and turns a refusal into an error that says where it was written.
pub(super) struct Reader<'a>(&'a Sources);

impl Reader<'_> {
    pub(super) fn optional<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let Some(Given { text, origin }) = self.0.find(key) else { return Ok(None) };
        parse(text.trim()).map(Some).map_err(|reason| Error::InvalidSetting {
            key,
            origin: origin.clone(),
            reason,
        })
    }

    fn required<T>(
        &self,
        key: &'static str,
        flag: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        self.optional(key, parse)?.ok_or_else(|| missing(key, Some(flag)))
    }

    /// Whether something was written for it.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.0.find(key).is_some()
    }

    /// Where it was written.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.0.find(key).map_or(Origin::Default, |given| given.origin.clone())
    }
}

fn missing(key: &'static str, flag: Option<&'static str>) -> Error {
    let variable = keys::by_path(key).map(keys::Key::variable).unwrap_or_default();
    Error::MissingSetting { key, flag, variable }
}

fn beginning(read: &Reader<'_>) -> Result<Beginning, Error> {
    let bootstrap = read.optional("bootstrap", truth)?.unwrap_or(false);
    let join = read.optional("join", peers)?.unwrap_or_default();
    match (bootstrap, join.is_empty()) {
        (true, true) => Ok(Beginning::Bootstrap),
        (true, false) => Err(Error::BootstrapAndJoin),
        (false, true) => Ok(Beginning::Refuse),
        (false, false) => Ok(Beginning::Join(join)),
    }
}

fn replace_root_key(read: &Reader<'_>) -> Result<bool, Error> {
    let replaces = read.optional("replace_root_key", truth)?.unwrap_or(false);
    if replaces && !read.is_set("root_key") {
        return Err(missing("root_key", None));
    }
    Ok(replaces)
}

fn master_key(read: &Reader<'_>) -> Result<Secret, Error> {
    let direct = read.optional("master_key", master_key_text)?;
    let file = read.optional("master_key_file", |text| {
        let text = secret_file::read(Path::new(text))?;
        master_key_text(text.trim())
    })?;
    match (direct, file) {
        (Some(_), Some(_)) => Err(Error::TwoMasterKeys),
        (Some(key), None) | (None, Some(key)) => Ok(key),
        (None, None) => Err(Error::NoMasterKey),
    }
}

fn master_key_text(text: &str) -> Result<Secret, String> {
    let decoded = BASE64
        .decode(text.as_bytes())
        .or_else(|_| BASE64_NOPAD.decode(text.as_bytes()))
        .map(Secret::new)
        .map_err(|_| "32 bytes in base64 are expected".to_owned())?;
    if decoded.expose().len() == MASTER_KEY_LENGTH {
        Ok(decoded)
    } else {
        Err(format!("32 bytes in base64 are expected, not {}", decoded.expose().len()))
    }
}

fn localhost(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

pub(super) fn filled(text: &str) -> Result<String, String> {
    (!text.is_empty()).then(|| text.to_owned()).ok_or_else(|| "it is empty".into())
}

fn path(text: &str) -> Result<PathBuf, String> {
    filled(text).map(PathBuf::from)
}

fn name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    fits.then(|| text.to_owned())
        .ok_or_else(|| "a name has 1 to 64 characters out of A–Z a–z 0–9 . _ -".into())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address such as 127.0.0.1:8080 or [::1]:8080 is expected".into())
}

fn peers(text: &str) -> Result<Vec<String>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|peer| !peer.is_empty())
        .map(|peer| match peer.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(peer.to_owned())
            }
            _ => Err("addresses such as 127.0.0.1:7082 are expected".to_owned()),
        })
        .collect()
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err("true or false is expected".into()),
    }
}

fn root_key(text: &str) -> Result<Secret, String> {
    let tail = text
        .strip_prefix(API_KEY_PREFIX)
        .ok_or_else(|| format!("a key that begins with {API_KEY_PREFIX} is expected"))?;
    let fits = tail.len() >= ROOT_KEY_MIN
        && tail.len() <= 256
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    fits.then(|| Secret::from(text.to_owned())).ok_or_else(|| {
        format!(
            "{ROOT_KEY_MIN} to 256 characters out of A–Z a–z 0–9 _ - are expected after \
             {API_KEY_PREFIX}"
        )
    })
}

fn cluster_secret(text: &str) -> Result<Secret, String> {
    (text.len() >= CLUSTER_SECRET_MIN)
        .then(|| Secret::from(text.to_owned()))
        .ok_or_else(|| format!("at least {CLUSTER_SECRET_MIN} characters are expected"))
}

fn shards(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|shards| (1..=SLOTS).contains(shards))
        .ok_or_else(|| format!("a number from 1 to {SLOTS} is expected"))
}

fn days(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|days| *days <= 36_500)
        .ok_or_else(|| "a number of days from 0 (for ever) to 36500 is expected".into())
}

/// An http or https URL without user, query and fragment.
fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| ["https", "http"].contains(&url.scheme()) && url.has_host())
        .ok_or("an address that begins with https:// or http:// is expected")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address without a user and a password is expected".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an address without ? and # is expected".into());
    }
    Ok(url)
}

/// Whoever checks a token compares its issuer letter by letter with what they were told (RFC 8414
/// section 3.3), and may have it from an address bar. So it has one spelling, that of browsers, and
/// another one is refused rather than mended.
fn issuer(text: &str) -> Result<String, String> {
    let url = web_address(text)?;
    let right = url.as_str().trim_end_matches('/');
    if text.trim_end_matches('/') == right {
        return Ok(right.to_owned());
    }
    Err(format!("issuers are compared letter by letter, and this one is written {right}"))
}

/// The pages lie at the top of their host. Kept as browsers write an origin.
fn web_origin(text: &str) -> Result<String, String> {
    let url = web_address(text)?;
    let origin = url.origin().ascii_serialization();
    if url.path() != "/" {
        return Err(format!("an address without a path is expected, such as {origin}"));
    }
    Ok(origin)
}

fn forwarded_header(text: &str) -> Result<ForwardedHeader, String> {
    match text.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
        "forwarded" => Ok(ForwardedHeader::Forwarded),
        _ => Err("x-forwarded-for or forwarded is expected".into()),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text or json is expected".into()),
    }
}

fn log_level(text: &str) -> Result<String, String> {
    crate::telemetry::filter(text).map(|_| text.to_owned()).map_err(|_| {
        "a level (error, warn, info, debug, trace) or directives such as \
         info,openraft=debug are expected"
            .into()
    })
}

/// An address that others can use: not one that means every interface.
fn advertised(text: &str) -> Result<String, String> {
    let (host, port) = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .ok_or("host:port is expected, such as n1.example:7080")?;
    if port.parse::<u16>().ok().filter(|port| *port > 0).is_none() {
        return Err("host:port is expected, with a port from 1 to 65535".into());
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => {
            Err("this address means anywhere; give one at which others reach this node".into())
        }
        _ => Ok(text.to_owned()),
    }
}

/// A span of time such as `10s` or `500ms`, from 100 ms to 2 minutes.
fn request_timeout(text: &str) -> Result<Duration, String> {
    time(text)
        .filter(|time| (Duration::from_millis(100)..=Duration::from_secs(120)).contains(time))
        .ok_or_else(|| "a time from 100ms to 120s, such as 10s or 500ms, is expected".into())
}

/// A span of time up to a minute.
fn shutdown_grace(text: &str) -> Result<Duration, String> {
    time(text)
        .filter(|time| *time <= Duration::from_secs(60))
        .ok_or_else(|| "a time from 0s to 60s, such as 5s, is expected".into())
}

fn time(text: &str) -> Option<Duration> {
    let number = |digits: &str| digits.trim().parse::<u64>().ok();
    let millis = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => number(digits),
        (None, Some(digits)) => number(digits).and_then(|seconds| seconds.checked_mul(1_000)),
        (None, None) => None,
    };
    millis.map(Duration::from_millis)
}

/// A size such as `512MiB`, `2GiB` or `0`.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.find(|letter: char| !letter.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let shift = match unit.trim() {
        "" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    };
    let number = digits.parse::<u64>().ok();
    number
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift))
        .ok_or_else(|| "a size such as 512MiB, 2GiB or 0 is expected".into())
}
