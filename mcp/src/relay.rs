//! From the upstream's answer to the client's: bytes pass as they come, lists are filtered, a cut stream gets its last word.
//!
//! ```text
//! JSON, no list     the first 64 KiB are held back, so that an early death is still a clean error; the rest streams
//! JSON, list        read whole (bounded), tools cut out
//! translated        JSON is read whole, events message by message
//! events            each whole event at once; only answers to lists are read and rewritten
//! events, cut off   the unfinished event is dropped, and a JSON-RPC error under the request's id ends the stream
//! nobody reads      at the hard limit the upstream is let go, and what was kept for the client with it
//! none              a success for what wants no answer; a refusal gets a JSON-RPC body under its own status
//! ```

mod body;
mod events;
mod filter;
mod peek;
mod translation;
mod watched;
mod whole;

pub use body::RelayBody;
pub use filter::ToolsFilter;
pub use translation::{Translated, Translation};

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::envelope::RequestId;
use crate::error::{RpcError, code};
use crate::forward_headers;
use crate::headers::X_ACCEL_BUFFERING;
use crate::upstream::{BadAnswer, UpstreamBody, UpstreamError, UpstreamResponse};

/// How much of a JSON answer is held back before its head is sent.
pub const JSON_HELD_BYTES_MAX: usize = 64 * 1024;

/// The largest answer that is read whole to cut tools out of it. A thousand tools with long schemas stay far below.
pub const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What the client sent, and so what may come back.
#[derive(Debug)]
pub enum Exchange {
    /// A POST with a request: one answer, perhaps after other messages.
    Request {
        /// The id that the answer must carry.
        id: RequestId,
        /// For `tools/list`.
        list: Option<ToolsFilter>,
    },
    /// A POST with a request to a server that does not speak as its client does: each message is translated, and the answer is the last one.
    Translated {
        /// The id that the answer must carry.
        id: RequestId,
        /// What becomes of each message.
        translation: Translation,
    },
    /// A POST with a notification or response, or a DELETE: no answer is due.
    OneWay,
    /// A legacy GET: any messages, and on resumption the answer to any earlier request, lists included.
    Listen {
        /// Wanted wherever lists are filtered, or a client could fetch the whole list by resuming.
        list: Option<ToolsFilter>,
    },
}

/// Turns the upstream's answer into the client's. An error means that nothing was given out yet.
pub async fn relay(
    upstream: UpstreamResponse,
    exchange: Exchange,
) -> Result<Response<RelayBody>, UpstreamError> {
    let UpstreamResponse { status, headers, body } = upstream;
    let mut response = Response::new(RelayBody::empty());
    *response.status_mut() = status;
    *response.headers_mut() = forward_headers::response(&headers);
    if exchange.is_filtered() {
        // Made for one caller, so it is nobody's to keep.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    match body {
        UpstreamBody::Empty if status.is_success() => {
            if exchange.id().is_some() {
                return Err(UpstreamError::BadAnswer(BadAnswer::NoAnswer));
            }
            response.headers_mut().remove(CONTENT_TYPE);
        }
        UpstreamBody::Empty => refuse(&mut response, exchange.id()),
        UpstreamBody::Json(stream) => match whole::relay_json(stream, status, exchange).await? {
            whole::JsonAnswer::Body(body) => *response.body_mut() = body,
            whole::JsonAnswer::Unusable(id) => refuse(&mut response, id.as_ref()),
        },
        UpstreamBody::Sse { stream, event_bytes_max } => {
            response.headers_mut().entry(X_ACCEL_BUFFERING).or_insert(HeaderValue::from_static("no"));
            let event_bytes_max = event_bytes_max.min(exchange.event_bytes_max());
            *response.body_mut() = RelayBody::events(stream, event_bytes_max, exchange);
        }
    }
    Ok(response)
}

/// The upstream's status, and a body of ours: what it wrote beside it is not JSON-RPC.
fn refuse(response: &mut Response<RelayBody>, id: Option<&RequestId>) {
    let error = match response.status() {
        StatusCode::NOT_FOUND => "the upstream does not know this address or session",
        StatusCode::METHOD_NOT_ALLOWED => "the upstream does not offer this verb",
        _ => "the upstream refused the request",
    };
    let error = RpcError::new(code::INTERNAL_ERROR, "upstream-refused", error);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = RelayBody::whole(error.body(id));
}

impl Exchange {
    fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Request { id, .. } | Self::Translated { id, .. } => Some(id),
            Self::OneWay | Self::Listen { .. } => None,
        }
    }

    /// A list that comes as an event is bound like any other. A listening stream carries other things too.
    const fn event_bytes_max(&self) -> usize {
        match self {
            Self::Request { list: Some(_), .. } => LIST_BYTES_MAX,
            Self::Request { list: None, .. }
            | Self::Translated { .. }
            | Self::OneWay
            | Self::Listen { .. } => usize::MAX,
        }
    }

    fn is_filtered(&self) -> bool {
        match self {
            Self::Request { list, .. } | Self::Listen { list } => list.is_some(),
            Self::Translated { .. } | Self::OneWay => false,
        }
    }
}

#[cfg(test)]
mod tests;
