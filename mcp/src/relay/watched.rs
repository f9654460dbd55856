//! An answer under way to a client that may stop reading: given out in small pieces, so that what the client has not
//! taken is still ours, and watched, because nobody asks for the next piece while the client does not read.
//!
//! ```text
//! Json, Events --end of the answer--> Done
//! Json, Events --limit--> Done, at the end of an event (then the last word), or once all is given out
//!                    `--> Cut,  within an answer or event: the client's connection breaks with it
//! ```

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::SizeHint;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::events::EventRelay;
use crate::error::RpcError;
use crate::upstream::{AnswerStream, ReaderLimit, TimeLimit, UpstreamError};

/// What is handed to the server at a time. It keeps such a piece until the client's socket takes it.
pub(super) const PIECE_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Watched {
    flow: Arc<Mutex<Flow>>,
    watchdog: AbortHandle,
}

/// Where the next bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    Json(Box<AnswerStream>),
    Events(Box<EventRelay>),
    Done,
    Cut,
}

#[derive(Debug)]
struct Flow {
    source: Source,
    /// What came and was not given out yet.
    ready: Bytes,
    turn: Turn,
    /// Why it ended before its end.
    broke_off: Option<&'static str>,
}

/// Who is waited for.
#[derive(Debug)]
enum Turn {
    Client { since: Instant },
    Upstream(Waker),
}

impl Watched {
    pub(super) fn start(ready: Bytes, source: Source, limit: ReaderLimit) -> Self {
        let turn = Turn::Client { since: Instant::now() };
        let flow = Arc::new(Mutex::new(Flow { source, ready, turn, broke_off: None }));
        let watched = Arc::downgrade(&flow);
        let watchdog = tokio::spawn(async move {
            let mut alarm = match limit {
                ReaderLimit::Until(at) => at,
                ReaderLimit::Stalled(wait) => Instant::now() + wait,
            };
            loop {
                sleep_until(alarm).await;
                let Some(flow) = watched.upgrade() else { return };
                match lock(&flow).judge(limit) {
                    Some(later) => alarm = later,
                    None => return,
                }
            }
        });
        Self { flow, watchdog: watchdog.abort_handle() }
    }

    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        lock(&self.flow).poll_piece(context)
    }

    /// Ends it before its time. Between two events it says why; within one the connection breaks, as at the limit.
    pub(super) fn end(&mut self, error: &RpcError) {
        lock(&self.flow).end(error);
    }

    pub(super) fn broke_off(&self) -> Option<&'static str> {
        let flow = lock(&self.flow);
        flow.broke_off.or(match &flow.source {
            Source::Events(events) => events.broke_off(),
            Source::Json(_) | Source::Done | Source::Cut => None,
        })
    }

    pub(super) fn is_over(&self) -> bool {
        let flow = lock(&self.flow);
        flow.ready.is_empty() && matches!(flow.source, Source::Done)
    }

    pub(super) fn size_left(&self) -> SizeHint {
        let flow = lock(&self.flow);
        let ready = flow.ready.len() as u64;
        match &flow.source {
            Source::Done => SizeHint::with_exact(ready),
            Source::Json(rest) => {
                let left = rest.size_left();
                let mut hint = SizeHint::new();
                hint.set_lower(ready + left.lower());
                if let Some(upper) = left.upper() {
                    hint.set_upper(ready.saturating_add(upper));
                }
                hint
            }
            Source::Events(_) | Source::Cut => SizeHint::default(),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watchdog.abort();
    }
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flow {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        while self.ready.is_empty() {
            self.turn = Turn::Upstream(context.waker().clone());
            let next = match &mut self.source {
                Source::Json(rest) => ready!(Pin::new(rest).poll_next(context)),
                Source::Events(events) => ready!(events.poll_bytes(context)).map(Ok),
                Source::Done => None,
                Source::Cut => Some(Err(UpstreamError::Timeout(TimeLimit::Hard))),
            };
            match next {
                Some(Ok(bytes)) => self.ready = bytes,
                Some(Err(error)) => {
                    self.source = Source::Done;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    if let Source::Events(events) = &self.source {
                        self.broke_off = self.broke_off.or(events.broke_off());
                    }
                    self.source = Source::Done;
                    return Poll::Ready(None);
                }
            }
        }
        self.turn = Turn::Client { since: Instant::now() };
        Poll::Ready(Some(Ok(self.next_piece())))
    }

    /// Pieces of something large are copies: a slice would keep all of it in memory for as long as the client's socket takes.
    fn next_piece(&mut self) -> Bytes {
        if self.ready.len() <= PIECE_BYTES_MAX {
            return std::mem::take(&mut self.ready);
        }
        let piece = Bytes::copy_from_slice(&self.ready.split_to(PIECE_BYTES_MAX));
        if self.ready.len() <= PIECE_BYTES_MAX {
            self.ready = Bytes::copy_from_slice(&self.ready);
        }
        piece
    }

    fn end(&mut self, error: &RpcError) {
        let between_events = self.ready.is_empty();
        self.ready = Bytes::new();
        self.source = match std::mem::replace(&mut self.source, Source::Cut) {
            Source::Events(mut events) if between_events => {
                self.ready = events.end_with(error);
                Source::Done
            }
            Source::Done if between_events => return self.source = Source::Done,
            Source::Json(_) | Source::Events(_) | Source::Done | Source::Cut => Source::Cut,
        };
        self.broke_off = Some(error.reason());
    }

    /// Ends what has reached its limit; else tells when to look again.
    fn judge(&mut self, limit: ReaderLimit) -> Option<Instant> {
        if let ReaderLimit::Stalled(wait) = limit {
            match &self.turn {
                Turn::Upstream(_) => return Some(Instant::now() + wait),
                Turn::Client { since } if since.elapsed() < wait => return Some(*since + wait),
                Turn::Client { .. } => {}
            }
        }
        self.cut();
        None
    }

    /// Lets go of the upstream and of what the client did not take.
    fn cut(&mut self) {
        let between_events = self.ready.is_empty();
        self.ready = Bytes::new();
        self.source = match std::mem::replace(&mut self.source, Source::Cut) {
            Source::Events(mut events) if between_events => {
                self.ready = events.end(&UpstreamError::Timeout(TimeLimit::Hard)).unwrap_or_default();
                self.broke_off = events.broke_off();
                Source::Done
            }
            Source::Done if between_events => Source::Done,
            Source::Json(_) | Source::Events(_) | Source::Done | Source::Cut => Source::Cut,
        };
        if let Turn::Upstream(waker) = &self.turn {
            waker.wake_by_ref();
        }
    }
}
