//! Leaves a provider alone that does not answer, and lets one request find out whether it does again (`oauth.md`, case 36).
//!
//! ```text
//!   closed --failures in a row--> open --time is up, one asks--> half open --answered--> closed
//!     ^------------ answered -------'  ^----------- failed, or the asker left ---'
//! ```
//! It is of one node: each finds out for itself, and none waits for another.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// The breaker of one provider.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_max: u32,
    open: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    Probing,
}

impl Breaker {
    pub(super) const fn new(failures_max: u32, open: Duration) -> Self {
        Self { failures_max, open, state: State::Closed { failures: 0 } }
    }

    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::Probing => BreakerState::HalfOpen,
        }
    }

    /// Whether no request would go through now: it is left alone, or another one is finding out.
    pub(super) fn holds_back(&self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open { until } => now < until,
            State::Probing => true,
        }
    }

    /// Whether a request may go through now; `Some(true)` when it is the one that finds out.
    fn ask(&mut self, now: Instant) -> Option<bool> {
        match self.state {
            State::Closed { .. } => Some(false),
            State::Open { until } if now >= until => {
                self.state = State::Probing;
                Some(true)
            }
            State::Open { .. } | State::Probing => None,
        }
    }

    const fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    fn failed(&mut self, probe: bool, now: Instant) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < self.failures_max => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => State::Open { until: now + self.open },
            State::Probing if probe => State::Open { until: now + self.open },
            // What was sent before it opened tells nothing new.
            state @ (State::Open { .. } | State::Probing) => state,
        };
    }

    /// The one that was to find out went away: the next one does.
    fn left(&mut self, now: Instant) {
        if self.state == State::Probing {
            self.state = State::Open { until: now };
        }
    }
}

/// Leave for one request, whose end is told to the breaker.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Mutex<Breaker>,
    probe: bool,
    told: bool,
}

/// Leave for one request, if there is any now.
pub(super) fn permit(breaker: &Mutex<Breaker>, now: Instant) -> Option<Permit<'_>> {
    let probe = breaker.lock().unwrap_or_else(PoisonError::into_inner).ask(now)?;
    Some(Permit { breaker, probe, told: false })
}

impl Permit<'_> {
    pub(super) fn succeeded(mut self) {
        self.told = true;
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).succeeded();
    }

    pub(super) fn failed(mut self, now: Instant) {
        self.told = true;
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).failed(self.probe, now);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe && !self.told {
            self.breaker.lock().unwrap_or_else(PoisonError::into_inner).left(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Duration = Duration::from_secs(30);

    fn opened(at: Instant) -> Mutex<Breaker> {
        let breaker = Mutex::new(Breaker::new(3, OPEN));
        for _ in 0..3 {
            permit(&breaker, at).unwrap().failed(at);
        }
        breaker
    }

    fn state(breaker: &Mutex<Breaker>, now: Instant) -> BreakerState {
        breaker.lock().unwrap().state(now)
    }

    #[test]
    fn attack_36_failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let now = Instant::now();
        let breaker = Mutex::new(Breaker::new(3, OPEN));
        for _ in 0..5 {
            permit(&breaker, now).unwrap().failed(now);
            permit(&breaker, now).unwrap().failed(now);
            permit(&breaker, now).unwrap().succeeded();
        }
        assert_eq!(state(&breaker, now), BreakerState::Closed);
        let breaker = opened(now);
        assert_eq!(state(&breaker, now), BreakerState::Open);
        assert!(permit(&breaker, now + Duration::from_secs(29)).is_none());
    }

    #[test]
    fn attack_36_when_its_time_is_up_one_request_finds_out_and_the_others_wait() {
        let now = Instant::now();
        let breaker = opened(now);
        let probe = permit(&breaker, now + OPEN).unwrap();
        assert!(permit(&breaker, now + OPEN).is_none(), "one is enough");
        probe.failed(now + OPEN);
        assert_eq!(state(&breaker, now + OPEN), BreakerState::Open);
        let probe = permit(&breaker, now + OPEN + OPEN).unwrap();
        probe.succeeded();
        assert_eq!(state(&breaker, now + OPEN + OPEN), BreakerState::Closed);
    }

    #[test]
    fn a_request_that_left_while_it_was_to_find_out_lets_the_next_one() {
        let now = Instant::now();
        let breaker = opened(now.checked_sub(OPEN).unwrap());
        drop(permit(&breaker, now).unwrap());
        assert!(permit(&breaker, Instant::now()).is_some());
    }

    #[test]
    fn what_was_sent_before_it_opened_keeps_it_open_no_longer() {
        let now = Instant::now();
        let breaker = Mutex::new(Breaker::new(1, OPEN));
        let (first, late) = (permit(&breaker, now).unwrap(), permit(&breaker, now).unwrap());
        first.failed(now);
        late.failed(now + OPEN);
        assert_eq!(state(&breaker, now + OPEN), BreakerState::HalfOpen);
    }
}
