//! Answers as a stream of events.
//!
//! ```text
//! Open --upstream ends or breaks, event too large, list unreadable--> last word, if one is due --> Over
//! ```
//! An event that was begun and not ended is dropped, as a client would (WHATWG HTML, section 9.2.6).
//!
//! A last word is due while the client still waits for the answer to its request. One exception: since 2025-11-25 a
//! server may end a stream early and let the client resume it, which it announces by event ids; then it just ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;

use super::filter::{Expected, ToolsFilter, Withheld};
use super::peek::is_response;
use super::{Exchange, Translated, Translation};
use crate::envelope::{Message, MessageKind, RequestId};
use crate::error::RpcError;
use crate::memory::Held;
use crate::sse::{Event, EventTooLarge, Framer};
use crate::upstream::{AnswerStream, BadAnswer, UpstreamError};

#[derive(Debug)]
pub(super) struct EventRelay {
    source: Source,
    framer: Framer,
    /// For the event that the framer holds.
    held: Held,
    watch: Watch,
    /// Why there is an answer that will not come.
    broke_off: Option<&'static str>,
}

#[derive(Debug)]
enum Source {
    Open(AnswerStream),
    Over,
}

/// What this stream owes to its client.
#[derive(Debug)]
enum Watch {
    /// One answer.
    Answer { id: RequestId, list: Option<ToolsFilter>, resumable: bool },
    /// Nothing more: the answer went out. Lists are still filtered, should a second one come.
    Answered { list: Option<ToolsFilter> },
    /// One answer, in the words of the client, after whatever else is to be said.
    Translated { id: RequestId, translation: Translation, answered: bool },
    /// Whatever comes.
    Listen { list: Option<ToolsFilter> },
}

impl EventRelay {
    pub(super) fn new(stream: AnswerStream, event_bytes_max: usize, exchange: Exchange) -> Self {
        let watch = match exchange {
            Exchange::Request { id, list } => Watch::Answer { id, list, resumable: false },
            Exchange::Translated { id, translation } => {
                Watch::Translated { id, translation, answered: false }
            }
            Exchange::OneWay => Watch::Listen { list: None },
            Exchange::Listen { list } => Watch::Listen { list },
        };
        let held = stream.memory().hold();
        Self {
            source: Source::Open(stream),
            framer: Framer::new(event_bytes_max),
            held,
            watch,
            broke_off: None,
        }
    }

    /// The next bytes for the client. Never an error: what goes wrong is said in the stream itself.
    pub(super) fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match self.next_event() {
                Ok(Some(event)) => match self.watch.pass(event) {
                    Ok(Some(bytes)) => return Poll::Ready(Some(self.counted(bytes))),
                    Ok(None) => continue,
                    Err(Withheld) => return self.break_off(&UpstreamError::BadAnswer(BadAnswer::NotJsonRpc)),
                },
                Ok(None) => {}
                Err(error) => return self.break_off(&error),
            }
            match &mut self.source {
                Source::Open(stream) => match ready!(Pin::new(stream).poll_next(context)) {
                    Some(Ok(chunk)) => self.framer.push(chunk),
                    Some(Err(error)) => return self.break_off(&error),
                    None if self.watch.may_resume() => self.source = Source::Over,
                    None => return self.break_off(&UpstreamError::Closed(None)),
                },
                Source::Over => return Poll::Ready(None),
            }
        }
    }

    /// The next whole event, within its own limit and that of all calls together.
    fn next_event(&mut self) -> Result<Option<Event>, UpstreamError> {
        let event = self
            .framer
            .next_event()
            .map_err(|EventTooLarge { limit: limit_bytes }| UpstreamError::AnswerTooLarge { limit_bytes })?;
        match &event {
            None => self.held.resize(self.framer.bytes_held())?,
            Some(event) if self.held.bytes() > 0 => {
                self.held.resize(self.held.bytes().max(event.raw().len()))?;
            }
            Some(_) => {} // cut out of one chunk: nothing was gathered
        }
        Ok(event)
    }

    /// An event that was gathered stays counted until the client has it.
    fn counted(&mut self, event: Bytes) -> Bytes {
        let nothing = self.held.another();
        std::mem::replace(&mut self.held, nothing).until_gone(event)
    }

    fn break_off(&mut self, error: &UpstreamError) -> Poll<Option<Bytes>> {
        Poll::Ready(self.end(error))
    }

    /// Lets the upstream go, drops what is unfinished, and says the last word.
    pub(super) fn end(&mut self, error: &UpstreamError) -> Option<Bytes> {
        self.let_go();
        let last_word = self.watch.last_word(&error.rpc_error());
        if last_word.is_some() {
            self.broke_off = Some(error.reason());
            tracing::debug!(upstream.reason = error.reason(), %error, "a stream ended before its answer");
        }
        last_word
    }

    /// Why it ended before an answer that was due.
    pub(super) const fn broke_off(&self) -> Option<&'static str> {
        self.broke_off
    }

    /// The same where it is not the upstream that ends it. A stream that owes no answer says why in a comment, which no client takes for a
    /// message.
    pub(super) fn end_with(&mut self, error: &RpcError) -> Bytes {
        self.let_go();
        let comment = || Bytes::from(format!(": ended: {}\n\n", error.reason()));
        self.watch.last_word(error).unwrap_or_else(comment)
    }

    fn let_go(&mut self) {
        self.source = Source::Over;
        self.framer = Framer::new(0);
        self.held = self.held.another();
    }
}

