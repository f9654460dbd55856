//! Why a body is not a message that can be carried, each with its code and its stable reason.

use http::StatusCode;
use thiserror::Error;

use crate::error::{RpcError, code};

/// The body is refused. Answered 400, under the id that [`super::Message::readable_id`] finds in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// JSON is UTF-8 (RFC 8259, section 8.1).
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not one JSON text.
    #[error("the body is not JSON")]
    NotJson,
    /// Arrays and scalars; batches ended with 2025-06-18.
    #[error("the body is not one JSON object")]
    NotAnObject,
    /// Deeper than [`super::MCP_JSON_DEPTH_MAX`].
    #[error("the body nests too deep")]
    TooDeep,
    /// The member stands there twice, and readers differ in which one counts.
    #[error("the member `{0}` is there more than once")]
    Duplicate(&'static str),
    /// A member that some readers take for this one.
    #[error("a member differs from `{0}` only by case")]
    LookAlike(&'static str),
    /// `jsonrpc` is absent or not "2.0".
    #[error("`jsonrpc` is not \"2.0\"")]
    WrongVersion,
    /// The member has a type that the protocol does not allow.
    #[error("the member `{0}` has the wrong type")]
    WrongType(&'static str),
    /// Neither a method nor an outcome.
    #[error("the message is neither request, notification nor response")]
    NoKind,
    /// A method beside an outcome, or a result beside an error.
    #[error("the message is two kinds at once")]
    TwoKinds,
    /// `tools/call` without a `params.name` string: no tool, no decision.
    #[error("`tools/call` names no tool")]
    ToolNameMissing,
}

impl EnvelopeError {
    /// The stable word in `data.reason`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "not-utf8",
            Self::NotJson => "not-json",
            Self::NotAnObject => "not-an-object",
            Self::TooDeep => "json-too-deep",
            Self::Duplicate(_) => "duplicate-member",
            Self::LookAlike(_) => "look-alike-member",
            Self::WrongVersion => "wrong-jsonrpc-version",
            Self::WrongType(_) => "wrong-type",
            Self::NoKind => "no-message-kind",
            Self::TwoKinds => "two-message-kinds",
            Self::ToolNameMissing => "tool-name-missing",
        }
    }

    /// The HTTP status beside the answer.
    pub const fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    /// The answer.
    pub fn rpc_error(&self) -> RpcError {
        let code = match self {
            Self::NotUtf8 | Self::NotJson => code::PARSE_ERROR,
            Self::ToolNameMissing => code::INVALID_PARAMS,
            Self::NotAnObject
            | Self::TooDeep
            | Self::Duplicate(_)
            | Self::LookAlike(_)
            | Self::WrongVersion
            | Self::WrongType(_)
            | Self::NoKind
            | Self::TwoKinds => code::INVALID_REQUEST,
        };
        RpcError::new(code, self.reason(), self.to_string())
    }
}
