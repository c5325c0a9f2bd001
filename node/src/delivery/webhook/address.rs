//! Which addresses events may be posted to.
//!
//! A tenant chooses where its events go, and this node is the one that connects: without a check, a
//! tenant could have it knock at doors that only the inside may see, such as a cloud's metadata
//! service. So whatever is not public needs the operator's word.

use std::net::IpAddr;

use countersign_api::address::is_public;
use ipnet::IpNet;

/// How an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Anybody's.
    Public,
    /// Of the inside, or named by the operator, and allowed.
    Allowed,
    /// Of the inside.
    Refused,
}

/// The operator's word about addresses that are not public.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// All of them are allowed.
    pub(super) allow_private: bool,
    /// Those in here are allowed.
    pub(super) allow_networks: Vec<IpNet>,
}

impl Reach {
    /// How an address stands.
    pub(super) fn standing(&self, address: IpAddr) -> Standing {
        // An IPv4-mapped address (RFC 4291 section 2.5.5.2) connects to the IPv4 one.
        let address = address.to_canonical();
        if self.allow_networks.iter().any(|network| network.contains(&address)) {
            Standing::Allowed
        } else if is_public(address) {
            Standing::Public
        } else if self.allow_private {
            Standing::Allowed
        } else {
            Standing::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(reach: &Reach, address: &str) -> Standing {
        reach.standing(address.parse().unwrap())
    }

    #[test]
    fn what_is_not_public_is_refused_in_every_shape() {
        let nothing = Reach::default();
        for address in [
            // IPv4, both ends of each range.
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.0",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.192",
            "192.0.0.255",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.254",
            "255.255.255.255",
            // IPv6 of the inside.
            "::",
            "::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff:ffff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "100::1",
            "64:ff9b:1::1",
            "5f00::1",
            "2001:db8::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "3fff::1",
            "3fff:fff::1",
            // IPv4 in IPv6: mapped, compatible, translated.
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:7f00:1",
            "::127.0.0.1",
            "::10.1.2.3",
            "::8.8.8.8",
            "::ffff:0:10.1.2.3",
            // NAT64, 6to4, Teredo, ISATAP around private addresses.
            "64:ff9b::7f00:1",
            "64:ff9b::10.1.2.3",
            "64:ff9b::169.254.169.254",
            "64:ff9b::192.168.1.1",
            "2002:7f00:1::",
            "2002:a01:203::1",
            "2002:c0a8:101::1",
            "2001::1",
            "2001:0:a01:203::f5fe:fdfc",
            "2600:1::5efe:10.1.2.3",
            "2600:1::200:5efe:127.0.0.1",
        ] {
            assert_eq!(standing(&nothing, address), Standing::Refused, "{address}");
        }
    }

    #[test]
    fn what_is_public_needs_no_word() {
        let nothing = Reach::default();
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00::1",
            "64:ff9b::8.8.8.8",
            "2600:1::5efe:8.8.8.8",
        ] {
            assert_eq!(standing(&nothing, address), Standing::Public, "{address}");
        }
    }

    #[test]
    fn the_operator_opens_networks_one_by_one() {
        let networks = ["10.1.0.0/16", "fd12::/16", "192.0.2.7/32"];
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        let reach = Reach { allow_private: false, allow_networks: networks };
        for address in ["10.1.0.1", "::ffff:10.1.255.255", "fd12::1", "192.0.2.7"] {
            assert_eq!(standing(&reach, address), Standing::Allowed, "{address}");
        }
        for address in ["10.2.0.1", "127.0.0.1", "fd13::1", "192.0.2.8", "64:ff9b::10.1.0.1"] {
            assert_eq!(standing(&reach, address), Standing::Refused, "{address}");
        }
        assert_eq!(standing(&reach, "8.8.8.8"), Standing::Public);
    }

    #[test]
    fn the_operator_opens_all_that_is_private() {
        let reach = Reach { allow_private: true, allow_networks: Vec::new() };
        for address in ["127.0.0.1", "::1", "10.1.2.3", "fe80::1", "169.254.169.254"] {
            assert_eq!(standing(&reach, address), Standing::Allowed, "{address}");
        }
        assert_eq!(standing(&reach, "8.8.8.8"), Standing::Public);
    }
}
