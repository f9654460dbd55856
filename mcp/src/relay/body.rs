//! The body of the answer to the client. It streams, and dropping it lets the upstream go.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::Exchange;
use super::events::EventRelay;
use super::watched::{PIECE_BYTES_MAX, Source, Watched};
use crate::error::RpcError;
use crate::upstream::{AnswerStream, ReaderLimit, Upstream, UpstreamError};

/// An [`http_body::Body`]. Its error, possible only within an answer or an event, makes the server cut the connection:
/// the head is out, so that is the one honest way left to say that the answer is incomplete.
#[derive(Debug)]
pub struct RelayBody(Form);

#[derive(Debug)]
enum Form {
    Whole(Option<Bytes>),
    Watched(Watched),
}

impl RelayBody {
    pub(super) const fn empty() -> Self {
        Self(Form::Whole(None))
    }

    /// An answer of ours.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Form::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// An answer that was read to its end. The sockets' buffers swallow a small one, so nobody need watch it.
    pub(super) fn read(bytes: Bytes, limit: ReaderLimit) -> Self {
        if bytes.len() <= PIECE_BYTES_MAX {
            return Self::whole(bytes);
        }
        Self(Form::Watched(Watched::start(bytes, Source::Done, limit)))
    }

    /// An answer of whoever calls this, which a client may take as long to read as one of an upstream.
    pub fn own(bytes: Bytes, upstream: &Upstream) -> Self {
        Self::read(bytes, upstream.reader_limit())
    }

    pub(super) fn json(head: Bytes, rest: AnswerStream) -> Self {
        let limit = rest.reader_limit();
        Self(Form::Watched(Watched::start(head, Source::Json(Box::new(rest)), limit)))
    }

    /// Ends an answer under way before its time, and lets the upstream go: with this error where an answer is still due, with a comment on a
    /// stream that owes none. What was not given out yet is not given out any more.
    pub fn end(&mut self, error: &RpcError) {
        match &mut self.0 {
            Form::Whole(bytes) => *bytes = None,
            Form::Watched(watched) => watched.end(error),
        }
    }

    /// Why it ended before its end, where that was said in the stream itself.
    pub fn broke_off(&self) -> Option<&'static str> {
        match &self.0 {
            Form::Whole(_) => None,
            Form::Watched(watched) => watched.broke_off(),
        }
    }

    pub(super) fn events(stream: AnswerStream, event_bytes_max: usize, exchange: Exchange) -> Self {
        let limit = stream.reader_limit();
        let events = Box::new(EventRelay::new(stream, event_bytes_max, exchange));
        Self(Form::Watched(Watched::start(Bytes::new(), Source::Events(events), limit)))
    }
}

impl Body for RelayBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        match &mut self.0 {
            Form::Whole(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Form::Watched(watched) => watched.poll_piece(context),
        }
        .map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Form::Whole(bytes) => bytes.is_none(),
            Form::Watched(watched) => watched.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Form::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Form::Watched(watched) => watched.size_left(),
        }
    }
}
