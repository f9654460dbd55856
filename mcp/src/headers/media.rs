//! Media types: what a request must send, and what it must be ready to receive.

use http::{HeaderMap, StatusCode, header};
use thiserror::Error;

use crate::error::{RpcError, code};

/// The media types of a request do not fit the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MediaError {
    /// A POST whose body is not declared as JSON.
    #[error("the content type must be application/json")]
    UnsupportedContentType,
    /// The client takes none of the forms that an answer can have.
    #[error("the client accepts neither application/json nor text/event-stream")]
    NotAcceptable,
}

impl MediaError {
    /// The HTTP status beside the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::UnsupportedContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        }
    }

    /// The stable word in `data.reason`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::UnsupportedContentType => "unsupported-content-type",
            Self::NotAcceptable => "not-acceptable",
        }
    }

    /// The answer.
    pub fn rpc_error(self) -> RpcError {
        RpcError::new(code::INVALID_REQUEST, self.reason(), self.to_string())
    }
}

/// A POST sends JSON and takes JSON or a stream. A missing `Accept` takes anything (RFC 9110, section 12.5.1); a
/// client that takes only one of the two is left to the upstream, which knows what it will answer.
pub fn check_post_media(headers: &HeaderMap) -> Result<(), MediaError> {
    if !is_json(headers) {
        return Err(MediaError::UnsupportedContentType);
    }
    if headers.contains_key(header::ACCEPT)
        && !accepts(headers, "application", "json")
        && !accepts(headers, "text", "event-stream")
    {
        return Err(MediaError::NotAcceptable);
    }
    Ok(())
}

/// A GET opens a stream only for a client that asks for one by name: a browser's `*/*` is a visit, not a listener.
pub fn check_get_media(headers: &HeaderMap) -> Result<(), MediaError> {
    let named = ranges(headers).any(|range| range.subtype.eq_ignore_ascii_case("event-stream"));
    if named && accepts(headers, "text", "event-stream") { Ok(()) } else { Err(MediaError::NotAcceptable) }
}

/// Whether the content type is `application/json`, whatever its parameters.
pub fn is_json(headers: &HeaderMap) -> bool {
    has_type(headers, "application/json")
}

/// Whether the content type is `text/event-stream`, whatever its parameters.
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    has_type(headers, "text/event-stream")
}

/// Whether the content type is this one, whatever its parameters.
pub fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted))
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    refused: bool,
}

fn ranges(headers: &HeaderMap) -> impl Iterator<Item = Range<'_>> {
    let lines = headers.get_all(header::ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        });
        Some(Range { kind, subtype, refused })
    })
}

/// The most specific range that covers the type decides; `q=0` refuses it (RFC 9110, section 12.4.2).
fn accepts(headers: &HeaderMap, kind: &str, subtype: &str) -> bool {
    let mut best: Option<(u8, bool)> = None;
    for range in ranges(headers) {
        let rank = if range.kind.eq_ignore_ascii_case(kind) && range.subtype.eq_ignore_ascii_case(subtype) {
            3
        } else if range.kind.eq_ignore_ascii_case(kind) && range.subtype == "*" {
            2
        } else if range.kind == "*" && range.subtype == "*" {
            1
        } else {
            continue;
        };
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, !range.refused));
        }
    }
    best.is_some_and(|(_, taken)| taken)
}
