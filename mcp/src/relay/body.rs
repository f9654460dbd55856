//! The body of the answer to the client. It streams, and dropping it lets the upstream go.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};

use super::Exchange;
use super::events::EventRelay;
use crate::upstream::{AnswerStream, UpstreamError};

/// An [`http_body::Body`]. Its error, possible only in a long JSON answer, makes the server cut the connection: the
/// head is out, so that is the one honest way left to say that the answer is incomplete.
#[derive(Debug)]
pub struct RelayBody(Form);

#[derive(Debug)]
enum Form {
    Whole(Option<Bytes>),
    Json { head: Option<Bytes>, rest: Box<AnswerStream> },
    Events(Box<EventRelay>),
}

impl RelayBody {
    pub(super) const fn empty() -> Self {
        Self(Form::Whole(None))
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Form::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    pub(super) fn json(head: Bytes, rest: AnswerStream) -> Self {
        Self(Form::Json { head: Some(head), rest: Box::new(rest) })
    }

    pub(super) fn events(stream: AnswerStream, event_bytes_max: usize, exchange: Exchange) -> Self {
        Self(Form::Events(Box::new(EventRelay::new(stream, event_bytes_max, exchange))))
    }
}

impl Body for RelayBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let bytes = match &mut self.0 {
            Form::Whole(bytes) => bytes.take().map(Ok),
            Form::Json { head, rest } => match head.take() {
                Some(head) => Some(Ok(head)),
                None => ready!(Pin::new(rest).poll_next(context)),
            },
            Form::Events(events) => ready!(events.poll_bytes(context)).map(Ok),
        };
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Form::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        let len = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match &self.0 {
            Form::Whole(bytes) => SizeHint::with_exact(len(bytes)),
            Form::Json { head, rest } => {
                let left = rest.size_left();
                let mut hint = SizeHint::new();
                hint.set_lower(len(head) + left.lower());
                if let Some(upper) = left.upper() {
                    hint.set_upper(len(head).saturating_add(upper));
                }
                hint
            }
            Form::Events(_) => SizeHint::default(),
        }
    }
}
