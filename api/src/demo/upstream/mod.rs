//! The MCP server that `sekisho demo` puts behind its own gateway: four tools, one resource, one prompt.
//!
//! Small, but honest: it answers both eras on one endpoint as the specification has it, so that a client behind the
//! gateway sees every kind of thing a server can offer. Up to 2025-11-25 a client opens with `initialize` and holds
//! a session; since 2026-07-28 each request stands alone.
//!
//! ```text
//! POST --> accept    origin, media, envelope, headers: what both eras refuse
//!            |--> modern   _meta of the request, server/discover ---|
//!            '--> legacy   session, initialize, ping ---------------+--> ask   tools, resources, prompts
//!                                                     answer <------'     |
//!                                                     stream <------------' a slow call, step by step
//! ```
//!
//! Absent on purpose: authentication (it listens on loopback, behind the gateway), batches, requests to the client,
//! resumable streams, and `subscriptions/listen`, because nothing here ever changes. No tool needs a capability of
//! the client, so -32021 is never answered.

mod accept;
mod answer;
mod ask;
mod legacy;
mod modern;
mod params;
mod prompts;
mod refusal;
mod resources;
mod sessions;
mod stream;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use domain::value::Clock;
use mcp::origin::AllowedOrigins;
use mcp::revision::Revision;
use tokio::sync::Semaphore;

use sessions::Sessions;

/// The largest request body. Nothing that the tools take comes near it.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Slow calls that may run at once, over all callers.
const SLOW_CALLS_MAX: usize = 1_000;

/// What a request can name in its header.
const SPOKEN: [Revision; 4] =
    [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28];
/// What a request can name in its `_meta`.
const MODERN: [Revision; 1] = [Revision::V2026_07_28];

/// The server's one endpoint, `/mcp`. A GET is answered 405: there is nothing that it would announce unasked.
pub fn router(clock: Arc<dyn Clock>) -> Router {
    routes(Arc::new(Server::new(clock)))
}

fn routes(server: Arc<Server>) -> Router {
    Router::new()
        .route("/mcp", post(accept::accept).delete(legacy::terminate))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(server)
}

/// What all requests share.
struct Server {
    clock: Arc<dyn Clock>,
    /// None: a page in a browser has no business here, not even one from this machine.
    origins: AllowedOrigins,
    sessions: Arc<Sessions>,
    slow_calls: Arc<Semaphore>,
}

impl Server {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            origins: AllowedOrigins::default(),
            sessions: Arc::default(),
            slow_calls: Arc::new(Semaphore::new(SLOW_CALLS_MAX)),
        }
    }
}

#[cfg(test)]
mod tests;
