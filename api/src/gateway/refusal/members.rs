//! How an instance with several connections refuses, which is the MCP server that its clients speak to.

use http::StatusCode;
use mcp::error::code;
use mcp::revision::Era;

use super::Refusal;

/// There is nothing to listen to.
pub(super) const NO_STREAM: &str = "no-stream";

impl Refusal {
    /// A GET at an instance with several connections.
    pub(in crate::gateway) fn no_stream() -> Self {
        let message = "an instance with several connections has no stream to listen to";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code::INVALID_REQUEST, NO_STREAM, message)
    }

    /// A request of the handshake era without the session that it is of (MCP 2025-11-25, session management).
    pub(in crate::gateway) fn session_missing() -> Self {
        let message = "initialize first, and send Mcp-Session-Id with every request after that";
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, "session-missing", message)
    }

    /// To whoever shook hands, a 404 would say that the session is over.
    pub(in crate::gateway) fn unknown_method(era: Era) -> Self {
        let status = match era {
            Era::Modern => StatusCode::NOT_FOUND,
            Era::Legacy => StatusCode::OK,
        };
        let message = "an instance with several connections does not offer this method";
        Self::new(status, code::METHOD_NOT_FOUND, "method-unknown", message)
    }

    /// No member has such a tool, or such a prompt.
    pub(in crate::gateway) fn unknown_name() -> Self {
        let message = "there is nothing of that name; it begins with that of a member, as in wiki__search";
        Self::new(StatusCode::OK, code::INVALID_PARAMS, "name-unknown", message)
    }

    /// A cursor that this caller was never given here.
    pub(in crate::gateway) fn unknown_cursor() -> Self {
        let message = "this cursor leads nowhere; list again from the beginning";
        Self::new(StatusCode::OK, code::INVALID_PARAMS, "cursor-unknown", message)
    }
}
