//! HTTP headers of the streamable-HTTP transport: their names, and the checks that a request must pass.
//!
//! Headers repeat parts of the body so that machines in between need not read it. They are therefore checked against
//! the body and never believed by themselves: no decision here or in a caller may rest on `Mcp-Method` or `Mcp-Name`.

mod media;
mod mirrored;
mod refusal;
mod repeated;

pub use media::{MediaError, check_get_media, check_post_media, has_type, is_event_stream, is_json};
pub use mirrored::{Stated, check_bodiless, check_message};
pub use refusal::HeaderError;
pub use repeated::{BadAnnotation, RepeatedArguments, encode};

use http::HeaderName;

/// The revision that the request is written in; on every modern request, on legacy ones after `initialize`.
pub const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Repeats `method` (2026-07-28).
pub const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// Repeats the target of the method (2026-07-28).
pub const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The session of legacy revisions.
pub const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Where a legacy client resumes a stream.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Headers that repeat single tool arguments start like this (2026-07-28).
pub const MCP_PARAM_PREFIX: &str = "mcp-param-";
/// Tells buffering proxies in front of us to let a stream flow.
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

#[cfg(test)]
mod tests;
