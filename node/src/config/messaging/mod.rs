//! Where messages to people leave: settings and their checks, among them that those which need each
//! other are there together. What is built from them can then only fail at the provider.

mod email;
mod sms;

use std::fmt;

use url::Url;

pub(crate) use self::email::is_full_name;
pub use self::email::{EmailSettings, Login, SmtpTls};
pub use self::sms::{SmsProvider, SmsSettings};
use super::parse::Reader;
use crate::error::Error;

/// Where messages to people leave. `None` for a channel: its factors cannot be enrolled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messaging {
    /// Emails.
    pub email: Option<EmailSettings>,
    /// Text messages.
    pub sms: Option<SmsSettings>,
}

/// An address that may hold a secret in its path or query, as some receivers have it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(pub Url);

/// Shows scheme, host and port alone.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl Endpoint {
    /// Whether what is sent there can be read on the way: no TLS, and not within this machine.
    pub fn in_clear(&self) -> bool {
        self.0.scheme() == "http" && !is_loopback(self.0.host())
    }
}

pub(super) fn read(read: &Reader<'_>) -> Result<Messaging, Error> {
    Ok(Messaging { email: email::read(read)?, sms: sms::read(read)? })
}

/// Whether it names this machine.
pub(super) fn is_loopback<S: AsRef<str>>(host: Option<url::Host<S>>) -> bool {
    match host {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.as_ref().eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// A setting that cannot stand without another.
fn alone(read: &Reader<'_>, key: &'static str, needed: &str, because: &str) -> Error {
    let variable = super::keys::by_path(needed).map(|key| key.variable()).unwrap_or_default();
    let reason = format!("{because} {needed} ({variable}), which is not set");
    Error::InvalidSetting { key, origin: read.origin(key), reason }
}

#[cfg(test)]
mod tests;
