//! Keys that clients publish in place of sending them (`jwks_uri`; RFC 7591, 2): fetched when a client proves itself with them.
//!
//! ```text
//!   good by their headers, within bounds? --> taken
//!      `-> looked for, no more often than `rest` --> taken
//!             |-> something else is answered --> none: the client took its keys away
//!             `-> not to be had --> those of before, for `stale` after they were good; then the client proves nothing
//!   none of them signed the assertion? --> looked for anew, no more often than `rest`
//! ```
//! So a key that is new there is taken at once, one that is gone there counts no longer than its headers let it, and whoever sends assertions under
//! names that nobody knows causes no more than a fetch each `rest` (`oauth.md`, case 20). Nothing is fetched when a client registers.

mod read;

use std::sync::Arc;
use std::time::Duration;

use domain::value::{ClientKey, PublishedKeys};

use self::read::read;
use super::fetched::{Addressed, Dated, FetchDocument, FetchFault, Shelf, Wanted};
use crate::limits::Subscriber;

const WANTED: Wanted = Wanted { accept: "application/jwk-set+json, application/json", bytes_max: 64 * 1024 };

/// How long keys that clients publish are taken for what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedKeyLimits {
    /// Good for as long at least, whatever their headers say.
    pub good_min: Duration,
    /// Good for as long at most.
    pub good_max: Duration,
    /// After they were looked for, with or without success, they are not looked for again before this.
    pub rest: Duration,
    /// For how long they are taken after they were good, while they are not to be had.
    pub stale: Duration,
}

impl Default for PublishedKeyLimits {
    fn default() -> Self {
        Self {
            good_min: Duration::from_mins(1),
            good_max: Duration::from_hours(1),
            rest: Duration::from_secs(30),
            stale: Duration::from_hours(1),
        }
    }
}

/// The keys that clients publish, as this node knows them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeysOfClients {
    shelf: Arc<Shelf<PublishedKeys, Arc<[ClientKey]>>>,
    limits: PublishedKeyLimits,
}

impl Addressed for PublishedKeys {
    fn address(&self) -> &str {
        self.url.as_str()
    }
}

impl std::fmt::Debug for KeysOfClients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeysOfClients").field("limits", &self.limits).finish_non_exhaustive()
    }
}

type Found = Result<Arc<Dated<Arc<[ClientKey]>>>, FetchFault>;

impl KeysOfClients {
    /// Fetched by this.
    pub(crate) fn fetched_by(fetch: impl FetchDocument + 'static, limits: PublishedKeyLimits) -> Self {
        let good = (limits.good_min, limits.good_max);
        Self { shelf: Arc::new(Shelf::new(Box::new(fetch), WANTED, good, limits.stale)), limits }
    }

    /// The keys that lie there, or did not long ago.
    pub(super) async fn get(
        &self,
        at: &PublishedKeys,
        asker: Subscriber,
    ) -> Result<Arc<[ClientKey]>, FetchFault> {
        let is_good = |_, dated: &Dated<_>| dated.is_good(Duration::ZERO);
        self.or_those_of_before(at, self.shelf.get(at, asker, is_good, self.limits.rest, read).await)
    }

    /// Those that lie there now, unless somebody looked a moment ago.
    pub(super) async fn again(
        &self,
        at: &PublishedKeys,
        asker: Subscriber,
    ) -> Result<Arc<[ClientKey]>, FetchFault> {
        let rest = self.limits.rest;
        let is_new = |since: std::time::Instant, _: &Dated<_>| since.elapsed() < rest;
        self.or_those_of_before(at, self.shelf.get(at, asker, is_new, rest, read).await)
    }

    fn or_those_of_before(&self, at: &PublishedKeys, found: Found) -> Result<Arc<[ClientKey]>, FetchFault> {
        let found = found.or_else(|fault| {
            tracing::info!(client.jwks_uri = at.url.as_str(), reason = %fault, "keys that a client publishes cannot be had");
            self.shelf.held(at, self.limits.stale).ok_or(fault)
        });
        Ok(Arc::clone(&found?.value))
    }
}
