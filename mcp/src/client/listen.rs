//! A stream up to the answer on it. One that a server of the handshake closes before that, having said where it was, is come back to
//! (2025-11-25, transports, "resumability"); in 2026-07-28 a stream that ended is over.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::exchange::{Listener, bad, refused};
use super::{Client, ClientError};
use crate::error::code;
use crate::headers::LAST_EVENT_ID;
use crate::spoken::Spoken;
use crate::sse::{Event, Framer};
use crate::upstream::{AnswerStream, BadAnswer, UpstreamBody, UpstreamError, UpstreamResponse};

/// How often one stream is come back to.
const RETURNS_MAX: usize = 1_000;
/// How long to stay away where the server does not say, and at most.
const AWAY: Duration = Duration::from_secs(1);
const AWAY_MAX: Duration = Duration::from_mins(1);

/// How far a stream was read.
#[derive(Debug)]
struct Place {
    last: Option<HeaderValue>,
    away: Duration,
}

impl Place {
    fn pass(&mut self, event: &Event) {
        if let Some(id) = event.id() {
            self.last = HeaderValue::from_bytes(id).ok().filter(|id| !id.is_empty());
        }
        self.away = event.retry().unwrap_or(self.away);
    }
}

impl Client {
    /// The message that answers this request. What the server says before it is handed on.
    pub(super) async fn listen(
        &self,
        id: u64,
        mut stream: AnswerStream,
        event_bytes_max: usize,
        on_the_way: Listener<'_>,
    ) -> Result<Value, ClientError> {
        let mut place = Place { last: None, away: AWAY };
        for _ in 0..RETURNS_MAX {
            let events = Framer::new(event_bytes_max);
            if let Some(answer) = self.drain(id, (stream, events), &mut place, on_the_way).await? {
                return Ok(answer);
            }
            stream = self.come_back(&place).await?;
        }
        Err(UpstreamError::Closed(None).into())
    }

    /// Reads to the answer, or to the end. What a server of the handshake asks on the way is answered: nothing can be asked of us.
    async fn drain(
        &self,
        id: u64,
        (mut stream, mut events): (AnswerStream, Framer),
        place: &mut Place,
        on_the_way: Listener<'_>,
    ) -> Result<Option<Value>, ClientError> {
        loop {
            while let Some(event) = events
                .next_event()
                .map_err(|error| UpstreamError::AnswerTooLarge { limit_bytes: error.limit })?
            {
                place.pass(&event);
                let Some(data) = event.data().filter(|data| !data.trim_ascii().is_empty()) else { continue };
                let message: Value = serde_json::from_slice(&data).map_err(|_| bad(BadAnswer::NotJsonRpc))?;
                match (message.get("method"), message.get("id")) {
                    (None, Some(answered)) if *answered == id => return Ok(Some(message)),
                    (None, _) => {}
                    (Some(_), None) => on_the_way(&message),
                    (Some(method), Some(asked)) => self.tell(&not_here(method, asked)).await?,
                }
            }
            match stream.next().await {
                Some(piece) => events.push(piece?),
                None => return Ok(None),
            }
        }
    }

    async fn come_back(&self, place: &Place) -> Result<AnswerStream, ClientError> {
        let (Spoken::Legacy { .. }, Some(last)) = (&self.spoken, &place.last) else {
            return Err(UpstreamError::Closed(None).into());
        };
        tokio::time::sleep(place.away.min(AWAY_MAX)).await;
        let mut headers = self.heads();
        headers.remove(header::CONTENT_TYPE);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(LAST_EVENT_ID, last.clone());
        let UpstreamResponse { status, headers, body } =
            self.upstream.send(self.request(Method::GET, headers, String::new())).await?;
        match body {
            UpstreamBody::Sse { stream, .. } => Ok(stream),
            UpstreamBody::Empty | UpstreamBody::Json(_) => Err(not_resumed(status, &headers)),
        }
    }
}

fn not_resumed(status: StatusCode, headers: &HeaderMap) -> ClientError {
    if status.is_success() { bad(BadAnswer::ContentType) } else { refused(status, headers, None) }
}

/// The answer to a request of the server's.
fn not_here(method: &Value, id: &Value) -> Value {
    if method == "ping" {
        return json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    }
    let error = json!({ "code": code::METHOD_NOT_FOUND, "message": "this client cannot be asked anything" });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}
