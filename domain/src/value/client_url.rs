//! The address of a document that describes a client, where that address is the client's identifier (draft-ietf-oauth-client-id-metadata-document).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::text_value;

/// An identifier of a client that is a URL. The text is kept, because it is compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ClientUrl(String);

const CLIENT_URL_BYTES_MAX: usize = 512;

/// Why a text is not the address of a client's document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a client id that is a URL is an https address (http on 127.0.0.1 or [::1]) with a path, in its one normal spelling, without fragment, user name and dot segments, with at most {CLIENT_URL_BYTES_MAX} bytes"
)]
pub struct ClientUrlError;

impl ClientUrl {
    /// Checks an address and keeps its text. One spelling of each: dot segments, numbers that stand for an address, the port that goes without
    /// saying and an empty user name are other spellings, and no identifiers.
    pub fn parse(text: &str) -> Result<Self, ClientUrlError> {
        let plain = text.len() <= CLIENT_URL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let url = Url::parse(text).ok().filter(|url| plain && url.as_str() == text).ok_or(ClientUrlError)?;
        let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        let leads_somewhere = is_private(&url) && url.path().len() > 1;
        if bare && leads_somewhere { Ok(Self(text.to_owned())) } else { Err(ClientUrlError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, and the port where one is named: what a person can judge of it.
    pub fn place(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        rest.split('/').next().unwrap_or(rest)
    }
}

text_value!(ClientUrl, ClientUrlError);

/// Whether nobody on the way to an address reads or changes what comes from there.
pub(super) fn is_private(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_54_a_client_id_is_an_https_url_with_a_path_in_one_spelling() {
        for text in [
            "",
            "0192f0c1-2b3c-7d4e-8f50-112233445566",
            "http://app.example.com/client.json",
            "http://localhost:3000/client.json",
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/client.json#x",
            "https://app.example.com/client.json#",
            "https://ann@app.example.com/client.json",
            "https://ann:x@app.example.com/client.json",
            "https://@app.example.com/client.json",
            "https://app.example.com/../client.json",
            "https://app.example.com/./client.json",
            "https://app.example.com/a/%2e%2e/client.json",
            "https://app.example.com/a/%2E/client.json",
            "https://APP.example.com/client.json",
            "HTTPS://app.example.com/client.json",
            "https://app.example.com:443/client.json",
            "https:\\\\app.example.com\\client.json",
            "https://2130706433/client.json",
            "https://0x7f.1/client.json",
            "https://0177.0.0.1/client.json",
            "https://app.example.com/client json",
            "https://\u{430}pp.example.com/client.json",
            "file:///etc/passwd",
            "gopher://app.example.com/client.json",
            &format!("https://app.example.com/{}", "a".repeat(512)),
        ] {
            assert_eq!(ClientUrl::parse(text), Err(ClientUrlError), "{text}");
        }
        for (text, place) in [
            ("https://app.example.com/client.json", "app.example.com"),
            ("https://app.example.com:8443/a/client?v=1", "app.example.com:8443"),
            ("http://127.0.0.1:3000/client.json", "127.0.0.1:3000"),
        ] {
            let url = ClientUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.place()), (text, place));
        }
    }
}
