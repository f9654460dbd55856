//! Which addresses lie in the open internet: everything else may be somebody's own network, and strangers do not send us there.
//!
//! The table is that of the IANA registries of special-purpose addresses (RFC 6890). Of IPv6, only what is given out as global unicast counts
//! (2000::/3, RFC 4291, 2.4), so every form that carries an IPv4 address inside is refused with the rest: mapped (::ffff:0:0/96), compatible (::/96),
//! translated (64:ff9b::/96, 64:ff9b:1::/48), and out of 2000::/3 itself 6to4 and Teredo.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IPV4_SPECIAL: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // "this network", RFC 791, 3.2
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by the customers of a carrier, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback, RFC 1122, 3.2.1.3
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local, RFC 3927; clouds tell their secrets at 169.254.169.254
    (Ipv4Addr::new(172, 16, 0, 0), 12),  // private, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),   // protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),   // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24), // relays of 6to4, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16), // private, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),  // benchmarks, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),    // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),    // reserved, RFC 1112, 4; broadcast, RFC 919
];

const IPV6_GLOBAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const IPV6_SPECIAL: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, RFC 3056
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
];

/// Whether an address lies in the open internet.
pub(crate) fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !IPV4_SPECIAL.iter().any(|(net, bits)| {
            let shift = 32_u32.saturating_sub(*bits);
            address.to_bits() >> shift == net.to_bits() >> shift
        }),
        IpAddr::V6(address) => {
            is_in(address, IPV6_GLOBAL) && !IPV6_SPECIAL.iter().any(|net| is_in(address, *net))
        }
    }
}

const fn is_in(address: Ipv6Addr, (net, bits): (Ipv6Addr, u32)) -> bool {
    let shift = 128_u32.saturating_sub(bits);
    address.to_bits() >> shift == net.to_bits() >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_22_nothing_but_the_open_internet_is_reached() {
        for text in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456:789a::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_global(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.169.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(is_global(text.parse().unwrap()), "{text}");
        }
    }
}
