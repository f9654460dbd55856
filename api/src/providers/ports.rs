//! What providers need from outside. Adapters are chosen in `wiring`.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use domain::value::ProviderSecretId;
use openidconnect::{HttpRequest, HttpResponse};
use zeroize::Zeroizing;

/// A future whose type has no name.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// There was no answer, and why, for the log.
#[derive(Debug)]
pub(crate) struct NoAnswer(pub(crate) String);

/// Requests to providers: bounded in size, never redirected, each within its time.
pub(crate) trait CallProvider: Send + Sync {
    /// Sends a request and gathers the answer.
    fn call(&self, request: HttpRequest, within: Duration) -> Boxed<'_, Result<HttpResponse, NoAnswer>>;
}

/// A client secret cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the client secret cannot be read: {0}")]
pub(crate) struct SecretUnreadable(pub(crate) String);

/// Where client secrets for providers are sealed.
pub(crate) trait OpenClientSecret: Send + Sync {
    /// Opens one.
    fn open(&self, id: ProviderSecretId) -> Boxed<'_, Result<Zeroizing<String>, SecretUnreadable>>;
}
