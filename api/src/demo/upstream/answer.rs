//! A result and how it is written: bare in the legacy era; with its type, its freshness and the server's name in the
//! modern one.

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use mcp::envelope::RequestId;
use mcp::error::{RpcError, code};
use mcp::revision::Era;
use serde::Serialize;
use serde_json::{Value, json as value};

use super::tools::ToolResult;

/// How long a list may be kept. Nothing here changes while the process lives.
const FRESH_MILLISECONDS: u32 = 300_000;

/// The name of this server.
pub(super) static SERVER_INFO: LazyLock<Value> = LazyLock::new(
    || value!({"name": "sekisho-demo", "title": "Sekisho demo", "version": env!("CARGO_PKG_VERSION")}),
);

/// A result, before its era adds to it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    /// The same for every caller, for as long as the process lives.
    Fixed(&'static Value),
    /// Made for this request.
    Made(Value),
    /// What a tool gave.
    Tool(ToolResult),
}

#[derive(Serialize)]
struct Dressed<'a> {
    #[serde(flatten)]
    answer: &'a Answer,
    #[serde(flatten)]
    modern: Option<Modern>,
}

/// What 2026-07-28 wants on a result; the last two only on what may be kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Modern {
    result_type: &'static str,
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_scope: Option<&'static str>,
}

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server_info: &'static Value,
}

impl Answer {
    /// The whole JSON-RPC message. The id is the text that the client sent.
    pub(super) fn body(&self, era: Era, id: &RequestId) -> Bytes {
        let modern = match era {
            Era::Legacy => None,
            Era::Modern => Some(self.modern()),
        };
        let mut body = Vec::with_capacity(512);
        body.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        body.extend_from_slice(id.as_json().as_bytes());
        body.extend_from_slice(br#","result":"#);
        if serde_json::to_writer(&mut body, &Dressed { answer: self, modern }).is_err() {
            return RpcError::new(code::INTERNAL_ERROR, "result-unwritable", "the result cannot be written")
                .body(Some(id));
        }
        body.push(b'}');
        Bytes::from(body)
    }

    fn modern(&self) -> Modern {
        let fresh = match self {
            Self::Fixed(_) => Some((FRESH_MILLISECONDS, "public")),
            Self::Made(_) | Self::Tool(_) => None,
        };
        Modern {
            result_type: "complete",
            meta: Meta { server_info: &SERVER_INFO },
            ttl_ms: fresh.map(|(ttl, _)| ttl),
            cache_scope: fresh.map(|(_, scope)| scope),
        }
    }
}

/// One JSON message as the whole answer.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response {
    with_body(status, "application/json", Body::from(body))
}

/// The answer to a notification, and to a response: taken, nothing to say.
pub(super) fn accepted() -> Response {
    empty(StatusCode::ACCEPTED)
}

/// A status that says it all.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(super) fn with_body(status: StatusCode, media: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
