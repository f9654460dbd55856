//! What lies at addresses that strangers name: documents of clients, and keys that clients publish.
//!
//! ```text
//!   address --held and good enough?--> what was read of it
//!      `-> fetched by one at a time for all who wait, a few at once, fewer at one host and for one address that asks; kept as its headers say, within
//!          bounds
//! ```
//! What cannot be had is never kept. Whether what was had before still counts then, is for whoever asks to say; but where something else is answered in
//! its place, nothing is left of it.

mod freshness;
mod gate;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use self::freshness::Bounds;
use self::gate::Gate;
use crate::cached::{Attempt, Cached};
use crate::limits::Subscriber;

/// Addresses of which something is kept.
const HELD_MAX: usize = 1_000;
/// How long somebody waits for room to fetch.
const ROOM_WITHIN: Duration = Duration::from_secs(2);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is wanted of an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The media types that it may be of, as a header names them.
    pub(crate) accept: &'static str,
    /// How long it may be.
    pub(crate) bytes_max: usize,
}

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

/// Fetches what strangers name: guarded, within 5 seconds, no redirect followed.
pub(crate) trait FetchDocument: Send + Sync {
    /// What lies there.
    fn fetch<'a>(&'a self, url: &'a str, wanted: Wanted) -> Boxed<'a, Result<Fetched, NotFetched>>;
}

/// Why there is nothing to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchFault {
    /// Much else is being fetched.
    #[error("too much is being fetched")]
    Busy,
    /// It cannot be had.
    #[error("it cannot be fetched: {0}")]
    NotFetched(String),
    /// It was answered with something else than 200 and JSON.
    #[error("it was answered with {0} and no JSON document")]
    NoDocument(StatusCode),
    /// It is not what it should be.
    #[error("it does not say what it should: {0}")]
    Unfit(String),
}

impl FetchFault {
    /// Whether it tells nothing of what lies there: nobody looked, nobody answered, or whoever did is not well or has no time.
    pub(crate) fn tells_nothing(&self) -> bool {
        match self {
            Self::Busy | Self::NotFetched(_) => true,
            Self::NoDocument(status) => status.is_server_error() || is_put_off(*status),
            Self::Unfit(_) => false,
        }
    }
}

