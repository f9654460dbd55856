//! Answers in one JSON object.

use bytes::Bytes;
use futures_util::StreamExt;
use http::StatusCode;

use super::{Exchange, JSON_HELD_BYTES_MAX, LIST_BYTES_MAX, RelayBody, Translated, Translation};
use crate::envelope::{Message, RequestId};
use crate::memory::Held;
use crate::upstream::{AnswerStream, BadAnswer, ReaderLimit, UpstreamError};

/// What became of the answer.
pub(super) enum JsonAnswer {
    /// It travels on.
    Body(RelayBody),
    /// A refusal whose body is not JSON-RPC; its status still says something.
    Unusable(Option<RequestId>),
}

pub(super) async fn relay_json(
    stream: AnswerStream,
    status: StatusCode,
    exchange: Exchange,
) -> Result<JsonAnswer, UpstreamError> {
    let (id, list) = match exchange {
        Exchange::Translated { id, translation } => return translated(stream, status, id, translation).await,
        Exchange::Request { id, list } => (Some(id), list),
        Exchange::Listen { list } => (None, list),
        Exchange::OneWay => (None, None),
    };
    let start_bytes = if list.is_some() { LIST_BYTES_MAX } else { JSON_HELD_BYTES_MAX };
    let Start { bytes, held, rest, limit } = hold_back(stream, start_bytes).await?;
    if list.is_some() && rest.is_some() {
        return Err(UpstreamError::AnswerTooLarge { limit_bytes: LIST_BYTES_MAX });
    }
    let filtered = match list {
        Some(mut list) => list.answer(&bytes).ok(),
        None if id.is_none() => Some(bytes), // no answer was due: some servers write `null` beside their 200
        None => starts_an_object(&bytes).then_some(bytes),
    };
    let counted = filtered.map(|bytes| held.until_gone(bytes));
    match (counted, rest) {
        (Some(bytes), None) => Ok(JsonAnswer::Body(RelayBody::read(bytes, limit))),
        (Some(bytes), Some(rest)) => Ok(JsonAnswer::Body(RelayBody::json(bytes, rest))),
        (None, _) if !status.is_success() => Ok(JsonAnswer::Unusable(id)),
        (None, _) => Err(UpstreamError::BadAnswer(BadAnswer::NotJsonRpc)),
    }
}

/// Read to its end, which the stream's own limit and the memory of its caller bound.
async fn translated(
    stream: AnswerStream,
    status: StatusCode,
    id: RequestId,
    mut translation: Translation,
) -> Result<JsonAnswer, UpstreamError> {
    let Start { bytes, held, limit, .. } = hold_back(stream, usize::MAX).await?;
    let out = Message::parse(bytes).ok().and_then(|message| match translation.of(&message) {
        Translated::AsItIs => Some(message.into_bytes()),
        Translated::As(bytes) => Some(bytes),
        Translated::Nothing => None,
    });
    match out {
        Some(bytes) => Ok(JsonAnswer::Body(RelayBody::read(held.until_gone(bytes), limit))),
        None if status.is_success() => Err(UpstreamError::BadAnswer(BadAnswer::NotJsonRpc)),
        None => Ok(JsonAnswer::Unusable(Some(id))),
    }
}

struct Start {
    bytes: Bytes,
    held: Held,
    /// What comes after it, when the answer is longer.
    rest: Option<AnswerStream>,
    /// How long the client may take to read it.
    limit: ReaderLimit,
}

/// Reads up to the end, or until more than `start_bytes` are there.
async fn hold_back(mut stream: AnswerStream, start_bytes: usize) -> Result<Start, UpstreamError> {
    let (memory, limit) = (stream.memory().clone(), stream.reader_limit());
    let Some(first) = stream.next().await.transpose()? else {
        return Ok(Start { bytes: Bytes::new(), held: memory.hold(), rest: None, limit });
    };
    let mut gathered = memory.gather();
    if first.len() <= start_bytes {
        let Some(second) = stream.next().await.transpose()? else {
            // The common case: what came in one piece was never gathered, so it passes as it is and counts for nothing.
            return Ok(Start { bytes: first, held: memory.hold(), rest: None, limit });
        };
        gathered.push(first)?;
        gathered.push(second)?;
    } else {
        gathered.push(first)?;
    }
    let mut rest = Some(stream);
    while let Some(open) = rest.as_mut().filter(|_| gathered.len() <= start_bytes) {
        match open.next().await.transpose()? {
            Some(chunk) => gathered.push(chunk)?,
            None => rest = None,
        }
    }
    let (bytes, held) = gathered.into_parts();
    Ok(Start { bytes, held, rest, limit })
}

fn starts_an_object(json: &[u8]) -> bool {
    json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}
