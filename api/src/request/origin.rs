//! Origins and relying party ids, as browsers write them.
//!
//! A browser tells the origin of a page in one spelling (RFC 6454 section 6.2): lower case, Punycode,
//! no default port. What is compared with it has to be kept in that spelling, or it matches nothing.
//! What is meant to be one and cannot be is refused with the one that is meant.

use countersign_core::settings::Settings;
use url::{Host, Url};

/// An origin as a browser writes it: `https`, or `http` within this machine (W3C Secure Contexts
/// section 3.1).
///
/// # Errors
/// What is wrong, and what is right if that can be told.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let Some(url) = web(text) else {
        return Err(match meant(text) {
            Some(meant) => format!("must be an origin as browsers write it: {meant}"),
            None => "must be an origin such as https://login.acme.example".to_owned(),
        });
    };
    let origin = url.origin().ascii_serialization();
    if !url.username().is_empty()
        || url.password().is_some()
        || url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(format!("must be an origin alone, without what follows it: {origin}"));
    }
    if url.host_str().is_some_and(|host| host.ends_with('.')) {
        let right = origin.replacen(".:", ":", 1);
        let right = right.trim_end_matches('.');
        return Err(format!("must be written without the dot after its name: {right}"));
    }
    if url.scheme() == "http" && !is_local(&url) {
        let right = origin.replacen("http:", "https:", 1);
        return Err(format!("must begin with https, where browsers let keys be used: {right}"));
    }
    Ok(origin)
}

/// An absolute address on the web that names a host.
pub(crate) fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
    is_web.then_some(url)
}

/// What somebody meant who left out the scheme, or wrote a sign before the port.
fn meant(text: &str) -> Option<String> {
    let signless = text.replace(":+", ":");
    let whole = format!("https://{signless}");
    let url = web(&signless).or_else(|| web(&whole).filter(|_| !signless.contains("://")))?;
    Some(url.origin().ascii_serialization())
}

/// Whether a page of this address is on the machine of whoever looks at it.
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A relying party id (W3C WebAuthn Level 3 section 4): a domain name in lower case and Punycode.
///
/// # Errors
/// What is wrong, and what is right if that can be told.
pub(crate) fn relying_party_id(text: &str) -> Result<String, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let name = match web(&whole).and_then(|url| url.host().map(|host| host.to_owned())) {
        Some(Host::Domain(name)) => name,
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
            let detail = "must be a domain name such as acme.example (or localhost, to try things \
                          out): browsers use no keys for addresses";
            return Err(detail.to_owned());
        }
        None => return Err("must be a domain name such as acme.example".to_owned()),
    };
    let right = name.trim_end_matches('.');
    if !is_domain(right) {
        return Err("must be a domain name such as acme.example".to_owned());
    }
    // What was left out of it was no part of a name.
    if right != name || text.contains(['/', ':', '@', '?', '#', '\\']) {
        return Err(format!("must be a domain name alone: {right}"));
    }
    Ok(name)
}

/// At least one label, none empty, none with odd characters at its ends (RFC 1123 section 2.1).
fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// What is wrong with a relying party whose id is a public suffix, under which anybody can have a
/// name: browsers use it on no page below it (W3C WebAuthn Level 3 section 5.1.3 step 8, HTML
/// section 7.1.1.2). On a page that has that very name they do.
pub(crate) fn public_suffix(settings: &Settings) -> Option<String> {
    let rp_id = settings.rp_id.as_str();
    let suffix = psl::suffix(rp_id.as_bytes()).filter(psl::Suffix::is_known)?;
    if suffix.as_bytes() != rp_id.as_bytes() {
        return None;
    }
    let hosts = hosts(settings);
    let mut below = hosts.iter().filter(|host| host.ends_with(&format!(".{rp_id}")));
    let right = below.next().map(|host| psl::domain_str(host).unwrap_or(host).to_owned());
    if right.is_none() && hosts.iter().any(|host| host == rp_id) {
        return None;
    }
    let right = right.unwrap_or_else(|| format!("acme.{rp_id}"));
    Some(format!("must not be a public suffix, under which anybody can have a name: take {right}"))
}

/// What is wrong with a relying party whose keys could be used on no page of the origins (W3C WebAuthn
/// Level 3 section 5.1.3 step 8). Nothing, as long as there are none.
pub(crate) fn fits_no_origin(settings: &Settings) -> Option<String> {
    if settings.relying_party().is_some() {
        return None;
    }
    let hosts = hosts(settings);
    let is_name = |host: &&String| relying_party_id(host).is_ok();
    let host = hosts.iter().find(is_name)?;
    let right = psl::domain_str(host).unwrap_or(host);
    Some(format!(
        "must be the host of one of the `origins` or a domain above it: take {right}, or change \
         `origins` along with it"
    ))
}

