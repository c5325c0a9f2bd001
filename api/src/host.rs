//! The `Host` that a request names. Whoever sends it can write anything, and a page elsewhere can make
//! a browser send any name that leads here (DNS rebinding); so nothing is built on it but what holds
//! for this machine's own names.

use axum::http::{HeaderMap, header};
use url::Url;

use crate::request::origin::is_local;

/// What it names, if it is a host and perhaps a port and nothing else.
fn named(headers: &HeaderMap) -> Option<Url> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let url = Url::parse(&format!("http://{host}/")).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

/// The address under it, if that is this machine's alone: `localhost` and what is below it (RFC 6761
/// section 6.3), or a loopback address.
pub(crate) fn local(headers: &HeaderMap) -> Option<Url> {
    named(headers).filter(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_lead_elsewhere_are_local() {
        let local = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            local(&headers).map(|url| url.to_string())
        };
        for (host, url) in [
            ("localhost", "http://localhost/"),
            ("LOCALHOST:8080", "http://localhost:8080/"),
            ("app.localhost:80", "http://app.localhost/"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("[::1]:8080", "http://[::1]:8080/"),
        ] {
            assert_eq!(local(host).as_deref(), Some(url), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "notlocalhost",
            "192.168.1.7:8080",
            "127.0.0.1.evil.example",
            "evil.example@localhost",
            "localhost/x",
            "localhost?x",
            "",
        ] {
            assert_eq!(local(host), None, "{host}");
        }
        assert_eq!(super::local(&HeaderMap::new()), None);
    }
}
