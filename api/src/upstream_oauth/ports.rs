//! What this needs from outside. Adapters are chosen in `wiring`.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use mcp::upstream::Reach;

/// A future whose type has no name.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// There was no answer, and why, for the log.
#[derive(Debug)]
pub(crate) struct NoAnswer(pub(crate) String);

/// Requests to servers that others name, and to what those name: bounded in size and time, never redirected, each only where it may go.
pub(crate) trait CallAuthorization: Send + Sync {
    /// Sends a request and gathers the answer.
    fn call(&self, request: Request<Bytes>, reach: Reach) -> Boxed<'_, Result<Response<Bytes>, NoAnswer>>;
}
