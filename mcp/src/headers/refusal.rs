//! Why the headers of a request are refused, each with its code and its stable reason.

use http::{HeaderName, StatusCode};
use thiserror::Error;

use crate::error::{RpcError, code};
use crate::revision::Revision;

/// The headers, or what a request must say beside them, are refused. Answered under the id of the request.
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
        /// What such a request may name: the older ones are agreed on by a handshake, as `server/discover` has it too.
        supported: Vec<Revision>,
    },
    /// A modern request lacks a member of its `_meta` that it must carry.
    #[error("the member `{0}` of `params._meta` is missing")]
    MetaMissing(&'static str),
    /// A modern request for a method that its revision took away.
    #[error("this revision of the protocol has no such method")]
    MethodRemoved,
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
            Self::MetaMissing(_) => "meta-missing",
            Self::MethodRemoved => "method-removed",
            Self::UnsupportedVersion { .. } | Self::UnsupportedLegacyVersion => {
                "unsupported-protocol-version"
            }
        }
    }

    /// The HTTP status beside the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MethodRemoved => StatusCode::NOT_FOUND,
            Self::Duplicate(_)
            | Self::Missing(_)
            | Self::Malformed(_)
            | Self::Mismatch(_)
            | Self::UnsupportedVersion { .. }
            | Self::MetaMissing(_)
            | Self::UnsupportedLegacyVersion => StatusCode::BAD_REQUEST,
        }
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
            Self::MetaMissing(member) => error(code::INVALID_PARAMS).with("member", *member),
            Self::MethodRemoved => error(code::METHOD_NOT_FOUND),
            Self::UnsupportedLegacyVersion => error(code::INVALID_REQUEST),
        }
    }
}
