//! Whether a webhook may name a URL at all. What its host resolves to is judged anew before every
//! connection, by the node that posts: here only what no resolution can mend is refused, so that
//! the caller learns it at once.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::is_public;

/// The most characters of a URL.
const URL_MAX: usize = 2_000;

/// Where webhooks may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookTargets {
    /// Whether to addresses that are not public, and by plain `http` as well.
    pub allow_private: bool,
}

/// Refuses a URL that cannot be posted to, and says why.
pub(crate) fn check(text: &str, targets: &WebhookTargets) -> Result<(), String> {
    let fault = |detail: &str| Err(detail.to_owned());
    if text.chars().count() > URL_MAX {
        return Err(format!("must have at most {URL_MAX} characters"));
    }
    // A parser of URLs drops some of these, so that what is shown would not be what is called.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return fault("must not contain spaces or control characters");
    }
    let Ok(url) = Url::parse(text) else {
        return fault("must be a URL such as https://acme.example/hooks");
    };
    match url.scheme() {
        "https" => {}
        "http" if targets.allow_private => {}
        "http" => return fault("must begin with https://: events name people"),
        _ => return fault("must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return fault("must not hold credentials; events are signed instead");
    }
    if url.fragment().is_some() {
        return fault("must not have a fragment: it would never be sent");
    }
    let public = match url.host() {
        None => return fault("must name a host"),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name != "localhost" && !name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
    };
    if !public && !targets.allow_private {
        return fault("must not lead to a private, link-local or loopback address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_leads_inside_is_refused_however_it_is_spelled() {
        let strict = WebhookTargets::default();
        for (text, part) in [
            ("http://acme.example/x", "https://"),
            ("ftp://acme.example/x", "https://"),
            ("acme.example/x", "URL"),
            ("", "URL"),
            (" https://acme.example/x", "spaces"),
            ("https://acme.example/x\n", "spaces"),
            ("https://acme.\texample/x", "spaces"),
            ("https://u:p@acme.example/", "credentials"),
            ("https://acme.example/#x", "fragment"),
            ("https://localhost/x", "private"),
            ("https://LOCALHOST./x", "private"),
            ("https://a.localhost/x", "private"),
            ("https://127.0.0.1/x", "private"),
            ("https://2130706433/x", "private"),
            ("https://0x7f.1/x", "private"),
            ("https://0177.0.0.1/x", "private"),
            ("https://10.1.2.3/", "private"),
            ("https://169.254.169.254/latest", "private"),
            ("https://100.64.0.1/", "private"),
            ("https://168.63.129.16/", "private"),
            ("https://192.88.99.1/", "private"),
            ("https://0.0.0.0/", "private"),
            ("https://[::1]/", "private"),
            ("https://[::ffff:10.0.0.1]/", "private"),
            ("https://[fe80::1]/", "private"),
            ("https://[fd00::1]/", "private"),
            ("https://[64:ff9b::a00:1]/", "private"),
            ("https://[2002:a00:1::]/", "private"),
            ("https://[2001:0:a00:1::]/", "private"),
            ("https://[::10.0.0.1]/", "private"),
        ] {
            let refused = check(text, &strict).unwrap_err();
            assert!(refused.contains(part), "{text}: {refused}");
        }
        for text in [
            "https://acme.example/x?y=1",
            "https://93.184.216.34/",
            "https://[2606:4700::1]/",
            "https://[::ffff:93.184.216.34]/",
        ] {
            assert_eq!(check(text, &strict), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_url_has_at_most_2000_characters() {
        let strict = WebhookTargets::default();
        let of = |length: usize| format!("https://acme.example/{}", "x".repeat(length - 21));
        assert_eq!(check(&of(2_000), &strict), Ok(()));
        assert!(check(&of(2_001), &strict).unwrap_err().contains("2000"));
    }

    #[test]
    fn what_is_allowed_inside_may_be_plain_http() {
        let open = WebhookTargets { allow_private: true };
        assert_eq!(check("http://127.0.0.1:9000/hook", &open), Ok(()));
        assert!(check("http://u:p@127.0.0.1:9000/hook", &open).is_err());
    }
}
