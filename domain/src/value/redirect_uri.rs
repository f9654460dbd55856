//! Redirect URIs of OAuth clients (RFC 9700, 2.1; RFC 8252, 7).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::text_value;

/// An absolute URI without fragment and user info: https, or http on a loopback address, or a private-use scheme with a dot.
/// The text is kept as it was registered, because it is compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

const REDIRECT_URI_BYTES_MAX: usize = 2_048;

/// Why a text is not a redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not absolute, malformed or too long.
    #[error(
        "a redirect URI is absolute, such as https://app.example.com/callback, with at most {REDIRECT_URI_BYTES_MAX} bytes"
    )]
    Malformed,
    /// A fragment, user info, wildcard, backslash, blank or control character.
    #[error("a redirect URI has no fragment, user name, wildcard, backslash, blank or control character")]
    Part,
    /// A scheme that a browser would run, or plain http to another machine.
    #[error(
        "a redirect URI uses https, http on 127.0.0.1, [::1] or localhost, or a private-use scheme with a dot"
    )]
    Scheme,
}

impl RedirectUri {
    /// Checks a redirect URI and keeps its text.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > REDIRECT_URI_BYTES_MAX {
            return Err(RedirectUriError::Malformed);
        }
        if text.contains(['#', '*', '\\']) || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(RedirectUriError::Part);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Part);
        }
        let allowed = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => url.host().is_some_and(|host| is_loopback(&host)) && url.port() != Some(0),
            private => private.contains('.'),
        };
        if allowed { Ok(Self(text.to_owned())) } else { Err(RedirectUriError::Scheme) }
    }

    /// The text as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

text_value!(RedirectUri, RedirectUriError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_redirects_are_refused() {
        for (text, error) in [
            ("/callback", RedirectUriError::Malformed),
            ("https://app.example.com/cb#x", RedirectUriError::Part),
            ("https://good@evil.example/cb", RedirectUriError::Part),
            ("https://*.example.com/cb", RedirectUriError::Part),
            ("https://app.example.com\\@evil/cb", RedirectUriError::Part),
            ("javascript:alert(1)", RedirectUriError::Scheme),
            ("data:text/html,x", RedirectUriError::Scheme),
            ("http://app.example.com/cb", RedirectUriError::Scheme),
            ("http://localhost.evil/cb", RedirectUriError::Scheme),
            ("http://127.0.0.1:0/cb", RedirectUriError::Scheme),
        ] {
            assert_eq!(RedirectUri::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_registered_text_is_kept() {
        for text in [
            "https://app.example.com/cb",
            "http://127.0.0.1:3000/callback",
            "http://[::1]/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(RedirectUri::parse(text).unwrap().as_str(), text);
        }
    }
}
