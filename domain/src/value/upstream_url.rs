//! Where an upstream MCP server listens.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::text_value;

/// An absolute http or https URL whose host is written the way it is dialled: no user info, no fragment.
///
/// The text is kept. It must mean one address to every reader of URLs, so spellings that a lenient reader would rewrite
/// (`http://0x7f.1`, `https:host`, `https://ex%61mple.com`) are refused: what an administrator reads is what is called.
/// Which addresses may be called at all is the gateway's decision at connect time, after name resolution.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct UpstreamUrl(String);

const UPSTREAM_URL_BYTES_MAX: usize = 2_048;

/// Why a text is not an upstream's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamUrlError {
    /// Longer than servers accept.
    #[error("an upstream URL has at most {UPSTREAM_URL_BYTES_MAX} bytes")]
    TooLong,
    /// Neither http nor https, or not absolute.
    #[error("an upstream URL starts with https:// or http://")]
    Scheme,
    /// User info, a fragment, a backslash, or anything that is not visible ASCII.
    #[error(
        "an upstream URL has no user name or password (credentials belong to a connection), no fragment, no backslash and only \
         visible ASCII (an international host name is written in its xn-- form)"
    )]
    Part,
    /// No host, or one in another spelling than the canonical one, or a port that does not exist.
    #[error(
        "an upstream URL names its host plainly, such as https://mcp.example.com/mcp or http://127.0.0.1:3001/mcp"
    )]
    Host,
}

impl UpstreamUrl {
    /// Checks an address and keeps its text.
    pub fn parse(text: &str) -> Result<Self, UpstreamUrlError> {
        if text.len() > UPSTREAM_URL_BYTES_MAX {
            return Err(UpstreamUrlError::TooLong);
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(UpstreamUrlError::Scheme)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || text.contains(['#', '\\']) || authority.contains('@') {
            return Err(UpstreamUrlError::Part);
        }
        let url = Url::parse(text).map_err(|_| UpstreamUrlError::Host)?;
        let written = host_of(authority);
        let is_plain = url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(written));
        if !is_plain || url.port() == Some(0) {
            return Err(UpstreamUrlError::Host);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address that stands in place of a name, where one does.
    pub fn address(&self) -> Option<IpAddr> {
        match Url::parse(&self.0).ok()?.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// Whether both are at one origin (RFC 6454): the same scheme, host and port, however they are written.
    pub fn is_at_origin_of(&self, other: &Self) -> bool {
        match (Url::parse(&self.0), Url::parse(&other.0)) {
            (Ok(own), Ok(other)) => own.origin() == other.origin(),
            (Ok(_) | Err(_), _) => false,
        }
    }
}

/// The host part of `host:port`, with the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    match authority.find(']') {
        Some(end) => authority.get(..=end).unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

text_value!(UpstreamUrl, UpstreamUrlError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        for (text, error) in [
            ("", UpstreamUrlError::Scheme),
            ("/mcp", UpstreamUrlError::Scheme),
            ("https:mcp.example.com", UpstreamUrlError::Scheme),
            ("ftp://mcp.example.com/", UpstreamUrlError::Scheme),
            ("stdio://server", UpstreamUrlError::Scheme),
            ("https:///mcp.example.com", UpstreamUrlError::Host),
            ("https://", UpstreamUrlError::Host),
            ("https://:443/mcp", UpstreamUrlError::Host),
            ("http://0x7f.1/mcp", UpstreamUrlError::Host),
            ("http://2130706433/mcp", UpstreamUrlError::Host),
            ("https://ex%61mple.com/mcp", UpstreamUrlError::Host),
            ("https://mcp.example.com:0/mcp", UpstreamUrlError::Host),
            ("https://mcp.example.com:99999/mcp", UpstreamUrlError::Host),
            ("https://ann:pw@mcp.example.com/mcp", UpstreamUrlError::Part),
            ("https://@mcp.example.com/mcp", UpstreamUrlError::Part),
            ("https://mcp.example.com/mcp#top", UpstreamUrlError::Part),
            ("https://mcp.example.com\\@evil.example/", UpstreamUrlError::Part),
            ("https://mcp.example.com/a b", UpstreamUrlError::Part),
            ("https://mcp.example.com/\r\nHost: evil", UpstreamUrlError::Part),
            ("https://関所.example/mcp", UpstreamUrlError::Part),
        ] {
            assert_eq!(UpstreamUrl::parse(text), Err(error), "{text}");
        }
        let long = format!("https://mcp.example.com/{}", "a".repeat(2_048));
        assert_eq!(UpstreamUrl::parse(&long), Err(UpstreamUrlError::TooLong));
    }

    #[test]
    fn scheme_host_and_port_are_the_origin_and_nothing_else_is() {
        let here = UpstreamUrl::parse("https://mcp.example.com/mcp").unwrap();
        for other in
            ["http://mcp.example.com/mcp", "https://mcp.example.net/mcp", "https://mcp.example.com:444/mcp"]
        {
            assert!(!here.is_at_origin_of(&UpstreamUrl::parse(other).unwrap()), "{other}");
        }
        for same in ["https://MCP.example.com:443/", "https://mcp.example.com/v2?tenant=1"] {
            assert!(here.is_at_origin_of(&UpstreamUrl::parse(same).unwrap()), "{same}");
        }
    }

    #[test]
    fn an_address_in_place_of_a_name_is_known() {
        for (text, address) in [
            ("https://mcp.example.com/mcp", None),
            ("http://localhost:3001/mcp", None),
            ("http://127.0.0.1:3001/mcp", Some("127.0.0.1")),
            ("http://[::1]:3001/mcp", Some("::1")),
        ] {
            let known = UpstreamUrl::parse(text).unwrap().address();
            assert_eq!(known.map(|address| address.to_string()).as_deref(), address, "{text}");
        }
    }

    #[test]
    fn the_registered_text_is_kept() {
        for text in [
            "https://mcp.example.com/mcp",
            "https://MCP.example.com:443/mcp?tenant=1",
            "http://127.0.0.1:3001/mcp",
            "http://[::1]:3001/mcp",
            "http://localhost",
            "https://xn--8prx4s.example/mcp",
        ] {
            assert_eq!(UpstreamUrl::parse(text).unwrap().as_str(), text);
        }
    }
}
