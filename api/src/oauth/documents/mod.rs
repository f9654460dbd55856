//! Clients whose `client_id` is the address of a document that describes them (draft-ietf-oauth-client-id-metadata-document; MCP 2026-07-28).
//!
//! ```text
//!   address --held and not stale?--> its document
//!      `-> fetched by one at a time for all who wait, a few at once, fewer at one host; kept as its headers say, within bounds
//! ```
//! What cannot be had is never kept, and never answered with what was kept before: nobody is asked to consent to what a document said once. Nothing is
//! written here: a client is known from the first consent on.

mod freshness;
mod read;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use domain::client::ClientDocument;
use domain::value::ClientUrl;
use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;

use self::read::read;

/// Longest document (the draft, 6.6).
pub(crate) const DOCUMENT_BYTES_MAX: usize = 5 * 1024;
/// Documents that are kept.
const HELD_MAX: usize = 1_000;
/// Fetches at once.
const FETCHES_MAX: usize = 32;
/// Fetches at once from one host.
const FETCHES_HOST_MAX: usize = 4;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What lies at an address.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Nothing could be fetched, and why, for the log.
#[derive(Debug)]
pub(crate) struct NotFetched(pub(crate) String);

/// Fetches documents: guarded, within 10 seconds, no redirect followed.
pub(crate) trait FetchDocument: Send + Sync {
    /// What lies there.
    fn fetch<'a>(&'a self, url: &'a ClientUrl) -> Boxed<'a, Result<Fetched, NotFetched>>;
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentFault {
    /// Such clients are not taken here.
    #[error("clients are not known by documents here")]
    Off,
    /// Many are being fetched.
    #[error("too many documents are being fetched")]
    Busy,
    /// It cannot be had.
    #[error("it cannot be fetched: {0}")]
    NotFetched(String),
    /// It was answered with something else than 200 and JSON.
    #[error("it was answered with {0} and no JSON document")]
    NoDocument(StatusCode),
    /// It is not what such a document is.
    #[error("it does not say what such a document says: {0}")]
    Unfit(String),
}

/// The documents that this node knows.
#[derive(Clone)]
pub(crate) struct ClientDocuments(Option<Arc<Shared>>);

struct Shared {
    fetch: Box<dyn FetchDocument>,
    kept: Mutex<HashMap<ClientUrl, Arc<Slot>>>,
    hosts: Mutex<HashMap<String, usize>>,
    fetches: Semaphore,
}

#[derive(Default)]
struct Slot {
    held: Mutex<Option<Held>>,
    /// Held by whoever fetches, with how the last fetch ended, for those who waited for it.
    flight: tokio::sync::Mutex<Option<Landed>>,
}

type Landed = (Instant, Result<Arc<ClientDocument>, DocumentFault>);

struct Held {
    until: Instant,
    document: Arc<ClientDocument>,
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
        Self(Some(Arc::new(Shared {
            fetch: Box::new(fetch),
            kept: Mutex::default(),
            hosts: Mutex::default(),
            fetches: Semaphore::new(FETCHES_MAX),
        })))
    }

    /// Whether such clients are taken.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The document, if it is at hand.
    pub(crate) fn at_hand(&self, url: &ClientUrl) -> Option<Arc<ClientDocument>> {
        let kept = self.0.as_ref()?.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(url)?.fresh()
    }

    /// The document that lies at an address now, or did not long ago.
    pub(crate) async fn get(&self, url: &ClientUrl) -> Result<Arc<ClientDocument>, DocumentFault> {
        let shared = self.0.as_ref().ok_or(DocumentFault::Off)?;
        let found = shared.get(url).await;
        if let Err(fault) = &found {
            tracing::info!(client.url = url.as_str(), reason = %fault, "the document of a client cannot be had");
        }
        found
    }
}

impl Slot {
    fn fresh(&self) -> Option<Arc<ClientDocument>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|held| held.until > Instant::now()).map(|held| Arc::clone(&held.document))
    }
}

impl Shared {
    async fn get(&self, url: &ClientUrl) -> Result<Arc<ClientDocument>, DocumentFault> {
        let slot = self.slot(url);
        if let Some(document) = slot.fresh() {
            return Ok(document);
        }
        let since = Instant::now();
        let mut flight = slot.flight.lock().await;
        if let Some((_, landed)) = flight.as_ref().filter(|(at, _)| *at >= since) {
            return landed.clone();
        }
        let landed = self.fetched(url, &slot).await;
        *flight = Some((Instant::now(), landed.clone()));
        landed
    }

    async fn fetched(&self, url: &ClientUrl, slot: &Slot) -> Result<Arc<ClientDocument>, DocumentFault> {
        let _permit = self.fetches.try_acquire().map_err(|_| DocumentFault::Busy)?;
        let _place = AtHost::enter(&self.hosts, url.place()).ok_or(DocumentFault::Busy)?;
        let answer = self.fetch.fetch(url).await.map_err(|NotFetched(why)| DocumentFault::NotFetched(why))?;
        if answer.status != StatusCode::OK || !mcp::headers::is_json(&answer.headers) {
            return Err(DocumentFault::NoDocument(answer.status));
        }
        let document = Arc::new(read(url, &answer.body).map_err(DocumentFault::Unfit)?);
        let until = Instant::now() + freshness::of(&answer.headers);
        let held = Held { until, document: Arc::clone(&document) };
        *slot.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(document)
    }

    /// The place of an address. Where there is none left, those that hold nothing and that nobody waits at make room, then any that nobody waits at.
    fn slot(&self, url: &ClientUrl) -> Arc<Slot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= HELD_MAX && !kept.contains_key(url) {
            kept.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.fresh().is_some());
            let idle = kept.iter().find(|(_, slot)| Arc::strong_count(slot) == 1).map(|(url, _)| url.clone());
            if let Some(idle) = idle.filter(|_| kept.len() >= HELD_MAX) {
                kept.remove(&idle);
            }
        }
        Arc::clone(kept.entry(url.clone()).or_default())
    }
}

/// One of the few that fetch from a host at once.
struct AtHost<'a> {
    hosts: &'a Mutex<HashMap<String, usize>>,
    host: String,
}

impl<'a> AtHost<'a> {
    fn enter(hosts: &'a Mutex<HashMap<String, usize>>, host: &str) -> Option<Self> {
        let mut held = hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(host.to_owned()).or_default();
        if *count >= FETCHES_HOST_MAX {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Self { hosts, host: host.to_owned() })
    }
}

impl Drop for AtHost<'_> {
    fn drop(&mut self) {
        let mut held = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.host) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.host);
            }
        }
    }
}
