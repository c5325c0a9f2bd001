//! Where a request comes from: the connection's own address, or what a proxy that is trusted says.
//!
//! Whoever sends a request can write any header, so a header counts only if the connection comes
//! from a trusted proxy, and of its addresses only the right-most that is not such a proxy itself:
//! everything to the left of it was written by whoever is there.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName, header};
use countersign_core::address;
use ipnet::IpNet;

/// The header that most proxies add addresses to.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which trusted proxies say whom they forward for. One, not both: a proxy that writes
/// the one passes on what a client wrote into the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies whose word counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Their addresses.
    pub networks: Vec<IpNet>,
    /// Where they say it.
    pub header: ForwardedHeader,
}

/// The address that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// That a valid API key was sent over a connection: the server counts it no more.
#[derive(Clone, Debug, Default)]
pub struct KeySeen(Arc<AtomicBool>);

impl KeySeen {
    /// A valid key was sent.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether one was.
    pub fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl TrustedProxies {
    /// Whether this address is a trusted proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whom a request comes from. `None` if a trusted proxy does not say it in a way that can be
    /// read: the proxy itself is not whom it comes from.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Some(peer);
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let lines: Vec<&str> =
            headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("")).collect();
        // Cut at commas from the right, whatever quotes say: the last element is the proxy's own, and
        // an unclosed quote to its left is somebody else's.
        let said = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let mut nearest = None;
        for element in said {
            let address = match self.header {
                ForwardedHeader::XForwardedFor => node(element),
                ForwardedHeader::Forwarded => forwarded_for(element).and_then(node),
            };
            let address = address?;
            if !self.trusts(address) {
                return Some(address);
            }
            nearest = Some(address);
        }
        // Everybody on the way is a trusted proxy: the farthest of them asks for itself.
        nearest
    }

    /// As [`Self::client`], for a request with these extensions.
    pub(crate) fn of(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<ClientAddress> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        self.client(peer.ip(), headers).map(ClientAddress)
    }
}

/// An address as proxies write it.
fn node(text: &str) -> Option<IpAddr> {
    address::read(text).map(|address| address.to_canonical())
}

/// The value of `for` in an element of `Forwarded` (RFC 7239 section 4).
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

/// What is counted as one: an IPv4 address, or the /64 of an IPv6 address.
pub fn counted_as(address: IpAddr) -> IpAddr {
    address::block(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap()).to_vec();
        TrustedProxies { networks, header }
    }

    fn told(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(HeaderName::from_static(name), line.parse().unwrap());
        }
        let client = proxies(header).client(peer.parse().unwrap(), &headers);
        client.map_or("none".to_owned(), |client| client.to_string())
    }

    #[test]
    fn the_right_most_untrusted_address_of_x_forwarded_for_is_the_client() {
        let xff = |peer: &str, lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            told(ForwardedHeader::XForwardedFor, peer, &lines)
        };
        assert_eq!(xff("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        // What the client wrote itself stands to the left.
        assert_eq!(xff("10.0.0.1", &["192.0.2.66, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(xff("10.0.0.1", &["192.0.2.66", "203.0.113.9, 10.2.3.4"]), "203.0.113.9");
        assert_eq!(xff("10.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(xff("::ffff:10.0.0.1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(xff("fd00::1", &["2001:db8::7, ::ffff:10.9.9.9"]), "2001:db8::7");
        assert_eq!(xff("10.0.0.1", &["10.0.0.2, 10.0.0.3"]), "10.0.0.2");
        // Nobody who is not trusted is believed.
        assert_eq!(xff("198.51.100.1", &["203.0.113.9"]), "198.51.100.1");
        assert_eq!(xff("::ffff:198.51.100.1", &[]), "198.51.100.1");
        // And a proxy that does not say it is not the client.
        assert_eq!(xff("10.0.0.1", &[]), "none");
        assert_eq!(xff("10.0.0.1", &["203.0.113.9, unknown"]), "none");
    }

    #[test]
    fn forwarded_is_read_where_it_is_chosen_and_the_other_header_never() {
        let forwarded = |line: &str| {
            let lines = [("x-forwarded-for", "192.0.2.66"), ("forwarded", line)];
            told(ForwardedHeader::Forwarded, "10.0.0.1", &lines)
        };
        assert_eq!(forwarded("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
        assert_eq!(forwarded("for=192.0.2.66, For=\"[2001:db8::7]:4711\""), "2001:db8::7");
        assert_eq!(forwarded("for=\"192.0.2.66, for=203.0.113.9"), "203.0.113.9");
        assert_eq!(forwarded("for=203.0.113.9, for=_hidden"), "none");
        assert_eq!(forwarded("proto=https"), "none");
        let spoofed = [("forwarded", "for=192.0.2.66"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(told(ForwardedHeader::XForwardedFor, "10.0.0.1", &spoofed), "203.0.113.9");
    }

    #[test]
    fn an_ipv6_network_of_one_machine_is_counted_as_one() {
        let counted = |text: &str| counted_as(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("192.0.2.7"), "192.0.2.7");
    }
}
