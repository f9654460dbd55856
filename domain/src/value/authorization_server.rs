//! Who gives out tokens for an upstream: the issuer of an authorization server (RFC 8414, 2), as it spells itself.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::text_value;

/// An issuer of tokens for upstreams. The text is kept, because it is compared exactly (RFC 8414, 3.3; RFC 9207, 2.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct AuthorizationServer(String);

const ISSUER_BYTES_MAX: usize = 512;

/// Why a text is not an authorization server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an authorization server is named by an https address (http on this machine) without query, fragment and user name, with at most \
     {ISSUER_BYTES_MAX} bytes"
)]
pub struct AuthorizationServerError;

impl AuthorizationServer {
    /// Checks an issuer and keeps its text.
    pub fn parse(text: &str) -> Result<Self, AuthorizationServerError> {
        let plain = text.len() <= ISSUER_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url = Url::parse(text).ok().filter(|_| plain).ok_or(AuthorizationServerError)?;
        let bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if bare && is_private(&url) { Ok(Self(text.to_owned())) } else { Err(AuthorizationServerError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(AuthorizationServer, AuthorizationServerError);

/// Whether nobody on the way reads what is sent there: https, or a name of this very machine (RFC 6761, 6.3).
pub fn is_private(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_that_anybody_on_the_way_could_speak_for_is_refused() {
        for text in [
            "",
            "id.example.com",
            "http://id.example.com",
            "http://localhost.example.com",
            "https://id.example.com?tenant=1",
            "https://id.example.com#x",
            "https://ann@id.example.com",
            "https://id.example.com/\n",
            "https://id.example.com\\@evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(AuthorizationServer::parse(text), Err(AuthorizationServerError), "{text}");
        }
    }

    #[test]
    fn an_issuer_keeps_its_text() {
        for text in ["https://id.example.com", "https://id.example.com/", "http://localhost:9000/realms/a"] {
            assert_eq!(AuthorizationServer::parse(text).unwrap().as_str(), text);
        }
    }
}
