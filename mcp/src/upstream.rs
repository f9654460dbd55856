//! Connections to upstream MCP servers over streamable HTTP: pooled, bounded in time and in size, never redirected.
//!
//! Every way in which an upstream can fail has a name, so that the caller can answer with a stable reason. Dropping
//! an answer closes the upstream's connection, which is how a modern server learns that the work is no longer wanted.
//!
//! Absent on purpose: retries (a tool call is not idempotent, and only whoever asks knows what is; a request of which nothing was sent, on a
//! connection that had died in the pool, the pool sends again by itself), redirects (they would carry credentials to another host), response
//! compression (lists must be readable), proxies from the environment.

mod answer;
mod classify;
mod client;
mod clock;
mod error;
mod reach;
mod url;

pub use answer::{AnswerStream, UpstreamBody, UpstreamResponse};
pub use client::{Upstream, UpstreamRequest, outbound_tls};
pub(crate) use clock::ReaderLimit;
pub use clock::{Patience, UpstreamTimeouts};
pub use error::{BadAnswer, TimeLimit, TlsSetupError, UpstreamError};
pub use reach::{AddressRefused, GuardedConnector, OpenNetworks, Reach, Resolve, SystemNames};
pub use url::{NotAnUpstreamUrl, UpstreamUrl};

/// The largest JSON answer that is carried, unless configured otherwise.
pub const JSON_ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Limits and timeouts of all connections.
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// How long each step may take.
    pub timeouts: UpstreamTimeouts,
    /// The largest JSON answer that is carried.
    pub json_answer_bytes_max: usize,
    /// The largest single event of a stream.
    pub sse_event_bytes_max: usize,
    /// How many bytes all calls together may hold.
    pub held_bytes_max: usize,
    /// How many unused connections are kept for each upstream.
    pub idle_connections_per_host_max: usize,
    /// Where requests of [`Reach::OpenNetworks`] may go.
    pub open_networks: OpenNetworks,
    /// What a refused credential is.
    pub unauthorized: Unauthorized,
}

/// What an answer 401 is to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthorized {
    /// A failure of ours, where we ask for somebody else, who holds another credential.
    IsAnError,
    /// An answer like any other, where the credential is that of whoever asks.
    IsAnAnswer,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            timeouts: UpstreamTimeouts::default(),
            json_answer_bytes_max: JSON_ANSWER_BYTES_MAX,
            sse_event_bytes_max: crate::sse::SSE_EVENT_BYTES_MAX,
            held_bytes_max: crate::memory::HELD_BYTES_MAX,
            idle_connections_per_host_max: 256,
            open_networks: OpenNetworks::new(|_| false),
            unauthorized: Unauthorized::IsAnError,
        }
    }
}

#[cfg(test)]
mod tests;