impl Watch {
    /// The bytes that go out for an event; nothing, when it is left out.
    fn pass(&mut self, event: Event) -> Result<Option<Bytes>, Withheld> {
        if let Self::Answer { resumable, .. } = self {
            *resumable |= event.id().is_some();
        }
        let Some(data) = event.data().filter(|data| !data.trim_ascii().is_empty()) else {
            return Ok(Some(match self {
                // Where its server could be asked again for what comes after it is no business of this client.
                Self::Translated { .. } => Bytes::from_static(b":\n\n"),
                Self::Answer { .. } | Self::Answered { .. } | Self::Listen { .. } => event.into_raw(),
            }));
        };
        match self {
            Self::Answer { list, .. } => {
                let out = filtered(list.as_mut(), event, &data, Expected::List)?;
                if is_response(&data) {
                    let list = list.take();
                    *self = Self::Answered { list };
                }
                Ok(Some(out))
            }
            Self::Answered { list } => filtered(list.as_mut(), event, &data, Expected::List).map(Some),
            Self::Translated { translation, answered, .. } => {
                let message = Message::parse(data).map_err(|_| Withheld)?;
                *answered |= matches!(message.kind(), MessageKind::Response { .. });
                Ok(match translation.of(&message) {
                    Translated::AsItIs => Some(written(message.bytes())),
                    Translated::As(message) => Some(written(&message)),
                    Translated::Nothing => None,
                })
            }
            // One unreadable message must not end a stream that carries many.
            Self::Listen { list } => Ok(filtered(list.as_mut(), event, &data, Expected::Anything)
                .inspect_err(|_| tracing::warn!("an unreadable message was left out of a listening stream"))
                .ok()),
        }
    }

    const fn may_resume(&self) -> bool {
        match self {
            Self::Answer { resumable, .. } => *resumable,
            Self::Answered { .. } | Self::Translated { .. } | Self::Listen { .. } => false,
        }
    }

    fn last_word(&mut self, error: &RpcError) -> Option<Bytes> {
        match self {
            Self::Answer { id, .. } | Self::Translated { id, answered: false, .. } => {
                let body = error.body(Some(id));
                Some([b"event: message\ndata: ", &body[..], b"\n\n"].concat().into())
            }
            Self::Answered { .. } | Self::Translated { answered: true, .. } | Self::Listen { .. } => None,
        }
    }
}

/// A message as an event of ours.
fn written(message: &[u8]) -> Bytes {
    let mut out = b"event: message\n".to_vec();
    for line in message.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    Bytes::from(out)
}

fn filtered(
    list: Option<&mut ToolsFilter>,
    event: Event,
    data: &Bytes,
    expected: Expected,
) -> Result<Bytes, Withheld> {
    let Some(list) = list else { return Ok(event.into_raw()) };
    let message = list.message(data, expected)?;
    Ok(if message == *data { event.into_raw() } else { event.with_data(&message) })
}
