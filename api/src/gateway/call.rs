//! One MCP request as it came: method, headers and message, checked against each other, bytes untouched.

use axum::body::Body;
use bytes::Bytes;
use domain::policy::Wish;
use http::request::Parts;
use http::{HeaderMap, Method};
use mcp::envelope::{MCP_REQUEST_BYTES_MAX, Message, MessageKind, RequestId};
use mcp::headers::{MCP_PROTOCOL_VERSION, check_bodiless, check_get_media, check_message, check_post_media};
use mcp::revision::{Era, Revision};

use super::body::read_call;
use super::refusal::{Refusal, Refused};
use super::shares::Share;

/// Revisions that are carried through as they are. Older ones come with the bridging of eras.
pub(super) const CARRIED: [Revision; 4] =
    [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28];

/// A call that is well formed.
#[derive(Debug)]
pub(super) struct McpCall {
    /// POST, GET or DELETE.
    pub(super) method: Method,
    /// All headers that came.
    pub(super) headers: HeaderMap,
    /// The message of a POST.
    pub(super) message: Option<Message>,
    /// What is gathered for it counts here.
    pub(super) share: Share,
}

impl McpCall {
    /// Reads and checks a request. The refusal carries the request's id as soon as it is known.
    pub(super) async fn read(head: Parts, body: Body, share: Share) -> Result<Self, Refused> {
        let Parts { method, headers, .. } = head;
        let message = match method {
            Method::POST => Some(read_message(&headers, body, &share).await?),
            Method::GET => {
                check_get_media(&headers).map_err(|error| Refusal::media(error).to(None))?;
                None
            }
            Method::DELETE => None,
            _ => return Err(Refusal::method_not_allowed().with_id_from(body, &share.small).await),
        };
        let id = message.as_ref().and_then(Message::id).cloned();
        let checked = match &message {
            Some(message) => check_message(&headers, message, &CARRIED),
            None => check_bodiless(&headers, &CARRIED),
        };
        checked.map_err(|error| Refusal::header(&error).to(id))?;
        Ok(Self { method, headers, message, share })
    }

    /// The id of the request, when there is one.
    pub(super) fn id(&self) -> Option<&RequestId> {
        self.message.as_ref().and_then(Message::id)
    }

    /// The JSON-RPC method, when there is a message that has one.
    pub(super) fn rpc_method(&self) -> Option<&str> {
        self.message.as_ref().and_then(Message::method)
    }

    /// Whether this is a request of 2026-07-28.
    pub(super) fn is_modern(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.protocol_version().is_some())
    }

    /// Whether this is of the era of 2026-07-28, be it a request, whose body says so, or anything else, whose head does.
    pub(super) fn is_of_modern_era(&self) -> bool {
        let stated = self.headers.get(MCP_PROTOCOL_VERSION).and_then(|value| value.to_str().ok());
        let stated = stated.and_then(|text| Revision::parse(text.trim()));
        self.is_modern() || stated.is_some_and(|revision| revision.era() == Era::Modern)
    }

    /// Whether this asks for the list of tools.
    pub(super) fn lists_tools(&self) -> bool {
        self.rpc_method() == Some("tools/list")
    }

    /// The bytes of the message.
    pub(super) fn bytes(&self) -> Bytes {
        self.message.as_ref().map(|message| message.bytes().clone()).unwrap_or_default()
    }

    /// What the caller wants, as the policy understands it. The tool's name is the body's, never a header's.
    pub(super) fn wish(&self, read_only: impl FnOnce(&str) -> bool) -> Wish<'_> {
        let Some(message) = &self.message else { return Wish::Connect };
        if let Some(tool) = message.tool_name() {
            return Wish::Call { tool, read_only: read_only(tool) };
        }
        match (message.kind(), message.method()) {
            (MessageKind::Response { .. }, _) => Wish::Connect,
            (MessageKind::Notification, Some(method)) if method.starts_with("notifications/") => {
                Wish::Connect
            }
            // Also a notification that is a request without an id: an upstream may carry it out all the same.
            (MessageKind::Notification | MessageKind::Request { .. }, Some(method)) => wish_of(method),
            (MessageKind::Notification | MessageKind::Request { .. }, None) => Wish::Extend,
        }
    }
}

fn wish_of(method: &str) -> Wish<'static> {
    match method {
        "initialize"
        | "server/discover"
        | "ping"
        | "tools/list"
        | "logging/setLevel"
        | "subscriptions/listen" => Wish::Connect,
        "resources/list"
        | "resources/templates/list"
        | "resources/read"
        | "resources/subscribe"
        | "resources/unsubscribe"
        | "prompts/list"
        | "prompts/get"
        | "completion/complete" => Wish::Read,
        // Also tasks/*: under one upstream credential nobody can tell another caller's task from one's own.
        _ => Wish::Extend,
    }
}

async fn read_message(headers: &HeaderMap, body: Body, share: &Share) -> Result<Message, Refused> {
    if let Err(error) = check_post_media(headers) {
        return Err(Refusal::media(error).with_id_from(body, &share.small).await);
    }
    let bytes = read_call(body, MCP_REQUEST_BYTES_MAX, share).await.map_err(|refusal| refusal.to(None))?;
    Message::parse(bytes.clone()).map_err(|error| Refusal::envelope(error).to(Message::readable_id(&bytes)))
}
