//! What an upstream answers: head, and a body that streams as it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body, SizeHint};
use hyper::body::Incoming;

use super::UpstreamError;
use super::clock::{Clock, ReaderLimit};
use crate::headers::MCP_SESSION_ID;
use crate::memory::ByteBudget;

/// The head of an answer that is MCP, and its body.
#[derive(Debug)]
pub struct UpstreamResponse {
    /// A success, or a refusal that the client should see (4xx, or 5xx with a JSON body).
    pub status: StatusCode,
    /// All headers that came; only [`crate::forward_headers::response`] of them may travel on.
    pub headers: HeaderMap,
    /// The body.
    pub body: UpstreamBody,
}

/// The forms that an answer has.
#[derive(Debug)]
pub enum UpstreamBody {
    /// One JSON object.
    Json(AnswerStream),
    /// Server-sent events.
    Sse {
        /// The bytes of the stream.
        stream: AnswerStream,
        /// The largest event to hold.
        event_bytes_max: usize,
    },
    /// None: an accepted notification, or a refusal whose status says everything.
    Empty,
}

impl UpstreamResponse {
    /// The legacy session that the upstream opened or continues.
    pub fn session_id(&self) -> Option<&HeaderValue> {
        self.headers.get(MCP_SESSION_ID)
    }
}

/// The bytes of an answer as they come. Dropping it closes the connection unless the answer was read to its end.
#[derive(Debug)]
pub struct AnswerStream {
    incoming: Option<Incoming>,
    clock: Clock,
    bytes_max: Option<usize>,
    bytes_seen: usize,
    memory: ByteBudget,
}

impl AnswerStream {
    pub(super) fn new(
        incoming: Incoming,
        clock: Clock,
        bytes_max: Option<usize>,
        memory: ByteBudget,
    ) -> Self {
        Self { incoming: Some(incoming), clock, bytes_max, bytes_seen: 0, memory }
    }

    /// What whoever gathers these bytes counts them with.
    pub(crate) const fn memory(&self) -> &ByteBudget {
        &self.memory
    }

    /// How long whoever reads this may keep it open.
    pub(crate) const fn reader_limit(&self) -> ReaderLimit {
        self.clock.reader_limit()
    }

    /// How many bytes are still to come, as far as the upstream has said.
    pub fn size_left(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }

    fn count(&mut self, chunk: &Bytes) -> Result<(), UpstreamError> {
        self.bytes_seen = self.bytes_seen.saturating_add(chunk.len());
        match self.bytes_max {
            Some(limit_bytes) if self.bytes_seen > limit_bytes => {
                Err(UpstreamError::AnswerTooLarge { limit_bytes })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        loop {
            let Some(incoming) = self.incoming.as_mut() else { return Poll::Ready(None) };
            let Poll::Ready(frame) = Pin::new(incoming).poll_frame(context) else {
                let limit = ready!(self.clock.poll_limit(context));
                return Poll::Ready(Some(Err(UpstreamError::Timeout(limit))));
            };
            self.clock.came();
            match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) if !chunk.is_empty() => {
                        return Poll::Ready(Some(self.count(&chunk).map(|()| chunk)));
                    }
                    Ok(_) | Err(_) => {} // an empty piece, or trailers, which MCP has no use for
                },
            }
        }
    }
}

impl Stream for AnswerStream {
    type Item = Result<Bytes, UpstreamError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.poll_chunk(context));
        if !matches!(item, Some(Ok(_))) {
            self.incoming = None; // over, or broken: either way the connection is let go now
        }
        Poll::Ready(item)
    }
}
