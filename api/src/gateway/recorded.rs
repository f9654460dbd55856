//! The record of a call, as it is made: `relay` begins it, the steps of the call say what they know, and it is handed on when the last byte
//! is out, the client has left or the call is given up, whichever comes first.
//!
//! A call leaves a record as soon as its credential is known (or, on loopback, its instance), refused or not. Whatever is refused before is counted
//! (`sekisho_mcp_refusals`), not recorded: strangers must not fill the tables.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::response::Response;
use domain::instance::{ArgumentDays, ArgumentRecording, Overflow};
use domain::value::{Clock, InstanceId};
use http::Method;
use http_body::{Body as HttpBody, Frame, SizeHint};
use mcp::envelope::Message;
use projections::access::{AccessView, Grounds};
use projections::calls::{CallKind, CallQueue, Outcome, UnderWay};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::draft::Draft;
use super::ports::SealCalls;
use super::refusal::{Refusal, RefusedFor};

/// Bytes of arguments that are sealed: the first ones. Their digest is of them all.
pub(crate) const ARGUMENT_BYTES_MAX: usize = 16 * 1024;

/// What records are made with; nothing of it, when the deployment keeps none.
pub struct Recorder {
    /// Where records go.
    pub queue: CallQueue,
    /// Ids, digests and seals.
    pub seals: Arc<dyn SealCalls>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// The record of one call in the making. Every step of the call has it; what they say is written down when the last of them is over.
#[derive(Clone)]
pub(super) struct CallRecording(Option<Arc<Making>>);

struct Making {
    recorder: Arc<Recorder>,
    clock: Arc<dyn Clock>,
    started: Instant,
    draft: Mutex<Draft>,
    /// Given back after the record was put.
    _under_way: UnderWay,
}

impl std::fmt::Debug for CallRecording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallRecording")
    }
}

impl CallRecording {
    /// Of what is no call of its own.
    pub(super) const NONE: Self = Self(None);

    /// A call begins.
    pub(super) fn begin(gateway: &Gateway, method: &Method) -> Self {
        let Some(recorder) = &gateway.0.recorder else { return Self::NONE };
        let kind = match *method {
            Method::GET => CallKind::Stream,
            Method::DELETE => CallKind::SessionEnd,
            _ => CallKind::Unread,
        };
        let clock = Arc::clone(&gateway.0.clock);
        let now = clock.now();
        let draft = Mutex::new(Draft::new(recorder.seals.id(now), now, kind, recorder.queue.node()));
        let (recorder, started) = (Arc::clone(recorder), Instant::now());
        let under_way = recorder.queue.begin();
        Self(Some(Arc::new(Making { recorder, clock, started, draft, _under_way: under_way })))
    }

    /// The same answer, whose way out is told to the record.
    pub(super) fn of(self, response: Response) -> Response {
        if self.0.is_none() {
            return response;
        }
        let refused = response.extensions().get::<RefusedFor>().map(|RefusedFor(reason)| *reason);
        self.say(|draft| draft.answered(response.status(), refused));
        response.map(|body| {
            let whole = body.size_hint().exact();
            Body::new(RecordedBody { body, recording: self, whole, bytes_out: 0, ended: None })
        })
    }

    /// Says something that is known now.
    pub(super) fn say(&self, what: impl FnOnce(&mut Draft)) {
        if let Some(making) = &self.0 {
            what(&mut making.draft());
        }
    }

    /// What is decided from now on rests on these.
    pub(super) fn rests_on(&self, grounds: &Grounds) {
        self.say(|draft| draft.rests_on(grounds.mark().basis));
    }

    /// The message was read.
    pub(super) fn message(&self, call: &McpCall) {
        let Some(making) = &self.0 else { return };
        let arguments = call.message.as_ref().and_then(Message::arguments);
        let digest = arguments.map(|arguments| making.recorder.seals.digest(&arguments));
        making.draft().message(call, digest);
    }

    /// Makes sure of room for the record where the instance is set to that, and seals the arguments where it keeps them. Before the decision, since a
    /// decision must not grow old while the call waits here.
    pub(super) async fn must_have_room(
        &self,
        view: &AccessView,
        caller: &AuthenticatedCaller,
        instance: Option<InstanceId>,
        call: &McpCall,
    ) -> Result<(), Refusal> {
        let instance = instance.and_then(|id| view.instance(id));
        // Whoever asks about what is not theirs is refused soon, and learns nothing of its settings.
        let own = instance.filter(|instance| {
            caller.organization.is_none_or(|organization| organization == instance.organization)
        });
        let Some(instance) = own else { return Ok(()) };
        match (instance.recording.overflow, &self.0) {
            (Overflow::Drop, _) => {}
            (Overflow::Block, None) => return Err(Refusal::recording_unavailable()),
            (Overflow::Block, Some(making)) => {
                let room = making.recorder.queue.room().await.ok_or_else(Refusal::recording_unavailable)?;
                making.draft().has_room(room);
            }
        }
        match (instance.recording.arguments, &self.0) {
            (ArgumentRecording::None, _) | (ArgumentRecording::Sealed { .. }, None) => Ok(()),
            (ArgumentRecording::Sealed { retention_days }, Some(making)) => {
                match (making.seal(call, retention_days), instance.recording.overflow) {
                    (Err(NotSealed), Overflow::Block) => Err(Refusal::recording_unavailable()),
                    (Err(NotSealed), Overflow::Drop) | (Ok(()), _) => Ok(()), // the record says that none are kept
                }
            }
        }
    }
}

/// Arguments could not be sealed, or there is no room for them.
struct NotSealed;

impl Making {
    fn seal(&self, call: &McpCall, retention: ArgumentDays) -> Result<(), NotSealed> {
        let Some(arguments) = call.message.as_ref().and_then(Message::arguments) else { return Ok(()) };
        let kept = arguments.get(..ARGUMENT_BYTES_MAX).unwrap_or(&arguments);
        let room = self.recorder.queue.argument_room(kept.len()).ok_or(NotSealed)?;
        let mut draft = self.draft();
        let sealed = self.recorder.seals.seal(draft.id(), kept).ok_or(NotSealed)?;
        draft.keep(sealed, retention, room);
        Ok(())
    }

    fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let draft = std::mem::take(self.draft.get_mut().unwrap_or_else(PoisonError::into_inner));
        let Some(written) = draft.finish(self.started.elapsed()) else { return };
        self.recorder.queue.put(written.call, written.room, written.argument_room, self.clock.now().get());
    }
}

/// A body whose bytes are counted, and whose end is told.
struct RecordedBody {
    body: Body,
    recording: CallRecording,
    whole: Option<u64>,
    bytes_out: u64,
    ended: Option<Outcome>,
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.ended = Some(Outcome::Answered),
            Poll::Ready(Some(Err(_))) => self.ended = Some(Outcome::CutOff),
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes_out += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RecordedBody {
    fn drop(&mut self) {
        // A body of known length is not polled again after its last byte.
        let whole = self.whole == Some(self.bytes_out) || self.body.is_end_stream();
        let ended = self.ended.unwrap_or(if whole { Outcome::Answered } else { Outcome::ClientGone });
        let bytes_out = self.bytes_out;
        self.recording.say(|draft| draft.ended(ended, bytes_out));
    }
}
