//! How long an upstream may take, and the alarm that watches one answer.
//!
//! The alarm costs nothing while bytes are there: a timer is made only when the answer first makes us wait. Waiting
//! is what counts, so a client that reads slowly is never mistaken for an upstream that sends slowly. For such a client
//! there is [`ReaderLimit`], which is watched where the answer is given out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::TimeLimit;

/// How long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamTimeouts {
    /// For the TCP connection. The TLS handshake counts towards `first_byte`.
    pub connect: Duration,
    /// From sending the request to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer; comments and progress count as pieces.
    pub idle: Duration,
    /// For the whole exchange, whatever progress it makes.
    pub hard: Duration,
}

impl Default for UpstreamTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_mins(2),
            idle: Duration::from_mins(5),
            hard: Duration::from_hours(1),
        }
    }
}

/// How the end of an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A call ends: `idle` and `hard` apply.
    Call,
    /// A listening stream (legacy GET, `subscriptions/listen`) may be silent for days; TCP keep-alive watches it.
    Listen,
}

/// How long a client that does not read may keep an answer open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReaderLimit {
    /// Until then, whatever it does.
    Until(Instant),
    /// For so long without taking a byte: a listening stream has no end of its own.
    Stalled(Duration),
}

#[derive(Debug)]
pub(super) struct Clock {
    idle: Option<Duration>,
    reader: ReaderLimit,
    hard_at: Option<Instant>,
    waiting_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Clock {
    pub(super) fn start(timeouts: &UpstreamTimeouts, patience: Patience, started: Instant) -> Self {
        let (idle, hard_at, reader) = match patience {
            Patience::Call => {
                let hard_at = started + timeouts.hard;
                (Some(timeouts.idle), Some(hard_at), ReaderLimit::Until(hard_at))
            }
            Patience::Listen => (None, None, ReaderLimit::Stalled(timeouts.idle)),
        };
        Self { idle, reader, hard_at, waiting_since: None, alarm: None }
    }

    pub(super) const fn reader_limit(&self) -> ReaderLimit {
        self.reader
    }

    /// Something came: the wait is over.
    pub(super) fn came(&mut self) {
        self.waiting_since = None;
    }

    /// Nothing is there: waits on, until a limit is reached.
    pub(super) fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<TimeLimit> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let idle_at = self.idle.map(|idle| since + idle);
        let Some(deadline) = idle_at.into_iter().chain(self.hard_at).min() else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // The alarm may still be set for an earlier wait; it is only moved when it rings.
        while alarm.as_mut().poll(context).is_ready() {
            if alarm.deadline() >= deadline {
                let hard = self.hard_at.is_some_and(|hard_at| hard_at <= deadline);
                return Poll::Ready(if hard { TimeLimit::Hard } else { TimeLimit::Idle });
            }
            alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
