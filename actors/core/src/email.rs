//! Email addresses: one rule for whoever takes one and for whoever sends to one, so that an address
//! which no mail server would take is told at once, and not by a message that never arrives.
//!
//! The name before the `@` is kept as it is meant and quoted when it is written (RFC 5321 section
//! 4.1.2): Japanese carriers have given out addresses such as `ann.@docomo.example`, which are good only in
//! quotes. The domain is kept in Punycode (RFC 5890 section 2.3.2.1), which every server takes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// RFC 5321 section 4.5.3.1.3: a path has at most 256 octets, two of which are its brackets.
pub const ADDRESS_MAX: usize = 254;
/// RFC 5321 section 4.5.3.1.1.
pub const LOCAL_PART_MAX: usize = 64;

/// Why a text is not an address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmailError {
    /// There is no name before an `@`, or no domain after it.
    #[error("must be an email address such as ann@example.com")]
    Malformed,
    /// It is too long.
    #[error("must be an email address of at most {ADDRESS_MAX} characters")]
    TooLong,
    /// The name before the `@` is too long.
    #[error("must have at most {LOCAL_PART_MAX} characters before the @")]
    LocalPartTooLong,
    /// The name before the `@` has a character that it cannot have.
    #[error("must have letters, digits and any of .!#$%&'*+-/=?^_`{{|}}~ alone before the @")]
    LocalPart,
    /// The domain is none.
    #[error("must have a domain name such as example.com after the @")]
    Domain,
}

/// An address that mail can be sent to.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    local: String,
    domain: String,
}

impl EmailAddress {
    /// The address as mail servers read it: the name in quotes where it needs them, the domain in
    /// Punycode.
    pub fn mailed(&self) -> String {
        let Self { local, domain } = self;
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if !dots && local.chars().all(|c| is_atom(c) || c == '.') {
            return format!("{local}@{domain}");
        }
        let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"@{domain}")
    }

    /// Whether every mail server takes it. Names beyond ASCII need an extension of every server on the
    /// way (SMTPUTF8, RFC 6531), which many lack.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        if local.is_empty() || domain.is_empty() {
            return Err(EmailError::Malformed);
        }
        let local = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => unquoted(quoted)?,
            None if local.chars().all(|c| is_atom(c) || c == '.') => local.to_owned(),
            None => return Err(EmailError::LocalPart),
        };
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Domain)?;
        let domain = domain.trim_end_matches('.').to_owned();
        // An address of four numbers, with or without brackets, and a name that ends as one does (RFC
        // 3696 section 2): nothing that a person has.
        if is_number(domain.rsplit('.').next().unwrap_or_default()) {
            return Err(EmailError::Domain);
        }
        let address = Self { local, domain };
        let mailed = address.mailed();
        let before = mailed.len() - address.domain.len() - 1;
        if before > LOCAL_PART_MAX {
            return Err(EmailError::LocalPartTooLong);
        }
        if mailed.len() > ADDRESS_MAX {
            return Err(EmailError::TooLong);
        }
        Ok(address)
    }
}

/// Whether a label is a number as addresses have them (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").map(|rest| (rest, 16));
    let (digits, radix) = hexadecimal.unwrap_or((label, 10));
    digits.chars().all(|c| c.is_digit(radix))
}

/// What stands in quotes: printable ASCII, of which `\` takes away any meaning of the next.
fn unquoted(text: &str) -> Result<String, EmailError> {
    let mut local = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let meant = match c {
            '\\' => chars.next().ok_or(EmailError::LocalPart)?,
            '"' => return Err(EmailError::LocalPart),
            _ => c,
        };
        if !(' '..='~').contains(&meant) {
            return Err(EmailError::LocalPart);
        }
        local.push(meant);
    }
    if local.is_empty() { Err(EmailError::LocalPart) } else { Ok(local) }
}

/// `atext` of RFC 5322 section 3.2.3, with what RFC 6531 section 3.3 adds to it and people can see.
fn is_atom(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    }
    !c.is_whitespace()
        && !c.is_control()
        && crate::typed::clean(c.encode_utf8(&mut [0; 4])).count() == 1
}

