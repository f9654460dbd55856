//! Redirect URIs of OAuth clients (RFC 9700, 2.1; RFC 8252, 7).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

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
    /// A fragment, user info, wildcard, backslash, blank, control character or anything but ASCII.
    #[error(
        "a redirect URI is ASCII and has no fragment, user name, wildcard, backslash, blank or control character"
    )]
    Part,
    /// Two readers would find two hosts in it.
    #[error(
        "a redirect URI names its host in plain, such as https://app.example.com or http://127.0.0.1:3000"
    )]
    Host,
    /// A scheme that a browser would run, or plain http to another machine.
    #[error(
        "a redirect URI uses https, http on 127.0.0.1, [::1] or localhost, or a private-use scheme with a dot"
    )]
    Scheme,
}

impl RedirectUri {
    /// Checks a redirect URI and keeps its text.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let uri = Self::recorded(text)?;
        if !text.is_ascii() {
            return Err(RedirectUriError::Part);
        }
        if names_its_host(text) { Ok(uri) } else { Err(RedirectUriError::Host) }
    }

    /// Reads one that was registered: by the first rules that there were, since what is in the log stays readable when rules are added.
    fn recorded(text: &str) -> Result<Self, RedirectUriError> {
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

/// Whether the host stands there the way that it is read: no user info, not even an empty one, no slash too few or too many, no number that only
/// means an address. A browser, a proxy and we then send people to the same place.
fn names_its_host(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    if !matches!(url.scheme(), "http" | "https") {
        return true;
    }
    let after_scheme = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    let authority = after_scheme.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let (named, rest) = authority.split_at_checked(host.len()).unwrap_or_default();
    let port = rest.strip_prefix(':');
    let is_port = port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    !host.is_empty() && named.eq_ignore_ascii_case(host) && (rest.is_empty() || is_port)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Out of the log. What comes from outside is read by `parse`.
impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriError;
    fn try_from(text: String) -> Result<Self, RedirectUriError> {
        Self::recorded(&text)
    }
}

impl std::str::FromStr for RedirectUri {
    type Err = RedirectUriError;
    fn from_str(text: &str) -> Result<Self, RedirectUriError> {
        Self::parse(text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

impl std::fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_28_dangerous_redirects_are_refused() {
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
            ("vbscript:x", RedirectUriError::Scheme),
            ("file:///etc/passwd", RedirectUriError::Scheme),
            ("https://@evil.example/cb", RedirectUriError::Host),
            ("https://:@evil.example/cb", RedirectUriError::Host),
            ("https:app.example.com/cb", RedirectUriError::Host),
            ("https:/app.example.com/cb", RedirectUriError::Host),
            ("https:///app.example.com/cb", RedirectUriError::Host),
            ("https://%61pp.example.com/cb", RedirectUriError::Host),
            ("https://app.example.com:/cb", RedirectUriError::Host),
            ("http://2130706433/cb", RedirectUriError::Host),
            ("http://127.1/cb", RedirectUriError::Host),
            ("http://0x7f.0.0.1/cb", RedirectUriError::Host),
            ("https://\u{430}pp.example.com/cb", RedirectUriError::Part),
            ("https://app.example.com/\u{e9}", RedirectUriError::Part),
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
            "https://APP.example.com:8443?x=1",
            "http://localhost",
        ] {
            assert_eq!(RedirectUri::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_was_registered_by_earlier_rules_is_read() {
        for text in ["https://@app.example.com/cb", "https://app.example.com/\u{e9}"] {
            assert!(RedirectUri::parse(text).is_err());
            let read: RedirectUri = serde_json::from_value(serde_json::json!(text)).unwrap();
            assert_eq!(read.as_str(), text);
        }
    }
}
