//! Whether a provider exchanges codes, apart from whether it answers at all: one may lead people on and exchange nothing, and whoever is led there comes
//! back with nothing.
//!
//! Only an exchange that found nobody there counts: no connection, no answer in time, a server error. A code that is refused was refused by somebody
//! who is there, and what the breaker held back was never asked. One failure may be of one person, or of whoever makes codes up: it takes two in a row.
//! No more than that, since whoever is to be renewed is led there and back each time, and a browser follows only so many redirects.

use std::time::{Duration, Instant};

/// Failures in a row after which it is taken to exchange nothing.
const FAILURES_MAX: u32 = 2;

/// How exchanges with one provider went lately.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    failures: u32,
    again: Option<Instant>,
}

impl Exchanges {
    /// Whether anybody need be led there.
    pub(super) fn are_made(&self, now: Instant) -> bool {
        self.again.is_none_or(|again| now >= again)
    }

    /// Somebody was there.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Nobody was. After enough of that nobody is led there for a while.
    pub(super) fn failed(&mut self, now: Instant, pause: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.again = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    #[test]
    fn attack_36_one_failure_and_failures_with_an_answer_between_them_keep_nobody_out() {
        let (now, mut exchanges) = (Instant::now(), Exchanges::default());
        for _ in 0..3 {
            exchanges.failed(now, PAUSE);
            assert!(exchanges.are_made(now));
            exchanges.answered();
        }
    }

    #[test]
    fn attack_36_after_two_in_a_row_nobody_is_led_there_until_its_time_is_up() {
        let (now, mut exchanges) = (Instant::now(), Exchanges::default());
        exchanges.failed(now, PAUSE);
        exchanges.failed(now, PAUSE);
        assert!(!exchanges.are_made(now) && exchanges.are_made(now + PAUSE));
        exchanges.failed(now + PAUSE, PAUSE);
        assert!(!exchanges.are_made(now + PAUSE), "still nobody");
        exchanges.answered();
        assert!(exchanges.are_made(now + PAUSE));
    }
}
