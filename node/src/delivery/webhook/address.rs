//! Which addresses events may be posted to.
//!
//! A tenant chooses where its events go, and this node is the one that connects: without a check, a
//! tenant could have it knock at doors that only the inside may see, such as a cloud's metadata
//! service. So an address counts as public only if the IANA registries of special-purpose addresses
//! (RFC 6890, kept up to date at iana.org) leave it to everybody, and whatever is not public needs
//! the operator's word. IPv6 is judged the other way round: only global unicast can be public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 that is not public.
const SPECIAL_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),  // "this network", RFC 791; Linux takes 0.0.0.0 for the loopback
    v4(10, 0, 0, 0, 8), // private, RFC 1918
    v4(100, 64, 0, 0, 10), // shared by carriers, RFC 6598
    v4(127, 0, 0, 0, 8), // loopback, RFC 1122
    v4(168, 63, 129, 16, 32), // looks public, but is the inside of Azure: its wire server
    v4(169, 254, 0, 0, 16), // link-local, RFC 3927, and the metadata of most clouds
    v4(172, 16, 0, 0, 12), // private, RFC 1918
    v4(192, 0, 0, 0, 24), // protocol assignments, RFC 6890
    v4(192, 0, 2, 0, 24), // documentation, RFC 5737
    v4(192, 88, 99, 0, 24), // relays of 6to4, RFC 7526
    v4(192, 168, 0, 0, 16), // private, RFC 1918
    v4(198, 18, 0, 0, 15), // benchmarks, RFC 2544
    v4(198, 51, 100, 0, 24), // documentation, RFC 5737
    v4(203, 0, 113, 0, 24), // documentation, RFC 5737
    v4(224, 0, 0, 0, 4), // multicast, RFC 5771
    v4(240, 0, 0, 0, 4), // reserved, RFC 1112
    v4(255, 255, 255, 255, 32), // broadcast, RFC 919
];

/// All of IPv6 that can be public: global unicast (RFC 4291 section 2.4, IANA's allocations).
/// Outside are loopback, link-local, site-local, unique local, multicast, IPv4-compatible and
/// IPv4-translated addresses.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Global unicast that is not public.
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 0, 23), // protocol assignments, RFC 2928; Teredo among them, RFC 4380
    v6(0x2001, 0xdb8, 0, 32), // documentation, RFC 3849
    v6(0x2002, 0, 0, 16), // 6to4, RFC 3056: leads to the IPv4 address that it holds
    v6(0x3fff, 0, 0, 20), // documentation, RFC 9637
];

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

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|special| special.contains(&address)),
        IpAddr::V6(address) => {
            // A gateway unpacks these: they are what they hold.
            let held = held_v4(address).is_none_or(|held| is_public(held.into()));
            held && (GLOBAL_V6.contains(&address) || is_nat64(address))
                && !SPECIAL_V6.iter().any(|special| special.contains(&address))
        }
    }
}

/// The IPv4 address within an IPv6 address that stands for one.
fn held_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b] = address.segments();
    let last = Ipv4Addr::from((u32::from(a) << 16) | u32::from(b));
    (is_nat64(address) || is_isatap(address)).then_some(last)
}

/// The well-known prefix of translators, 64:ff9b::/96 (RFC 6052 section 2.1). One that a network
/// chose for itself cannot be known here.
fn is_nat64(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x64, 0xff9b, 0, 0, 0, 0, _, _])
}

/// An interface identifier of ISATAP (RFC 5214 section 6.1), under whatever prefix.
fn is_isatap(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _])
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
