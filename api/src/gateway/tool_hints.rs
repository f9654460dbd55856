//! Which tools an upstream annotates as read-only: learned from every list that passes, asked for when a decision hangs on it.
//!
//! A hint is the upstream's word and widens nothing beyond `mcp:read`. Unknown counts as "may write". What one upstream said is forgotten as
//! soon as the instance leads to another.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::value::{ConnectionId, InstanceId};
use http::HeaderValue;
use http_body_util::{BodyExt as _, Limited};
use mcp::headers::{MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX};
use mcp::relay::{Exchange, ToolsFilter};
use mcp::sse::Framer;
use mcp::tools::{CacheScope, ToolSummary};
use mcp::upstream::{Patience, UpstreamRequest, UpstreamUrl};

use serde_json::{Map, Value, json};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::route::{Destination, Route};

const INSTANCES_MAX: usize = 10_000;
const TOOLS_MAX: usize = 10_000;
const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Pages of a list that are asked for one decision.
const PAGES_MAX: usize = 16;
/// After this an upstream's word is asked for again: annotations change with deployments.
const WORD_HOLDS: Duration = Duration::from_mins(1);

/// What is known of each instance's tools.
#[derive(Debug, Clone, Default)]
pub struct ToolHints(Arc<RwLock<HashMap<InstanceId, Heard>>>);

/// What one upstream said.
#[derive(Debug)]
struct Heard {
    connection: ConnectionId,
    url: UpstreamUrl,
    read_only: HashMap<String, (bool, Instant)>,
}

impl Heard {
    fn is_from(&self, upstream: &Destination) -> bool {
        self.connection == upstream.connection_id && self.url == upstream.url
    }
}

impl ToolHints {
    /// The upstream's word on a tool, when it was heard.
    pub(super) fn is_read_only(&self, route: &Route, tool: &str) -> Option<bool> {
        let upstream = route.upstream.as_ref()?;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let heard = known.get(&route.instance.id).filter(|heard| heard.is_from(upstream))?;
        let (read_only, when) = heard.read_only.get(tool)?;
        (when.elapsed() < WORD_HOLDS).then_some(*read_only)
    }

    /// Remembers the upstream's word.
    pub(super) fn learn(&self, route: &Route, tool: &ToolSummary<'_>) {
        let read_only = tool.read_only_hint.unwrap_or(false);
        let Some(upstream) = &route.upstream else { return };
        if self.is_read_only(route, &tool.name) == Some(read_only) {
            return;
        }
        let instance = route.instance.id;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= INSTANCES_MAX && !known.contains_key(&instance) {
            known.clear();
        }
        let nothing = || Heard {
            connection: upstream.connection_id,
            url: upstream.url.clone(),
            read_only: HashMap::new(),
        };
        let heard = known.entry(instance).or_insert_with(nothing);
        if !heard.is_from(upstream) {
            *heard = nothing();
        }
        if heard.read_only.len() < TOOLS_MAX || heard.read_only.contains_key(&*tool.name) {
            heard.read_only.insert(tool.name.clone().into_owned(), (read_only, Instant::now()));
        }
    }
}

impl Gateway {
    /// Asks the upstream for its tools, page by page until the wanted one is known, as the caller would: same revision, same session, same metadata. What it says is learned;
    /// that it says nothing leaves the denial as it was.
    pub(super) async fn learn_tools(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &McpCall,
        tool: &str,
    ) {
        let Some(destination) = &route.upstream else { return };
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let Some(request) = self.list_request(caller, route, destination, call, cursor).await else {
                return;
            };
            let Some(next) = self.learn_page(route, call, request).await else { return };
            if self.0.hints.is_read_only(route, tool).is_some() {
                return;
            }
            cursor = Some(next);
        }
    }

    /// Learns one page; answers where the next one starts.
    async fn learn_page(&self, route: &Route, call: &McpCall, request: UpstreamRequest) -> Option<String> {
        let (hints, place) = (self.0.hints.clone(), route.clone());
        let listen = ToolsFilter::new(CacheScope::AsAnswered, move |tool| {
            hints.learn(&place, tool);
            true
        });
        let answer = self.0.upstream.send(request).await.ok()?;
        let exchange = Exchange::Request { id: call.id().cloned()?, list: Some(listen) };
        let response = mcp::relay::relay(answer, exchange).await.ok()?;
        let streamed = mcp::headers::is_event_stream(response.headers());
        let body = Limited::new(response.into_body(), LIST_BYTES_MAX).collect().await.ok()?.to_bytes();
        if streamed { next_cursor_in_events(body) } else { next_cursor(&body) }
    }

    async fn list_request(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
        cursor: Option<String>,
    ) -> Option<UpstreamRequest> {
        let body = list_body(call, cursor)?;
        let mut headers = self.upstream_headers(caller, route, destination, call).await.ok()?;
        let of_the_call =
            |name: &http::HeaderName| *name == MCP_NAME || name.as_str().starts_with(MCP_PARAM_PREFIX);
        let mirrored: Vec<_> = headers.keys().filter(|name| of_the_call(name)).cloned().collect();
        for name in mirrored {
            headers.remove(name);
        }
        if headers.contains_key(MCP_METHOD) {
            headers.insert(MCP_METHOD, HeaderValue::from_static("tools/list"));
        }
        let (method, url) = (call.method.clone(), destination.url.clone());
        Some(UpstreamRequest { method, url, headers, body, patience: Patience::Call })
    }
}

/// A `tools/list` with the id and the `_meta` of the call.
fn list_body(call: &McpCall, cursor: Option<String>) -> Option<Bytes> {
    let asked: Value = serde_json::from_slice(&call.bytes()).ok()?;
    let mut params = Map::new();
    params.extend(asked.pointer("/params/_meta").map(|meta| ("_meta".to_owned(), meta.clone())));
    params.extend(cursor.map(|cursor| ("cursor".to_owned(), Value::from(cursor))));
    let list = json!({ "jsonrpc": "2.0", "id": asked.get("id")?, "method": "tools/list", "params": params });
    serde_json::to_vec(&list).ok().map(Bytes::from)
}

fn next_cursor(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    answer.pointer("/result/nextCursor").and_then(Value::as_str).map(str::to_owned)
}

fn next_cursor_in_events(stream: Bytes) -> Option<String> {
    let mut framer = Framer::new(LIST_BYTES_MAX);
    framer.push(stream);
    std::iter::from_fn(|| framer.next_event().ok().flatten())
        .filter_map(|event| event.data())
        .find_map(|data| next_cursor(&data))
}
