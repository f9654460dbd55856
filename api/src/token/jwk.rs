//! Public keys as JSON Web Keys (RFC 7517), and their thumbprints (RFC 7638), which name them.
//!
//! The type has no place for a private member, so none can be published by mistake.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::{KeyThumbprint, SigningAlgorithm};
use serde_json::{Map, Value, json};

/// Shortest modulus that a signature is taken from, and longest that is worth checking.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;
/// Longest exponent: others than 65537 are rare, and long ones make checking dear.
const RSA_EXPONENT_BYTES_MAX: usize = 4;
/// Bytes of one coordinate on P-256, and of an Ed25519 public key.
const COORDINATE_BYTES: usize = 32;
/// What an uncompressed point begins with (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The public half of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, for RS256.
    Rsa {
        /// Modulus, big-endian without leading zeros.
        n: Vec<u8>,
        /// Exponent, likewise.
        e: Vec<u8>,
    },
    /// A point on P-256, for ES256.
    P256 {
        /// One coordinate.
        x: Vec<u8>,
        /// The other.
        y: Vec<u8>,
    },
    /// A point on Curve25519, for EdDSA.
    Ed25519 {
        /// The key.
        x: Vec<u8>,
    },
}

impl PublicKey {
    /// Out of an uncompressed point.
    pub(crate) fn p256(point: &[u8]) -> Option<Self> {
        let (form, coordinates) = point.split_first()?;
        let (x, y) = coordinates.split_at_checked(COORDINATE_BYTES)?;
        (*form == UNCOMPRESSED && y.len() == COORDINATE_BYTES)
            .then(|| Self::P256 { x: x.to_vec(), y: y.to_vec() })
    }

    /// Reads a key of somebody else's; none when it is of a kind, curve or size that is not taken here.
    pub(crate) fn read(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let number = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let coordinate = |name: &str| number(name).filter(|bytes| bytes.len() == COORDINATE_BYTES);
        match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (number("n")?, number("e")?);
                let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
                let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
                let has_no_zero = e.first()? != &0 && n.first()? != &0;
                let fits = RSA_BITS.contains(&bits) && e.len() <= RSA_EXPONENT_BYTES_MAX && e != [1];
                (fits && has_no_zero && is_odd(&n) && is_odd(&e)).then_some(Self::Rsa { n, e })
            }
            ("EC", Some("P-256")) => Some(Self::P256 { x: coordinate("x")?, y: coordinate("y")? }),
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519 { x: coordinate("x")? }),
            _ => None,
        }
    }

    /// What it verifies.
    pub(crate) const fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Rsa { .. } => SigningAlgorithm::Rs256,
            Self::P256 { .. } => SigningAlgorithm::Es256,
            Self::Ed25519 { .. } => SigningAlgorithm::EdDsa,
        }
    }

    /// SHA-256 over the required members in the order of their names (RFC 7638, 3.2 and 3.3; RFC 8037, 2 for Ed25519).
    pub(crate) fn thumbprint(&self) -> Option<KeyThumbprint> {
        let text = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64url(e), base64url(n)),
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(x), base64url(y))
            }
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(x)),
        };
        KeyThumbprint::parse(&base64url(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())).ok()
    }

    /// Kind and numbers, and no word more.
    pub(crate) fn bare_jwk(&self) -> Value {
        match self {
            Self::Rsa { n, e } => json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) }),
            Self::P256 { x, y } => {
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
            Self::Ed25519 { x } => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(x) }),
        }
    }

    /// The key as it is published.
    pub(crate) fn jwk(&self, kid: &KeyThumbprint) -> Value {
        let mut jwk = self.bare_jwk();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("use".to_owned(), json!("sig"));
            members.insert("alg".to_owned(), json!(self.algorithm().as_str()));
            members.insert("kid".to_owned(), json!(kid.as_str()));
        }
        jwk
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn the_thumbprint_is_that_of_the_example_in_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicKey::Rsa { n: decoded(n), e: decoded("AQAB") };
        assert_eq!(key.thumbprint().unwrap().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_thumbprint_is_that_of_the_example_in_rfc_8037() {
        let key = PublicKey::Ed25519 { x: decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo") };
        assert_eq!(key.thumbprint().unwrap().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_point_that_is_cut_compressed_or_too_long_is_none() {
        let point = [[4_u8].as_slice(), &[7; 64]].concat();
        assert!(PublicKey::p256(&point[..64]).is_none());
        assert!(PublicKey::p256(&[[2_u8].as_slice(), &[7; 32]].concat()).is_none());
        assert!(PublicKey::p256(&[point.as_slice(), &[7]].concat()).is_none());
        assert!(PublicKey::p256(&point).is_some());
    }
}
