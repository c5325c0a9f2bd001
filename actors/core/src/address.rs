//! Addresses as they are counted and compared.
//!
//! Whoever has one IPv6 address usually has the whole /64 that it is in (RFC 6177, RFC 4291 section
//! 2.5.4), and an IPv6 address may be an IPv4 address in another form. So nothing here counts by the
//! address as told: [`block`] is what belongs to one party.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Bits of an IPv6 address that name its network.
const NETWORK_BITS: u8 = 64;

/// Bits of a Teredo address before the client's IPv4 address.
const TEREDO_BITS: u8 = 96;

/// The IPv4 address that an IPv6 address stands for: mapped and compatible (RFC 4291 section 2.5.5),
/// translated (RFC 2765), NAT64 (RFC 6052 section 2.1, and RFC 8215 for a network's own), 6to4 (RFC
/// 3056) and Teredo (RFC 4380 section 4, the client's).
pub fn inner_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let last = |bits: u128| Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32);
    match address.segments() {
        // `::` and `::1` are the compatible forms of no address.
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some(last(bits)),
        [0, 0, 0, 0, 0, 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(last(bits)),
        // A network's own prefix is of 96 bits as a rule. With one of 48 the address stands around
        // the octet 8, and nothing at the end (RFC 6052 section 2.2).
        [0x64, 0xff9b, 1, high, low, rest, 0, 0] if low >> 8 == 0 && rest & 0xff == 0 => {
            let low = (low << 8) | (rest >> 8);
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        [0x64, 0xff9b, 1, ..] => Some(last(bits)),
        [0x2002, ..] => Some(last(bits >> 80)),
        [0x2001, 0, ..] => Some(last(!bits)),
        _ => None,
    }
}

/// The IPv4 address that an ISATAP address names (RFC 5214 section 6.1). Whoever has a /64 can name
/// any, so it tells of a listed network, and never whom an address is counted under.
fn isatap(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

/// The address without its disguise: IPv4 where it stands for one.
pub fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => inner_ipv4(six).map_or(address, IpAddr::V4),
    }
}

/// What stands for all addresses of one party: the IPv4 address, or the first address of the /64.
pub fn block(address: IpAddr) -> IpAddr {
    match plain(address) {
        IpAddr::V6(six) => {
            let host_bits = u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !host_bits))
        }
        four => four,
    }
}

/// Whether two addresses are of one party.
pub fn same_block(one: IpAddr, other: IpAddr) -> bool {
    block(one) == block(other)
}

/// Whether an address is in a listed network, in whichever form either is written. A network smaller
/// than a /64 stands for its /64.
pub fn is_listed(networks: &[IpNet], address: IpAddr) -> bool {
    let forms = forms(address);
    networks.iter().map(meant).any(|network| forms.iter().any(|form| network.contains(form)))
}

/// The network that a listed one stands for.
fn meant(network: &IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return *network };
    let bits = six.prefix_len();
    match inner_ipv4(six.addr()) {
        // The client's address is at the end of a Teredo one, and inverted.
        Some(client) if bits > TEREDO_BITS && six.addr().segments()[..2] == [0x2001, 0] => {
            Ipv4Net::new(client, bits - TEREDO_BITS).map_or(*network, IpNet::V4)
        }
        None if bits > NETWORK_BITS => {
            Ipv6Net::new(six.addr(), NETWORK_BITS).map_or(*network, IpNet::V6)
        }
        _ => *network,
    }
}

/// An address in every form in which a network could contain it. One that names another, as ISATAP
/// does, is in that one's networks as well.
fn forms(address: IpAddr) -> Vec<IpAddr> {
    let mut forms = vec![address];
    let named = match address {
        IpAddr::V6(six) => isatap(six).map(IpAddr::V4),
        IpAddr::V4(_) => None,
    };
    for one in [Some(plain(address)), named].into_iter().flatten() {
        let IpAddr::V4(four) = one else { continue };
        let bits = u128::from(four.to_bits());
        let six = [
            bits,
            0xffff_0000_0000 | bits,
            0xffff_0000_0000_0000 | bits,
            (0x64_ff9b << 96) | bits,
            (0x64_ff9b_0001 << 80) | bits,
            (0x2002 << 112) | (bits << 80),
        ];
        forms.push(one);
        forms.extend(six.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))));
    }
    forms
}