/// Whether it is only asked to come back later.
fn is_put_off(status: StatusCode) -> bool {
    [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

/// Whatever has an address.
pub(super) trait Addressed: Clone + Eq + Hash {
    /// Where it is.
    fn address(&self) -> &str;
}

/// Something that was read, and how long it is good by its headers.
#[derive(Debug)]
pub(super) struct Dated<T> {
    until: Instant,
    /// What was read.
    pub(super) value: T,
}

impl<T> Dated<T> {
    /// Whether it is good, or was no longer ago than that.
    pub(super) fn is_good(&self, grace: Duration) -> bool {
        self.until.checked_add(grace).is_none_or(|until| until > Instant::now())
    }
}

/// What is known of one address.
struct Place<T> {
    cached: Cached<Dated<T>, FetchFault>,
    /// Whoever asked for it first.
    asker: Subscriber,
}

/// What is kept of addresses of one kind.
pub(super) struct Shelf<K, T> {
    fetch: Box<dyn FetchDocument>,
    wanted: Wanted,
    bounds: Bounds,
    /// For how long after it was good something is of use.
    stale: Duration,
    places: Mutex<HashMap<K, Arc<Place<T>>>>,
    gate: Gate,
}

impl<K: Addressed, T> Shelf<K, T> {
    /// What is read is good for no shorter and no longer than this, and of use for `stale` after that.
    pub(super) fn new(
        fetch: Box<dyn FetchDocument>,
        wanted: Wanted,
        (min, max): (Duration, Duration),
        stale: Duration,
    ) -> Self {
        let (places, gate) = (Mutex::default(), Gate::default());
        Self { fetch, wanted, bounds: Bounds { min, max }, stale, places, gate }
    }

    /// What is held, good or not for much longer.
    pub(super) fn held(&self, key: &K, grace: Duration) -> Option<Arc<Dated<T>>> {
        let place = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        place?.cached.held(|_, dated| dated.is_good(grace))
    }

    /// What is held, if it is good enough; else what lies there now, unless it was looked for within `rest`. What there is not is fetched for `asker`,
    /// who has a moment to find room for that: however many wait in front of them for the same, each waits no longer.
    pub(super) async fn get(
        &self,
        key: &K,
        asker: Subscriber,
        is_enough: impl Fn(Instant, &Dated<T>) -> bool,
        rest: Duration,
        read: impl FnOnce(&K, &[u8]) -> Result<T, String>,
    ) -> Result<Arc<Dated<T>>, FetchFault> {
        let by = Instant::now() + ROOM_WITHIN;
        self.place(key, asker).cached.get_if(is_enough, rest, self.attempt(key, (asker, by), read)).await
    }

    async fn attempt(
        &self,
        key: &K,
        (asker, by): (Subscriber, Instant),
        read: impl FnOnce(&K, &[u8]) -> Result<T, String>,
    ) -> Attempt<Dated<T>, FetchFault> {
        match self.gate.enter(key.address(), asker, by).await {
            Some(_passing) => match self.read(key, read).await {
                Err(fault) if !fault.tells_nothing() => Attempt::Gone(fault),
                read => Attempt::Made(read),
            },
            None => Attempt::NotMade(FetchFault::Busy),
        }
    }

    async fn read(
        &self,
        key: &K,
        read: impl FnOnce(&K, &[u8]) -> Result<T, String>,
    ) -> Result<Dated<T>, FetchFault> {
        let answer = self.fetch.fetch(key.address(), self.wanted).await;
        let answer = answer.map_err(|NotFetched(why)| FetchFault::NotFetched(why))?;
        let mut kinds = self.wanted.accept.split(", ");
        let is_one = kinds.any(|kind| mcp::headers::has_type(&answer.headers, kind));
        if answer.status != StatusCode::OK || !is_one {
            return Err(FetchFault::NoDocument(answer.status));
        }
        let value = read(key, &answer.body).map_err(FetchFault::Unfit)?;
        Ok(Dated { until: Instant::now() + self.bounds.of(&answer.headers), value })
    }

    /// The place of an address. Where there is none left, those that hold nothing of use and that nobody waits at make room; then one of whoever asked for
    /// most: nobody who names many places drives out what others need (`oauth.md`, case 3).
    fn place(&self, key: &K, asker: Subscriber) -> Arc<Place<T>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= HELD_MAX && !places.contains_key(key) {
            let is_of_use =
                |place: &Place<T>| place.cached.held(|_, dated| dated.is_good(self.stale)).is_some();
            places.retain(|_, place| Arc::strong_count(place) > 1 || is_of_use(place));
            let driven_out = if places.len() >= HELD_MAX { one_of_most(&places) } else { None };
            if let Some(driven_out) = driven_out {
                places.remove(&driven_out);
            }
        }
        let place = || Arc::new(Place { cached: Cached::default(), asker });
        Arc::clone(places.entry(key.clone()).or_insert_with(place))
    }
}

/// A place that nobody waits at, of whoever asked for most of those.
fn one_of_most<K: Addressed, T>(places: &HashMap<K, Arc<Place<T>>>) -> Option<K> {
    let idle = || places.iter().filter(|(_, place)| Arc::strong_count(place) == 1);
    let mut counts: HashMap<Subscriber, usize> = HashMap::new();
    for (_, place) in idle() {
        let count = counts.entry(place.asker).or_default();
        *count = count.saturating_add(1);
    }
    let (most, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    idle().find(|(_, place)| place.asker == most).map(|(key, _)| key.clone())
}
