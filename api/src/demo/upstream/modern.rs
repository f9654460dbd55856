//! Requests of 2026-07-28: each carries its own metadata and stands alone.

use std::sync::LazyLock;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use mcp::envelope::{Message, MessageKind, RequestId};
use mcp::error::{RpcError, code};
use mcp::revision::Era;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, accepted};
use super::ask::{Reply, ask};
use super::refusal::Refusal;
use super::stream::{self, Caller};
use super::{MODERN, Server, answer, params};

/// What the server says of itself in either era.
pub(super) const INSTRUCTIONS: &str =
    "A demonstration. `echo` and `add` answer at once, `time` tells the time, `slow` reports progress.";

static DISCOVERY: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "supportedVersions": MODERN.map(mcp::revision::Revision::as_str),
        "capabilities": capabilities(),
        "instructions": INSTRUCTIONS,
    })
});

/// No `listChanged`, no `subscribe`: nothing changes.
pub(super) fn capabilities() -> Value {
    json!({"tools": {}, "resources": {}, "prompts": {}})
}

pub(super) async fn take(
    server: &Server,
    headers: &HeaderMap,
    message: &Message,
) -> Result<Response, Refusal> {
    match message.kind() {
        MessageKind::Notification => Ok(accepted()), // cancelling is done by closing the stream
        MessageKind::Response { .. } => {
            Err(Refusal::unexpected("a client sends no responses since 2026-07-28"))
        }
        MessageKind::Request { id } => {
            request(server, headers, message, id).await.map_err(|refusal| refusal.under(Some(id)))
        }
    }
}

async fn request(
    server: &Server,
    headers: &HeaderMap,
    message: &Message,
    id: &RequestId,
) -> Result<Response, Refusal> {
    check_meta(message).map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error))?;
    let reply = match message.method() {
        Some("server/discover") => Ok(Reply::Now(Answer::Fixed(&DISCOVERY))),
        Some(_) | None => ask(server, Era::Modern, message),
    };
    match reply.map_err(refused)? {
        Reply::Now(answer) => Ok(answer::json(StatusCode::OK, answer.body(Era::Modern, id))),
        Reply::Slowly(work) => {
            let caller = Caller { era: Era::Modern, id: id.clone(), progress_token: stream::token(message)? };
            Ok(stream::respond(work, None, caller, headers).await)
        }
    }
}

/// The version was held against its header already; the client's capabilities must be there too.
fn check_meta(message: &Message) -> Result<(), RpcError> {
    #[derive(Deserialize)]
    struct Params {
        #[serde(rename = "_meta")]
        meta: Option<Meta>,
    }
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
        capabilities: Option<Map<String, Value>>,
    }
    if message.protocol_version().is_none() {
        return Err(params::invalid("meta-missing", "`_meta` does not name the protocol version"));
    }
    let meta = params::read::<Params>(message)?.and_then(|params| params.meta);
    match meta.and_then(|meta| meta.capabilities) {
        Some(_) => Ok(()),
        None => Err(params::invalid("meta-missing", "`_meta` does not state the client's capabilities")),
    }
}

/// An unknown method is the one error with a status of its own.
fn refused(error: RpcError) -> Refusal {
    let status = if error.code() == code::METHOD_NOT_FOUND { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Refusal::new(status, error)
}
