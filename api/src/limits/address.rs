//! Whose address a request comes from: the connection's, unless that is one of our own proxies, which were told of when we were set up.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, header};

/// A proxy on this machine says with one of these that it speaks for somebody elsewhere.
const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
    header::VIA,
];

/// Whether whoever asks says that they ask for somebody else.
pub(crate) fn speaks_for_another(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(name))
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whoever has an address: of IPv6 the network that one subscriber is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subscriber(pub(super) u128);

impl Subscriber {
    /// Who has this address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().into()),
            IpAddr::V6(address) => Self(u128::from(address) >> 64 << 64),
        }
    }
}

/// What stands for whoever has an address, as text.
pub(crate) fn subscriber_text(address: IpAddr) -> String {
    let Subscriber(number) = Subscriber::of(address);
    match Ipv6Addr::from(number).to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(one, two)| (one, Some(two)));
        let address = address.parse::<IpAddr>().ok()?.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Some(most), |text| text.parse().ok()).filter(|bits| *bits <= most)?;
        Some(Self { address, prefix_bits })
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(one), IpAddr::V4(two)) => {
                (u32::from(one) ^ u32::from(two)).checked_shr(32 - self.prefix_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(one), IpAddr::V6(two)) => {
                (u128::from(one) ^ u128::from(two)).checked_shr(128 - self.prefix_bits).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Proxies of our own. What they say of who asks is believed; what anybody else says of that is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// Out of addresses and networks, separated by commas; the first that is neither, when there is one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| Network::parse(part).ok_or_else(|| part.to_owned()));
        networks.collect::<Result<Arc<[_]>, _>>().map(Self)
    }

    /// Who asks: the last one that a proxy of ours did not know for one of us. Whatever stands further left, anybody may have written.
    pub(super) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        if self.0.is_empty() {
            return caller;
        }
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            let Some(before) = hop.trim().parse::<IpAddr>().ok().filter(|_| self.trusts(caller)) else {
                break;
            };
            caller = before.to_canonical();
        }
        caller
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn caller(trusted: &str, peer: &str, lines: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(line));
        }
        TrustedProxies::parse(trusted).unwrap().caller(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn what_a_stranger_says_of_who_asks_is_not_believed() {
        assert_eq!(caller("", "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
        assert_eq!(caller("10.0.0.2", "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
        // Written by the caller, in front of what our proxy appended.
        assert_eq!(caller("10.0.0.1", "10.0.0.1", &["203.0.113.9, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(caller("10.0.0.1", "10.0.0.1", &["203.0.113.9", "192.0.2.1"]), "192.0.2.1");
        assert_eq!(caller("10.0.0.1", "10.0.0.1", &["192.0.2.1, nobody"]), "10.0.0.1");
    }

    #[test]
    fn proxies_one_behind_the_other_are_looked_through() {
        assert_eq!(caller("10.0.0.0/8, ::1", "::1", &["192.0.2.1, 10.9.9.9"]), "192.0.2.1");
        assert_eq!(caller("10.0.0.0/8", "::ffff:10.1.2.3", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(caller("0.0.0.0/0", "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["10.0.0.0/33", "proxy.example.com", "::/129", "10.0.0.1/"] {
            assert_eq!(TrustedProxies::parse(wrong), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn one_subscriber_is_one_address_however_many_they_have() {
        let text = |address: &str| subscriber_text(address.parse().unwrap());
        assert_eq!(text("2001:db8:1:2:3:4:5:6"), text("2001:db8:1:2:ffff::1"));
        assert_ne!(text("2001:db8:1:2::1"), text("2001:db8:1:3::1"));
        assert_eq!(text("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(text("192.0.2.1"), text("192.0.2.2"));
    }
}
