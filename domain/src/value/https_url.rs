//! Links shown to people: pictures and pages elsewhere.

use serde::{Deserialize, Serialize};
use url::Url;

use super::text_value;

/// An absolute https URL with a host and without user info. The text is kept; nothing here is ever fetched by the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct HttpsUrl(String);

const HTTPS_URL_BYTES_MAX: usize = 2_048;

/// Why a text is not a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpsUrlError {
    /// Not absolute, not https, malformed or too long.
    #[error(
        "a link is an absolute https URL, such as https://www.example.com/page, with at most {HTTPS_URL_BYTES_MAX} bytes"
    )]
    Malformed,
    /// User info, a backslash, a blank or a control character.
    #[error("a link has no user name, backslash, blank or control character")]
    Part,
}

impl HttpsUrl {
    /// Checks a link and keeps its text.
    pub fn parse(text: &str) -> Result<Self, HttpsUrlError> {
        read(text, &["https://"]).map(Self)
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(HttpsUrl, HttpsUrlError);

/// The same, or plain http: what a client says of its own pages (RFC 7591, 2). The text is kept; nothing here is ever fetched by the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct WebUrl(String);

/// Why a text is not the address of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a page is an absolute http or https URL without user name, of at most {HTTPS_URL_BYTES_MAX} bytes")]
pub struct WebUrlError;

impl WebUrl {
    /// Checks an address and keeps its text.
    pub fn parse(text: &str) -> Result<Self, WebUrlError> {
        read(text, &["https://", "http://"]).map(Self).map_err(|_| WebUrlError)
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(WebUrl, WebUrlError);

fn read(text: &str, schemes: &[&str]) -> Result<String, HttpsUrlError> {
    if text.len() > HTTPS_URL_BYTES_MAX || !schemes.iter().any(|scheme| text.starts_with(scheme)) {
        return Err(HttpsUrlError::Malformed);
    }
    if text.contains('\\') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(HttpsUrlError::Part);
    }
    let url = Url::parse(text).map_err(|_| HttpsUrlError::Malformed)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpsUrlError::Part);
    }
    if url.host().is_some() { Ok(text.to_owned()) } else { Err(HttpsUrlError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_run_or_read_in_two_ways_is_refused() {
        for (text, error) in [
            ("", HttpsUrlError::Malformed),
            ("/picture.png", HttpsUrlError::Malformed),
            ("http://example.com/a.png", HttpsUrlError::Malformed),
            ("javascript:alert(1)", HttpsUrlError::Malformed),
            ("data:image/png;base64,AA==", HttpsUrlError::Malformed),
            ("https://", HttpsUrlError::Malformed),
            ("https://ann:pw@example.com/a.png", HttpsUrlError::Part),
            ("https://example.com\\@evil/a.png", HttpsUrlError::Part),
            ("https://example.com/a b.png", HttpsUrlError::Part),
            ("https://example.com/a\n.png", HttpsUrlError::Part),
        ] {
            assert_eq!(HttpsUrl::parse(text), Err(error), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(2_048));
        assert_eq!(HttpsUrl::parse(&long), Err(HttpsUrlError::Malformed));
    }

    #[test]
    fn item_29_a_page_of_a_client_is_http_or_https_and_nothing_that_a_browser_would_run() {
        for text in [
            "",
            "/a",
            "javascript:alert(1)",
            "vbscript:x",
            "data:image/png;base64,AA==",
            "file:///etc/passwd",
            "http://",
            "http://a@b/",
        ] {
            assert_eq!(WebUrl::parse(text), Err(WebUrlError), "{text}");
        }
        for text in ["http://127.0.0.1:3000/", "https://app.example.com/terms?a#b"] {
            assert_eq!(WebUrl::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn the_text_is_kept() {
        let text = "https://cdn.example.com/u/1.png?size=64#top";
        assert_eq!(HttpsUrl::parse(text).unwrap().as_str(), text);
    }
}
