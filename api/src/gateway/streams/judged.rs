//! The body of a stream under judgment.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use mcp::relay::RelayBody;
use mcp::upstream::UpstreamError;
use projections::access::Basis;

use super::super::Gateway;
use super::super::recorded::CallRecording;
use super::{Admitted, Fate, OpenStreams, Passage, Stream};

/// Passes what comes for as long as its caller may have it.
pub(in crate::gateway) struct JudgedBody {
    body: RelayBody,
    streams: OpenStreams,
    number: u64,
    stream: Arc<Stream>,
    recording: CallRecording,
}

impl JudgedBody {
    /// This body, for whoever was let in.
    pub(in crate::gateway) fn new(
        body: RelayBody,
        gateway: &Gateway,
        admitted: Admitted,
        recording: CallRecording,
    ) -> Self {
        let streams = gateway.0.streams.clone();
        let (number, stream) = streams.open(gateway, admitted);
        Self { body, streams, number, stream, recording }
    }
}

impl Drop for JudgedBody {
    fn drop(&mut self) {
        self.streams.close(self.number, &self.stream);
        if let Some(reason) = self.body.broke_off() {
            self.recording.say(|draft| draft.broke_off(reason));
        }
    }
}

impl Body for JudgedBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let this = &mut *self;
        this.stream.waker.register(context.waker());
        let passage = this.streams.passage(&this.stream);
        let mut fate = this.stream.fate();
        match (std::mem::replace(&mut *fate, Fate::Ended), passage) {
            (Fate::Ending(error), _) => this.body.end(&error),
            (Fate::Ended, _) => {}
            (Fate::Open | Fate::Held { .. }, Passage::Free) => *fate = Fate::Open,
            (Fate::Open | Fate::Held { .. }, Passage::Marked) => {
                *fate = Fate::Open;
                this.recording.say(|draft| draft.rests_on(Basis::StaleView));
            }
            (Fate::Open, Passage::Closed) => {
                this.streams.hold(&mut fate, Instant::now());
                return Poll::Pending;
            }
            (Fate::Held { since }, Passage::Closed) => {
                this.streams.hold(&mut fate, since);
                return Poll::Pending;
            }
        }
        drop(fate);
        Pin::new(&mut this.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
