//! Which addresses anybody may have on the internet.
//!
//! An address counts as public only if the IANA registries of special-purpose addresses (RFC 6890,
//! kept up to date at iana.org) leave it to everybody. IPv6 is judged the other way round: only
//! global unicast can be public. One list for both places that ask: where a webhook is made, and
//! where its events are posted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

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

/// Whether an address may be anybody's. An IPv4-mapped one (RFC 4291 section 2.5.5.2) is the IPv4
/// address that it holds.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
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