/// Tells nobody's address: this text may reach a log line.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailAddress").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_mailed_as_every_server_reads_it() {
        for (text, mailed) in [
            ("ann@example.com", "ann@example.com"),
            ("Ann.Example+mfa@Example.COM", "Ann.Example+mfa@example.com"),
            ("hoge.@docomo.ne.jp", "\"hoge.\"@docomo.ne.jp"),
            ("a..b@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"),
            (".a@docomo.ne.jp", "\".a\"@docomo.ne.jp"),
            ("\"hoge.\"@docomo.ne.jp", "\"hoge.\"@docomo.ne.jp"),
            ("\"ann\"@example.com", "ann@example.com"),
            (r#""a,b"@x.example"#, r#""a,b"@x.example"#),
            (r#""a\"b@c"@x.example"#, r#""a\"b@c"@x.example"#),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
            ("ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah"),
            ("ann@localhost", "ann@localhost"),
            ("ann@123.example", "ann@123.example"),
            ("ann@mail.4you", "ann@mail.4you"),
            ("o'hara/x=y@example.com", "o'hara/x=y@example.com"),
        ] {
            let address: EmailAddress =
                text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(address.mailed(), mailed, "{text}");
            assert!(address.is_ascii(), "{text}");
            let again: EmailAddress = mailed.parse().unwrap();
            assert_eq!(again, address, "{text}");
        }
    }

    #[test]
    fn a_name_beyond_ascii_is_an_address_that_not_every_server_takes() {
        for text in ["jörg@example.com", "用户@例え。テスト"] {
            assert!(!text.parse::<EmailAddress>().unwrap().is_ascii(), "{text}");
        }
    }

    #[test]
    fn what_can_never_be_mailed_is_refused_and_why() {
        let long = |length: usize| format!("{}@example.com", "a".repeat(length));
        assert!(long(64).parse::<EmailAddress>().is_ok());
        let labels = format!("ann@{}", ["a".repeat(60).as_str(); 4].join("."));
        for (text, error) in [
            ("", EmailError::Malformed),
            ("ann", EmailError::Malformed),
            ("@example.com", EmailError::Malformed),
            ("ann@", EmailError::Malformed),
            ("a,b@x.example", EmailError::LocalPart),
            ("a b@x.example", EmailError::LocalPart),
            ("Ann <ann@x.example", EmailError::LocalPart),
            ("a@b@x.example", EmailError::LocalPart),
            ("a(b)@x.example", EmailError::LocalPart),
            ("a\u{200b}b@x.example", EmailError::LocalPart),
            ("a\r\nb@x.example", EmailError::LocalPart),
            ("\"\"@x.example", EmailError::LocalPart),
            ("\"a\"b\"@x.example", EmailError::LocalPart),
            ("\"ü\"@x.example", EmailError::LocalPart),
            (&long(65), EmailError::LocalPartTooLong),
            (&format!("{}@docomo.ne.jp", ".".repeat(63)), EmailError::LocalPartTooLong),
            ("ann@x..example", EmailError::Domain),
            ("ann@-x.example", EmailError::Domain),
            ("ann@x-.example", EmailError::Domain),
            ("ann@x_y.example", EmailError::Domain),
            ("ann@x y.example", EmailError::Domain),
            ("ann@[192.0.2.7]", EmailError::Domain),
            ("ann@192.0.2.7", EmailError::Domain),
            ("ann@192.0.2.7.", EmailError::Domain),
            ("ann@١٩٢.0.2.７", EmailError::Domain),
            ("ann@example.123", EmailError::Domain),
            ("ann@0xc0.0x0", EmailError::Domain),
            ("ann@1", EmailError::Domain),
            ("ann@2001:db8::1", EmailError::Domain),
            ("ann@x.example>", EmailError::Domain),
            (&format!("ann@{}.example", "a".repeat(64)), EmailError::Domain),
            (&format!("{}@{}", "a".repeat(20), &labels[4..]), EmailError::TooLong),
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(error), "{text:?}");
        }
    }
}
