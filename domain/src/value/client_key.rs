//! Public keys that a client proves itself with (RFC 7517; RFC 7523, 2.2): each has a name, and one algorithm that it signs with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{PublicJwk, text_value};

/// Keys of one client: one in use, one to come, and a few for its machines.
pub const CLIENT_KEYS_MAX: usize = 8;

/// How a client signs its assertions (RFC 7518, 3.1; RFC 8037, 3.1). Only what needs a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl AssertionAlgorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The name on the wire: `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// The `kid` of a client's key, as the client chose it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

const KEY_NAME_CHARS_MAX: usize = 200;

/// Why a text is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the kid of a key has 1 to {KEY_NAME_CHARS_MAX} visible ASCII characters")]
pub struct KeyNameError;

impl KeyName {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, KeyNameError> {
        let fits = (1..=KEY_NAME_CHARS_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyNameError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(KeyName, KeyNameError);

/// One public key of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientKey {
    /// What an assertion names it by.
    pub kid: KeyName,
    /// The one algorithm that is taken from it, whatever an assertion says.
    pub algorithm: AssertionAlgorithm,
    /// The key itself: kind and numbers, and no word more.
    pub public_jwk: PublicJwk,
}

impl ClientKey {
    /// The key that an assertion is to be checked with: the one that it names or, where it names none, the only one.
    pub fn named<'a>(keys: &'a [Self], kid: Option<&str>) -> Option<&'a Self> {
        match (kid, keys) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid.as_str() == kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

/// The keys of one client: at least one, no two of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<ClientKey>", into = "Vec<ClientKey>")]
pub struct ClientKeys(Vec<ClientKey>);

/// Why some keys are not those of a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeysError {
    /// None, or more than anybody needs.
    #[error("a client has 1 to {CLIENT_KEYS_MAX} keys")]
    Count,
    /// Nobody could tell which one is meant.
    #[error("two keys have the same kid")]
    SameName,
}

impl ClientKeys {
    /// Checks that there are some, and that each has a name of its own.
    pub fn try_new(keys: Vec<ClientKey>) -> Result<Self, ClientKeysError> {
        if !(1..=CLIENT_KEYS_MAX).contains(&keys.len()) {
            return Err(ClientKeysError::Count);
        }
        let names: BTreeSet<&KeyName> = keys.iter().map(|key| &key.kid).collect();
        if names.len() == keys.len() { Ok(Self(keys)) } else { Err(ClientKeysError::SameName) }
    }

    /// The keys, as they were given.
    pub fn iter(&self) -> impl Iterator<Item = &ClientKey> {
        self.0.iter()
    }

    /// The same, side by side.
    pub fn as_slice(&self) -> &[ClientKey] {
        &self.0
    }
}

impl TryFrom<Vec<ClientKey>> for ClientKeys {
    type Error = ClientKeysError;
    fn try_from(keys: Vec<ClientKey>) -> Result<Self, ClientKeysError> {
        Self::try_new(keys)
    }
}

impl From<ClientKeys> for Vec<ClientKey> {
    fn from(keys: ClientKeys) -> Self {
        keys.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str) -> ClientKey {
        let public_jwk = PublicJwk::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#).unwrap();
        ClientKey { kid: KeyName::parse(kid).unwrap(), algorithm: AssertionAlgorithm::EdDsa, public_jwk }
    }

    #[test]
    fn what_is_no_name_of_a_key_is_refused() {
        for text in ["", "a b", "a\0", "\u{95a2}", &"a".repeat(KEY_NAME_CHARS_MAX + 1)] {
            assert_eq!(KeyName::parse(text), Err(KeyNameError), "{text}");
        }
        assert_eq!(KeyName::parse("../k=1'").unwrap().as_str(), "../k=1'");
    }

    #[test]
    fn no_keys_too_many_and_two_of_one_name_are_refused() {
        assert_eq!(ClientKeys::try_new(vec![]), Err(ClientKeysError::Count));
        let many = (0..=CLIENT_KEYS_MAX).map(|number| key(&number.to_string())).collect();
        assert_eq!(ClientKeys::try_new(many), Err(ClientKeysError::Count));
        assert_eq!(ClientKeys::try_new(vec![key("a"), key("a")]), Err(ClientKeysError::SameName));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_the_only_one_without() {
        let two = [key("a"), key("b")];
        assert_eq!(ClientKey::named(&two, Some("b")), Some(&key("b")));
        assert_eq!(ClientKey::named(&two, Some("c")), None);
        assert_eq!(ClientKey::named(&two, None), None);
        let one = [key("a")];
        assert_eq!(ClientKey::named(&one, None), Some(&key("a")));
        assert_eq!(ClientKey::named(&one, Some("b")), None, "a wrong name is not no name");
    }

    #[test]
    fn an_algorithm_is_known_by_its_name_alone() {
        for algorithm in AssertionAlgorithm::ALL {
            assert_eq!(AssertionAlgorithm::parse(algorithm.as_str()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for name in ["none", "HS256", "rs256", "RS512", ""] {
            assert_eq!(AssertionAlgorithm::parse(name), None, "{name}");
        }
    }
}
