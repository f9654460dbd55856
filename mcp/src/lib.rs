//! The Model Context Protocol on the wire: JSON-RPC envelope, revisions, headers, SSE and streamable-HTTP upstreams.
//!
//! Made for carrying messages, not for answering them. A message is read just far enough to decide about it and
//! its bytes travel on untouched: typed models drop the fields that they do not know, and a newer revision
//! would arrive crippled. Absent on purpose: tenants, policy, sessions of our own, routing, authentication.
//!
//! The way of one call:
//!
//! ```text
//! client body --> envelope::Message      what is asked, read from the body alone
//! client head --> headers, origin        era, mirrored headers, media types, Origin
//!                 forward_headers        what may travel on, in both directions
//!                 upstream::Upstream     the pooled connection, its timeouts and limits
//! upstream    --> relay::relay           bytes as they come; lists filtered; a cut stream gets its last word
//! both ways       memory::ByteBudget     what all calls together may hold
//! and for us      client::Client         asking a server on our own account
//! several servers members                names, merged lists, and what is rewritten between eras
//! ```

pub mod revision;

pub mod error;

pub mod memory;

pub mod envelope;

pub mod headers;

pub mod origin;

pub mod forward_headers;

pub mod challenge;

pub mod sse;

pub mod tools;

pub mod upstream;

pub mod relay;

pub mod spoken;

pub mod client;

pub mod members;

mod json;

#[cfg(test)]
mod scripted_server;
