//! How old this node's knowledge of the log can be, so that no decision rests on more than a stated age.
//!
//! ```text
//!   Postgres --head H, clock T, by one select--> look of this node          fresh as of the moment before it was sent, once H is applied
//!                                           `--> watermark of another node  fresh as of T on our own clock, once H is applied
//! ```
//! A watermark may lie in a buffer for as long as it likes: when it is received proves nothing, so `T` is carried over to this node's own
//! clock by the bounds of its own round trips to Postgres (`clock_map`). The check is made after the look-up, right before the decision is
//! used: a node that was paused in between is as stale as it was paused long (events C.4).
//!
//! Deliberately absent: the wall clock of any node. What a suspended machine sleeps through is not counted by its monotonic clock; the clock map
//! of a machine that has slept is refused as soon as Postgres' clock is seen ahead of it.

mod clock_map;
mod look;
mod mono;
mod proofs;
mod watch;
mod watermark;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use domain::value::{Position, Timestamp};

pub use clock_map::{ClockMap, ServerClock};
pub use look::{Look, Looks};
pub use mono::{Mono, MonoClock};
pub use proofs::Proofs;
pub use watch::{Watch, Watermarks};
pub use watermark::Watermark;

/// The age beyond which a view decides nothing, where nobody says otherwise.
pub const STALENESS_MAX_DEFAULT: Duration = Duration::from_secs(1);

/// Hears how long events took to get here.
pub trait ObserveApplied: Send + Sync {
    /// An event of the log is in the view of this node, so long after it was recorded.
    fn applied(&self, delay: Duration);
}

/// The freshness of one view. Cheap to clone, and cheap to ask: an atomic load and a look at the clock.
#[derive(Clone)]
pub struct Freshness(Arc<Inner>);

struct Inner {
    clock: MonoClock,
    bound: Duration,
    /// The view holds everything that was committed at this moment.
    as_of_nanos: AtomicU64,
    /// When a watermark last proved something.
    heard_nanos: AtomicU64,
    proofs: Mutex<Proofs>,
    map: Mutex<Option<ClockMap>>,
    /// When this node looked for the first time. Of what was known before it was there it makes no use: nobody waited for it then.
    first_look: OnceLock<Mono>,
    observer: Option<Arc<dyn ObserveApplied>>,
}

impl std::fmt::Debug for Freshness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Freshness").field("bound", &self.0.bound).finish_non_exhaustive()
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self::new(STALENESS_MAX_DEFAULT, None)
    }
}

impl Freshness {
    /// Of a view that nothing is proved of yet, and that decides up to this age.
    pub fn new(bound: Duration, observer: Option<Arc<dyn ObserveApplied>>) -> Self {
        Self(Arc::new(Inner {
            clock: MonoClock::default(),
            bound,
            as_of_nanos: AtomicU64::new(0),
            heard_nanos: AtomicU64::new(0),
            proofs: Mutex::default(),
            map: Mutex::default(),
            first_look: OnceLock::new(),
            observer,
        }))
    }

    /// The age up to which a view decides.
    pub fn bound(&self) -> Duration {
        self.0.bound
    }

    /// This moment.
    pub fn now(&self) -> Mono {
        self.0.clock.now()
    }

    /// The moment as of which everything is in the view. To be read before the view, which can only be newer.
    pub fn as_of(&self) -> Mono {
        Mono::from_nanos(self.0.as_of_nanos.load(Ordering::Acquire))
    }

    /// Whether what was known at a moment may still decide. To be asked after the decision, right before it is used.
    pub fn holds(&self, as_of: Mono) -> bool {
        self.now().since(as_of) <= self.0.bound
    }

    /// How old the view is at most.
    pub fn staleness(&self) -> Duration {
        self.now().since(self.as_of())
    }

    /// Since when no watermark has proved anything.
    pub fn watermark_age(&self) -> Duration {
        self.now().since(Mono::from_nanos(self.0.heard_nanos.load(Ordering::Acquire)))
    }

    /// The view holds everything up to here, and is shown.
    pub fn applied(&self, position: Position) {
        let proved = lock(&self.0.proofs).applied(position);
        self.raise(proved);
    }

    /// Up to which position the view was shown.
    pub fn position(&self) -> Position {
        lock(&self.0.proofs).position()
    }

    /// Whether the view is behind a head that was proved at least this long ago.
    pub fn is_behind_for(&self, patience: Duration) -> Option<Position> {
        let now = self.now();
        lock(&self.0.proofs).oldest().filter(|(_, since)| now.since(*since) >= patience).map(|(head, _)| head)
    }

    /// Somebody has read this head of the log, and it was read no earlier than this moment.
    pub fn proved(&self, head: Position, as_of: Mono) {
        let proved = lock(&self.0.proofs).add(head, as_of);
        self.raise(proved);
    }

    /// This node has looked at Postgres.
    pub fn looked(&self, look: &Look) {
        let map = ClockMap { clock: look.clock, sent: look.sent };
        self.0.first_look.get_or_init(|| look.sent);
        *lock(&self.0.map) = Some(map);
        self.proved(look.head, look.sent);
    }

    /// Another node has looked at Postgres, and its word came at this moment. Tells when that look was made, if that can be told.
    pub fn heard(&self, watermark: &Watermark, received: Mono) -> Option<Mono> {
        let map = (*lock(&self.0.map))?;
        let as_of = map.at_least(watermark.clock, received)?;
        if self.0.first_look.get().is_none_or(|first| as_of < *first) {
            return None;
        }
        self.0.heard_nanos.fetch_max(received.nanos(), Ordering::AcqRel);
        self.proved(watermark.head, as_of);
        Some(as_of)
    }

    /// How old the clock map is.
    pub fn map_age(&self) -> Option<Duration> {
        lock(&self.0.map).map(|map| self.now().since(map.sent))
    }

    /// An event that was recorded at this time is in the view.
    pub(crate) fn observe(&self, recorded: Timestamp) {
        let Some(observer) = &self.0.observer else { return };
        let now = self.now();
        let map = *lock(&self.0.map);
        if let Some(at) = map.and_then(|map| map.about(recorded)) {
            observer.applied(now.since(at));
        }
    }

    fn raise(&self, proved: Option<Mono>) {
        if let Some(as_of) = proved {
            self.0.as_of_nanos.fetch_max(as_of.nanos(), Ordering::AcqRel);
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
