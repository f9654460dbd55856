//! An answer that is read whole: of requests that the gateway makes on its own account.

use bytes::Bytes;
use futures_util::StreamExt as _;
use mcp::envelope::{Message, MessageKind};
use mcp::memory::ByteBudget;
use mcp::relay::LIST_BYTES_MAX;
use mcp::sse::{EventTooLarge, Framer};
use mcp::upstream::{AnswerStream, BadAnswer, UpstreamBody, UpstreamError, UpstreamResponse};

use super::refusal::Refusal;

/// The message that answers, whatever its status. One without any is a refusal.
pub(super) async fn whole_answer(answer: UpstreamResponse, memory: &ByteBudget) -> Result<Bytes, Refusal> {
    let whole = match answer.body {
        UpstreamBody::Empty if answer.status.is_success() => Err(BadAnswer::NoAnswer.into()),
        UpstreamBody::Empty => return Err(Refusal::upstream_refused(answer.status)),
        UpstreamBody::Json(stream) => whole_list(stream, memory).await,
        UpstreamBody::Sse { stream, event_bytes_max } => {
            first_response(stream, event_bytes_max.min(LIST_BYTES_MAX), memory).await
        }
    };
    whole.map_err(Refusal::upstream)
}

/// A JSON answer, to its end.
async fn whole_list(mut stream: AnswerStream, memory: &ByteBudget) -> Result<Bytes, UpstreamError> {
    let mut gathered = memory.gather();
    while let Some(piece) = stream.next().await.transpose()? {
        if gathered.len() + piece.len() > LIST_BYTES_MAX {
            return Err(UpstreamError::AnswerTooLarge { limit_bytes: LIST_BYTES_MAX });
        }
        gathered.push(piece)?;
    }
    Ok(gathered.into_bytes())
}

/// The first response of a stream. What comes after it is not waited for: some servers leave the stream open.
async fn first_response(
    mut stream: AnswerStream,
    event_bytes_max: usize,
    memory: &ByteBudget,
) -> Result<Bytes, UpstreamError> {
    let (mut framer, mut held) = (Framer::new(event_bytes_max), memory.hold());
    loop {
        let event = framer
            .next_event()
            .map_err(|EventTooLarge { limit }| UpstreamError::AnswerTooLarge { limit_bytes: limit })?;
        let Some(event) = event else {
            held.resize(framer.bytes_held())?;
            let piece = stream.next().await.transpose()?.ok_or(UpstreamError::Closed(None))?;
            framer.push(piece);
            continue;
        };
        let Some(data) = event.data().filter(|data| !data.trim_ascii().is_empty()) else { continue };
        let message = Message::parse(data).map_err(|_| BadAnswer::NotJsonRpc)?;
        if matches!(message.kind(), MessageKind::Response { .. }) {
            return Ok(held.until_gone(message.into_bytes()));
        }
    }
}
