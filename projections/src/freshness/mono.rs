//! Moments on this node's own clock, which nobody sets.

use std::time::{Duration, Instant};

/// Moments begin this long after zero, so that zero is older than any bound.
const BEGIN: Duration = Duration::from_hours(24);

/// A moment on the monotonic clock of this process. It goes on while the process is stopped by a signal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mono(u64);

impl Mono {
    /// The moment after so many nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// In nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// How long after another moment; nothing, when it is before.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This moment, moved by so many microseconds.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add_signed(micros.saturating_mul(1_000)))
    }
}

/// The clock of those moments.
#[derive(Debug, Clone, Copy)]
pub struct MonoClock(Instant);

impl Default for MonoClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl MonoClock {
    /// This moment.
    pub fn now(&self) -> Mono {
        let nanos = (BEGIN + self.0.elapsed()).as_nanos();
        Mono(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
