//! Clients whose `client_id` is the address of a document that describes them (draft-ietf-oauth-client-id-metadata-document; MCP 2026-07-28).
//!
//! A document that cannot be had is never answered with what was kept before: nobody is asked to consent to what a document said once. Nothing is
//! written here: a client is known from the first consent on.

mod read;

use std::sync::Arc;
use std::time::Duration;

use domain::client::ClientDocument;
use domain::value::ClientUrl;

use self::read::read;
use super::fetched::{Addressed, Dated, FetchDocument, FetchFault, Shelf, Wanted};
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

/// The documents that this node knows.
#[derive(Clone)]
pub(crate) struct ClientDocuments(Option<Arc<Shelf<ClientUrl, Arc<ClientDocument>>>>);

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

    /// Where they are.
    pub(crate) fn fetched_by(fetch: impl FetchDocument + 'static) -> Self {
        Self(Some(Arc::new(Shelf::new(Box::new(fetch), WANTED, GOOD))))
    }

    /// Whether such clients are taken.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The document, if it is at hand.
    pub(crate) fn at_hand(&self, url: &ClientUrl) -> Option<Arc<ClientDocument>> {
        self.0.as_ref()?.held(url, Duration::ZERO).map(|dated| Arc::clone(&dated.value))
    }

    /// The document that lies at an address now, or did not long ago.
    pub(crate) async fn get(
        &self,
        url: &ClientUrl,
        asker: Subscriber,
    ) -> Result<Arc<ClientDocument>, DocumentFault> {
        let documents = self.0.as_ref().ok_or(DocumentFault::Off)?;
        let is_good = |_, dated: &Dated<_>| dated.is_good(Duration::ZERO);
        let read = |url: &ClientUrl, body: &[u8]| read(url, body).map(Arc::new);
        let found = documents.get(url, asker, is_good, Duration::ZERO, read).await;
        if let Err(fault) = &found {
            tracing::info!(client.url = url.as_str(), reason = %fault, "the document of a client cannot be had");
        }
        Ok(Arc::clone(&found?.value))
    }
}
