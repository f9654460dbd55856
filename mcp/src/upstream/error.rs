//! Every way in which an upstream fails, and the one in which we do, each with its status, its stable reason, and a cause for the log.

use std::error::Error as StdError;

use http::StatusCode;
use thiserror::Error;

use super::reach::AddressRefused;
use crate::error::{RpcError, code};
use crate::memory::NoRoom;

type Cause = Box<dyn StdError + Send + Sync>;

/// The upstream gave no usable answer. The text is for the caller; the source, which may name addresses, for the log.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// No connection: refused, unresolvable, TLS failed, or not made in time. The request was not sent.
    #[error("the upstream cannot be reached")]
    Unreachable(#[source] Cause),
    /// Whoever named the address may not send us there. The request was not sent.
    #[error("the upstream's address is in no network that servers of organizations may be in")]
    AddressRefused(#[from] AddressRefused),
    /// A step took longer than it may. The request may have been carried out.
    #[error("the upstream took too long")]
    Timeout(TimeLimit),
    /// The connection ended before the answer did. The request may have been carried out.
    #[error("the upstream closed the connection before its answer was complete")]
    Closed(#[source] Option<Cause>),
    /// What came back is not the protocol.
    #[error("the upstream answered with something that is not MCP")]
    BadAnswer(BadAnswer),
    /// The answer, or one event of it, is over the limit.
    #[error("the upstream's answer is larger than {limit_bytes} bytes")]
    AnswerTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// 401 or 407: the credential that we hold for the upstream is not accepted. The client's is a different one, so
    /// the status must not travel on, or the client would try to sign in again with us.
    #[error("the upstream does not accept the credential it was given")]
    Unauthorized,
    /// The answer must be gathered, and all calls together hold as much as they may. No fault of the upstream's.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// Until the head of the answer.
    FirstByte,
    /// Between two pieces of the answer.
    Idle,
    /// The whole exchange, whatever progress it makes.
    Hard,
}

/// What is wrong with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAnswer {
    /// Not HTTP.
    NotHttp,
    /// A redirect; they are never followed.
    Redirect,
    /// Neither JSON nor an event stream: a web page, most often.
    ContentType,
    /// Compressed, although nobody offered to take that.
    ContentEncoding,
    /// Declared as JSON, but not a JSON-RPC object; or a list that cannot be read with certainty.
    NotJsonRpc,
    /// A success without a body, for a request that wants an answer.
    NoAnswer,
    /// A server error without a JSON body.
    ServerError,
}

/// The TLS client cannot be set up.
#[derive(Debug, Error)]
#[error("TLS cannot be set up")]
pub struct TlsSetupError(#[from] rustls::Error);

impl UpstreamError {
    /// The stable word in `data.reason`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "upstream-unreachable",
            Self::AddressRefused(_) => "upstream-address-refused",
            Self::Timeout(_) => "upstream-timeout",
            Self::Closed(_) => "upstream-closed",
            Self::BadAnswer(_) => "upstream-bad-answer",
            Self::AnswerTooLarge { .. } => "upstream-answer-too-large",
            Self::Unauthorized => "upstream-unauthorized",
            Self::NoRoom(_) => "node-busy",
        }
    }

    /// The HTTP status beside the answer: 504 for time, 503 for our own want of room, 502 for the rest.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::NoRoom(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable(_)
            | Self::AddressRefused(_)
            | Self::Closed(_)
            | Self::BadAnswer(_)
            | Self::AnswerTooLarge { .. }
            | Self::Unauthorized => StatusCode::BAD_GATEWAY,
        }
    }

    /// The answer to the client.
    pub fn rpc_error(&self) -> RpcError {
        RpcError::new(code::INTERNAL_ERROR, self.reason(), self.to_string())
    }
}

impl From<BadAnswer> for UpstreamError {
    fn from(what: BadAnswer) -> Self {
        Self::BadAnswer(what)
    }
}

impl From<hyper_util::client::legacy::Error> for UpstreamError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        if let Some(refused) = causes(&error).find_map(|cause| cause.downcast_ref::<AddressRefused>()) {
            return Self::AddressRefused(*refused);
        }
        if error.is_connect() {
            return Self::Unreachable(error.into());
        }
        let not_http = hyper_error(&error).is_some_and(hyper::Error::is_parse);
        if not_http { Self::BadAnswer(BadAnswer::NotHttp) } else { Self::Closed(Some(error.into())) }
    }
}

impl From<hyper::Error> for UpstreamError {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() {
            return Self::BadAnswer(BadAnswer::NotHttp);
        }
        Self::Closed(Some(error.into()))
    }
}

fn hyper_error(error: &hyper_util::client::legacy::Error) -> Option<&hyper::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes(error: &hyper_util::client::legacy::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
