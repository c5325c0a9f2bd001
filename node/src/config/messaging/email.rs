//! Where emails leave: `email.*`.

use std::net::{IpAddr, Ipv6Addr};

use countersign_core::email::EmailAddress;
use countersign_core::secret::Secret;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

use super::{alone, is_loopback};
use crate::config::parse::Reader;
use crate::config::webhooks::roots;
use crate::error::Error;

/// Where a user agent hands in mail with STARTTLS (RFC 6409 section 3.1) and over TLS from the
/// first byte (RFC 8314 section 3.3).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// How the connection to the mail server is protected. A certificate is always checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// `smtps://`: TLS from the first byte.
    Wrapped,
    /// `smtp://…?tls=required`: STARTTLS, or nothing is sent.
    Required,
    /// `smtp://`: STARTTLS when offered. Who sits on the line can make that it is not; so without
    /// it no password is sent, except within this machine.
    WhenOffered,
    /// `smtp://…?tls=none`: never, password included.
    Never,
}

/// The name and password at the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// Where emails leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// The mail server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// What it wants to know.
    pub login: Option<Login>,
    /// The sender.
    pub from: Mailbox,
    /// By which name we greet the mail server; `None` to find out.
    pub helo: Option<ClientId>,
    /// Certificates of authorities that are trusted beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
}

impl EmailSettings {
    /// Whether the password may go over a connection without TLS.
    pub fn login_in_clear(&self) -> bool {
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(address) => Some(Host::Ipv6(address)),
            Err(_) => Host::parse(&self.host).ok(),
        };
        self.tls == SmtpTls::Never || is_loopback(host)
    }
}

/// What `email.url` says.
struct Server {
    host: String,
    port: u16,
    tls: SmtpTls,
    login: Option<Login>,
}

pub(super) fn read(read: &Reader<'_>) -> Result<Option<EmailSettings>, Error> {
    let server = read.optional("email.url", server)?;
    let from = read.optional("email.from", sender)?;
    let helo = read.optional("email.helo", helo)?;
    let roots = read.optional("email.ca_file", roots)?;
    let Some(server) = server else {
        let orphan =
            ["email.from", "email.helo", "email.ca_file"].into_iter().find(|key| read.is_set(key));
        return match orphan {
            Some(key) => Err(alone(read, key, "email.url", "it is of use only with")),
            None => Ok(None),
        };
    };
    let from =
        from.ok_or_else(|| alone(read, "email.url", "email.from", "emails need a sender,"))?;
    let Server { host, port, tls, login } = server;
    Ok(Some(EmailSettings { host, port, tls, login, from, helo, roots: roots.unwrap_or_default() }))
}

/// `smtp://user:password@host:port?tls=…`. No message repeats what was written.
fn server(text: &str) -> Result<Server, String> {
    let url = Url::parse(text).ok().filter(|url| ["smtp", "smtps"].contains(&url.scheme()));
    let url = url.ok_or(
        "an address that begins with smtp:// or smtps:// is expected, such as \
         smtp://user:password@mail.example:587; letters of the password that mean something in an \
         address are written as %40 for @, %2F for /, and so on",
    )?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
    if !["", "/"].contains(&url.path()) || url.fragment().is_some() {
        return Err("nothing is expected after the host and its port but ?tls=…".to_owned());
    }
    let wrapped = url.scheme() == "smtps";
    let mut tls = if wrapped { SmtpTls::Wrapped } else { SmtpTls::WhenOffered };
    for (name, value) in url.query_pairs() {
        tls = match (name.as_ref(), value.as_ref(), wrapped) {
            ("tls", "required", true) => SmtpTls::Wrapped,
            ("tls", "required", false) => SmtpTls::Required,
            ("tls", "opportunistic", false) => SmtpTls::WhenOffered,
            ("tls", "none", false) => SmtpTls::Never,
            ("tls", _, true) => return Err("smtps:// always uses TLS".to_owned()),
            ("tls", ..) => {
                return Err("tls is required, opportunistic (unless told otherwise) or none".into());
            }
            _ => return Err("of parameters there is tls alone".to_owned()),
        };
    }
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) => return Err("it has a password, but no user".to_owned()),
        (_, None) => return Err("it has a user, but no password".to_owned()),
        (user, Some(password)) => {
            Some(Login { user: decoded(user)?, password: decoded(password)?.into() })
        }
    };
    Ok(Server {
        // An IPv6 address is written in brackets only where a port may follow.
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: url.port().unwrap_or(if wrapped { SUBMISSIONS } else { SUBMISSION }),
        tls,
        login,
    })
}

/// What stands behind `%40` and the like.
fn decoded(text: &str) -> Result<String, String> {
    // The query's decoder is the parser's own; there `+` means a space, which it does not here.
    let query = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        // SASL PLAIN parts its fields by NUL (RFC 4616 section 2).
        .filter(|value| !value.contains(['\0', '\u{fffd}']))
        .ok_or_else(|| "its user and password must be UTF-8 without NUL".to_owned())
}

/// `mail.acme.example` or an address. RFC 5321 section 4.1.4 wants the full name of this host, or an
/// address literal if it has none; many mail servers refuse anything else.
fn helo(text: &str) -> Result<ClientId, String> {
    let address = text.trim_start_matches('[').trim_end_matches(']');
    let address = address.strip_prefix("IPv6:").unwrap_or(address);
    match address.parse() {
        Ok(IpAddr::V4(address)) => Ok(ClientId::Ipv4(address)),
        Ok(IpAddr::V6(address)) => Ok(ClientId::Ipv6(address)),
        Err(_) if is_full_name(text) => Ok(ClientId::Domain(text.to_owned())),
        Err(_) => Err("the full name of this host, such as mail.acme.example, or its address is \
                       expected; mail servers refuse a name without a dot"
            .to_owned()),
    }
}

/// Whether a text is a host's name with a domain, of letters, digits and hyphens (RFC 5321 section
/// 2.3.5).
pub(crate) fn is_full_name(text: &str) -> bool {
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(fits)
        // What ends in digits is an address, or would be.
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// `Acme, Inc. <no-reply@acme.example>`. RFC 5322 section 3.4 wants quotes around such a name, which
/// people rarely write; they are added when it is.
fn sender(text: &str) -> Result<Mailbox, String> {
    let (name, address) = match text.rsplit_once('<') {
        Some((name, rest)) => (name.trim().trim_matches('"'), rest.strip_suffix('>')),
        None => ("", Some(text)),
    };
    let address = address.and_then(|address| address.parse::<EmailAddress>().ok());
    // Every server on the way would have to take such a sender.
    if address.as_ref().is_some_and(|address| !address.is_ascii()) {
        return Err("an address with ASCII letters alone before the @ is expected".into());
    }
    let address = address.map(|address| address.mailed());
    if address.as_ref().is_some_and(|address| address.starts_with('"')) {
        return Err("an address that needs no quotes before the @ is expected".into());
    }
    let address = address.and_then(|address| address.parse::<Address>().ok());
    let fits = !name.contains(|letter: char| letter.is_control() || "<>\"\\".contains(letter));
    let name = (!name.is_empty()).then(|| name.to_owned());
    address
        .filter(|_| fits)
        .map(|address| Mailbox::new(name, address))
        .ok_or_else(|| "an address such as Acme <no-reply@acme.example> is expected".into())
}
