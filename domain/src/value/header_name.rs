//! Names of the headers in which an upstream takes its credentials.

use serde::{Deserialize, Serialize};

use super::text_value;

/// A header that a connection may set on calls to its upstream: a token in lower case (RFC 9110, 5.1 and 5.6.2).
///
/// Absent are the headers by which the gateway itself frames, routes and negotiates: a credential there would let a tenant
/// change where a message goes or where it ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct HeaderName(String);

const HEADER_NAME_BYTES_MAX: usize = 128;

/// Framing, hop-by-hop (RFC 9110, 7.6.1) and negotiation: the gateway's own.
const OWNED: [&str; 14] = [
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "forwarded",
];

/// Families of which every member is the gateway's own.
const OWNED_PREFIXES: [&str; 3] = ["proxy-", "mcp-", "x-forwarded-"];

/// Why a text is not a header for credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderNameError {
    /// Not a token, or too long.
    #[error(
        "a header name has 1 to {HEADER_NAME_BYTES_MAX} letters, digits and dashes, such as authorization or x-api-key"
    )]
    Token,
    /// One that the gateway sets.
    #[error("the gateway sets this header itself; a connection cannot")]
    Owned,
}

impl HeaderName {
    /// Lower-cases and checks a name: header names have no case.
    pub fn parse(text: &str) -> Result<Self, HeaderNameError> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || text.len() > HEADER_NAME_BYTES_MAX || !text.bytes().all(token) {
            return Err(HeaderNameError::Token);
        }
        let name = text.to_ascii_lowercase();
        if OWNED.contains(&name.as_str()) || OWNED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            return Err(HeaderNameError::Owned);
        }
        Ok(Self(name))
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(HeaderName, HeaderNameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_or_routes_a_message_is_not_for_credentials() {
        for text in [
            "host",
            "Content-Length",
            "transfer-encoding",
            "CONNECTION",
            "upgrade",
            "te",
            "trailer",
            "proxy-authorization",
            "mcp-session-id",
            "Mcp-Protocol-Version",
            "accept",
            "content-type",
            "x-forwarded-host",
        ] {
            assert_eq!(HeaderName::parse(text), Err(HeaderNameError::Owned), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        for text in ["", "x api key", "x:y", "x\r\ny", "鍵", ":authority", &"x".repeat(129)] {
            assert_eq!(HeaderName::parse(text), Err(HeaderNameError::Token), "{text}");
        }
    }

    #[test]
    fn the_usual_places_of_credentials_are_taken_in_lower_case() {
        for text in ["Authorization", "X-Api-Key", "x-goog-api-key", "cookie"] {
            assert_eq!(HeaderName::parse(text).unwrap().as_str(), text.to_lowercase());
        }
    }
}
