//! The `Origin` check that keeps web pages from talking to a server behind the user's back (DNS rebinding).
//!
//! Programs send no `Origin` and pass; browsers always do, and only the listed ones pass. `null`, which sandboxed
//! pages send, is never listed. Required by every revision since 2025-03-26; refused with 403.

use http::{HeaderMap, StatusCode, header};
use thiserror::Error;
use url::{Origin, Url};

use crate::error::{RpcError, code};

/// The origins whose pages may call.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<Origin>);

/// The text is not an http(s) origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an origin: expected http(s)://host[:port]")]
pub struct NotAnOrigin;

/// The page may not call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OriginRefused {
    /// Two lines, of which one would be believed.
    #[error("the header origin is there more than once")]
    Duplicate,
    /// Not an origin, `null` included.
    #[error("the origin is malformed")]
    Malformed,
    /// Not on the list.
    #[error("the origin is not allowed")]
    NotAllowed,
}

impl OriginRefused {
    /// The HTTP status beside the answer.
    pub const fn status(self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    /// The stable word in `data.reason`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate-header",
            Self::Malformed => "origin-malformed",
            Self::NotAllowed => "origin-not-allowed",
        }
    }

    /// The answer; it names no request, because a refused page learns nothing.
    pub fn rpc_error(self) -> RpcError {
        RpcError::new(code::DENIED, self.reason(), self.to_string())
    }
}

impl AllowedOrigins {
    /// Reads a list such as `https://app.example.com, http://127.0.0.1:8080`.
    pub fn parse<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAnOrigin> {
        let origins = origins.into_iter().map(|origin| parse(origin).ok_or(NotAnOrigin));
        origins.collect::<Result<_, _>>().map(Self)
    }

    /// Passes requests without an `Origin` and those from a listed one.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), OriginRefused> {
        let mut lines = headers.get_all(header::ORIGIN).into_iter();
        let Some(line) = lines.next() else { return Ok(()) };
        if lines.next().is_some() {
            return Err(OriginRefused::Duplicate);
        }
        let origin = line.to_str().ok().and_then(parse).ok_or(OriginRefused::Malformed)?;
        if self.0.contains(&origin) { Ok(()) } else { Err(OriginRefused::NotAllowed) }
    }
}

/// Normalised by the URL standard: lower-case host, default port filled in. Anything beyond the origin is refused.
fn parse(text: &str) -> Option<Origin> {
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    let web = matches!(url.scheme(), "http" | "https");
    (bare && anonymous && web && !text.contains('@')).then(|| url.origin())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(lines: &[&str]) -> Result<(), OriginRefused> {
        let allowed =
            AllowedOrigins::parse(["https://app.example.com", "http://127.0.0.1:8080"]).expect("origins");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ORIGIN, HeaderValue::from_str(line).expect("a value"));
        }
        allowed.check(&headers)
    }

    #[test]
    fn two_lines_are_refused_even_when_both_are_allowed() {
        assert_eq!(check(&["http://127.0.0.1:8080", "http://127.0.0.1:8080"]), Err(OriginRefused::Duplicate));
    }

    #[test]
    fn null_and_what_is_no_origin_are_malformed() {
        for line in
            ["null", "", "*", "app.example.com", "file:///etc", "https://app.example.com/path", "http://a@b"]
        {
            assert_eq!(check(&[line]), Err(OriginRefused::Malformed), "{line}");
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_not_allowed() {
        for line in ["http://app.example.com", "https://app.example.com.evil.net", "http://127.0.0.1:8081"] {
            assert_eq!(check(&[line]), Err(OriginRefused::NotAllowed), "{line}");
        }
    }

    #[test]
    fn no_origin_passes_and_so_does_a_listed_one_in_any_spelling() {
        for lines in [&[][..], &["https://app.example.com"], &["https://APP.example.com:443"]] {
            assert_eq!(check(lines), Ok(()), "{lines:?}");
        }
    }
}
