//! How a breaker goes from state to state.

use std::time::{Duration, Instant};

use super::{BreakerState, Failure, HeldBack, OpenTime};
use crate::random;

/// Doubling further reaches any bound.
const DOUBLINGS_MAX: u32 = 16;

#[derive(Debug)]
pub(super) struct Inner {
    failures_max: u32,
    open: OpenTime,
    /// How often in a row it was opened.
    opened: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
        lasts: Duration,
        /// Whether a check has failed within that time.
        checked: bool,
    },
    Probing {
        since: Instant,
        lasts: Duration,
    },
}

impl State {
    /// The name of it, whatever the time is.
    const fn kind(self) -> BreakerState {
        match self {
            Self::Closed { .. } => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::Probing { .. } => BreakerState::HalfOpen,
        }
    }
}

impl OpenTime {
    fn lasts(self, opened: u32) -> Duration {
        match self {
            Self::Always(time) => time,
            Self::Growing { first, max } => {
                let grown = first.saturating_mul(1 << opened.min(DOUBLINGS_MAX)).min(max);
                grown.mul_f64(0.8 + 0.4 * random::fraction())
            }
        }
    }
}

impl Inner {
    pub(super) const fn new(failures_max: u32, open: OpenTime) -> Self {
        Self { failures_max, open, opened: 0, state: State::Closed { failures: 0 } }
    }

    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until, .. } if now < until => BreakerState::Open,
            State::Open { .. } | State::Probing { .. } => BreakerState::HalfOpen,
        }
    }

    pub(super) fn holds_back(&self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open { until, .. } => now < until,
            State::Probing { .. } => true,
        }
    }

    /// Whether a request may go through now; `true` when it is the one that finds out.
    pub(super) fn ask(&mut self, now: Instant) -> Result<bool, HeldBack> {
        match self.state {
            State::Closed { .. } => Ok(false),
            State::Open { until, lasts, .. } if now >= until => {
                self.state = State::Probing { since: now, lasts };
                Ok(true)
            }
            State::Open { until, .. } => Err(HeldBack { wait: until - now }),
            State::Probing { .. } => Err(HeldBack { wait: Duration::ZERO }), // it is found out any moment
        }
    }

    /// Makes a change, and tells what it was, if it was one.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Self)) -> Option<BreakerState> {
        let before = self.state.kind();
        change(self);
        let after = self.state.kind();
        (before != after).then_some(after)
    }

    pub(super) const fn answered(&mut self) {
        self.opened = 0;
        self.state = State::Closed { failures: 0 };
    }

    pub(super) fn failed(&mut self, failure: Failure, probe: bool, now: Instant) {
        match (self.state, failure) {
            (State::Closed { failures }, Failure::Certain)
                if failures.saturating_add(1) >= self.failures_max =>
            {
                self.open(now);
            }
            (State::Closed { failures }, Failure::Certain | Failure::Doubtful) => {
                self.state = State::Closed { failures: failures.saturating_add(1) };
            }
            (State::Probing { .. }, _) if probe => self.open(now),
            // What was sent before it opened tells nothing new.
            (State::Open { .. } | State::Probing { .. }, _) => {}
        }
    }

    /// The one that was to find out went away: the next one does.
    pub(super) fn left(&mut self, now: Instant) {
        if let State::Probing { lasts, .. } = self.state {
            self.state = State::Open { until: now, lasts, checked: true };
        }
    }

    pub(super) const fn is_doubted(&self) -> bool {
        match self.state {
            State::Closed { failures } => failures >= self.failures_max,
            State::Open { .. } | State::Probing { .. } => false,
        }
    }

    /// Half-way through the time that it is open, so that it may be closed before anybody's request must find out. After that only when nobody's
    /// request has come for a while, or one hangs: where checks are never answered, though others are, requests must have their turn.
    pub(super) fn wants_a_check(&self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => self.is_doubted(),
            State::Open { until, lasts, checked: false } => now + lasts / 2 >= until,
            State::Open { until, lasts, checked: true } => now >= until + lasts / 2,
            State::Probing { since, lasts } => now >= since + lasts / 2,
        }
    }

    pub(super) fn check_failed(&mut self, now: Instant) {
        match self.state {
            State::Closed { .. } if self.is_doubted() => self.open(now),
            State::Open { until, lasts, checked: false } => {
                self.state = State::Open { until, lasts, checked: true };
            }
            State::Open { until, .. } if now >= until => self.open(now),
            State::Closed { .. } | State::Open { .. } => {} // somebody was answered meanwhile, or requests have their turn
            State::Probing { lasts, .. } => self.state = State::Probing { since: now, lasts },
        }
    }

    fn open(&mut self, now: Instant) {
        let lasts = self.open.lasts(self.opened);
        self.opened = self.opened.saturating_add(1);
        self.state = State::Open { until: now + lasts, lasts, checked: false };
    }
}
