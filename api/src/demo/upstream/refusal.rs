//! A request that is not answered with a result: the HTTP status, and the JSON-RPC error in its body.

use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mcp::envelope::{EnvelopeError, RequestId};
use mcp::error::{RpcError, code};
use mcp::headers::{HeaderError, MediaError};
use mcp::origin::OriginRefused;

use super::answer::json;

/// What was wrong, and with which request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: Box<RpcError>,
    id: Option<RequestId>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: RpcError) -> Self {
        Self { status, error: Box::new(error), id: None }
    }

    /// Names the request. Every error names it, once it is known.
    pub(super) fn under(self, id: Option<&RequestId>) -> Self {
        Self { id: id.cloned(), ..self }
    }

    /// A message that this era has no place for.
    pub(super) fn unexpected(message: &'static str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            RpcError::new(code::INVALID_REQUEST, "unexpected-message", message),
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        json(self.status, self.error.body(self.id.as_ref()))
    }
}

impl From<OriginRefused> for Refusal {
    fn from(error: OriginRefused) -> Self {
        Self::new(error.status(), error.rpc_error())
    }
}

impl From<MediaError> for Refusal {
    fn from(error: MediaError) -> Self {
        Self::new(error.status(), error.rpc_error())
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::new(error.status(), error.rpc_error())
    }
}

impl From<HeaderError> for Refusal {
    fn from(error: HeaderError) -> Self {
        Self::new(error.status(), error.rpc_error())
    }
}

/// The body is over its limit, or broke off.
impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        let error = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            RpcError::new(code::TOO_LARGE, "body-too-large", "the body is over its limit")
        } else {
            RpcError::new(code::PARSE_ERROR, "body-unreadable", "the body could not be read")
        };
        Self::new(rejection.status(), error)
    }
}
