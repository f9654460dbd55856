//! Leaves somebody alone who does not answer, and lets one request find out whether they do again (`oauth.md`, case 36).
//!
//! ```text
//!   closed --failures in a row--> open --time is up, one asks--> half open --answered--> closed
//!     ^---- answered, or found there by a check ----'  ^--------- failed, or the asker left ---'
//! ```
//! Not every failure opens it: one that whoever asked may have brought about by what they asked for is a doubt, and so many doubts in a row make it
//! want a check, a request of ours with nothing of anybody's in it, whose failure opens it. Checks go on while it is open.
//! It is of one node: each finds out for itself, and none waits for another.

mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use state::Inner;

/// How far a breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakerState {
    /// Requests go through.
    Closed,
    /// None does.
    Open,
    /// One does, or may.
    HalfOpen,
}

impl BreakerState {
    /// The name on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// For how long a breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenTime {
    /// Always for as long.
    Always(Duration),
    /// Twice as long each time in a row, up to a bound, and never the same for all nodes.
    Growing {
        /// The first time.
        first: Duration,
        /// The longest.
        max: Duration,
    },
}

/// What a request without an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody is there.
    Certain,
    /// Nobody is there, or what was asked for is not answered.
    Doubtful,
}

/// No request goes through for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldBack {
    /// When it makes sense to come again.
    pub(crate) wait: Duration,
}

/// The breaker of one place. Cheap to clone; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Breaker(Arc<Mutex<Inner>>);

impl Breaker {
    pub(crate) fn new(failures_max: u32, open: OpenTime) -> Self {
        Self(Arc::new(Mutex::new(Inner::new(failures_max, open))))
    }

    pub(crate) fn state(&self, now: Instant) -> BreakerState {
        self.inner().state(now)
    }

    /// Whether no request would go through now: it is left alone, or another one is finding out.
    pub(crate) fn holds_back(&self, now: Instant) -> bool {
        self.inner().holds_back(now)
    }

    /// Leave for one request, if there is any now.
    pub(crate) fn permit(&self, now: Instant) -> Result<Permit, HeldBack> {
        let probe = self.inner().ask(now)?;
        Ok(Permit { breaker: self.clone(), probe, told: false })
    }

    /// Whether doubts have come together that a check would clear up.
    pub(crate) fn is_doubted(&self) -> bool {
        self.inner().is_doubted()
    }

    /// Whether it is time for a check.
    pub(crate) fn wants_a_check(&self, now: Instant) -> bool {
        self.inner().wants_a_check(now)
    }

    /// Somebody got an answer. What this and the others below return is the state that it has changed to, if it has.
    pub(crate) fn answered(&self) -> Option<BreakerState> {
        self.inner().change(Inner::answered)
    }

    /// Somebody got none, without a permit.
    pub(crate) fn failed(&self, failure: Failure, now: Instant) -> Option<BreakerState> {
        self.inner().change(|inner| inner.failed(failure, false, now))
    }

    /// A check was not answered.
    pub(crate) fn check_failed(&self, now: Instant) -> Option<BreakerState> {
        self.inner().change(|inner| inner.check_failed(now))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one request, whose end is told to the breaker.
#[derive(Debug)]
pub(crate) struct Permit {
    breaker: Breaker,
    probe: bool,
    told: bool,
}

impl Permit {
    /// Whether this request is the one that finds out.
    pub(crate) const fn is_probe(&self) -> bool {
        self.probe
    }

    pub(crate) fn succeeded(mut self) -> Option<BreakerState> {
        self.told = true;
        self.breaker.answered()
    }

    pub(crate) fn failed(mut self, failure: Failure, now: Instant) -> Option<BreakerState> {
        self.told = true;
        self.breaker.inner().change(|inner| inner.failed(failure, self.probe, now))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.probe && !self.told {
            self.breaker.inner().left(Instant::now());
        }
    }
}
