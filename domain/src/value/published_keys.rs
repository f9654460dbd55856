//! Keys of a client that it publishes under an address of its own (`jwks_uri`; RFC 7591, 2), in place of sending them.

use serde::{Deserialize, Serialize};
use url::Url;

use super::client_url::is_private;
use super::{AssertionAlgorithm, ClientKeys, text_value};

/// Where a client publishes its keys: https, or http on this very machine, which only a demonstration or a test follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct KeysUrl(String);

const KEYS_URL_BYTES_MAX: usize = 512;

/// Why keys lie under no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "keys lie at an absolute https URL (http on 127.0.0.1 or [::1]) without fragment and user name, of at most {KEYS_URL_BYTES_MAX} bytes"
)]
pub struct KeysUrlError;

impl KeysUrl {
    /// Checks an address. It is kept in its one normal spelling: whoever fetches it goes where whoever reads it sees.
    pub fn parse(text: &str) -> Result<Self, KeysUrlError> {
        let plain = text.len() <= KEYS_URL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let url = Url::parse(text).ok().filter(|_| plain && !text.contains('\\')).ok_or(KeysUrlError)?;
        let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if bare && is_private(&url) && url.as_str().len() <= KEYS_URL_BYTES_MAX {
            Ok(Self(url.into()))
        } else {
            Err(KeysUrlError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(KeysUrl, KeysUrlError);

/// What a client proves itself with, where it publishes that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PublishedKeys {
    /// Where.
    pub url: KeysUrl,
    /// How it signs with those of its keys that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<AssertionAlgorithm>,
}

/// What a client proves itself with: keys that it sent, or those that it publishes. Never both (RFC 7591, 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKeySource {
    /// These.
    Sent(ClientKeys),
    /// Whatever lies there.
    Published(PublishedKeys),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_29_keys_lie_under_https_or_on_this_machine_and_nowhere_else() {
        for text in [
            "",
            "/jwks",
            "app.example.com/jwks",
            "http://app.example.com/jwks",
            "http://localhost/jwks",
            "https://ann@app.example.com/jwks",
            "https://ann:x@app.example.com/jwks",
            "https://app.example.com/jwks#one",
            "https://app.example.com/jw ks",
            "https:\\\\app.example.com\\jwks",
            "https://",
            "file:///etc/passwd",
            "gopher://app.example.com/jwks",
            "data:application/json,{}",
            "javascript:alert(1)",
            &format!("https://app.example.com/{}", "a".repeat(512)),
        ] {
            assert_eq!(KeysUrl::parse(text), Err(KeysUrlError), "{text}");
        }
        for (text, kept) in [
            ("https://app.example.com/jwks?v=1", "https://app.example.com/jwks?v=1"),
            ("https://APP.example.com:443", "https://app.example.com/"),
            ("https://2130706433/jwks", "https://127.0.0.1/jwks"),
            ("http://127.0.0.1:3000/jwks", "http://127.0.0.1:3000/jwks"),
        ] {
            let url = KeysUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), kept);
            assert_eq!(KeysUrl::parse(url.as_str()), Ok(url));
        }
    }
}
