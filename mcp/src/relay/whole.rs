//! Answers in one JSON object.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::StatusCode;

use super::{Exchange, JSON_HELD_BYTES_MAX, RelayBody};
use crate::envelope::RequestId;
use crate::upstream::{AnswerStream, BadAnswer, UpstreamError};

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
        Exchange::Request { id, list } => (Some(id), list),
        Exchange::Listen { list } => (None, list),
        Exchange::OneWay => (None, None),
    };
    let hold = if list.is_some() { usize::MAX } else { JSON_HELD_BYTES_MAX };
    let Held { bytes, rest } = hold_back(stream, hold).await?;
    let filtered = match list {
        Some(mut list) => list.answer(&bytes).ok(),
        None if id.is_none() => Some(bytes), // no answer was due: some servers write `null` beside their 200
        None => starts_an_object(&bytes).then_some(bytes),
    };
    match (filtered, rest) {
        (Some(bytes), None) => Ok(JsonAnswer::Body(RelayBody::whole(bytes))),
        (Some(bytes), Some(rest)) => Ok(JsonAnswer::Body(RelayBody::json(bytes, rest))),
        (None, _) if !status.is_success() => Ok(JsonAnswer::Unusable(id)),
        (None, _) => Err(UpstreamError::BadAnswer(BadAnswer::NotJsonRpc)),
    }
}

struct Held {
    bytes: Bytes,
    /// What comes after it, when the answer is longer.
    rest: Option<AnswerStream>,
}

/// Reads up to the end, or until more than `hold` bytes are there. The stream itself bounds the whole.
async fn hold_back(mut stream: AnswerStream, hold: usize) -> Result<Held, UpstreamError> {
    let Some(first) = stream.next().await.transpose()? else {
        return Ok(Held { bytes: Bytes::new(), rest: None });
    };
    let mut gathered = Gathered::One(first);
    while gathered.len() <= hold {
        match stream.next().await.transpose()? {
            Some(chunk) => gathered.push(&chunk),
            None => return Ok(Held { bytes: gathered.into_bytes(), rest: None }),
        }
    }
    Ok(Held { bytes: gathered.into_bytes(), rest: Some(stream) })
}

/// Small answers come in one piece, which is then never copied.
enum Gathered {
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    fn push(&mut self, chunk: &Bytes) {
        match self {
            Self::One(first) => {
                let mut joined = BytesMut::with_capacity(2 * (first.len() + chunk.len()));
                joined.extend_from_slice(first);
                joined.extend_from_slice(chunk);
                *self = Self::Many(joined);
            }
            Self::Many(bytes) => bytes.extend_from_slice(chunk),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

fn starts_an_object(json: &[u8]) -> bool {
    json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}
