//! Which tools an upstream annotates as read-only: learned from every list that passes, asked for when a decision hangs on it.
//!
//! A hint is the upstream's word and widens nothing beyond `mcp:read`. Unknown counts as "may write".

use std::collections::HashMap;
use std::sync::{Arc, RwLock, PoisonError};

use bytes::Bytes;
use domain::value::InstanceId;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt as _;
use mcp::forward_headers;
use mcp::headers::{MCP_METHOD, MCP_NAME, MCP_SESSION_ID};
use mcp::relay::{Exchange, ToolsFilter};
use mcp::tools::CacheScope;
use mcp::upstream::{Patience, UpstreamRequest};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::route::{Destination, Route};

const INSTANCES_MAX: usize = 10_000;
const TOOLS_MAX: usize = 10_000;
const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is known of each instance's tools.
#[derive(Debug, Clone, Default)]
pub struct ToolHints(Arc<RwLock<HashMap<InstanceId, HashMap<String, bool>>>>);

impl ToolHints {
    /// The upstream's word on a tool, when it was heard.
    pub(super) fn is_read_only(&self, instance: InstanceId, tool: &str) -> Option<bool> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&instance)?.get(tool).copied()
    }

    /// Remembers the upstream's word.
    pub(super) fn learn(&self, instance: InstanceId, tool: &str, read_only: bool) {
        if self.is_read_only(instance, tool) == Some(read_only) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= INSTANCES_MAX && !known.contains_key(&instance) {
            known.clear();
        }
        let tools = known.entry(instance).or_default();
        if tools.len() < TOOLS_MAX || tools.contains_key(tool) {
            tools.insert(tool.to_owned(), read_only);
        }
    }
}

impl Gateway {
    /// Asks the upstream for its first page of tools, as the caller would: same revision, same session, same metadata. What it says is learned;
    /// that it says nothing leaves the denial as it was.
    pub(super) async fn learn_tools(&self, caller: &AuthenticatedCaller, route: &Route, call: &McpCall) {
        let Some(destination) = &route.upstream else { return };
        let Some(request) = self.list_request(caller, route, destination, call).await else { return };
        let Some(id) = call.id().cloned() else { return };
        let (hints, instance) = (self.0.hints.clone(), route.instance.id);
        let listen = ToolsFilter::new(CacheScope::AsAnswered, move |tool| {
            hints.learn(instance, &tool.name, tool.read_only_hint.unwrap_or(false));
            true
        });
        let Ok(answer) = self.0.upstream.send(request).await else { return };
        let Ok(response) = mcp::relay::relay(answer, Exchange::Request { id, list: Some(listen) }).await else { return };
        let _ = http_body_util::Limited::new(response.into_body(), LIST_BYTES_MAX).collect().await;
    }

    async fn list_request(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
    ) -> Option<UpstreamRequest> {
        let mut headers: HeaderMap = forward_headers::request(&Method::POST, &call.headers);
        headers.remove(MCP_NAME);
        if headers.contains_key(MCP_METHOD) {
            headers.insert(MCP_METHOD, HeaderValue::from_static("tools/list"));
        }
        if let Some(session) = call.headers.get(MCP_SESSION_ID) {
            headers.insert(MCP_SESSION_ID, self.open_session(caller, route, destination, session).ok()?);
        }
        self.0.credentials.add(destination, &mut headers).await.ok()?;
        Some(UpstreamRequest {
            method: Method::POST,
            url: destination.url.clone(),
            headers,
            body: list_body(call)?,
            patience: Patience::Call,
        })
    }
}

/// A `tools/list` with the id and the `_meta` of the call.
fn list_body(call: &McpCall) -> Option<Bytes> {
    let asked: serde_json::Value = serde_json::from_slice(&call.bytes()).ok()?;
    let params = match asked.pointer("/params/_meta") {
        Some(meta) => serde_json::json!({ "_meta": meta }),
        None => serde_json::json!({}),
    };
    let list = serde_json::json!({ "jsonrpc": "2.0", "id": asked.get("id")?, "method": "tools/list", "params": params });
    serde_json::to_vec(&list).ok().map(Bytes::from)
}