fn hosts(settings: &Settings) -> Vec<String> {
    let host = |origin: &String| web(origin)?.host_str().map(str::to_owned);
    settings.origins.iter().filter_map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (text, kept) in [
            ("https://login.acme.example", "https://login.acme.example"),
            ("https://login.acme.example/", "https://login.acme.example"),
            ("https://login.acme.example:443", "https://login.acme.example"),
            ("HTTPS://Login.ACME.example:8443", "https://login.acme.example:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
            ("https://例え。テスト", "https://xn--r8jz45g.xn--zckzah"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://localhost:80", "http://localhost"),
            ("http://app.localhost", "http://app.localhost"),
            ("http://127.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("https://192.0.2.7", "https://192.0.2.7"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_one_that_is_meant() {
        for (text, right) in [
            ("https://login.acme.example:+443", "https://login.acme.example"),
            ("login.acme.example", "https://login.acme.example"),
            ("login.acme.example:8443", "https://login.acme.example:8443"),
            ("https://login.acme.example/app?x=1", "https://login.acme.example"),
            ("https://u:p@login.acme.example", "https://login.acme.example"),
            ("https://login.acme.example.", "https://login.acme.example"),
            ("https://login.acme.example.:8443", "https://login.acme.example:8443"),
            ("http://login.acme.example", "https://login.acme.example"),
            ("http://192.0.2.7:8080", "https://192.0.2.7:8080"),
        ] {
            let refused = origin(text).unwrap_err();
            assert!(refused.ends_with(&format!(": {right}")), "{text}: {refused}");
        }
        for text in
            ["", "https://", "https://a b", "ftp://acme.example", "https://acme.example:99999", "*"]
        {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_relying_party_id_is_a_domain_name_as_browsers_write_it() {
        for (text, kept) in [
            ("acme.example", "acme.example"),
            ("ACME.example", "acme.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("intranet", "intranet"),
        ] {
            assert_eq!(relying_party_id(text).as_deref(), Ok(kept), "{text}");
        }
        for text in [
            "https://acme.example",
            "https://acme.example:443/login",
            "acme.example:443",
            "acme.example/login",
            "acme.example.",
        ] {
            let refused = relying_party_id(text).unwrap_err();
            assert!(refused.ends_with(": acme.example"), "{text}: {refused}");
        }
        for text in ["", "192.0.2.7", "[::1]", "::1", "a..b", "-a.example", "a b", "*.acme.example"]
        {
            assert!(relying_party_id(text).is_err(), "{text}");
        }
    }

    fn settings(rp_id: &str, origins: &[&str]) -> Settings {
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        Settings { rp_id: rp_id.to_owned(), origins, ..Settings::initial() }
    }

    #[test]
    fn a_public_suffix_is_no_relying_party_of_the_pages_below_it() {
        let of = |rp_id: &str, origins: &[&str]| public_suffix(&settings(rp_id, origins));
        let refused = of("co.uk", &["https://login.acme.co.uk"]).unwrap();
        assert!(refused.ends_with(": take acme.co.uk"), "{refused}");
        assert!(of("com", &["https://acme.example"]).is_some());
        assert!(of("github.io", &["https://acme.github.io"]).is_some());
        assert_eq!(of("github.io", &["https://github.io"]), None);
        let refused = of("github.io", &["https://github.io", "https://acme.github.io"]).unwrap();
        assert!(refused.ends_with(": take acme.github.io"), "{refused}");
        for (rp_id, origin) in [
            ("acme.co.uk", "https://login.acme.co.uk"),
            ("localhost", "http://localhost:8080"),
            ("intranet", "https://intranet"),
            ("acme.example", "https://login.acme.example"),
        ] {
            assert_eq!(of(rp_id, &[origin]), None, "{rp_id}");
        }
    }

    #[test]
    fn a_relying_party_of_none_of_the_origins_is_refused_with_one_that_is() {
        for (rp_id, origins, right) in [
            ("example.org", &["https://login.acme.example"][..], "take acme.example"),
            ("example.org", &["https://10.0.0.1", "https://acme.co.uk"], "take acme.co.uk"),
            ("www.acme.example", &["https://acme.example"], "take acme.example"),
            ("acme.example", &["http://localhost:8080"], "take localhost"),
        ] {
            let refused = fits_no_origin(&settings(rp_id, origins)).unwrap();
            assert!(refused.contains(right), "{rp_id}: {refused}");
        }
        for (rp_id, origins) in [
            ("acme.example", &[][..]),
            ("acme.example", &["https://login.acme.example", "https://else.test"]),
            ("localhost", &["http://localhost:8080"]),
        ] {
            assert_eq!(fits_no_origin(&settings(rp_id, origins)), None, "{rp_id}");
        }
    }
}
