//! What the gateway needs from outside, as capabilities. Adapters are chosen in `wiring`.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use domain::value::{AuthorizationId, ConnectionId, ProviderScope, Timestamp};
use http::HeaderValue;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A future whose type has no name.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Seals an upstream's session id for one principal at one place, so that a stolen id is of no use to anybody else and no state is kept.
pub trait SealSession: Send + Sync {
    /// The id that the client gets; `None` when sealing is impossible.
    fn seal(&self, place: &str, upstream_session: &[u8]) -> Option<String>;
    /// The upstream's id, if the client's was sealed for this place.
    fn open(&self, place: &str, client_session: &str) -> Option<Vec<u8>>;
}

/// Ids, digests and seals of call records, without waiting.
pub trait SealCalls: Send + Sync {
    /// A fresh id of a moment: a UUIDv7 (RFC 9562, 5.7).
    fn id(&self, at: Timestamp) -> Uuid;
    /// A digest of arguments under a key of the deployment.
    fn digest(&self, arguments: &[u8]) -> Vec<u8>;
    /// Seals the arguments of one call; `None` when sealing is impossible.
    fn seal(&self, call: Uuid, arguments: &[u8]) -> Option<Vec<u8>>;
    /// Opens what was sealed for this call.
    fn open(&self, call: Uuid, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
}

/// The vault does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the credentials of this connection cannot be read: {0}")]
pub struct SecretsUnavailable(pub String);

/// The fields of one version of a connection's secrets.
pub type Secrets = BTreeMap<String, Zeroizing<String>>;

/// Opens the credentials of a connection. Asked once for each version, then remembered.
pub trait OpenSecrets: Send + Sync {
    /// The fields of this version; `None` when there is no such version.
    fn open(
        &self,
        connection: ConnectionId,
        version: u32,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Secrets>, SecretsUnavailable>> + Send + '_>>;
}

/// Why there is no token for an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoUpstreamToken {
    /// Somebody must authorize the connection again.
    Needed,
    /// It cannot be read or renewed right now.
    Unavailable,
}

/// What stands in `Authorization` for upstreams that are authorized by OAuth.
pub trait UpstreamTokens: Send + Sync {
    /// What is in memory and still counts, without waiting.
    fn held(&self, connection: ConnectionId, authorization: AuthorizationId) -> Option<HeaderValue>;

    /// What counts, read or renewed now.
    fn token(
        &self,
        connection: ConnectionId,
        authorization: AuthorizationId,
    ) -> Boxed<'_, Result<HeaderValue, NoUpstreamToken>>;

    /// Another one in place of what the upstream refused.
    fn refused<'a>(
        &'a self,
        connection: ConnectionId,
        authorization: AuthorizationId,
        presented: &'a HeaderValue,
    ) -> Boxed<'a, Result<HeaderValue, NoUpstreamToken>>;

    /// Notes that the upstream wants more than was allowed.
    fn wanted(
        &self,
        connection: ConnectionId,
        authorization: AuthorizationId,
        scopes: BTreeSet<ProviderScope>,
    ) -> Boxed<'_, ()>;
}
