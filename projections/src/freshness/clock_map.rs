//! From Postgres' clock to this node's, by bounds and without trusting either to be right.
//!
//! A round trip that was sent at `s` and in which Postgres read its clock as `T0` tells that `T0` was no earlier than `s`. A later reading `T` was
//! then no earlier than `s + (T - T0)`, less what two clocks can drift apart meanwhile. What is assumed: neither clock runs faster or slower than
//! the other by more than `DRIFT_PER_MILLION` (a clock that is slewed stays below 500), and Postgres' clock is not set forward between two round
//! trips. One that is seen ahead of ours was, or our machine slept: the map is then of no use.

use std::time::Duration;

use domain::value::Timestamp;

use super::mono::Mono;

/// How far two clocks may drift apart: a thousandth.
const DRIFT_PER_MILLION: u64 = 1_000;
/// A map is used no longer than this after its round trip: by then drift has cost 10 ms of the bound.
pub(super) const MAP_AGE_MAX: Duration = Duration::from_secs(10);

/// A reading of Postgres' clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerClock {
    /// Microseconds since 1970.
    pub micros: i64,
    /// When that server started, in microseconds since 1970: another server has another clock.
    pub started_micros: i64,
}

/// One round trip to Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockMap {
    /// What its clock said in between.
    pub clock: ServerClock,
    /// When it began.
    pub sent: Mono,
}

impl ClockMap {
    /// The earliest moment at which Postgres' clock can have been at a reading that came to us at `received`.
    pub fn at_least(&self, reading: ServerClock, received: Mono) -> Option<Mono> {
        let is_ours = reading.started_micros == self.clock.started_micros;
        let is_young = received.since(self.sent) <= MAP_AGE_MAX;
        let elapsed = reading.micros.checked_sub(self.clock.micros)?;
        let drift = elapsed.unsigned_abs().saturating_mul(DRIFT_PER_MILLION).div_ceil(1_000_000) + 1;
        let at_least = self.sent.plus_micros(elapsed.saturating_sub_unsigned(drift));
        (is_ours && is_young && at_least <= received).then_some(at_least)
    }

    /// About when Postgres' clock was at a time: good enough to measure, not to decide.
    pub fn about(&self, time: Timestamp) -> Option<Mono> {
        let micros = i64::try_from(time.get().unix_timestamp_nanos() / 1_000).ok()?;
        Some(self.sent.plus_micros(micros.checked_sub(self.clock.micros)?))
    }
}
