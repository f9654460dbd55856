//! Which upstreams are left alone because they do not answer: a call of one costs its caller nothing but the news.
//!
//! A place is a server as it is registered, at the address that it has now; the same address registered by somebody else is another place, so that
//! no organization opens the breaker of another's. One in the catalogue is shared by all, and each of them asks for what they like: so only what
//! no request can bring about, that there is no connection, opens a breaker by itself, and everything else that looks like nobody there is a
//! doubt, which a check of our own clears up (`evidence`, `check`). A slow tool, a request that makes its server close the connection, or a
//! credential that a server answers 500 to harm nobody but whoever sends them, for as long as that server answers a check.
//!
//! Kept are places in trouble only, so many for each organization, and only while somebody asks for them: a healthy one costs a look into
//! a table that is empty on a good day. It is of one node, as any breaker is.

mod check;
mod evidence;
mod leave;
mod repeat;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::value::{OrganizationId, ServerId};
use mcp::upstream::{Reach, UpstreamUrl};
use tokio::sync::Notify;

use super::route::Destination;
use crate::breaker::{Breaker, BreakerState, OpenTime};
use crate::metrics::Metrics;

pub(super) use leave::Leave;
pub(super) use repeat::Repeat;

/// Places in trouble that are kept for one organization, and for the catalogue. Of more, calls just fail.
const PLACES_PER_OWNER_MAX: usize = 256;
/// For all of them.
const PLACES_MAX: usize = 8_192;
/// A place that nobody has asked for this long is forgotten, and checked no more.
const UNUSED_MAX: Duration = Duration::from_mins(10);

/// When upstreams are left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Failures in a row after which one is.
    pub failures_max: u32,
    /// For how long the first time; each further time in a row twice as long.
    pub open: Duration,
    /// For how long at most.
    pub open_max: Duration,
    /// How long it may take to answer a check.
    pub check: Duration,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self {
            failures_max: 5,
            open: Duration::from_secs(1),
            open_max: Duration::from_mins(1),
            check: Duration::from_secs(5),
        }
    }
}

/// The breakers of this node. Cheap to clone.
#[derive(Clone)]
pub struct Breakers(Arc<Inner>);

struct Inner {
    limits: BreakerLimits,
    metrics: Metrics,
    troubled: RwLock<HashMap<ServerId, Arc<Place>>>,
    /// A check is wanted now.
    doubt: Notify,
}

impl std::fmt::Debug for Breakers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Breakers")
    }
}

/// A server in trouble.
#[derive(Debug)]
struct Place {
    server: ServerId,
    owner: Option<OrganizationId>,
    generation: u32,
    url: UpstreamUrl,
    reach: Reach,
    breaker: Breaker,
    used: Mutex<Instant>,
    checking: AtomicBool,
}

impl Place {
    fn is_at(&self, destination: &Destination) -> bool {
        self.generation == destination.server.generation
            && self.reach == destination.reach()
            && self.url == destination.url
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Breakers {
    /// All closed.
    pub(crate) fn new(limits: BreakerLimits, metrics: Metrics) -> Self {
        let (troubled, doubt) = (RwLock::default(), Notify::new());
        Self(Arc::new(Inner { limits, metrics, troubled, doubt }))
    }

    /// The place, if it is in trouble.
    fn find(&self, destination: &Destination) -> Option<Arc<Place>> {
        let troubled = self.0.troubled.read().unwrap_or_else(PoisonError::into_inner);
        troubled.get(&destination.connection.server).filter(|place| place.is_at(destination)).cloned()
    }

    /// The place, which is in trouble from now on, if there is room for one more.
    fn trouble(&self, destination: &Destination, now: Instant) -> Option<Arc<Place>> {
        if let Some(place) = self.find(destination) {
            return Some(place);
        }
        let mut troubled = self.0.troubled.write().unwrap_or_else(PoisonError::into_inner);
        let (server, owner) = (destination.connection.server, destination.server.organization);
        let here = troubled.get(&server).is_some_and(|place| place.is_at(destination));
        if !here {
            troubled.remove(&server); // it has moved
            let of_owner = troubled.values().filter(|place| place.owner == owner).count();
            if troubled.len() >= PLACES_MAX || of_owner >= PLACES_PER_OWNER_MAX {
                return None;
            }
            let BreakerLimits { failures_max, open, open_max, .. } = self.0.limits;
            let place = Place {
                server,
                owner,
                generation: destination.server.generation,
                url: destination.url.clone(),
                reach: destination.reach(),
                breaker: Breaker::new(failures_max, OpenTime::Growing { first: open, max: open_max }),
                used: Mutex::new(now),
                checking: AtomicBool::new(false),
            };
            troubled.insert(server, Arc::new(place));
        }
        troubled.get(&server).cloned()
    }

    /// The place is in trouble no more.
    fn recovered(&self, place: &Arc<Place>) {
        let changed = place.breaker.answered();
        self.changed(place, changed);
        let mut troubled = self.0.troubled.write().unwrap_or_else(PoisonError::into_inner);
        if troubled.get(&place.server).is_some_and(|kept| Arc::ptr_eq(kept, place)) {
            troubled.remove(&place.server);
        }
    }

    /// Tells of a change, if it was one.
    fn changed(&self, place: &Place, to: Option<BreakerState>) {
        let Some(to) = to else { return };
        self.0.metrics.upstream_breaker(to);
        let (server, upstream) = (place.server, place.url.origin());
        match to {
            BreakerState::Open => {
                tracing::warn!(server.id = %server, upstream, "an upstream does not answer and is left alone");
            }
            BreakerState::HalfOpen => {
                tracing::info!(server.id = %server, upstream, "one call finds out whether an upstream answers again");
            }
            BreakerState::Closed => {
                tracing::info!(server.id = %server, upstream, "an upstream answers again");
            }
        }
    }

    /// All places in trouble, without those that nobody has asked for.
    fn in_trouble(&self, now: Instant) -> Vec<Arc<Place>> {
        let is_used = |place: &Arc<Place>| now.saturating_duration_since(*place.used()) < UNUSED_MAX;
        let troubled = self.0.troubled.read().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = troubled.values().cloned().collect();
        drop(troubled);
        if all.iter().all(is_used) {
            return all;
        }
        let mut troubled = self.0.troubled.write().unwrap_or_else(PoisonError::into_inner);
        troubled.retain(|_, place| is_used(place));
        troubled.values().cloned().collect()
    }
}

/// A check of a place under way: there is one at a time.
#[derive(Debug)]
struct Checking(Arc<Place>);

impl Checking {
    fn start(place: &Arc<Place>) -> Option<Self> {
        let free = !place.checking.swap(true, Ordering::AcqRel);
        free.then(|| Self(Arc::clone(place)))
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.0.checking.store(false, Ordering::Release);
    }
}
