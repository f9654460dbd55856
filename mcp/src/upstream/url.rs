//! The address of an upstream, checked once so that no request has to.

use http::Uri;
use thiserror::Error;
use url::Url;

/// An absolute http(s) address with a host, without user info and fragment. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamUrl(Uri);

/// The text is no usable upstream address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAnUpstreamUrl {
    /// Not a URL.
    #[error("not a URL")]
    Malformed,
    /// Another scheme than http and https.
    #[error("the scheme must be http or https")]
    Scheme,
    /// `user:password@`: credentials have their own place, where they are sealed.
    #[error("user info is not allowed in the address")]
    UserInfo,
    /// `#...` never reaches a server.
    #[error("a fragment is not allowed in the address")]
    Fragment,
}

impl UpstreamUrl {
    /// Reads and normalises an address by the URL standard.
    pub fn parse(text: &str) -> Result<Self, NotAnUpstreamUrl> {
        let url = Url::parse(text).map_err(|_| NotAnUpstreamUrl::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NotAnUpstreamUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAnUpstreamUrl::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(NotAnUpstreamUrl::Fragment);
        }
        let uri = Uri::try_from(url.as_str()).map_err(|_| NotAnUpstreamUrl::Malformed)?;
        Ok(Self(uri))
    }

    /// The address in the form that requests carry.
    pub const fn uri(&self) -> &Uri {
        &self.0
    }

    /// Scheme, host and port alone.
    pub fn origin(&self) -> String {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}", self.0.scheme_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_could_mislead_is_refused() {
        for (text, why) in [
            ("", NotAnUpstreamUrl::Malformed),
            ("/mcp", NotAnUpstreamUrl::Malformed),
            ("http://", NotAnUpstreamUrl::Malformed),
            ("file:///etc/passwd", NotAnUpstreamUrl::Scheme),
            ("ftp://h/", NotAnUpstreamUrl::Scheme),
            ("http://user@h/mcp", NotAnUpstreamUrl::UserInfo),
            ("http://:secret@h/mcp", NotAnUpstreamUrl::UserInfo),
            ("http://h/mcp#x", NotAnUpstreamUrl::Fragment),
        ] {
            assert_eq!(UpstreamUrl::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn path_and_query_stay() {
        let url = UpstreamUrl::parse("HTTPS://Example.com:8443/mcp/?a=%20b").expect("an address");
        assert_eq!(url.uri().to_string(), "https://example.com:8443/mcp/?a=%20b");
        assert_eq!(url.origin(), "https://example.com:8443");
    }
}
