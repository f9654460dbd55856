//! A slow call on the wire: a stream of progress and then the result, or the result alone.
//!
//! The stream drives the work. When the client closes it, the server drops the body and the work ends with it; that
//! is how a call of 2026-07-28 is cancelled, and no stream is ever resumed. Event ids are therefore absent.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode};
use mcp::envelope::{Message, RequestId};
use mcp::error::RpcError;
use mcp::headers::{X_ACCEL_BUFFERING, check_get_media};
use mcp::revision::Era;

use super::answer::{Answer, json, with_body};
use super::params;
use super::refusal::Refusal;
use super::sessions::RunningCall;
use super::tools::slow::{Event, Work};

/// Our own, outside the reserved range: JSON-RPC has no word for it.
const CANCELLED: i64 = 499;

/// Whom the messages are for, and how they are written.
pub(super) struct Caller {
    pub(super) era: Era,
    pub(super) id: RequestId,
    pub(super) progress_token: Option<RequestId>,
}

struct Call {
    work: Work,
    running: Option<RunningCall>,
    caller: Caller,
}

enum Next {
    Event(Event),
    Cancelled,
}

/// The progress token is a string or a number, as an id is.
pub(super) fn token(message: &Message) -> Result<Option<RequestId>, Refusal> {
    let Some(json) = message.progress_token().filter(|json| *json != "null") else { return Ok(None) };
    let token = RequestId::parse(json).ok_or_else(|| {
        let error = params::invalid("progress-token-malformed", "`progressToken` is no string or number");
        Refusal::new(StatusCode::OK, error)
    })?;
    Ok(Some(token))
}

/// A stream for clients that take one, else the result when it is there.
pub(super) async fn respond(
    work: Work,
    running: Option<RunningCall>,
    caller: Caller,
    headers: &HeaderMap,
) -> Response {
    let call = Call { work, running, caller };
    if check_get_media(headers).is_err() {
        return call.whole().await;
    }
    let events = stream::unfold(Some(call), |call| async {
        let (event, call) = call?.event().await?;
        Some((Ok::<_, Infallible>(event), call))
    });
    let mut response = with_body(StatusCode::OK, "text/event-stream", Body::from_stream(events));
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

impl Call {
    async fn next(&mut self) -> Next {
        let Some(running) = &self.running else { return Next::Event(self.work.next().await) };
        tokio::select! {
            biased;
            () = running.cancelled() => Next::Cancelled,
            event = self.work.next() => Next::Event(event),
        }
    }

    /// The next piece of the stream, and the call unless this was the last. A cancelled call ends without a word.
    async fn event(mut self) -> Option<(Bytes, Option<Self>)> {
        loop {
            match self.next().await {
                Next::Cancelled => return None,
                Next::Event(Event::Quiet) => return Some((Bytes::from_static(b": working\n\n"), Some(self))),
                Next::Event(Event::Step(done)) => {
                    if let Some(token) = &self.caller.progress_token {
                        return Some((progress(token, done, self.work.steps()), Some(self)));
                    }
                }
                Next::Event(Event::End) => return Some((framed(&self.body()), None)),
            }
        }
    }

    async fn whole(mut self) -> Response {
        loop {
            match self.next().await {
                Next::Cancelled => {
                    let error = RpcError::new(CANCELLED, "cancelled", "the call was cancelled");
                    return Refusal::new(StatusCode::OK, error).under(Some(&self.caller.id)).into_response();
                }
                Next::Event(Event::Quiet | Event::Step(_)) => {}
                Next::Event(Event::End) => return json(StatusCode::OK, self.body()),
            }
        }
    }

    fn body(&self) -> Bytes {
        Answer::Tool(self.work.result()).body(self.caller.era, &self.caller.id)
    }
}

fn progress(token: &RequestId, done: u32, steps: u32) -> Bytes {
    let message = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{},"progress":{done},"total":{steps},"message":"step {done} of {steps}"}}}}"#,
        token.as_json()
    );
    framed(message.as_bytes())
}

/// One event. JSON as it is written here has no line ends, so one `data` line is enough; a token or id that the client
/// wrote is a JSON string or number, which can have none either.
fn framed(message: &[u8]) -> Bytes {
    Bytes::from([b"event: message\ndata: ", message, b"\n\n"].concat())
}
