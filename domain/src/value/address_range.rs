//! Network addresses that pass during maintenance: one address, or a block in CIDR notation (RFC 4632; RFC 4291, 2.3).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A block of IPv4 or IPv6 addresses. IPv4 written inside IPv6 (`::ffff:192.0.2.1`) is the same address as plain IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    network: IpAddr,
    prefix_bits: u8,
}

/// Why a text is not an address range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRangeError {
    /// No address, or no number of bits that fits it.
    #[error(
        "expected an address such as 192.0.2.7 or 2001:db8::7, or a block such as 192.0.2.0/24 or 2001:db8::/32"
    )]
    Malformed,
    /// The address lies inside the block instead of naming it.
    #[error("the address has bits beyond the length of its prefix; did you mean {0}?")]
    InsideBlock(AddressRange),
}

impl AddressRange {
    /// Reads an address or a block.
    pub fn parse(text: &str) -> Result<Self, AddressRangeError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| AddressRangeError::Malformed)?;
        let width = width_bits(address);
        let prefix_bits = match bits {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|bits| *bits <= width).ok_or(AddressRangeError::Malformed)?
            }
            Some(_) => return Err(AddressRangeError::Malformed),
        };
        let network = masked(address, prefix_bits);
        let range = Self { network, prefix_bits }.canonical();
        if network == address { Ok(range) } else { Err(AddressRangeError::InsideBlock(range)) }
    }

    /// Whether the address lies in this range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && masked(address, self.prefix_bits) == self.network
    }

    /// IPv4 inside IPv6 becomes plain IPv4 where the block reaches no further than that.
    fn canonical(self) -> Self {
        let network = self.network.to_canonical();
        match self.prefix_bits.checked_sub(MAPPED_PREFIX_BITS) {
            Some(prefix_bits) if network.is_ipv4() && self.network.is_ipv6() => Self { network, prefix_bits },
            Some(_) | None => self,
        }
    }
}

/// The length of `::ffff:0:0/96`, in which IPv4 lies inside IPv6 (RFC 4291, 2.5.5.2).
const MAPPED_PREFIX_BITS: u8 = 96;

const fn width_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address with all bits beyond the prefix cleared.
fn masked(address: IpAddr, prefix_bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(u32::from(32_u8.saturating_sub(prefix_bits))).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(u32::from(128_u8.saturating_sub(prefix_bits))).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

impl std::fmt::Display for AddressRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.prefix_bits == width_bits(self.network) {
            return self.network.fmt(f);
        }
        write!(f, "{}/{}", self.network, self.prefix_bits)
    }
}

impl std::str::FromStr for AddressRange {
    type Err = AddressRangeError;
    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for AddressRange {
    type Error = AddressRangeError;
    fn try_from(text: String) -> Result<Self, AddressRangeError> {
        Self::parse(&text)
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, address: &str) -> bool {
        AddressRange::parse(range).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "",
            "localhost",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "::/129",
            "fe80::1%eth0",
        ] {
            assert_eq!(AddressRange::parse(text), Err(AddressRangeError::Malformed), "{text}");
        }
    }

    #[test]
    fn an_address_inside_a_block_is_not_the_block() {
        let refusal = AddressRange::parse("10.1.2.3/8").unwrap_err();
        assert!(refusal.to_string().ends_with("did you mean 10.0.0.0/8?"));
    }

    #[test]
    fn a_block_ends_where_its_prefix_says() {
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("192.0.2.7", "192.0.2.7"));
        assert!(!contains("192.0.2.7", "192.0.2.8"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("::/0", "2001:db8::1"));
    }

    #[test]
    fn ipv4_inside_ipv6_is_ipv4() {
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(contains("::ffff:192.0.2.0/120", "192.0.2.9"));
        assert_eq!(AddressRange::parse("::ffff:192.0.2.7").unwrap().to_string(), "192.0.2.7");
    }

    #[test]
    fn text_survives_a_round_trip() {
        for text in ["192.0.2.7", "192.0.2.0/24", "2001:db8::7", "2001:db8::/32", "0.0.0.0/0", "::/0"] {
            assert_eq!(AddressRange::parse(text).unwrap().to_string(), text);
        }
    }
}
