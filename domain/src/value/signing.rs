//! What is public about a key that signs access tokens: its algorithm, its thumbprint, its JWK.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text_value;

/// How a token is signed (RFC 7518, 3.1; RFC 8037, 3.1). Only what needs a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: everybody verifies it.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The name on the wire: `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// The `kid` of a key: its SHA-256 thumbprint (RFC 7638) in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct KeyThumbprint(String);

const THUMBPRINT_CHARS: usize = 43; // 256 bits, 6 in each

/// Why a text is not a thumbprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key's thumbprint has {THUMBPRINT_CHARS} characters of base64url")]
pub struct KeyThumbprintError;

impl KeyThumbprint {
    /// Checks a thumbprint.
    pub fn parse(text: &str) -> Result<Self, KeyThumbprintError> {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.len() == THUMBPRINT_CHARS && text.bytes().all(is_base64url) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyThumbprintError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(KeyThumbprint, KeyThumbprintError);

impl std::borrow::Borrow<str> for KeyThumbprint {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A public key as JSON (RFC 7517), which holds no private member.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PublicJwk(String);

/// Eight times an RSA key of 4096 bits.
const JWK_BYTES_MAX: usize = 8_192;
/// RFC 7518, 6.2.2, 6.3.2 and 6.4.1; RFC 8037, 2.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a text is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicJwkError {
    /// No JSON object that names a kind of key, or too long.
    #[error("a public key is a JSON object with a member kty, of at most {JWK_BYTES_MAX} bytes")]
    Malformed,
    /// It would be told to everybody.
    #[error("this key holds a private member")]
    Private,
}

impl PublicJwk {
    /// Checks a key and keeps its text.
    pub fn parse(text: &str) -> Result<Self, PublicJwkError> {
        if text.len() > JWK_BYTES_MAX {
            return Err(PublicJwkError::Malformed);
        }
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(PublicJwkError::Malformed);
        };
        if PRIVATE_MEMBERS.iter().any(|member| members.contains_key(*member)) {
            return Err(PublicJwkError::Private);
        }
        match members.get("kty") {
            Some(Value::String(kty)) if kty != "oct" => Ok(Self(text.to_owned())),
            Some(_) | None => Err(PublicJwkError::Malformed),
        }
    }

    /// The JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(PublicJwk, PublicJwkError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_thumbprint_is_refused() {
        for text in ["", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X", &"a".repeat(44), &"+".repeat(43)] {
            assert_eq!(KeyThumbprint::parse(text), Err(KeyThumbprintError), "{text}");
        }
        let text = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; // RFC 7638, 3.1
        assert_eq!(KeyThumbprint::parse(text).unwrap().as_str(), text);
    }

    #[test]
    fn a_private_key_is_never_taken_for_a_public_one() {
        for member in PRIVATE_MEMBERS {
            let text = format!(r#"{{"kty":"RSA","n":"AQ","e":"AQAB","{member}":"AQ"}}"#);
            assert_eq!(PublicJwk::parse(&text), Err(PublicJwkError::Private), "{member}");
        }
        for text in ["", "[]", "{}", r#"{"kty":1}"#, r#"{"kty":"oct"}"#] {
            assert_eq!(PublicJwk::parse(text), Err(PublicJwkError::Malformed), "{text}");
        }
        let text = r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#;
        assert_eq!(PublicJwk::parse(text).unwrap().as_str(), text);
    }

    #[test]
    fn an_algorithm_is_known_by_its_name_alone() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::parse(algorithm.as_str()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for name in ["none", "None", "HS256", "rs256", ""] {
            assert_eq!(SigningAlgorithm::parse(name), None, "{name}");
        }
    }
}
