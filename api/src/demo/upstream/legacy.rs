//! Messages of the revisions up to 2025-11-25: a handshake, then a session.
//!
//! A session is no proof of anything; it holds only the slow calls that can be cancelled in it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mcp::envelope::{Message, MessageKind, RequestId};
use mcp::error::{RpcError, code};
use mcp::headers::{MCP_SESSION_ID, check_bodiless};
use mcp::revision::{Era, Revision};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::answer::{self, Answer, SERVER_INFO, accepted};
use super::ask::{Reply, ask};
use super::modern::{INSTRUCTIONS, capabilities};
use super::refusal::Refusal;
use super::sessions::SessionId;
use super::stream::{self, Caller};
use super::{SPOKEN, Server, params};

pub(super) async fn take(
    server: &Server,
    headers: &HeaderMap,
    message: &Message,
) -> Result<Response, Refusal> {
    match message.kind() {
        MessageKind::Request { id } => {
            request(server, headers, message, id).await.map_err(|refusal| refusal.under(Some(id)))
        }
        MessageKind::Notification => {
            let session = session(server, headers)?;
            if message.method() == Some("notifications/cancelled")
                && let Some(id) = cancelled(message)
            {
                server.sessions.cancel(session, &id);
            }
            Ok(accepted())
        }
        MessageKind::Response { .. } => {
            session(server, headers)?;
            Ok(accepted()) // nothing was asked, so there is nothing to do with it
        }
    }
}

/// DELETE: the client is done with its session. The modern era has none to end.
pub(super) async fn terminate(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    server.origins.check(&headers)?;
    match check_bodiless(&headers, &SPOKEN)?.era {
        Era::Modern => {
            let mut response = answer::empty(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            Ok(response)
        }
        Era::Legacy => {
            let session = session(&server, &headers)?;
            server.sessions.end(session);
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
    }
}

async fn request(
    server: &Server,
    headers: &HeaderMap,
    message: &Message,
    id: &RequestId,
) -> Result<Response, Refusal> {
    if message.method() == Some("initialize") {
        return initialize(server, message, id);
    }
    let session = session(server, headers)?;
    let reply = match message.method() {
        Some("ping") => Ok(Reply::Now(Answer::Made(json!({})))),
        Some(_) | None => ask(server, Era::Legacy, message),
    };
    match reply.map_err(refused)? {
        Reply::Now(answer) => Ok(answer::json(StatusCode::OK, answer.body(Era::Legacy, id))),
        Reply::Slowly(work) => {
            let caller = Caller { era: Era::Legacy, id: id.clone(), progress_token: stream::token(message)? };
            let call = server.sessions.begin(session, id).ok_or_else(|| {
                refused(RpcError::new(code::INVALID_REQUEST, "request-id-in-use", "the id is in use"))
            })?;
            Ok(stream::respond(work, Some(call), caller, headers).await)
        }
    }
}

/// The version that was asked for, when it is spoken here, else the newest one that has a handshake.
fn initialize(server: &Server, message: &Message, id: &RequestId) -> Result<Response, Refusal> {
    #[derive(Deserialize)]
    struct Handshake {
        #[serde(rename = "protocolVersion")]
        version: String,
    }
    let asked = params::read::<Handshake>(message).map_err(refused)?;
    let asked =
        asked.ok_or_else(|| refused(params::invalid("params-missing", "`initialize` has no params")))?;
    let agreed = Revision::parse(&asked.version)
        .filter(|revision| SPOKEN.contains(revision) && revision.era() == Era::Legacy);
    let answer = Answer::Made(json!({
        "protocolVersion": agreed.unwrap_or(Revision::V2025_11_25).as_str(),
        "capabilities": capabilities(),
        "serverInfo": &*SERVER_INFO,
        "instructions": INSTRUCTIONS,
    }));
    let mut response = answer::json(StatusCode::OK, answer.body(Era::Legacy, id));
    let session = server.sessions.open().map_err(|_| no_session_id())?;
    let session = HeaderValue::from_str(&session.to_string()).map_err(|_| no_session_id())?;
    response.headers_mut().insert(MCP_SESSION_ID, session);
    Ok(response)
}

fn session(server: &Server, headers: &HeaderMap) -> Result<SessionId, Refusal> {
    let Some(text) = headers.get(MCP_SESSION_ID) else {
        let error = RpcError::new(code::INVALID_REQUEST, "session-missing", "the request names no session");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, error));
    };
    let id = text.to_str().ok().and_then(SessionId::parse);
    id.filter(|id| server.sessions.touch(*id)).ok_or_else(|| {
        let error = RpcError::new(code::NOT_FOUND, "session-unknown", "there is no such session");
        Refusal::new(StatusCode::NOT_FOUND, error)
    })
}

/// The request that a cancellation names. One that names none is ignored, as notifications are.
fn cancelled(message: &Message) -> Option<RequestId> {
    #[derive(Deserialize)]
    struct Cancelled<'a> {
        #[serde(borrow, rename = "requestId")]
        id: &'a RawValue,
    }
    let cancelled = params::read::<Cancelled<'_>>(message).ok()??;
    RequestId::parse(cancelled.id.get())
}

/// Errors travel at 200: a 404 here would say that the session is gone.
fn refused(error: RpcError) -> Refusal {
    Refusal::new(StatusCode::OK, error)
}

fn no_session_id() -> Refusal {
    let error = RpcError::new(code::INTERNAL_ERROR, "no-randomness", "no session id can be drawn");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error)
}