/// An address as a proxy, a browser or a log writes it: with a port, in brackets, with a zone (RFC
/// 4007 section 11), quoted; of a list, as in `X-Forwarded-For`, the last, which the nearest proxy
/// wrote.
pub fn read(text: &str) -> Option<IpAddr> {
    let last = text.rsplit(',').next().unwrap_or(text);
    let bare = last.trim().trim_matches('"').trim();
    let bare = match bare.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => match bare.split_once(':') {
            // One colon: what follows is a port. More of them: an IPv6 address.
            Some((host, port)) if !port.contains(':') => host,
            _ => bare,
        },
    };
    let bare = bare.split('%').next().unwrap_or(bare);
    bare.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_in_disguise_is_its_ipv4_address() {
        for form in [
            "198.51.100.7",
            "::ffff:198.51.100.7",
            "::198.51.100.7",
            "::ffff:0:198.51.100.7",
            "64:ff9b::198.51.100.7",
            "64:ff9b:1::198.51.100.7",
            "64:ff9b:1:fffe::198.51.100.7",
            "64:ff9b:1:c633:64:700::",
            "2002:c633:6407::1",
            "2002:c633:6407:99:1:2:3:4",
            "2001:0:4136:e378:8000:63bf:39cc:9bf8",
        ] {
            assert_eq!(block(address(form)), address("198.51.100.7"), "{form}");
        }
        for form in [
            "::",
            "::1",
            "fe80::1",
            "2001:db8::198.51.100.7",
            "64:ff9c::198.51.100.7",
            "64:ff9b:2::198.51.100.7",
            "2001:db8::5efe:198.51.100.7",
        ] {
            assert_eq!(plain(address(form)), address(form), "{form}");
        }
    }

    #[test]
    fn an_ipv6_address_counts_with_its_whole_network() {
        let same = |one, other| same_block(address(one), address(other));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(!same("198.51.100.7", "198.51.100.8"));
    }

    #[test]
    fn a_network_is_matched_in_every_form() {
        let listed = |network: &str, one| is_listed(&[network.parse().unwrap()], address(one));
        for form in [
            "198.51.100.7",
            "::ffff:198.51.100.7",
            "64:ff9b::198.51.100.7",
            "64:ff9b:1::198.51.100.7",
            "2002:c633:6407::9",
            "2001:0:4136:e378:8000:63bf:39cc:9bf8",
            "2001:db8::5efe:198.51.100.7",
            "2001:db8::200:5efe:198.51.100.7",
        ] {
            for network in [
                "198.51.100.0/24",
                "::198.51.100.0/120",
                "::ffff:198.51.100.0/120",
                "::ffff:0:198.51.100.0/120",
                "64:ff9b::198.51.100.0/120",
                "64:ff9b:1::198.51.100.0/120",
                "2002:c633:6400::/40",
                "2001:0:4136:e378:8000:63bf:39cc:9b00/120",
            ] {
                assert!(listed(network, form), "{form} in {network}");
            }
            assert!(!listed("203.0.113.0/24", form));
        }
        assert!(listed("2001:db8::/32", "2001:db8::1"));
        assert!(listed("2001:db8:1:2::1/128", "2001:db8:1:2::ffff"), "the rest of its /64");
        assert!(!listed("2001:db8:1:2::1/128", "2001:db8:1:3::1"));
        assert!(!listed("198.51.100.7/32", "198.51.100.8"));
        assert!(!listed("::ffff:198.51.100.7/128", "198.51.100.8"));
        assert!(!listed("2001:0:4136:e378:8000:63bf:39cc:9bf8/128", "198.51.100.8"));
        assert!(listed("2001:db8::/64", "2001:db8::5efe:198.51.100.7"), "where it is as well");
    }

    #[test]
    fn an_address_is_read_as_proxies_and_logs_write_it() {
        for (text, meant) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            (" 1.2.3.4 ", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("203.0.113.9, 1.2.3.4", "1.2.3.4"),
            ("unknown, 1.2.3.4:99", "1.2.3.4"),
        ] {
            assert_eq!(read(text), Some(address(meant)), "{text}");
        }
        for text in ["", "unknown", "_hidden", "1.2.3", "localhost", "1.2.3.4, unknown", "[", "%"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
