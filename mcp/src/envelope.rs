//! The JSON-RPC envelope of one MCP message, read without touching its bytes.
//!
//! A message is taken apart only as far as decisions need: kind, id, method, and the few parameters that name a
//! target. What is decided about must be what the upstream will read, so everything that two JSON readers could
//! understand differently is refused: duplicate members, and look-alike members that differ only by case (Go's
//! `encoding/json` takes `Name` for `name`, the last one winning).
//!
//! Absent on purpose: batches (removed in 2025-06-18) and typed parameters.

mod depth;
mod message;
mod params;
mod refusal;
mod request_id;

pub use depth::MCP_JSON_DEPTH_MAX;
pub use message::{Message, MessageKind, Outcome};
pub use params::Target;
pub use refusal::EnvelopeError;
pub use request_id::{REQUEST_ID_BYTES_MAX, RequestId};

/// The largest request body that is read. Larger ones are answered 413 before they are parsed.
pub const MCP_REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// `_meta` member that names the revision of a modern request.
pub const META_PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// `_meta` member that says what the client of a modern request can do.
pub const META_CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

#[cfg(test)]
mod tests;
