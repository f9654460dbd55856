//! Clients whose `client_id` is the address of a document that describes them (draft-ietf-oauth-client-id-metadata-document; MCP 2026-07-28).
//!
//! Nobody is asked to consent to what a document said once: then, one that cannot be had is never answered with what was kept before. Where a client
//! proves itself, its document counts as keys at an address do (`published_keys`): what it says now, or said not long ago, and while its place is down
//! what it said before. So a key that is taken out of it proves nothing any more, and neither does anything once it is gone (`oauth.md`, case 12).
//! Nothing is written here: a client is known from the first consent on.

mod read;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::client::ClientDocument;
use domain::value::ClientUrl;

use self::read::read;
use super::fetched::{Addressed, Dated, FetchDocument, FetchFault, Shelf, Wanted};
use super::published_keys::PublishedKeyLimits;
use crate::limits::Subscriber;

/// Up to the longest document (the draft, 6.6).
const WANTED: Wanted = Wanted { accept: "application/json", bytes_max: 5 * 1024 };
/// How long one is good: not so short that one person's way through the pages needs it twice, and not longer than a day.
const GOOD: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(24));

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentFault {
    /// Such clients are not taken here.
    #[error("clients are not known by documents here")]
    Off,
    /// There is none to be had.
    #[error(transparent)]
    Fetch(#[from] FetchFault),
}

impl DocumentFault {
    /// Whether it tells nothing of what the document says.
    pub(super) fn tells_nothing(&self) -> bool {
        match self {
            Self::Off => false, // whatever they say, such clients are not taken
            Self::Fetch(fault) => fault.tells_nothing(),
        }
    }
}

/// The documents that this node knows.
#[derive(Clone)]
pub(crate) struct ClientDocuments(Option<Kept>);

#[derive(Clone)]
struct Kept {
    shelf: Arc<Shelf<ClientUrl, Arc<ClientDocument>>>,
    /// Where a client proves itself by what its document says.
    proving: PublishedKeyLimits,
}

type Found = Result<Arc<ClientDocument>, DocumentFault>;

impl Addressed for ClientUrl {
    fn address(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Debug for ClientDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientDocuments").field("on", &self.is_on()).finish_non_exhaustive()
    }
}

impl ClientDocuments {
    /// Where such clients are not taken.
    pub(crate) const fn off() -> Self {
        Self(None)
    }

    /// Where they are. Clients prove themselves by them within these limits.
    pub(crate) fn fetched_by(fetch: impl FetchDocument + 'static, proving: PublishedKeyLimits) -> Self {
        let shelf = Shelf::new(Box::new(fetch), WANTED, GOOD, proving.stale);
        Self(Some(Kept { shelf: Arc::new(shelf), proving }))
    }

    /// Whether such clients are taken.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The document, if it is at hand.
    pub(crate) fn at_hand(&self, url: &ClientUrl) -> Option<Arc<ClientDocument>> {
        self.0.as_ref()?.shelf.held(url, Duration::ZERO).map(|dated| Arc::clone(&dated.value))
    }

    /// The document that lies at an address now, or did not long ago.
    pub(crate) async fn get(&self, url: &ClientUrl, asker: Subscriber) -> Found {
        let kept = self.0.as_ref().ok_or(DocumentFault::Off)?;
        let is_good = |_, dated: &Dated<_>| dated.is_good(Duration::ZERO);
        kept.find(url, asker, is_good, Duration::ZERO).await
    }

    /// The document by which a client proves itself.
    pub(super) async fn proving(&self, url: &ClientUrl, asker: Subscriber) -> Found {
        let kept = self.0.as_ref().ok_or(DocumentFault::Off)?;
        let PublishedKeyLimits { good_max, rest, stale, good_min: _ } = kept.proving; // a document has its own
        let is_good =
            |at: Instant, dated: &Dated<_>| dated.is_good(Duration::ZERO) && at.elapsed() < good_max;
        let found = kept.find(url, asker, is_good, rest).await;
        found.or_else(|fault| {
            let before = if fault.tells_nothing() { kept.shelf.held(url, stale) } else { None };
            before.map(|dated| Arc::clone(&dated.value)).ok_or(fault)
        })
    }

    /// The one that lies there now, unless somebody looked a moment ago: nothing that the one of before names was of use.
    pub(super) async fn proving_anew(&self, url: &ClientUrl, asker: Subscriber) -> Found {
        let kept = self.0.as_ref().ok_or(DocumentFault::Off)?;
        let rest = kept.proving.rest;
        kept.find(url, asker, |at: Instant, _: &Dated<_>| at.elapsed() < rest, rest).await
    }
}

impl Kept {
    async fn find(
        &self,
        url: &ClientUrl,
        asker: Subscriber,
        is_enough: impl Fn(Instant, &Dated<Arc<ClientDocument>>) -> bool,
        rest: Duration,
    ) -> Found {
        let read = |url: &ClientUrl, body: &[u8]| read(url, body).map(Arc::new);
        let found = self.shelf.get(url, asker, is_enough, rest, read).await;
        if let Err(fault) = &found {
            tracing::info!(client.url = url.as_str(), reason = %fault, "the document of a client cannot be had");
        }
        Ok(Arc::clone(&found?.value))
    }
}
