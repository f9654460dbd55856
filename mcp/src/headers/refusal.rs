//! Why the headers of a request are refused, each with its code and its stable reason.

use http::{HeaderName, StatusCode};
use thiserror::Error;

use crate::error::{RpcError, code};
use crate::revision::Revision;

/// The headers are refused. Always answered 400, under the id of the request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Two lines of a header that may have one; readers differ in which one counts.
    #[error("the header {0} is there more than once")]
    Duplicate(HeaderName),
    /// A modern request lacks a header that it must carry.
    #[error("the header {0} is missing")]
    Missing(HeaderName),
    /// Not visible ASCII, or a base64 form that cannot be decoded.
    #[error("the header {0} is malformed")]
    Malformed(HeaderName),
    /// The header says something else than the body.
    #[error("the header {0} does not match the body")]
    Mismatch(HeaderName),
    /// A modern request names a revision that is not spoken here.
    #[error("the protocol version is not supported")]
    UnsupportedVersion {
        /// What the request named.
        requested: Box<str>,
        /// What is spoken.
        supported: Vec<Revision>,
    },
    /// A legacy request does; its era has no code for it.
    #[error("the protocol version is not supported")]
    UnsupportedLegacyVersion,
}

impl HeaderError {
    /// The stable word in `data.reason`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Duplicate(_) => "duplicate-header",
            Self::Missing(_) => "header-missing",
            Self::Malformed(_) => "header-malformed",
            Self::Mismatch(_) => "header-mismatch",
            Self::UnsupportedVersion { .. } | Self::UnsupportedLegacyVersion => {
                "unsupported-protocol-version"
            }
        }
    }

    /// The HTTP status beside the answer.
    pub const fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    /// The answer.
    pub fn rpc_error(&self) -> RpcError {
        let error = |code| RpcError::new(code, self.reason(), self.to_string());
        match self {
            Self::Duplicate(name) | Self::Missing(name) | Self::Malformed(name) | Self::Mismatch(name) => {
                error(code::HEADER_MISMATCH).with("header", name.as_str())
            }
            Self::UnsupportedVersion { requested, supported } => {
                let supported: Vec<&str> = supported.iter().map(|revision| revision.as_str()).collect();
                error(code::UNSUPPORTED_PROTOCOL_VERSION)
                    .with("supported", supported)
                    .with("requested", &**requested)
            }
            Self::UnsupportedLegacyVersion => error(code::INVALID_REQUEST),
        }
    }
}
